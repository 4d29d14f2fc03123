//! The tail: the newest events' ids and times, kept in memory until they are folded into their trees.
//!
//! Putting each batch into the trees of ids and times at once would rewrite a page or two for every event. Instead the
//! log itself is durable with each commit, and the indexes follow in sorted steps; what they still lack is here, and is
//! read again from the log when a ledger is opened.

use std::collections::HashMap;
use std::sync::Arc;

use meed_audit::hash::Hash;
use meed_audit::ids::{EventId, ScopeId};
use meed_audit::time::Timestamp;

use crate::event_record::IdRecord;

/// What the id index says about an event, in memory.
#[derive(Clone, Debug)]
pub(crate) struct IdEntry {
    pub(crate) index: u64,
    pub(crate) content_hash: Hash,
    pub(crate) scopes: Arc<[ScopeId]>,
}

impl IdEntry {
    pub(crate) fn of_record(record: &IdRecord) -> Self {
        let scopes = record.scopes.iter().map(|scope| ScopeId::from_bytes(*scope)).collect();
        Self { index: record.index, content_hash: record.content_hash, scopes }
    }

    pub(crate) fn to_record(&self) -> IdRecord {
        let scopes = self.scopes.iter().map(|scope| *scope.as_bytes()).collect();
        IdRecord { index: self.index, content_hash: self.content_hash, scopes }
    }
}

/// What the index of times says: which entry a scope has at a time.
pub(crate) type TimeEntry = (ScopeId, Timestamp, u64);

/// Some of the newest entries, sorted by id and by scope and time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segment {
    pub(crate) ids: Vec<(EventId, IdEntry)>,
    pub(crate) times: Vec<TimeEntry>,
}

impl Segment {
    fn sort(&mut self) {
        self.ids.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        self.times.sort_unstable();
    }

    fn len(&self) -> usize {
        self.ids.len().max(self.times.len())
    }

    fn merged(&self, other: &Self) -> Self {
        let ids = merge(&self.ids, &other.ids, |(a, _), (b, _)| a < b);
        let times = merge(&self.times, &other.times, |a, b| a < b);
        Self { ids, times }
    }
}

fn merge<T: Clone>(left: &[T], right: &[T], before: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    loop {
        let next = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) if before(b, a) => right.next(),
            (Some(_), _) => left.next(),
            (None, _) => right.next(),
        };
        match next {
            Some(item) => merged.push(item.clone()),
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
}

impl Tail {
    pub(crate) fn push(&mut self, mut segment: Segment) {
        segment.sort();
        while let Some(last) = self.segments.last() {
            if last.len() > 2 * segment.len() {
                break;
            }
            segment = last.merged(&segment);
            self.segments.pop();
        }
        self.segments.push(Arc::new(segment));
    }

    pub(crate) fn id(&self, id: &EventId) -> Option<&IdEntry> {
        self.segments.iter().find_map(|segment| {
            let place = segment.ids.binary_search_by(|(known, _)| known.cmp(id)).ok()?;
            segment.ids.get(place).map(|(_, entry)| entry)
        })
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

    /// Everything as one segment.
    pub(crate) fn whole(&self) -> Segment {
        self.segments.iter().rev().fold(Segment::default(), |whole, segment| segment.merged(&whole))
    }
}

/// The tail as the writer has it: with a map of its ids, so that duplicates are decided quickly.
#[derive(Debug, Default)]
pub(crate) struct WriterTail {
    pub(crate) tail: Tail,
    ids: HashMap<EventId, IdEntry>,
    /// Ids that the running group added.
    staged: Vec<EventId>,
    /// The tail before the running group.
    before: Tail,
    /// Entries of the log that the tail covers.
    entries: usize,
    staged_entries: usize,
}

impl WriterTail {
    /// Adds the entries of one command.
    pub(crate) fn stage(&mut self, segment: Segment, entries: usize) {
        for (id, entry) in &segment.ids {
            self.ids.insert(id.clone(), entry.clone());
            self.staged.push(id.clone());
        }
        self.staged_entries += entries;
        self.tail.push(segment);
    }

    pub(crate) fn id(&self, id: &EventId) -> Option<&IdEntry> {
        self.ids.get(id)
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
        self.staged.clear();
        self.entries += std::mem::take(&mut self.staged_entries);
        self.before = self.tail.clone();
    }

    /// The running group is undone.
    pub(crate) fn undo(&mut self) {
        for id in self.staged.drain(..) {
            self.ids.remove(&id);
        }
        self.staged_entries = 0;
        self.tail = self.before.clone();
    }

    /// Everything is folded.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(numbers: impl Iterator<Item = u64>) -> Segment {
        let scope = ScopeId::from_bytes([1; 16]);
        let mut segment = Segment::default();
        for number in numbers {
            let entry = IdEntry { index: number, content_hash: Hash::of(b""), scopes: Arc::from([scope]) };
            segment.ids.push((format!("e:{}", number * 7919 % 1000).parse().unwrap(), entry));
            let time = Timestamp::from_ms(i64::try_from(number * 31 % 100).unwrap()).unwrap();
            segment.times.push((scope, time, number));
        }
        segment
    }

    #[test]
    fn any_batches_give_the_same_tail_in_few_segments() {
        let whole = {
            let mut whole = segment(0..1000);
            whole.sort();
            whole
        };
        for batch in [1, 3, 100, 999, 1000] {
            let mut tail = Tail::default();
            for start in (0..1000).step_by(batch) {
                tail.push(segment((start..1000).take(batch).map(|n| u64::try_from(n).unwrap())));
            }
            assert!(tail.segments.len() <= 10, "{}", tail.segments.len());
            let merged = tail.whole();
            let ids = |segment: &Segment| {
                segment.ids.iter().map(|(id, e)| (id.clone(), e.index)).collect::<Vec<_>>()
            };
            assert_eq!(ids(&merged), ids(&whole));
            assert_eq!(merged.times, whole.times);
            assert_eq!(tail.id(&"e:7".parse().unwrap()).map(|e| e.index * 7919 % 1000), Some(7));
            let scope = ScopeId::from_bytes([1; 16]);
            let (start, end) = (Timestamp::from_ms(10).unwrap(), Timestamp::from_ms(20).unwrap());
            let mut found: Vec<_> = tail.times(scope, start, end).collect();
            found.sort_unstable();
            let expected: Vec<_> =
                whole.times.iter().copied().filter(|(_, t, _)| (10..20).contains(&t.as_ms())).collect();
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
        assert_eq!((tail.entries(), tail.staged_entries(), tail.ids.len()), (10, 0, 10));
        assert_eq!(tail.tail.whole().ids.len(), 10);
    }
}
