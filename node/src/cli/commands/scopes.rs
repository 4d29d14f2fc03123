//! `meed scope …`.

use std::fmt::Write as _;

use meed_audit::policy::Unlinked;

use super::raw_json_file;
use crate::api::documents::{
    ApproversRequest, ApproversView, ReasonRequest, ScopeApproversView, ScopeChangeRequest, ScopeRequest,
    ScopeView,
};
use crate::cli::args::{ApproversArgs, ConfigureArgs, ScopeAddArgs, ScopeCommand, UnlinkedArg};
use crate::cli::session::{Session, scope_path};
use crate::failure::Failure;
use crate::words::{amount, table, units};

/// Runs `meed scope …`.
///
/// # Errors
/// What the ledger refuses.
pub fn run(command: &ScopeCommand, session: &Session) -> Result<(), Failure> {
    match command {
        ScopeCommand::Add(args) => add(args, session),
        ScopeCommand::List => list(session),
        ScopeCommand::Show { key } => show(&session.client.get::<ScopeView>(&scope_path(key, ""))?, session),
        ScopeCommand::Configure(args) => configure(args, session),
        ScopeCommand::Approvers(args) => approvers(args, session),
        ScopeCommand::End { key, reason } => {
            let request = ReasonRequest { reason: reason.clone() };
            show(&session.client.post::<ScopeView>(&scope_path(key, "/end"), &request)?, session)
        }
    }
}

impl From<UnlinkedArg> for Unlinked {
    fn from(unlinked: UnlinkedArg) -> Self {
        match unlinked {
            UnlinkedArg::Claim => Self::Claim,
            UnlinkedArg::Exclude => Self::Exclude,
        }
    }
}

fn add(args: &ScopeAddArgs, session: &Session) -> Result<(), Failure> {
    let request = ScopeRequest {
        key: args.key.clone(),
        unit: args.unit.clone(),
        decimals: args.decimals,
        unlinked: args.unlinked.into(),
        weights: args.weights.as_deref().map(raw_json_file).transpose()?,
        window_days: args.window_days,
        base_issuance: args.base_issuance.clone(),
    };
    show(&session.client.post::<ScopeView>("/scopes", &request)?, session)
}

fn configure(args: &ConfigureArgs, session: &Session) -> Result<(), Failure> {
    let request = ScopeChangeRequest {
        unlinked: args.unlinked.map(Unlinked::from),
        weights: args.weights.as_deref().map(raw_json_file).transpose()?,
        window_days: args.window_days,
        base_issuance: args.base_issuance.clone(),
        no_base_issuance: args.no_base_issuance,
    };
    show(&session.client.patch::<ScopeView>(&scope_path(&args.key, ""), &request)?, session)
}

fn list(session: &Session) -> Result<(), Failure> {
    let scopes: Vec<ScopeView> = session.client.get("/scopes")?;
    session.console.answer(&scopes, || {
        let rows = scopes.iter().map(|scope| {
            let approvers = scope.approvers.map_or("none".to_owned(), describe_approvers);
            let state = if scope.ended { "ended" } else { "goes on" };
            let base =
                scope.base_issuance.map_or("none".to_owned(), |base| amount(base.value(), scope.decimals));
            vec![scope.key.to_string(), state.to_owned(), approvers, scope.unit.clone(), base]
        });
        table(&["scope", "state", "approvers", "unit", "base issuance"], 4, rows)
    })
}

fn describe_approvers(approvers: ScopeApproversView) -> String {
    format!("{} of {}, version {}", approvers.threshold, approvers.members, approvers.version)
}

