//! How it reads that accounts go without because they are nobody's.

use std::fmt::Write as _;

use super::layout::fit;
use super::numbers::{counted, units};
use crate::api::documents::UnboundView;

/// How far an epoch is, for what binding an account still changes in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// No draft is offered.
    Open,
    /// A draft is.
    Drafted,
    /// A statement is in force, and no amendment is under way.
    Final,
}

/// What to do about it, with the command for one of them.
pub(crate) fn bind_remedy((scope, epoch): (&str, u64), when: When, identity: &str) -> String {
    let mut parts = identity.splitn(3, ':').skip(1);
    let (provider, id) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let bind = format!("`meed bind --provider {provider} --external-id {id} --user UUID --evidence JSON`");
    match when {
        When::Open => {
            format!("bind each of them to its user before a draft is frozen, such as the first with {bind}")
        }
        When::Drafted => format!(
            "bind each of them to its user, such as the first with {bind}, and freeze the next draft with `meed epoch \
             freeze --scope {scope} --epoch {epoch}`"
        ),
        When::Final => format!(
            "bind each of them to its user, such as the first with {bind}, and amend the epoch with `meed epoch amend \
             --scope {scope} --epoch {epoch}`"
        ),
    }
}

/// How many accounts go without, and with how many units.
pub(crate) fn unbound_sentence(unbound: &UnboundView) -> String {
    let (accounts, are) = match unbound.accounts {
        1 => ("1 account".to_owned(), "is"),
        some => (counted(some, "account"), "are"),
    };
    let units = units(unbound.units.value());
    format!("{accounts} with work in this epoch {are} bound to nobody, and so {units} units go to nobody")
}

/// How many accounts there are beside those that are named.
pub(crate) fn unbound_others(unbound: &UnboundView) -> Option<String> {
    let named = u64::try_from(unbound.largest.len()).unwrap_or(u64::MAX);
    let others = unbound.accounts.saturating_sub(named);
    (others > 0).then(|| format!("and {}", counted(others, "more account")))
}

/// All of it in lines for a terminal.
pub(crate) fn describe_unbound(unbound: &UnboundView) -> String {
    let mut text = format!("unpaid   {}:\n", unbound_sentence(unbound));
    for account in &unbound.largest {
        let name = account.name.as_ref().map(|name| format!("  {name}")).unwrap_or_default();
        let (units, events) = (units(account.units.value()), counted(account.events, "event"));
        let _ = writeln!(text, "           {}{name}: {units} units of {events}", account.identity);
    }
    if let Some(others) = unbound_others(unbound) {
        let _ = writeln!(text, "           {others}");
    }
    let _ = writeln!(text, "         {}", unbound.remedy);
    fit(&text)
}
