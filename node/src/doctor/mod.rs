//! `meed doctor`: looks at all that a node needs, and says of each thing what was found and what to do about it. It
//! changes nothing, and one thing that is wrong hides no other.

mod folder;
mod ledger;
mod port;
mod schedule;

use serde::Serialize;

use crate::cli::args::{Cli, DoctorArgs};
use crate::cli::console::Console;
use crate::config::{DataFolder, Settings};
use crate::failure::Failure;
use crate::words::fit;

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Standing {
    /// As it should be.
    Well,
    /// The node works, but somebody should look at it.
    Warning,
    /// The node does not work, or loses something, until this is mended.
    Failed,
}

/// What was found of one thing.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    /// Which thing.
    check: &'static str,
    /// How it stands.
    standing: Standing,
    /// What was found.
    found: String,
    /// What to do; nothing where all is well.
    #[serde(skip_serializing_if = "String::is_empty")]
    remedy: String,
}

impl Finding {
    fn well(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, standing: Standing::Well, found: found.into(), remedy: String::new() }
    }

    fn warning(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, standing: Standing::Warning, found: found.into(), remedy: remedy.into() }
    }

    fn failed(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, standing: Standing::Failed, found: found.into(), remedy: remedy.into() }
    }

    /// What a failure says of a thing.
    fn of(check: &'static str, failure: &Failure) -> Self {
        let detail = failure.problem.detail.split_whitespace().collect::<Vec<_>>().join(" ");
        Self::failed(check, detail, failure.problem.remedy.clone())
    }
}

/// Runs `meed doctor`.
///
/// # Errors
/// `unhealthy` where a check failed; usage beside `--node`, since it is this machine that is looked at.
pub(crate) fn run(args: &DoctorArgs, cli: &Cli, console: Console) -> Result<(), Failure> {
    if cli.node.is_some() {
        let what = "expected a folder of this machine, got --node or MEED_NODE";
        return Err(Failure::usage(what, "run `meed doctor` on the node's own machine"));
    }
    let findings = match &args.source {
        Some(source) => vec![schedule::look_at_one(source, &args.api)?],
        None => look_at_all(cli, console),
    };
    console.answer(&findings, || describe(&findings))?;
    match findings.iter().filter(|finding| finding.standing == Standing::Failed).count() {
        0 => Ok(()),
        failed => {
            let what = format!("expected a sound node, got {failed} of {} checks failed", findings.len());
            Err(Failure::refused("unhealthy", what, "do what stands beside each check that failed"))
        }
    }
}

fn look_at_all(cli: &Cli, console: Console) -> Vec<Finding> {
    let data = DataFolder::choose(cli.data.as_deref());
    let mut findings = folder::look(&data);
    match Settings::read(&data) {
        Err(failure) => findings.push(Finding::of("settings", &failure)),
        Ok(settings) => {
            let found = if data.settings().exists() { "meed.toml can be read" } else { "all by default" };
            findings.push(Finding::well("settings", found));
            let (ledger, listens_at) = ledger::look(cli, &data, console);
            findings.extend(port::look(&settings, listens_at.as_deref()));
            findings.extend(ledger);
            findings.extend(schedule::look(&settings));
        }
    }
    findings
}

fn describe(findings: &[Finding]) -> String {
    let lines = findings.iter().map(|finding| {
        let word = match finding.standing {
            Standing::Well => "ok     ",
            Standing::Warning => "look   ",
            Standing::Failed => "failed ",
        };
        let remedy = if finding.remedy.is_empty() {
            String::new()
        } else {
            format!("       remedy: {}\n", finding.remedy)
        };
        format!("{word}{}: {}\n{remedy}", finding.check, finding.found)
    });
    fit(&lines.collect::<String>())
}
