//! `meed curate`, `allocate`, `pool`, `decisions`.

use super::{raw_json_file, tell_of_draft};
use crate::api::documents::{
    AllocatedView, AllocationRequest, CurationRequest, DecisionView, PoolAddedView, PoolRequest, PoolView,
};
use crate::cli::args::{AllocateArgs, CurateArgs, DecisionsArgs, PoolCommand};
use crate::cli::console::amount;
use crate::cli::decision_text;
use crate::cli::layout::{fit, table};
use crate::cli::session::{Session, epoch_path, scope_path};
use crate::failure::Failure;
use crate::shares::read_shares;

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
    show_decision(&session.client.patch(&epoch_path(&args.epoch, "/curation"), &request)?, session)?;
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
    session.console.answer(&view, || describe(&view.made))?;
    if view.without_activity {
        session.console.notice(format!(
            "notice: no event of epoch {} gives anything to {}; the units are set all the same. If it is mistyped, \
             take them back with --withdraw",
            args.epoch.epoch, args.claimant
        ));
    }
    tell_of_draft(&args.epoch, session)
}

fn show_decision(decision: &DecisionView, session: &Session) -> Result<(), Failure> {
    session.console.answer(decision, || describe(decision))
}

fn describe(view: &DecisionView) -> String {
    fit(&decision_text::describe(view.sequence, &view.decision))
}

/// Runs `meed decisions`.
///
/// # Errors
/// What the ledger refuses.
pub fn decisions(args: &DecisionsArgs, session: &Session) -> Result<(), Failure> {
    let items: Vec<DecisionView> = session.client.all(&scope_path(&args.scope.scope, "/decisions"))?;
    session.console.answer(&items, || match items.as_slice() {
        [] => "none".to_owned(),
        some => some.iter().map(describe).collect(),
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
