//! Computing an epoch from its events as they come out of the log, in as many threads as the machine has: what is kept
//! of an event is its activity's hash and its units, and the result does not depend on who took which.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

use meed_audit::Checked;
use meed_audit::activity::EpochEntry;
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
    let take = |entry: &EpochEntry<'_>, curated: &mut Curated| closing.take(entry, curated);
    let curated = gather(snapshot, &indexes, &take, &Curated::sorted, Curated::join)?;
    Ok(closing.finish_with(curated, &InThreads)?)
}

/// What `take` gathers of the entries at `indexes`: each thread sums up its own part before the parts are joined.
pub(crate) fn gather<T: Default + Send>(
    snapshot: &Snapshot,
    indexes: &[u64],
    take: &(impl Fn(&EpochEntry<'_>, &mut T) -> Checked<()> + Sync),
    sum_up: &(impl Fn(T) -> Checked<T> + Sync),
    join: impl Fn(T, T) -> Checked<T>,
) -> LedgerResult<T> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    let share = indexes.len().div_ceil(threads).max(EVENTS_PER_THREAD_MIN);
    thread::scope(|scope| {
        let mut parts = indexes.chunks(share);
        let own = parts.next().unwrap_or(&[]);
        let others: Vec<_> =
            parts.map(|part| scope.spawn(|| gather_part(snapshot, part, take, sum_up))).collect();
        let mut gathered = gather_part(snapshot, own, take, sum_up)?;
        for other in others {
            let part = other.join().map_err(|_| StorageError::internal("a computing thread panicked"))??;
            gathered = join(gathered, part)?;
        }
        Ok::<_, LedgerError>(gathered)
    })
}

fn gather_part<T: Default>(
    snapshot: &Snapshot,
    indexes: &[u64],
    take: &impl Fn(&EpochEntry<'_>, &mut T) -> Checked<()>,
    sum_up: &impl Fn(T) -> Checked<T>,
) -> LedgerResult<T> {
    let mut gathered = T::default();
    let mut refusal = None;
    let read = snapshot.for_each_entry(indexes, &mut |entry| {
        take(entry, &mut gathered).map_err(|rejection| {
            let error = StorageError::internal(rejection.to_string());
            refusal = Some(rejection);
            error
        })
    });
    match (refusal, read) {
        (Some(rejection), _) => Err(rejection.into()),
        (None, read) => {
            read?;
            Ok(sum_up(gathered)?)
        }
    }
}
