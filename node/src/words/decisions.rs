//! How a decision reads: the same wherever people see one.

use super::numbers::{amount, units};
use meed_audit::decision::{Action, Decision};
use meed_audit::policy::Unit;

/// A decision in a few lines: its place in the scope's life, what it changed from what to what, who made it, when and
/// why. Amounts are in the scope's unit.
pub(crate) fn describe(number: u64, decision: &Decision, unit: &Unit) -> String {
    let Decision { action, actor, at, epoch, reason, .. } = decision;
    let mut text = format!("{number:>4}  {}\n", sentence(decision));
    if decision.before.is_some() || decision.after.is_some() {
        let before = value(*action, decision.before.as_deref(), unit);
        let after = value(*action, decision.after.as_deref(), unit);
        text.push_str(&format!("      from {before} to {after}\n"));
    }
    let epoch = epoch.map(|epoch| format!(", epoch {epoch}")).unwrap_or_default();
    text.push_str(&format!("      by {actor} on {at}{epoch}: {reason}\n"));
    text
}

/// What was decided, and of what.
pub(crate) fn sentence(decision: &Decision) -> String {
    let what = match decision.action {
        // These concern the epoch or the scope as a whole.
        Action::Abandon => return "the amendment of the epoch was given up".to_owned(),
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

/// A value of a decision: numbers are shown as everywhere, everything else as it stands in the leaf.
pub(crate) fn value(action: Action, text: Option<&str>, unit: &Unit) -> String {
    let Some(text) = text else { return "nothing set".to_owned() };
    match (action, text.parse()) {
        (Action::Override | Action::Weight | Action::Withdraw, Ok(milli)) => {
            format!("{} units", units(milli))
        }
        (Action::Pool, Ok(credits)) => format!("{} {}", amount(credits, unit.decimals()), unit.symbol()),
        (Action::Shares, Err(_)) => shares(text),
        _ => text.to_owned(),
    }
}

/// Shares as percentages. They are kept in parts per million, which four decimals write exactly.
fn shares(text: &str) -> String {
    let share = |entry: &str| {
        let (claimant, parts) = entry.rsplit_once('=')?;
        Some(format!("{claimant} {} %", amount(parts.parse().ok()?, 4)))
    };
    let shares: Option<Vec<String>> = text.split(' ').map(share).collect();
    shares.map_or_else(|| text.to_owned(), |shares| shares.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_everywhere() {
        let unit = Unit::new("EUR", 2).expect("a unit");
        let shown = |action, text| value(action, Some(text), &unit);
        assert_eq!(shown(Action::Pool, "1000050"), "10000.50 EUR");
        assert_eq!(shown(Action::Weight, "1500"), "1.500 units");
        assert_eq!(shown(Action::Withdraw, "0"), "0.000 units");
        let halves = "identity:github:1=333334 identity:github:2=666666";
        assert_eq!(shown(Action::Shares, halves), "identity:github:1 33.3334 %, identity:github:2 66.6666 %");
        assert_eq!(shown(Action::Exclude, "excluded"), "excluded");
        assert_eq!(value(Action::Pool, None, &unit), "nothing set");
    }
}
