//! A bounded number of things that expire, each found by the SHA-256 of a secret that is not kept.

use std::collections::BTreeMap;

use meed_audit::hash::Hash;
use meed_audit::time::Timestamp;

/// Things by the hash of their secret, at most so many; the oldest makes room for a new one.
#[derive(Debug)]
pub(crate) struct Store<T> {
    most: usize,
    by_hash: BTreeMap<Hash, Entry<T>>,
    /// The hashes in the order in which their things came.
    by_age: BTreeMap<u64, Hash>,
    next: u64,
}

#[derive(Debug)]
struct Entry<T> {
    age: u64,
    /// The first moment at which it no longer holds.
    expires_at: Timestamp,
    value: T,
}

impl<T: Clone> Store<T> {
    /// Room for at most `most` things.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, by_hash: BTreeMap::new(), by_age: BTreeMap::new(), next: 0 }
    }

    /// Keeps a thing until `expires_at`; those that have expired go, and the oldest where there is no room.
    pub(crate) fn insert(&mut self, hash: Hash, value: T, expires_at: Timestamp, now: Timestamp) {
        self.remove(&hash);
        while let Some((age, oldest)) = self.by_age.first_key_value() {
            let holds = self.by_hash.get(oldest).is_some_and(|entry| now < entry.expires_at);
            if holds && self.by_hash.len() < self.most {
                break;
            }
            let (age, oldest) = (*age, *oldest);
            self.by_age.remove(&age);
            self.by_hash.remove(&oldest);
        }
        let age = self.next;
        self.next = self.next.saturating_add(1);
        self.by_age.insert(age, hash);
        self.by_hash.insert(hash, Entry { age, expires_at, value });
    }

    /// What has this hash, if it holds at `now`.
    pub(crate) fn find(&self, hash: &Hash, now: Timestamp) -> Option<(T, Timestamp)> {
        let entry = self.by_hash.get(hash).filter(|entry| now < entry.expires_at)?;
        Some((entry.value.clone(), entry.expires_at))
    }

    /// Forgets what has this hash; whether there was anything.
    pub(crate) fn remove(&mut self, hash: &Hash) -> bool {
        let Some(entry) = self.by_hash.remove(hash) else { return false };
        self.by_age.remove(&entry.age);
        true
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        assert_eq!(self.by_hash.len(), self.by_age.len());
        self.by_hash.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms).expect("time")
    }

    fn hash(number: u8) -> Hash {
        Hash::of(&[number])
    }

    #[test]
    fn a_thing_holds_until_its_end_and_not_at_it() {
        let mut store = Store::new(4);
        store.insert(hash(1), 'a', at(100), at(0));
        assert_eq!(store.find(&hash(1), at(99)), Some(('a', at(100))));
        assert_eq!(store.find(&hash(1), at(100)), None);
        assert_eq!(store.find(&hash(2), at(0)), None);
        assert!(store.remove(&hash(1)));
        assert!(!store.remove(&hash(1)), "nothing is taken twice");
        assert_eq!(store.len(), 0);
    }

    #[test]
    fn the_oldest_makes_room_and_the_expired_go_first() {
        let mut store = Store::new(2);
        store.insert(hash(1), 'a', at(10), at(0));
        store.insert(hash(2), 'b', at(100), at(0));
        store.insert(hash(3), 'c', at(100), at(50));
        assert_eq!((store.find(&hash(2), at(50)), store.len()), (Some(('b', at(100))), 2));
        store.insert(hash(4), 'd', at(100), at(50));
        assert_eq!((store.find(&hash(2), at(50)), store.len()), (None, 2));
        store.insert(hash(4), 'e', at(100), at(50));
        assert_eq!(store.find(&hash(4), at(50)).map(|(value, _)| value), Some('e'));
        assert_eq!(store.len(), 2, "the same hash stands once");
    }

    #[test]
    fn a_store_never_outgrows_its_bound() {
        let mut store = Store::new(8);
        for number in 0..200 {
            store.insert(hash(number), number, at(1_000), at(0));
            assert!(store.len() <= 8);
        }
        assert_eq!(
            (store.find(&hash(199), at(0)), store.find(&hash(191), at(0))),
            (Some((199, at(1_000))), None)
        );
    }
}
