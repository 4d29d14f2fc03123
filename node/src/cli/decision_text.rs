//! How a decision reads: the same wherever people see one.

use meed_audit::decision::{Action, Decision};

use super::console::units;

/// A decision in a few lines: its place in the scope's life, what it changed from what to what, who made it, when and
/// why.
pub fn describe(number: u64, decision: &Decision) -> String {
    let Decision { action, actor, at, epoch, reason, .. } = decision;
    let mut text = format!("{number:>4}  {}\n", sentence(decision));
    if decision.before.is_some() || decision.after.is_some() {
        let before = value(*action, decision.before.as_deref());
        let after = value(*action, decision.after.as_deref());
        text.push_str(&format!("      from {before} to {after}\n"));
    }
    let epoch = epoch.map(|epoch| format!(", epoch {epoch}")).unwrap_or_default();
    text.push_str(&format!("      by {actor} on {at}{epoch}: {reason}\n"));
    text
}

/// What was decided, and of what.
fn sentence(decision: &Decision) -> String {
    let what = match decision.action {
        // These concern the epoch or the scope as a whole.
        Action::AcceptGap => return "closed although a source has more than was collected".to_owned(),
        Action::Amend => return "an amendment of the epoch began".to_owned(),
        Action::EarlyClose => return "closed before its window ended".to_owned(),
        Action::EndScope => return "the scope was ended".to_owned(),
        Action::Bind => "bind",
        Action::Erase => "erase metadata of",
        Action::Exclude => "exclude",
        Action::Include => "include",
        Action::Override => "set final units of",
        Action::Pool => "add to the pool",
        Action::Rebind => "rebind",
        Action::Reset => "take back all decisions on",
        Action::Revoke => "revoke the binding of",
        Action::Shares => "share otherwise",
        Action::Weight => "weigh otherwise",
        Action::Withdraw => "take back the final units of",
    };
    format!("{what} {}", decision.subject)
}

/// A value of a decision: units are shown as everywhere, everything else as it stands in the leaf.
fn value(action: Action, text: Option<&str>) -> String {
    let Some(text) = text else { return "nothing set".to_owned() };
    match (action, text.parse()) {
        (Action::Override | Action::Weight | Action::Withdraw, Ok(milli)) => {
            format!("{} units", units(milli))
        }
        _ => text.to_owned(),
    }
}
