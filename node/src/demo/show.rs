//! What the demo shows.

use std::cell::Cell;

use super::stage::{Play, Stage};
use super::{APPROVERS, ProofFiles};
use crate::api::documents::{AllocationsView, CollectView, DecisionView};
use crate::cli::console::Console;
use crate::failure::Failure;
use crate::verify_command::Report;
use crate::words::{Names, amount, table, units};

/// Digits of a hashed identity that a table shows.
const SHOWN_DIGITS: usize = 12;

/// Tells the story on standard output, or nothing where programs read the answer.
pub(super) struct Story {
    console: Console,
    begun: Cell<bool>,
}

impl Story {
    pub(super) fn new(console: Console) -> Self {
        Self { console, begun: Cell::new(false) }
    }

    /// A heading.
    pub(super) fn scene(&self, title: &str) -> Result<(), Failure> {
        let gap = if self.begun.replace(true) { "\n" } else { "" };
        self.line(&format!("{gap}== {title}"))
    }

    /// Some lines.
    pub(super) fn line(&self, text: &str) -> Result<(), Failure> {
        if self.console.is_json() {
            return Ok(());
        }
        self.console.bytes(format!("{}\n", text.trim_end()).as_bytes())
    }
}

/// `identity:git:0123456789ab…`: enough to tell people of one table apart.
fn shortened(claimant: &str) -> String {
    match claimant.rsplit_once(':') {
        Some((kind, id)) if id.len() > 2 * SHOWN_DIGITS => {
            format!("{kind}:{}…", id.get(..SHOWN_DIGITS).unwrap_or(id))
        }
        _ => claimant.to_owned(),
    }
}

/// Allocations as a table, with the sum that equals the pool; `verb` says whether it is proposed or decided.
pub(super) fn payout_table(view: &AllocationsView, names: &Names, verb: &str) -> String {
    let credits = |value: u128| amount(value, view.decimals);
    let rows = view.items.iter().map(|allocation| {
        let claimant = allocation.claimant.to_string();
        vec![
            shortened(&claimant),
            names.of_claimant(&claimant).unwrap_or_default().to_owned(),
            allocation.events.to_string(),
            units(allocation.final_units.value()),
            credits(allocation.credits.value()),
        ]
    });
    let table = table(&["claimant", "name", "events", "units", &view.unit], 2, rows);
    let undistributed = view.undistributed.value();
    let paid = view.pool_total.value().saturating_sub(undistributed);
    format!(
        "{table}\n {verb} {} + undistributed {} = pool {} {}",
        credits(paid),
        credits(undistributed),
        credits(view.pool_total.value()),
        view.unit
    )
}

/// What was collected, and which week is played.
pub(super) fn collected(view: &CollectView, play: &Play) -> String {
    let found: Vec<String> = view.found.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
    let skipped: u64 = view.skipped.iter().map(|skipped| skipped.count).sum();
    let which = if play.early {
        "the week of now, since none with activity has finished"
    } else {
        "the finished week that has most activity"
    };
    format!(
        "events of these types: {found}; from {} commits, {} stored, {skipped} left out\n\
         epoch 1 is {which}, {} to {}:\nwhat happened in it is paid, and nothing else",
        view.commits_seen.unwrap_or(0),
        view.events.stored,
        play.period.start,
        play.period.end
    )
}

/// A decision in words.
pub(super) fn decision(view: &DecisionView) -> String {
    let decision = &view.decision;
    format!(
        "{} sets the final units of {} to {}: \"{}\"",
        decision.actor,
        shortened(&decision.subject),
        decision.after.as_deref().and_then(|milli| milli.parse().ok()).map(units).unwrap_or_default(),
        decision.reason
    )
}

/// What to do next, the proof's path, and the last word.
pub(super) fn ending(stage: &Stage, files: &ProofFiles, report: &Report) -> String {
    let folder = stage.folder.display();
    let (proof, trust) = (files.proof.display(), files.trust.display());
    let [first, ..] = APPROVERS;
    format!(
        "\n== Next\n\
         meed verify {proof} --trust {trust}\n    what a contributor does, without the node\n\
         meed --data {folder} statement --scope default --epoch 1\n    the text that was signed\n\
         meed --data {folder} decisions --scope default\n    who changed what, and why\n\
         meed sign {folder}/epoch-1.dossier --key {folder}/{first}.key\n    what an approver sees before signing\n\
         meed --data {folder} serve\n    the same in a browser\n\
         meed init --help\n    a ledger of your own\n\n\
         proof file: {proof}\n{}",
        if report.verified { "verified" } else { "not verified" }
    )
}
