//! The ledger itself, asked as every command asks it: through the node that runs on the folder, or in this process.

use meed_audit::RejectionCode;
use meed_audit::time::{MS_PER_DAY, Timestamp};
use meed_keys::VerifierKey;

use super::Finding;
use crate::api::documents::{CheckpointView, NodeView, Page, RunView, ScheduleView, ScopeView};
use crate::cli::args::Cli;
use crate::cli::console::Console;
use crate::cli::session::Session;
use crate::client::Client;
use crate::clock;
use crate::config::DataFolder;
use crate::failure::Failure;
use crate::words::describe_first_window;
use crate::{key_command, serve};

/// Looks at the ledger, at the clock beside its times, at its key, at its scopes' approvers, and at its schedules; gives
/// also where the node listens that runs on it.
pub(super) fn look(cli: &Cli, folder: &DataFolder, console: Console) -> (Vec<Finding>, Option<String>) {
    match ask(cli, folder, console) {
        Ok(found) => found,
        Err(failure) => (vec![Finding::of("ledger", &failure)], None),
    }
}

fn ask(cli: &Cli, folder: &DataFolder, console: Console) -> Result<(Vec<Finding>, Option<String>), Failure> {
    let serves = serve::is_answered(&folder.socket());
    // What opening has to say of the key is said below.
    let client = Session::open(cli, console.quiet())?.client;
    let node: NodeView = client.get("/node")?;
    let mut findings = vec![ledger(&node, serves), clock(&node, &client)?];
    findings.extend(key(folder, &node));
    let scopes: Vec<ScopeView> = client.get("/scopes")?;
    findings.extend(scopes.iter().filter(|scope| !scope.ended).map(approvers));
    let schedules: Vec<ScheduleView> = client.get("/schedules")?;
    findings.extend(schedules.iter().map(schedule));
    Ok((findings, node.listens_at))
}

fn ledger(node: &NodeView, serves: bool) -> Finding {
    let how = if serves { "a node serves it" } else { "no node serves it" };
    if node.restored {
        let found = "it was restored from a backup, and signs and changes nothing";
        return Finding::warning("ledger", found, "confirm the last published sizes with `meed resume`");
    }
    Finding::well("ledger", format!("{} of node {}; {how}", node.origin, node.node_id))
}

/// A clock that stands before what the ledger recorded would date decisions into the past.
fn clock(node: &NodeView, client: &Client) -> Result<Finding, Failure> {
    let runs: Page<RunView> = client.get("/runs?limit=1")?;
    let newest = runs.items.first().map_or(node.created_at, |run| run.started_at.max(node.created_at));
    let now = match clock::now() {
        Ok(now) => now,
        Err(failure) => return Ok(Finding::of("clock", &failure)),
    };
    Ok(judge_clock(now, newest, newest_event(node, client)?))
}

/// When the newest event was read at its source: by the clock of whoever did, which may be some minutes ahead.
fn newest_event(node: &NodeView, client: &Client) -> Result<Option<Timestamp>, Failure> {
    /// Entries that are looked at, since a scope's claim on an older event is an entry too.
    const ENTRIES: u64 = 20;
    #[derive(serde::Deserialize)]
    struct Retrieved {
        retrieved_at: Timestamp,
    }
    let size = node.logs.iter().find(|log| log.log == "events").map_or(0, |log| log.size);
    for index in (size.saturating_sub(ENTRIES)..size).rev() {
        let entry = client.bytes(&format!("/logs/events/entries/{index}"))?;
        if let Ok(Retrieved { retrieved_at }) = serde_json::from_slice(&entry) {
            return Ok(Some(retrieved_at));
        }
    }
    Ok(None)
}

/// Judges the clock by the newest time that the ledger recorded by it, and by the newest event.
fn judge_clock(now: Timestamp, newest: Timestamp, event: Option<Timestamp>) -> Finding {
    if now < newest {
        let found = format!("it stands at {now}, before what the ledger recorded at {newest}");
        return Finding::failed("clock", found, "set the clock of this machine, and let it be kept by NTP");
    }
    let active = event.map_or(newest, |event| event.max(newest));
    // Nothing of a year may be an idle ledger as well as a clock that is wrong.
    if now.as_ms().saturating_sub(active.as_ms()) > MS_PER_DAY.saturating_mul(365) {
        let found = format!("it stands at {now}, more than a year after the ledger's newest record");
        return Finding::warning("clock", found, "check the clock of this machine");
    }
    Finding::well("clock", now.to_string())
}

