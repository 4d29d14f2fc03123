//! The tail: the newest events' ids and times, kept in memory until they are folded into their indexes.
//!
//! Putting each batch into the indexes of ids and times at once would rewrite a page or two for every event. Instead the
//! log itself is durable with each commit, and the indexes follow in sorted steps; what they still lack is here, and is
//! read again from the log when a ledger is opened.

use std::sync::Arc;

use meed_audit::hash::Hash;
use meed_audit::ids::{EventId, ScopeId};
use meed_audit::time::Timestamp;

use crate::blocks::sorted::Pair;
use crate::event_record::EventHead;
use crate::id_filter::{IdFilter, hash_of};
use crate::key::Key;

/// What the id index says about an event, in memory.
#[derive(Clone, Debug)]
pub(crate) struct IdEntry {
    pub(crate) index: u64,
    pub(crate) content_hash: Hash,
    pub(crate) scopes: Arc<[ScopeId]>,
}

impl IdEntry {
    pub(crate) fn of_head(index: u64, head: &EventHead<'_>) -> Self {
        let scopes = head.scopes.iter().map(|scope| ScopeId::from_bytes(*scope)).collect();
        Self { index, content_hash: head.content_hash, scopes }
    }
}

/// What the index of times says: which entry a scope has at a time.
pub(crate) type TimeEntry = (ScopeId, Timestamp, u64);

/// Some of the newest entries: ids in the order of their hashes, times in their own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segment {
    /// The hash of each id, ascending: searching numbers that stand together is much faster than searching texts.
    hashes: Vec<u64>,
    ids: Vec<(EventId, IdEntry)>,
    pub(crate) times: Vec<TimeEntry>,
}

impl Segment {
    /// A segment of ids and times in any order; no id stands twice.
    pub(crate) fn new(ids: Vec<(EventId, IdEntry)>, mut times: Vec<TimeEntry>) -> Self {
        let mut hashed: Vec<_> = ids.into_iter().map(|entry| (hash_of(&entry.0), entry)).collect();
        hashed.sort_unstable_by(|(a, (a_id, _)), (b, (b_id, _))| (a, a_id).cmp(&(b, b_id)));
        times.sort_unstable();
        let (hashes, ids) = hashed.into_iter().unzip();
        Self { hashes, ids, times }
    }

    fn len(&self) -> usize {
        self.ids.len().max(self.times.len())
    }

    fn id(&self, hash: u64, id: &EventId) -> Option<&IdEntry> {
        let first = self.hashes.partition_point(|known| *known < hash);
        let candidates = self.hashes.get(first..)?.iter().zip(self.ids.get(first..)?);
        let mut same = candidates.take_while(|(known, _)| **known == hash);
        same.find(|(_, (known, _))| known == id).map(|(_, (_, entry))| entry)
    }

    fn merged(&self, other: &Self) -> Self {
        let hashed =
            |segment: &Self| -> Vec<(u64, usize)> { segment.hashes.iter().copied().zip(0..).collect() };
        let (left, right) = (hashed(self), hashed(other));
        let mut ids = Vec::with_capacity(left.len() + right.len());
        let mut hashes = Vec::with_capacity(left.len() + right.len());
        let mut take = |segment: &Self, (hash, place): (u64, usize)| {
            if let Some(entry) = segment.ids.get(place) {
                hashes.push(hash);
                ids.push(entry.clone());
            }
        };
        let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
        loop {
            match (left.peek().copied(), right.peek().copied()) {
                (Some(a), Some(b)) if b.0 < a.0 => right.next().into_iter().for_each(|_| take(other, b)),
                (Some(a), _) => left.next().into_iter().for_each(|_| take(self, a)),
                (None, Some(b)) => right.next().into_iter().for_each(|_| take(other, b)),
                (None, None) => break,
            }
        }
        Self { hashes, ids, times: merge(&self.times, &other.times) }
    }
}

fn merge(left: &[TimeEntry], right: &[TimeEntry]) -> Vec<TimeEntry> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.iter().copied().peekable(), right.iter().copied().peekable());
    loop {
        let next = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) if b < a => right.next(),
            (Some(_), _) => left.next(),
            (None, _) => right.next(),
        };
        match next {
            Some(item) => merged.push(item),
            None => return merged,
        }
    }
}

