//! What the parts of an epoch's input say of each other: that they are one scope's, that the windows are laid as the
//! rulebook says, and that the decisions tell of the pool, the close and the amendment.
//!
//! A node could otherwise show approvers a pool that nobody decided, or a decision that nothing follows from.

use std::collections::BTreeMap;

use super::{DraftTerms, EpochInput};
use crate::decision::{Action, Decision, StaleOverride, State, refuse_stale};
use crate::ids::{EpochNumber, Revision};
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::statement::check_events_log;
use crate::time::{MS_PER_DAY, Period};
use crate::window::{EpochWindow, WindowDays};

/// Checks that the parts belong together, and gives the epoch's own window.
pub(super) fn check_terms(input: &EpochInput) -> Checked<&EpochWindow> {
    let scope = input.name.id();
    let same = |what: &str, expected: String, got: String| {
        if expected == got {
            Ok(())
        } else {
            Err(Rejection::new(RejectionCode::Mismatch, what, expected, got))
        }
    };
    same("policy scope", scope.to_string(), input.policy.scope.to_string())?;
    same("approver set scope", scope.to_string(), input.approvers.scope.to_string())?;
    same("approver set origin", input.name.origin.to_string(), input.approvers.origin.to_string())?;
    if let Some(decision) = input.decisions.iter().find(|decision| decision.scope != scope) {
        same("decision scope", scope.to_string(), decision.scope.to_string())?;
    }
    check_events_log(&input.name.origin, &input.events_log)?;
    input.pool.require_base()?;
    let window = check_windows(&input.windows)?;
    check_layout(input)?;
    check_chain(input.draft, window)?;
    Ok(window)
}

/// Windows are numbered from 1, ascend without overlap, and all are closed.
fn check_windows(windows: &[EpochWindow]) -> Checked<&EpochWindow> {
    let refuse = |expected: &str, got: String| {
        Rejection::new(RejectionCode::InputIncomplete, "windows", expected, got)
    };
    for (number, window) in (1..).zip(windows) {
        if window.number.get() != number {
            return Err(refuse("epochs numbered from 1 without gaps", window.number.to_string()));
        }
        if window.log_size.is_none() {
            return Err(refuse("closed epochs", format!("epoch {number}, which is open")));
        }
    }
    for pair in windows.windows(2) {
        if let [a, b] = pair
            && (a.period.end > b.period.start || a.log_size > b.log_size)
        {
            return Err(refuse(
                "windows and log sizes that ascend",
                format!("epochs {} and {}", a.number, b.number),
            ));
        }
    }
    windows.last().ok_or_else(|| refuse("at least one epoch", "none".to_owned()))
}

/// An override is for a claimant as it is now: younger than the last change of its accounts (rule `DRAFT_PINNED`).
pub(super) fn check_overrides(input: &EpochInput, epoch: EpochNumber, state: &State) -> Checked<()> {
    let describe = |stale: StaleOverride| {
        let place = usize::try_from(stale.changed_at).ok();
        let decision = place.and_then(|place| input.decisions.get(place));
        let changed = decision.map(|decision| stale.what_changed(decision)).unwrap_or_default();
        (stale, changed)
    };
    let stale: Vec<_> = state.stale_overrides(epoch).into_iter().map(describe).collect();
    refuse_stale(epoch, &stale).map_or(Ok(()), Err)
}

/// Every window is laid as chapter 6 of `SPEC.md` says, and the epoch's own has the length that its policy pins.
fn check_layout(input: &EpochInput) -> Checked<()> {
    let last = input.windows.last().map(|window| window.number);
    for window in &input.windows {
        let own = (last == Some(window.number)).then_some(input.policy.window_days);
        let laid = laid_length(&window.period).filter(|length| own.is_none_or(|own| own == *length));
        if laid.is_none() {
            let weeks = "a window of whole weeks, counted from 2026-01-05T00:00:00.000Z";
            let expected =
                own.map_or_else(|| weeks.to_owned(), |own| format!("{weeks}, {} days long", own.get()));
            let got = format!("{} to {}", window.period.start, window.period.end);
            let subject = format!("window of epoch {}", window.number);
            return Err(Rejection::new(RejectionCode::Mismatch, subject, expected, got));
        }
    }
    Ok(())
}

/// The length of a window that stands where windows of this length stand.
fn laid_length(period: &Period) -> Option<WindowDays> {
    let length_ms = period.end.as_ms() - period.start.as_ms();
    let length = WindowDays::new(u32::try_from(length_ms / MS_PER_DAY).ok()?).ok()?;
    (length.window_at(period.start).ok()? == *period).then_some(length)
}