fn key(folder: &DataFolder, node: &NodeView) -> Option<Finding> {
    // That it is missing has been said of its file.
    let file = folder.log_key().exists().then(|| key_command::read_log_key(&folder.log_key()))?;
    let file = match file {
        Ok(file) => file,
        Err(failure) => return Some(Finding::of("log key", &failure)),
    };
    // Each log has the key under its own name.
    let is_of = |log: &CheckpointView| {
        let vkey: Result<VerifierKey, _> = log.vkey.parse();
        vkey.is_ok_and(|vkey| vkey.public_key() == file.verifier_key().public_key())
    };
    Some(match node.logs.iter().all(is_of) {
        true => Finding::well("log key", file.verifier_key().to_string()),
        false => Finding::failed(
            "log key",
            format!("{} is another key than that of the ledger's logs", folder.log_key().display()),
            "put the key back that was made with the ledger: no other can sign its logs",
        ),
    })
}

/// Who approves a scope's statements: nobody keeps its epochs open, and half of them or fewer can contradict each other.
fn approvers(scope: &ScopeView) -> Finding {
    let key = &scope.key;
    let Some(set) = &scope.approvers else {
        let found = format!("{key}: none, so that no epoch can be closed");
        return Finding::warning("approvers", found, format!("set them with `meed scope approvers {key}`"));
    };
    let found = format!("{key}: {} of {}, version {}", set.threshold, set.members, set.version);
    if set.weak_majority {
        let found = format!("{found}: two disjoint groups could approve two different statements");
        return Finding::warning("approvers", found, "propose a set whose threshold is more than half of it");
    }
    Finding::well("approvers", found)
}

fn schedule(schedule: &ScheduleView) -> Finding {
    if let Some(problem) = &schedule.problem {
        let found = format!("{}: cannot {}: {}", schedule.scope, problem.action, problem.detail);
        return Finding::warning("schedule", found, problem.remedy.clone());
    }
    if !schedule.gaps.is_empty() {
        let found = format!("{}: {}", schedule.scope, schedule.gaps.join("; "));
        return Finding::warning("schedule", found, RejectionCode::CollectionGap.remedy());
    }
    if let Some(first) = schedule.first_window.as_ref().filter(|first| first.start.is_none()) {
        let found = format!("{}: it opens {}", schedule.scope, describe_first_window(first));
        let remedy = "say under the scope in meed.toml first_window = \"earliest-event\", \"now\" or a date, as the comments \
                      there explain; or open the window yourself with `meed epoch open`";
        return Finding::warning("schedule", found, remedy);
    }
    let next = schedule.next_due.map(|at| format!(", next on {at}")).unwrap_or_default();
    let first = schedule.first_window.as_ref().map(describe_first_window);
    let first = first.map(|first| format!(", opens first {first}")).unwrap_or_default();
    Finding::well("schedule", format!("{}: {}{next}{first}", schedule.scope, schedule.state))
}

#[cfg(test)]
mod tests {
    use super::super::Standing;
    use super::*;

    #[test]
    fn a_clock_that_stands_before_the_ledger_is_wrong() {
        let at = |text: &str| Timestamp::parse_edge("time", text).expect("a time");
        let newest = at("2026-11-20T10:00:00Z");
        for (now, standing) in [
            ("2026-11-20T09:59:59Z", Standing::Failed),
            ("2026-11-20T10:00:00Z", Standing::Well),
            ("2027-11-20T10:00:00Z", Standing::Well),
            ("2027-11-20T10:00:01Z", Standing::Warning),
        ] {
            let finding = judge_clock(at(now), newest, None);
            assert_eq!(finding.standing, standing, "{finding:?}");
            assert_eq!(finding.remedy.is_empty(), standing == Standing::Well);
        }
        // An old ledger to which events come is not idle; one that comes from a clock ahead is no reason to doubt this one.
        let (later, event) = (at("2028-11-20T10:00:00Z"), at("2028-11-20T10:05:00Z"));
        assert_eq!(judge_clock(later, newest, Some(event)).standing, Standing::Well);
        assert_eq!(judge_clock(later, newest, None).standing, Standing::Warning);
    }
}
