//! `meed fsck`, `backup`, `resume`, `compact`, `erase`.

use crate::api::documents::{
    BackupRequest, BackupView, CompactView, EraseRequest, ErasedView, FsckView, NodeView, ResumeRequest,
};
use crate::cli::args::{BackupArgs, EraseArgs, ResumeArgs};
use crate::cli::session::Session;
use crate::failure::Failure;
use crate::words::counted;

/// Runs `meed fsck`.
///
/// # Errors
/// `corrupt` where anything differs.
pub fn fsck(session: &Session) -> Result<(), Failure> {
    let view: FsckView =
        session.waiting("checking", |client| client.post("/fsck", &serde_json::json!({})))?;
    session.console.answer(&view, || describe(&view))?;
    if view.sound {
        return Ok(());
    }
    let what = format!("expected a sound ledger, got {}", counted(view.problem_count, "difference"));
    let remedy = "keep the file for whoever looks into it, and restore a backup with `meed restore`";
    Err(Failure::refused("corrupt", what, remedy))
}

fn describe(view: &FsckView) -> String {
    let mut text = String::new();
    for problem in &view.problems {
        let key = if problem.key.is_empty() { String::new() } else { format!(" key {}", problem.key) };
        text.push_str(&format!("{}{key}: {}\n", problem.table, problem.detail));
    }
    let kept = u64::try_from(view.problems.len()).unwrap_or(u64::MAX);
    if view.problem_count > kept {
        text.push_str(&format!("and {} more\n", view.problem_count.saturating_sub(kept)));
    }
    text.push_str(&format!(
        "{}: {}; events log at {}, statements log at {}\n",
        if view.sound { "sound" } else { "not sound" },
        counted(view.records, "record"),
        view.events,
        view.statements
    ));
    text
}

/// Runs `meed backup`.
///
/// # Errors
/// `exists`, or what the ledger refuses.
pub fn backup(args: &BackupArgs, session: &Session) -> Result<(), Failure> {
    let path = std::path::absolute(&args.out).map_err(|error| Failure::unwritable(&args.out, &error))?;
    let Some(path) = path.to_str() else {
        return Err(Failure::usage("expected a path in UTF-8", "choose another name"));
    };
    let request = BackupRequest { path: path.to_owned() };
    let view: BackupView = session.waiting("copying", |client| client.post("/backup", &request))?;
    session.console.notice(
        "notice: a backup never holds a secret key: keep a copy of log.key elsewhere. It is as private as the ledger: \
         it has the names, links and evidence in it",
    );
    session.console.answer(&view, || {
        format!(
            "{}\n{} bytes, {} records; events log at {}, statements log at {}",
            view.path, view.bytes, view.records, view.events, view.statements
        )
    })
}

/// Runs `meed resume`.
///
/// # Errors
/// What the ledger refuses.
pub fn resume(args: &ResumeArgs, session: &Session) -> Result<(), Failure> {
    let request = ResumeRequest { events: args.events, statements: args.statements };
    let node: NodeView = session.client.post("/resume", &request)?;
    session.console.answer(&node, || {
        let logs: Vec<String> =
            node.logs.iter().map(|log| format!("{} at {}", log.origin, log.size)).collect();
        format!("in use again: {}", logs.join(", "))
    })
}

/// Runs `meed compact`.
///
/// # Errors
/// What the ledger refuses.
pub fn compact(session: &Session) -> Result<(), Failure> {
    let view: CompactView =
        session.waiting("compacting", |client| client.post("/compact", &serde_json::json!({})))?;
    session
        .console
        .answer(&view, || format!("{} bytes before, {} after", view.bytes_before, view.bytes_after))
}

/// Runs `meed erase`.
///
/// # Errors
/// What the ledger refuses.
pub fn erase(args: &EraseArgs, session: &Session) -> Result<(), Failure> {
    let request = EraseRequest { event: args.event.clone(), reason: args.reason.clone() };
    let view: ErasedView = session.client.post("/erase", &request)?;
    session.console.answer(&view, || {
        let state = if view.erased_now { "erased" } else { "was erased already" };
        format!("the metadata of {} {state}", view.event)
    })
}