/// The first statement of a scope is that of epoch 1; every other one names the last, and so does a correction, which
/// is a later revision (rule `STATEMENTS_IN_ORDER`).
fn check_chain(draft: DraftTerms, window: &EpochWindow) -> Checked<()> {
    let is_first = window.number == EpochNumber::FIRST && draft.supersedes.is_none();
    if is_first != draft.previous.is_none() {
        let expected = if is_first { "none before the first statement" } else { "the last final statement" };
        let got = if is_first { "a statement" } else { "none" };
        return Err(Rejection::new(RejectionCode::Mismatch, "previous", expected, got));
    }
    if draft.supersedes.is_some() && draft.revision == Revision::FIRST {
        return Err(Rejection::new(
            RejectionCode::Mismatch,
            "revision",
            "from 1 on in a correction",
            draft.revision,
        ));
    }
    Ok(())
}

/// The decisions tell of the pool, of an early close and of an amendment what the other parts say (rule
/// `DECISIONS_RECORDED`). They were replayed before: their texts are in their one form.
pub(super) fn check_decided(input: &EpochInput, window: &EpochWindow) -> Checked<()> {
    check_pool(input, window.number)?;
    check_early_closes(input, window)?;
    check_accepted_gaps(input)?;
    let last = decided(input, window.number)
        .filter(|decision| matches!(decision.action, Action::Amend | Action::Abandon))
        .last();
    let (expected, got) = match (last.map(|decision| decision.action), input.draft.supersedes) {
        (None, None) | (Some(Action::Amend), Some(_)) => return Ok(()),
        (Some(Action::Amend), None) => ("a statement that supersedes another", "none superseded"),
        (Some(_), _) => ("an amendment that goes on", "one that was given up"),
        (None, Some(_)) => ("a decision to amend the epoch", "none"),
    };
    let subject = format!("amendment of epoch {}", window.number);
    Err(Rejection::new(RejectionCode::Mismatch, subject, expected, got))
}

fn decided(input: &EpochInput, epoch: EpochNumber) -> impl Iterator<Item = &Decision> {
    input.decisions.iter().filter(move |decision| decision.epoch == Some(epoch))
}

/// Each component was decided once, with its amount and before a decision about closing or amending the epoch; and nothing else
/// was decided to be in the pool.
fn check_pool(input: &EpochInput, epoch: EpochNumber) -> Checked<()> {
    let mut amounts = BTreeMap::new();
    let mut is_pinned = false;
    for decision in decided(input, epoch) {
        is_pinned |= matches!(decision.action, Action::AcceptGap | Action::Amend | Action::EarlyClose);
        if decision.action != Action::Pool {
            continue;
        }
        let amount = decision.after.as_deref().unwrap_or_default();
        if is_pinned || amounts.insert(decision.subject.as_str(), amount).is_some() {
            let expected = "one decision, from before the epoch was closed";
            let got = if is_pinned { "one from after it" } else { "two" };
            return Err(pool_mismatch(&decision.subject, expected, got));
        }
    }
    for component in input.pool.components() {
        let amount = component.amount.to_string();
        let decided = amounts.remove(component.component.as_str()).unwrap_or("no decision");
        if decided != amount {
            return Err(pool_mismatch(
                component.component.as_str(),
                &format!("a decision of {amount}"),
                decided,
            ));
        }
    }
    match amounts.first_key_value() {
        None => Ok(()),
        Some((component, amount)) => {
            Err(pool_mismatch(component, &format!("the component of {amount} that was decided"), "none"))
        }
    }
}

fn pool_mismatch(component: &str, expected: &str, got: &str) -> Rejection {
    Rejection::new(RejectionCode::Mismatch, format!("pool component {component}"), expected, got)
}

/// An epoch is closed early by one decision, from before its window's end. When it was closed is not among the facts;
/// but a draft whose approving ends by the window's end was frozen before it.
fn check_early_closes(input: &EpochInput, own: &EpochWindow) -> Checked<()> {
    for window in &input.windows {
        let mut early =
            decided(input, window.number).filter(|decision| decision.action == Action::EarlyClose);
        let (first, second) = (early.next(), early.next());
        let subject = format!("early close of epoch {}", window.number);
        let end = window.period.end;
        if second.is_some() {
            return Err(Rejection::new(RejectionCode::Mismatch, subject, "one decision", "two"));
        }
        if let Some(decision) = first.filter(|decision| decision.at >= end) {
            let expected = format!("a time before {end}");
            return Err(Rejection::new(RejectionCode::Mismatch, subject, expected, decision.at));
        }
        if first.is_none() && window.number == own.number && input.draft.sign_by <= end {
            let expected = format!("a decision, or approving after {end}");
            return Err(Rejection::new(RejectionCode::Mismatch, subject, expected, "none"));
        }
    }
    Ok(())
}

/// A gap in what was collected of an epoch's window is accepted once, when the epoch is closed.
fn check_accepted_gaps(input: &EpochInput) -> Checked<()> {
    for window in &input.windows {
        let accepted =
            decided(input, window.number).filter(|decision| decision.action == Action::AcceptGap).count();
        if accepted > 1 {
            let subject = format!("accepted gap of epoch {}", window.number);
            return Err(Rejection::new(RejectionCode::Mismatch, subject, "at most one decision", accepted));
        }
    }
    Ok(())
}