/// The newest entries as readers see them; cheap to clone, and never changed in place.
///
/// Segments shrink to the right, each more than twice as long as the next, so that there are few of them and each
/// entry is merged a few times only.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tail {
    segments: Vec<Arc<Segment>>,
    /// The ids that may be in their index already; none where they have not been read yet.
    filter: Option<Arc<IdFilter>>,
}

impl Tail {
    pub(crate) fn push(&mut self, mut segment: Segment) {
        while let Some(last) = self.segments.last() {
            if last.len() > 2 * segment.len() {
                break;
            }
            segment = last.merged(&segment);
            self.segments.pop();
        }
        self.segments.push(Arc::new(segment));
    }

    /// The entry of an id, whose hash is `hash`.
    pub(crate) fn id(&self, hash: u64, id: &EventId) -> Option<&IdEntry> {
        self.segments.iter().find_map(|segment| segment.id(hash, id))
    }

    /// Whether an id of this hash may be in the index of ids.
    pub(crate) fn index_may_hold(&self, hash: u64) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.may_hold(hash))
    }

    /// The entry that an id of this hash probably is, if it is not in the tail; the entry itself must be asked.
    pub(crate) fn hint(&self, hash: u64) -> Option<u64> {
        self.filter.as_ref().and_then(|filter| filter.hint(hash))
    }

    /// Whether the filter is still to be made.
    pub(crate) fn lacks_filter(&self) -> bool {
        self.filter.is_none()
    }

    /// The same tail with a filter that holds at least all ids of the index.
    pub(crate) fn with_filter(mut self, filter: IdFilter) -> Self {
        self.filter = Some(Arc::new(filter));
        self
    }

    /// The same tail whose filter also holds the tail's own ids, for the fold that puts them into the index.
    pub(crate) fn with_own_ids_filtered(mut self) -> Self {
        if let Some(filter) = &mut self.filter {
            let filter = Arc::make_mut(filter);
            for segment in &self.segments {
                let entries = segment.hashes.iter().zip(&segment.ids);
                entries.for_each(|(hash, (_, entry))| filter.add(*hash, entry.index));
            }
        }
        self
    }

    /// The tail without entries, which are folded.
    pub(crate) fn emptied(self) -> Self {
        Self { segments: Vec::new(), filter: self.filter }
    }

    /// The entries of a scope from one time to before another, in no order.
    pub(crate) fn times(
        &self,
        scope: ScopeId,
        start: Timestamp,
        end: Timestamp,
    ) -> impl Iterator<Item = TimeEntry> {
        self.segments.iter().flat_map(move |segment| {
            let from = segment.times.partition_point(|(s, time, _)| (*s, *time) < (scope, start));
            let to = segment.times.partition_point(|(s, time, _)| (*s, *time) < (scope, end));
            segment.times.get(from..to).unwrap_or(&[]).iter().copied()
        })
    }

    /// All ids as their index takes them.
    pub(crate) fn id_pairs(&self) -> Vec<Pair> {
        let ids = self.segments.iter().flat_map(|segment| &segment.ids);
        let mut pairs: Vec<Pair> = ids.map(|(id, entry)| (id.to_bytes(), entry.index)).collect();
        pairs.sort_unstable();
        pairs
    }

    /// All times as their index takes them.
    pub(crate) fn time_pairs(&self) -> Vec<Pair> {
        let mut times: Vec<&TimeEntry> = self.segments.iter().flat_map(|segment| &segment.times).collect();
        // Each segment is sorted, which this sort makes use of.
        times.sort();
        times.iter().map(|(scope, time, index)| ((*scope, *time).to_bytes(), *index)).collect()
    }
}

/// The tail as the writer has it: with what the running group adds.
#[derive(Debug, Default)]
pub(crate) struct WriterTail {
    pub(crate) tail: Tail,
    /// The tail before the running group.
    before: Tail,
    /// Entries of the log that the tail covers.
    entries: usize,
    staged_entries: usize,
}

