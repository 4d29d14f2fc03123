//! `meed epoch …`.

use std::fmt::Write as _;

use crate::api::documents::{
    AmendRequest, CloseRequest, DraftView, EpochView, FinalView, FinalizeRequest, FreezeRequest, OpenRequest,
    SignaturesView, StatementView,
};
use crate::cli::args::{EpochArgs, EpochCommand};
use crate::cli::commands::runs::run_to_end;
use crate::cli::session::{Session, epoch_path, revision_query, scope_path};
use crate::failure::Failure;
use crate::words::{amount, counted, describe_unbound, table};

/// Runs `meed epoch …`.
///
/// # Errors
/// What the ledger refuses.
pub fn run(command: &EpochCommand, session: &Session) -> Result<(), Failure> {
    let client = &session.client;
    match command {
        EpochCommand::Open(args) => {
            let request =
                OpenRequest { at: OpenRequest::moment(args.at.trim()), skip: args.skip, ahead: args.ahead };
            let epoch: EpochView = client.post(&scope_path(&args.scope.scope, "/epochs"), &request)?;
            show(&epoch, session)
        }
        EpochCommand::List(scope) => {
            list(&client.all::<EpochView>(&scope_path(&scope.scope, "/epochs"))?, session)
        }
        EpochCommand::Show(args) => show_all(args, session),
        EpochCommand::Close(args) => {
            let early = args.reason.clone().filter(|_| args.early);
            let request = CloseRequest { early, accept_gap: args.accept_gap.clone() };
            show(&client.post::<EpochView>(&epoch_path(&args.epoch, "/close"), &request)?, session)
        }
        EpochCommand::Freeze(args) => {
            let request = FreezeRequest { sign_by_days: args.sign_by_days, again: args.again };
            let path = epoch_path(&args.epoch, "/drafts");
            show_draft(&session.waiting("freezing", |client| client.post(&path, &request))?, session)
        }
        EpochCommand::Finalize(args) => {
            super::tell_of_amendment(&args.epoch, session)?;
            let later = client.get::<EpochView>(&epoch_path(&args.epoch, ""))?.later_decisions;
            let request = FinalizeRequest { leave_out_later: args.leave_out_later };
            let path = epoch_path(&args.epoch, "/finalize");
            let last = session
                .waiting("finalizing", |client| run_to_end(client, &path, &serde_json::json!(request)))?;
            if later > 0 {
                let later = counted(later, "decision");
                session.console.notice(format!("notice: left out, as asked: {later} made after the draft"));
            }
            show_final(&last, session)
        }
        EpochCommand::Amend(args) => {
            let request = AmendRequest { reason: args.reason.clone() };
            let path = if args.give_up { "/amendments/abandon" } else { "/amendments" };
            show(&client.post::<EpochView>(&epoch_path(&args.epoch, path), &request)?, session)
        }
    }
}

fn list(epochs: &[EpochView], session: &Session) -> Result<(), Failure> {
    session.console.answer(&epochs, || {
        let rows = epochs.iter().map(|epoch| {
            vec![
                epoch.epoch.to_string(),
                // In one word: the table is as wide as a line may be.
                if epoch.amending { "amending".to_owned() } else { epoch.phase.clone() },
                epoch.period_start.to_string(),
                epoch.period_end.to_string(),
                epoch.events.to_string(),
                format!("{} {}", amount(epoch.pool_total.value(), epoch.decimals), epoch.unit),
            ]
        });
        table(&["epoch", "state", "from", "to", "events", "pool"], 4, rows)
    })
}

fn describe(epoch: &EpochView) -> String {
    let mut text = format!(
        "epoch    {} of {}\nstate    {}{}\nperiod   {} to {}\nevents   {}\npool     {} {}\n",
        epoch.epoch,
        epoch.scope,
        epoch.phase,
        if epoch.amending { ", being amended" } else { "" },
        epoch.period_start,
        epoch.period_end,
        epoch.events,
        amount(epoch.pool_total.value(), epoch.decimals),
        epoch.unit,
    );
    if let Some(closed) = &epoch.closed {
        let _ = writeln!(
            text,
            "closed   {} by {}, events log at {}, approver set version {}",
            closed.at, closed.by, closed.events_size, closed.approvers_version
        );
        if let Some(reason) = &closed.early {
            let _ = writeln!(text, "early    {reason}");
        }
        if let Some(reason) = &closed.accepted_gap {
            let _ = writeln!(text, "gap      {reason}");
        }
    }
    if let Some(revision) = epoch.current_draft {
        let _ = writeln!(text, "draft    revision {revision}");
        if epoch.later_decisions > 0 {
            let later = counted(epoch.later_decisions, "decision");
            let _ = writeln!(text, "         it does not hold {later} made after it: freeze again");
        }
    }
    if let Some(revision) = epoch.final_revision {
        let _ = writeln!(text, "final    revision {revision}");
    }
    for stale in &epoch.stale_overrides {
        let _ = writeln!(text, "restate  the final units of {}, since {}", stale.claimant, stale.changed);
        let _ = writeln!(
            text,
            "         meed allocate --scope {} --epoch {} --claimant {} --units N --reason TEXT",
            epoch.scope, epoch.epoch, stale.now
        );
    }
    if let Some(unbound) = &epoch.unbound {
        text.push_str(&describe_unbound(unbound));
    }
    text
}