fn show(scope: &ScopeView, session: &Session) -> Result<(), Failure> {
    session.console.answer(scope, || {
        let unlinked = match scope.unlinked {
            Unlinked::Claim => "claim: unbound accounts earn under their own name",
            Unlinked::Exclude => "exclude: unbound accounts are left out",
        };
        let base = match scope.base_issuance {
            Some(base) => format!("{} {}", amount(base.value(), scope.decimals), scope.unit),
            None => "none: add it to each pool with `meed pool add`".to_owned(),
        };
        let approvers = match scope.approvers {
            Some(approvers) => describe_approvers(approvers),
            None => "none: set them with `meed scope approvers`".to_owned(),
        };
        let mut text = format!(
            "scope          {}\nid             {}\nunit           {}, {} decimals\nwindow         {} days\n\
             base issuance  {base}\nunlinked       {unlinked}\napprovers      {approvers}\n",
            scope.key, scope.id, scope.unit, scope.decimals, scope.window_days
        );
        if scope.ended {
            text.push_str("ended          yes\n");
        }
        if let Some(epoch) = scope.amending {
            let _ = writeln!(text, "amending       epoch {epoch}");
        }
        let rows = scope.weights.iter().map(|(kind, weight)| vec![kind.clone(), units(weight.value())]);
        text.push_str(&table(&["event", "units"], 1, rows));
        text
    })
}

fn approvers(args: &ApproversArgs, session: &Session) -> Result<(), Failure> {
    let path = scope_path(&args.scope, "/approvers");
    if args.draft {
        return draft(&path, session);
    }
    let view: ApproversView = match args.threshold {
        None => session.client.get(&path)?,
        Some(threshold) => {
            session.client.post(&path, &ApproversRequest { threshold, keys: args.keys.clone() })?
        }
    };
    warn_of_weak_majority(&view, session);
    if args.threshold.is_some() && view.pending.is_none() {
        session.console.notice(
            "notice: this first set shows nothing about its members: before the first epoch is closed, let each of \
             them compare their line with what `meed key show` prints of their own key file",
        );
    }
    show_approvers(&view, session)
}

/// The text of the set that is proposed, exactly as approvers sign it.
fn draft(path: &str, session: &Session) -> Result<(), Failure> {
    let view: ApproversView = session.client.get(path)?;
    let Some(pending) = &view.pending else {
        let what = "expected a proposed approver set, got none";
        return Err(Failure::refused("draft_not_found", what, "propose one with --threshold and --key"));
    };
    if session.console.is_json() {
        return session.console.answer(pending, String::new);
    }
    session.console.bytes(pending.note.as_bytes())
}

fn warn_of_weak_majority(view: &ApproversView, session: &Session) {
    let sets = [
        view.in_force.as_ref().map(|set| (set.threshold, set.keys.len(), set.weak_majority)),
        view.pending.as_ref().map(|set| (set.threshold, set.keys.len(), set.weak_majority)),
    ];
    for (threshold, members, weak_majority) in sets.into_iter().flatten() {
        if weak_majority {
            session.console.notice(format!(
                "warning: {threshold} of {members}: two disjoint groups could approve two different statements"
            ));
        }
    }
}

/// Shows the approvers of a scope.
///
/// # Errors
/// When standard output cannot be written.
pub fn show_approvers(view: &ApproversView, session: &Session) -> Result<(), Failure> {
    session.console.answer(view, || {
        let mut text = String::new();
        if let Some(set) = &view.in_force {
            let (k, n) = (set.threshold, set.keys.len());
            let _ = writeln!(text, "in force since {}: version {}, {k} of {n}", set.at, set.version);
            set.keys.iter().for_each(|key| text.push_str(&format!("  {key}\n")));
        }
        if let Some(set) = &view.pending {
            let (k, n) = (set.threshold, set.keys.len());
            let _ = writeln!(text, "proposed on {}: version {}, {k} of {n}", set.at, set.version);
            set.keys.iter().for_each(|key| text.push_str(&format!("  {key}\n")));
            let _ = writeln!(text, "signed by: {}", list_or_nobody(&set.signed_by));
            let _ = writeln!(text, "missing: {}", set.missing);
        }
        if text.is_empty() {
            text.push_str("none\n");
        }
        text
    })
}

fn list_or_nobody(names: &[String]) -> String {
    if names.is_empty() { "nobody yet".to_owned() } else { names.join(", ") }
}
