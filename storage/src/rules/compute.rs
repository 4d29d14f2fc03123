//! Computing an epoch from its events as they come out of the log, in as many threads as the machine has: what is kept
//! of an event is its activity's hash and its units, and the result does not depend on who took which.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

use meed_audit::close::{ClosedEpoch, Closing, Curated, EpochInput};
use meed_audit::parallel::Both;

use crate::error::{LedgerError, StorageError};
use crate::events::EventReader;
use crate::rules::input::epoch_indexes;
use crate::rules::record::LedgerResult;
use crate::snapshot::Snapshot;

/// Fewer events than this are one thread's work.
const EVENTS_PER_THREAD_MIN: usize = 10_000;
/// Most threads of one computation.
const THREADS_MAX: usize = 4;

/// Both halves of a computation at once, where there is enough of it.
pub(crate) struct InThreads;

impl Both for InThreads {
    fn both<A: Send, B>(
        &self,
        items: usize,
        first: impl FnOnce() -> A + Send,
        second: impl FnOnce() -> B,
    ) -> (A, B) {
        if items < EVENTS_PER_THREAD_MIN {
            return (first(), second());
        }
        thread::scope(|scope| {
            let other = scope.spawn(first);
            let own = second();
            (other.join().unwrap_or_else(|panic| resume_unwind(panic)), own)
        })
    }
}

/// Computes the epoch of `input`, whose events are read from the log.
pub(crate) fn close_from_log(snapshot: &Snapshot, input: &EpochInput) -> LedgerResult<ClosedEpoch> {
    let closing = Closing::new(input)?;
    let indexes = epoch_indexes(snapshot, input.name.id(), &input.windows)?;
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    let share = indexes.len().div_ceil(threads).max(EVENTS_PER_THREAD_MIN);
    let curated = thread::scope(|scope| {
        let mut parts = indexes.chunks(share);
        let own = parts.next().unwrap_or(&[]);
        let others: Vec<_> =
            parts.map(|part| scope.spawn(|| curate_part(snapshot, &closing, part))).collect();
        let mut curated = curate_part(snapshot, &closing, own)?;
        for other in others {
            let part = other.join().map_err(|_| StorageError::internal("a computing thread panicked"))??;
            curated = curated.join(part)?;
        }
        Ok::<_, LedgerError>(curated)
    })?;
    Ok(closing.finish_with(curated, &InThreads)?)
}

fn curate_part(snapshot: &Snapshot, closing: &Closing<'_>, indexes: &[u64]) -> LedgerResult<Curated> {
    let mut curated = Curated::default();
    let mut refusal = None;
    let read = snapshot.for_each_entry(indexes, &mut |entry| {
        closing.take(entry, &mut curated).map_err(|rejection| {
            let error = StorageError::internal(rejection.to_string());
            refusal = Some(rejection);
            error
        })
    });
    match (refusal, read) {
        (Some(rejection), _) => Err(rejection.into()),
        (None, read) => {
            read?;
            Ok(curated.sorted()?)
        }
    }
}