fn show(epoch: &EpochView, session: &Session) -> Result<(), Failure> {
    session.console.answer(epoch, || describe(epoch))
}

/// An epoch with its drafts and their signatures.
#[derive(serde::Serialize)]
struct EpochAnswer {
    #[serde(flatten)]
    epoch: EpochView,
    drafts: Vec<DraftView>,
    signatures: SignaturesView,
    /// The revisions that are in force or were.
    finals: Vec<u64>,
}

impl EpochAnswer {
    /// Whether a later revision has replaced a final one.
    fn was_final(&self, revision: u64) -> bool {
        self.finals.contains(&revision) && self.epoch.final_revision != Some(revision)
    }

    fn state_of(&self, draft: &DraftView) -> String {
        if self.epoch.final_revision == Some(draft.revision) {
            return "final, and in force".to_owned();
        }
        if self.finals.contains(&draft.revision) {
            return "final, and superseded by a later revision".to_owned();
        }
        if self.epoch.current_draft == Some(draft.revision) {
            return format!("{} of {} must sign by {}", draft.threshold, draft.members, draft.sign_by);
        }
        "no longer offered, and never final".to_owned()
    }
}

/// The revisions of an epoch that are in force or were.
fn finals(args: &EpochArgs, drafts: &[DraftView], session: &Session) -> Result<Vec<u64>, Failure> {
    let mut finals = Vec::new();
    for draft in drafts {
        let path = epoch_path(args, &format!("/statement{}", revision_query(Some(draft.revision))));
        if session.client.get::<StatementView>(&path)?.is_final {
            finals.push(draft.revision);
        }
    }
    Ok(finals)
}

fn show_all(args: &EpochArgs, session: &Session) -> Result<(), Failure> {
    let drafts: Vec<DraftView> = session.client.get(&epoch_path(args, "/drafts"))?;
    let answer = EpochAnswer {
        epoch: session.client.get(&epoch_path(args, ""))?,
        finals: finals(args, &drafts, session)?,
        drafts,
        signatures: session.client.get(&epoch_path(args, "/signatures"))?,
    };
    session.console.answer(&answer, || {
        let mut text = describe(&answer.epoch);
        for draft in &answer.drafts {
            let _ = writeln!(
                text,
                "  revision {}: {}\n    {}",
                draft.revision,
                draft.text_hash,
                answer.state_of(draft)
            );
            let signatures = answer.signatures.signatures.iter();
            for signature in signatures.filter(|signature| signature.revision == draft.revision) {
                let counted = signature.counts || signature.in_force || answer.was_final(draft.revision);
                let state = if counted { "" } else { " (kept as evidence, does not count)" };
                let _ = writeln!(text, "    signed by {}{state}", signature.name);
            }
        }
        text
    })
}

fn show_draft(draft: &DraftView, session: &Session) -> Result<(), Failure> {
    if draft.unchanged {
        session.console.notice(
            "notice: nothing has changed since this draft, and its signatures go on counting; --again makes another",
        );
    }
    session.console.answer(draft, || {
        let unbound = draft.unbound.as_ref().map(describe_unbound).unwrap_or_default();
        format!(
            "draft    epoch {} revision {} of {}\ntext     {}\nsigning  {} of {} approvers by {}\n{unbound}\
             next     meed dossier --scope {} --epoch {} --out FILE",
            draft.epoch,
            draft.revision,
            draft.scope,
            draft.text_hash,
            draft.threshold,
            draft.members,
            draft.sign_by,
            draft.scope,
            draft.epoch
        )
    })
}

fn show_final(last: &FinalView, session: &Session) -> Result<(), Failure> {
    session.console.answer(last, || {
        format!(
            "final        {}\ntext         {}\napproved by  {}\nlog entry    {}\n\
             paid         {} {} to {}; {} {} undistributed",
            last.origin,
            last.text_hash,
            last.approved_by.join(", "),
            last.log_index,
            amount(last.distributed.value(), last.decimals),
            last.unit,
            counted(last.allocations, "claimant"),
            amount(last.undistributed.value(), last.decimals),
            last.unit,
        )
    })
}
