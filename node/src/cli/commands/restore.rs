//! `meed restore`: a ledger folder of a backup, whole or not at all.

use std::path::Path;

use meed_keys::KeyUse;
use meed_storage::{Ledger, Options};
use serde::Serialize;

use super::init::{Workshop, check_free};
use crate::cli::args::RestoreArgs;
use crate::cli::console::Console;
use crate::config::{DataFolder, commented};
use crate::failure::Failure;
use crate::files::{self, Access};
use crate::key_command;

/// What `restore` answers.
#[derive(Serialize)]
struct RestoreAnswer {
    node_id: String,
    origin: String,
    data: String,
    events: u64,
    statements: u64,
    has_log_key: bool,
}

/// Runs `meed restore`.
///
/// # Errors
/// Where the folder holds a ledger already, or the backup or the key is not what it must be.
pub fn run(args: &RestoreArgs, data: Option<&Path>, console: Console) -> Result<(), Failure> {
    let target = DataFolder::choose(data);
    check_free(&target)?;
    let workshop = Workshop::begin(target.path())?;
    let folder = workshop.folder();
    let report = Ledger::restore(&args.input, folder.ledger(), &mut |_| {})?;
    let key = args.log_key.as_deref().map(|path| key_command::read(path)?.open(None).map_err(Failure::from));
    let key = key.transpose()?;
    if let Some(key) = &key {
        if key.key_use() != KeyUse::Log {
            let what = format!("expected the key of a log, got one for use as {}", key.key_use());
            return Err(Failure::refused("key_use", what, "give the node's log.key"));
        }
        key_command::write(key, None, &folder.log_key())?;
    }
    let has_log_key = key.is_some();
    // Opening it with the key shows that the key is this ledger's.
    let ledger = Ledger::open(folder.ledger(), Options { log_key: key, ..Options::default() })?;
    let snapshot = ledger.snapshot()?;
    let (node_id, origin) = (snapshot.node_id()?, snapshot.origin()?);
    drop(snapshot);
    drop(ledger);
    files::write_new(&folder.settings(), commented(&node_id, &origin).as_bytes(), Access::Umask)?;
    workshop.complete(&target)?;
    say_what_is_next(&target, has_log_key, (report.events, report.statements), console);
    let answer = RestoreAnswer {
        node_id: node_id.to_string(),
        origin: origin.to_string(),
        data: target.path().display().to_string(),
        events: report.events,
        statements: report.statements,
        has_log_key,
    };
    console.answer(&answer, || {
        format!(
            "data        {}\nnode        {}\norigin      {}\nevents      {}\nstatements  {}",
            answer.data, answer.node_id, answer.origin, answer.events, answer.statements
        )
    })
}

fn say_what_is_next(
    target: &DataFolder,
    has_log_key: bool,
    (events, statements): (u64, u64),
    console: Console,
) {
    if !has_log_key {
        console.notice(format!("notice: put the node's log key at {}", target.log_key().display()));
    }
    console.notice(format!(
        "notice: this ledger can be read, and changes and signs nothing yet. When you have made sure that nobody saw \
         more than {events} entries of the events log and {statements} of the statements log, run\n  \
         meed --data {} resume --events {events} --statements {statements}",
        target.path().display()
    ));
}