impl WriterTail {
    /// The tail of a ledger that has no events: nothing is in its indexes.
    pub(crate) fn of_new_ledger() -> Self {
        let tail = Tail::default().with_filter(IdFilter::default());
        Self { before: tail.clone(), tail, ..Self::default() }
    }

    /// Adds the entries of one command.
    pub(crate) fn stage(&mut self, segment: Segment, entries: usize) {
        self.staged_entries += entries;
        self.tail.push(segment);
    }

    /// Entries of the log that the running group added.
    pub(crate) fn staged_entries(&self) -> usize {
        self.staged_entries
    }

    /// Entries of the log that are not folded yet.
    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    /// The running group is durable.
    pub(crate) fn keep(&mut self) {
        self.entries += std::mem::take(&mut self.staged_entries);
        self.before = self.tail.clone();
    }

    /// The running group is undone.
    pub(crate) fn undo(&mut self) {
        self.staged_entries = 0;
        self.tail = self.before.clone();
    }

    /// Takes a tail with another filter.
    pub(crate) fn replace(&mut self, tail: Tail) {
        self.tail = tail;
        self.before = self.tail.clone();
    }

    /// Everything is folded.
    pub(crate) fn clear(&mut self) {
        let tail = std::mem::take(&mut self.tail).emptied();
        *self = Self { before: tail.clone(), tail, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(numbers: impl Iterator<Item = u64>) -> Segment {
        let scope = ScopeId::from_bytes([1; 16]);
        let (mut ids, mut times) = (Vec::new(), Vec::new());
        for number in numbers {
            let entry = IdEntry { index: number, content_hash: Hash::of(b""), scopes: Arc::from([scope]) };
            ids.push((format!("e:{}", number * 7919 % 1000).parse().unwrap(), entry));
            let time = Timestamp::from_ms(i64::try_from(number * 31 % 100).unwrap()).unwrap();
            times.push((scope, time, number));
        }
        Segment::new(ids, times)
    }

    fn of_segment(segment: Segment) -> Tail {
        let mut tail = Tail::default();
        tail.push(segment);
        tail
    }

    #[test]
    fn any_batches_give_the_same_tail_in_few_segments() {
        let whole = of_segment(segment(0..1000));
        for batch in [1, 3, 100, 999, 1000] {
            let mut tail = Tail::default();
            for start in (0..1000).step_by(batch) {
                tail.push(segment((start..1000).take(batch).map(|n| u64::try_from(n).unwrap())));
            }
            assert!(tail.segments.len() <= 10, "{}", tail.segments.len());
            assert_eq!(tail.id_pairs(), whole.id_pairs());
            assert!(whole.id_pairs().is_sorted() && whole.time_pairs().is_sorted());
            assert_eq!(tail.time_pairs(), whole.time_pairs());
            for number in 0..1000 {
                let id = format!("e:{number}").parse().unwrap();
                let entry = tail.id(hash_of(&id), &id).unwrap();
                assert_eq!(entry.index * 7919 % 1000, number);
            }
            let other = "e:1000".parse().unwrap();
            assert!(tail.id(hash_of(&other), &other).is_none());
            let scope = ScopeId::from_bytes([1; 16]);
            let (start, end) = (Timestamp::from_ms(10).unwrap(), Timestamp::from_ms(20).unwrap());
            let mut found: Vec<_> = tail.times(scope, start, end).collect();
            found.sort_unstable();
            let expected: Vec<_> = whole.segments[0]
                .times
                .iter()
                .copied()
                .filter(|(_, t, _)| (10..20).contains(&t.as_ms()))
                .collect();
            assert_eq!(found, expected);
            assert_eq!(tail.times(ScopeId::from_bytes([2; 16]), start, end).count(), 0);
        }
    }

    #[test]
    fn an_undone_group_leaves_the_tail_as_it_was() {
        let mut tail = WriterTail::default();
        tail.stage(segment(0..10), 10);
        tail.keep();
        tail.stage(segment(10..20), 10);
        tail.undo();
        assert_eq!((tail.entries(), tail.staged_entries()), (10, 0));
        assert_eq!(tail.tail.id_pairs().len(), 10);
    }
}
