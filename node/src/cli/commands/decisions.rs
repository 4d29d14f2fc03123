//! `meed curate`, `allocate`, `pool`, `decisions`.

use meed_audit::policy::Unit;

use super::{raw_json_file, tell_of_draft};
use crate::api::documents::{
    AllocatedView, AllocationRequest, CurationRequest, DecisionView, PoolAddedView, PoolRequest, PoolView,
    ScopeView,
};
use crate::cli::args::{AllocateArgs, CurateArgs, DecisionsArgs, PoolCommand};
use crate::cli::session::{Session, epoch_path, scope_path};
use crate::failure::Failure;
use crate::shares::read_shares;
use crate::words::{amount, describe_decision, fit, table, without_activity};

/// Runs `meed curate`.
///
/// # Errors
/// What the ledger refuses.
pub fn curate(args: &CurateArgs, session: &Session) -> Result<(), Failure> {
    let request = CurationRequest {
        event: args.event.clone(),
        included: (args.exclude || args.include).then_some(args.include),
        weight: args.weight.clone(),
        reset: args.reset,
        shares: if args.share.is_empty() { None } else { Some(read_shares(&args.share)?) },
        reason: args.reason.clone(),
    };
    let made = session.client.patch(&epoch_path(&args.epoch, "/curation"), &request)?;
    show_decision(&made, &args.epoch.scope, session)?;
    tell_of_draft(&args.epoch, session)
}

/// Runs `meed allocate`.
///
/// # Errors
/// What the ledger refuses.
pub fn allocate(args: &AllocateArgs, session: &Session) -> Result<(), Failure> {
    let request = AllocationRequest {
        claimant: args.claimant.clone(),
        units: args.units.clone(),
        withdraw: args.withdraw,
        reason: args.reason.clone(),
    };
    let view: AllocatedView = session.client.patch(&epoch_path(&args.epoch, "/allocations"), &request)?;
    let unit = unit_of(&args.epoch.scope, session)?;
    session.console.answer(&view, || describe(&view.made, &unit))?;
    if view.without_activity {
        session.console.notice(format!(
            "notice: {}. If it is mistyped, take them back with --withdraw",
            without_activity(args.epoch.epoch, &args.claimant)
        ));
    }
    tell_of_draft(&args.epoch, session)
}

fn show_decision(decision: &DecisionView, scope: &str, session: &Session) -> Result<(), Failure> {
    let unit = unit_of(scope, session)?;
    session.console.answer(decision, || describe(decision, &unit))
}

/// The unit in which a scope pays.
fn unit_of(scope: &str, session: &Session) -> Result<Unit, Failure> {
    let scope: ScopeView = session.client.get(&scope_path(scope, ""))?;
    Ok(Unit::new(&scope.unit, scope.decimals)?)
}

fn describe(view: &DecisionView, unit: &Unit) -> String {
    fit(&describe_decision(view.sequence, &view.decision, unit))
}

/// Runs `meed decisions`.
///
/// # Errors
/// What the ledger refuses.
pub fn decisions(args: &DecisionsArgs, session: &Session) -> Result<(), Failure> {
    let items: Vec<DecisionView> = session.client.all(&scope_path(&args.scope.scope, "/decisions"))?;
    let unit = unit_of(&args.scope.scope, session)?;
    session.console.answer(&items, || match items.as_slice() {
        [] => "none".to_owned(),
        some => some.iter().map(|view| describe(view, &unit)).collect(),
    })
}

/// Runs `meed pool …`.
///
/// # Errors
/// What the ledger refuses.
pub fn pool(command: &PoolCommand, session: &Session) -> Result<(), Failure> {
    match command {
        PoolCommand::List(epoch) => {
            let view: PoolView = session.client.get(&epoch_path(epoch, "/pool"))?;
            session.console.answer(&view, || pool_table(&view))
        }
        PoolCommand::Add { epoch, component, amount, evidence, algorithm, inputs } => {
            let request = PoolRequest {
                component: component.clone(),
                amount: amount.clone(),
                evidence: evidence.clone(),
                algorithm: algorithm.clone(),
                inputs: inputs.as_deref().map(raw_json_file).transpose()?,
            };
            let view: PoolAddedView = session.client.post(&epoch_path(epoch, "/pool"), &request)?;
            if !view.added {
                session.console.notice("notice: the same component is there already; nothing changed");
            }
            session.console.answer(&view, || pool_table(&view.pool))
        }
    }
}

fn pool_table(pool: &PoolView) -> String {
    let rows = pool.components.iter().map(|component| {
        let evidence = component.evidence_ref.as_ref().map(ToString::to_string).unwrap_or_default();
        let amount = amount(component.amount.value(), pool.decimals);
        vec![component.component.to_string(), component.algorithm_version.clone(), evidence, amount]
    });
    let table = table(&["component", "algorithm", "evidence", &pool.unit], 3, rows);
    format!("{table}\ntotal {} {}", amount(pool.total.value(), pool.decimals), pool.unit)
}
