//! Writes what a ledger publishes into a folder, as `tests/python/recompute.py` reads it.

use std::fs;
use std::path::Path;

use base64ct::{Base64, Encoding};
use meed_audit::close::close_with;
use meed_audit::ids::{Claimant, SetVersion};
use meed_storage::{Snapshot, Which};

use crate::life::Life;

/// What the table must say of a dossier.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) events: String,
    pub(crate) late: String,
    pub(crate) claimants: String,
    pub(crate) pool: String,
    pub(crate) distributed: String,
    pub(crate) set: String,
    pub(crate) is_final: bool,
    /// How many proofs of absence were written.
    pub(crate) strangers: String,
}

/// What was written.
pub(crate) struct Exported {
    pub(crate) rows: Vec<Row>,
    /// A payout proof, by its path in the folder.
    pub(crate) payout: String,
}

/// Exports a whole scope.
pub(crate) fn export(life: &Life, folder: &Path) -> Exported {
    for name in ["dossiers", "statements", "proofs", "import"] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    let trust = life.world.trust(life.scope).to_toml().unwrap();
    fs::write(folder.join("trust.toml"), trust).unwrap();
    for (number, lines) in life.lines.chunks(3_000).enumerate() {
        fs::write(folder.join(format!("import/{number}.ndjson")), lines.join("\n") + "\n").unwrap();
    }
    let snapshot = life.world.snapshot();
    let mut rows = Vec::new();
    for epoch in snapshot.epochs(life.scope).unwrap() {
        for draft in snapshot.drafts(life.scope, epoch.number).unwrap() {
            rows.push(export_draft(life, &snapshot, folder, &draft.statement));
        }
    }
    let payout = fs::read_dir(folder.join("proofs")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = payout.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    let first = names.iter().find(|name| name.ends_with(".payout.json")).unwrap();
    Exported { rows, payout: format!("proofs/{first}") }
}

fn export_draft(
    life: &Life,
    snapshot: &Snapshot,
    folder: &Path,
    statement: &meed_audit::statement::Statement,
) -> Row {
    let (epoch, which) = (statement.epoch, Which::Revision(statement.revision));
    let name = format!("{epoch}-{}", statement.revision);
    let mut dossier = Vec::new();
    snapshot.dossier(life.scope, epoch, which).unwrap().write(&mut dossier).unwrap();
    fs::write(folder.join(format!("dossiers/{name}.ndjson")), dossier).unwrap();
    let mut late = 0;
    let input = snapshot.epoch_input(life.scope, epoch, which).unwrap();
    close_with(&input, &mut |activity| late += usize::from(activity.late)).unwrap();
    let is_final = snapshot.final_statement(life.scope, epoch, which).is_ok();
    let mut strangers = 0;
    if is_final {
        let note = snapshot.final_statement(life.scope, epoch, which).unwrap().note;
        fs::write(folder.join(format!("statements/{name}.txt")), note).unwrap();
        strangers = export_proofs(life, snapshot, folder, statement);
    }
    Row {
        name: format!("{epoch}/{}", statement.revision),
        events: statement.activity.size.to_string(),
        late: late.to_string(),
        claimants: statement.allocations_count.to_string(),
        pool: statement.pool_total.to_string(),
        distributed: statement.distributed.to_string(),
        set: statement.approvers.version.to_string(),
        is_final,
        strangers: strangers.to_string(),
    }
}

/// The proof of everybody whom the world knows and of some whom it does not. How many are of absence.
fn export_proofs(
    life: &Life,
    snapshot: &Snapshot,
    folder: &Path,
    statement: &meed_audit::statement::Statement,
) -> usize {
    let strangers = [
        "identity:discord:1",
        "identity:discord:424242",
        "identity:github:1",
        "identity:wallet:0xffffffffffffffffffffffffffffffffffffffff",
    ];
    let others = strangers.map(|claimant| claimant.parse::<Claimant>().unwrap());
    let which = Which::Revision(statement.revision);
    let mut absent = 0;
    for claimant in life.people.iter().chain(&others) {
        let proof = snapshot.proof(life.scope, statement.epoch, which, claimant, SetVersion::FIRST).unwrap();
        let is_payout = matches!(proof, meed_audit::proof::Proof::Payout(_));
        // Of those who got nothing, every fifth and all strangers are enough.
        let number = claimant.to_string().bytes().map(usize::from).sum::<usize>();
        if !is_payout && number % 5 != 0 && !others.contains(claimant) {
            continue;
        }
        absent += usize::from(!is_payout);
        let kind = if is_payout { "payout" } else { "absence" };
        let who = claimant.to_string().replace(':', "-");
        let name = format!("proofs/{}-{}-{who}.{kind}.json", statement.epoch, statement.revision);
        fs::write(folder.join(name), proof.to_file()).unwrap();
    }
    absent
}

/// The text with one digit put in right after the first place of `before`: a number becomes another.
pub(crate) fn replace_once(text: &str, before: &str, digit: &str) -> String {
    text.replacen(before, &format!("{before}{digit}"), 1)
}

/// A proof file whose `payout` carries another leaf: a digit is put in after `before`.
pub(crate) fn change_extra(text: &str, before: &str, digit: &str) -> String {
    let (head, rest) = text.split_once(r#""payout":"c2sp.org/tlog-proof@v1\nextra "#).unwrap();
    let (extra, tail) = rest.split_once(r"\nindex").unwrap();
    let leaf = String::from_utf8(Base64::decode_vec(extra).unwrap()).unwrap();
    let changed = Base64::encode_string(replace_once(&leaf, before, digit).as_bytes());
    format!(r#"{head}"payout":"c2sp.org/tlog-proof@v1\nextra {changed}\nindex{tail}"#)
}
