//! Typed tables, and the one way of reading them that snapshots and write transactions share.

use std::marker::PhantomData;
use std::ops::{Bound, ControlFlow, RangeBounds};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::codec::{self, Record};
use crate::error::StorageError;
use crate::key::{Key, PrefixOf, after_prefix};

/// How every table looks to redb; types live in [`Table`].
pub(crate) type BytesTable = redb::TableDefinition<'static, &'static [u8], &'static [u8]>;

/// A table: its name in the file, the type of its keys and of its records.
///
/// ```text
/// const EPOCHS: Table<(ScopeId, EpochNumber), EpochRecord> = Table::new("epochs");
/// ```
#[derive(Debug)]
pub struct Table<K, V> {
    name: &'static str,
    types: PhantomData<fn(K) -> V>,
}

impl<K, V> Table<K, V> {
    /// The table of this name; a name never changes its types within one format version.
    pub const fn new(name: &'static str) -> Self {
        Self { name, types: PhantomData }
    }

    /// The name in the file.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<K, V> Clone for Table<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, V> Copy for Table<K, V> {}

/// What a visitor of raw entries says: go on, stop, or fail.
pub type Visit = Result<ControlFlow<()>, StorageError>;

/// Takes the key and the value of one entry.
pub type VisitEntry<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), StorageError> + 'a;

/// Reads bytes; [`Reader`] puts the types on.
pub trait RawReader {
    /// Hands the value of `key` to `visit`, where there is one, and says whether there is.
    ///
    /// # Errors
    /// Whatever reading the file, or the visitor, fails with.
    fn raw_get(
        &self,
        table: &'static str,
        key: &[u8],
        visit: &mut dyn FnMut(&[u8]) -> Result<(), StorageError>,
    ) -> Result<bool, StorageError>;

    /// Hands the entries of a range to `visit` in the order of their keys, or backwards. Within a write transaction the
    /// visitor must not touch the same table.
    ///
    /// # Errors
    /// Whatever reading the file, or the visitor, fails with.
    fn raw_scan(
        &self,
        table: &'static str,
        range: (Bound<&[u8]>, Bound<&[u8]>),
        backwards: bool,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit,
    ) -> Result<(), StorageError>;

    /// Hands the last entry whose key is not beyond `key` to `visit`, where there is one.
    ///
    /// # Errors
    /// Whatever reading the file, or the visitor, fails with.
    fn raw_last_to(
        &self,
        table: &'static str,
        key: &[u8],
        visit: &mut VisitEntry<'_>,
    ) -> Result<(), StorageError>;

    /// Number of entries of a table.
    ///
    /// # Errors
    /// Whatever reading the file fails with.
    fn raw_len(&self, table: &'static str) -> Result<u64, StorageError>;
}

/// Typed reading, the same in a [`Snapshot`](crate::Snapshot) and in a [`Transaction`](crate::Transaction), so that a
/// rule is written once.
pub trait Reader: RawReader {
    /// The record of `key`.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] where the record is not what was written, or a failure of reading.
    fn get<K: Key, V: Record>(&self, table: Table<K, V>, key: &K) -> Result<Option<V>, StorageError> {
        let key = key.to_bytes();
        let mut found = None;
        self.raw_get(table.name, &key, &mut |sealed| {
            found = Some(codec::unseal(table.name, &key, sealed)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Whether there is a record of `key`.
    ///
    /// # Errors
    /// A failure of reading.
    fn contains<K: Key, V: Record>(&self, table: Table<K, V>, key: &K) -> Result<bool, StorageError> {
        self.raw_get(table.name, &key.to_bytes(), &mut |_| Ok(()))
    }

    /// Hands the records of a range of keys to `visit`, ascending. Within a write transaction the visitor must not
    /// touch the same table.
    ///
    /// # Errors
    /// As [`Reader::get`], and what the visitor fails with.
    fn for_each<K: Key, V: Record>(
        &self,
        table: Table<K, V>,
        range: impl RangeBounds<K>,
        visit: &mut dyn FnMut(K, V) -> Visit,
    ) -> Result<(), StorageError> {
        let (start, end) = (bound_bytes(range.start_bound()), bound_bytes(range.end_bound()));
        let range = (as_slice(&start), as_slice(&end));
        self.raw_scan(table.name, range, false, &mut |key, sealed| {
            let (key, value) = read_entry(table, key, sealed)?;
            visit(key, value)
        })
    }

    /// Hands all records whose keys begin with `prefix` to `visit`, ascending. Within a write transaction the visitor
    /// must not touch the same table.
    ///
    /// # Errors
    /// As [`Reader::get`], and what the visitor fails with.
    fn for_each_with_prefix<K: Key, V: Record, P: PrefixOf<K>>(
        &self,
        table: Table<K, V>,
        prefix: &P,
        visit: &mut dyn FnMut(K, V) -> Visit,
    ) -> Result<(), StorageError> {
        let (start, end) = prefix_range(&prefix.prefix_bytes());
        self.raw_scan(table.name, (as_slice(&start), as_slice(&end)), false, &mut |key, sealed| {
            let (key, value) = read_entry(table, key, sealed)?;
            visit(key, value)
        })
    }

    /// The records of a range of keys, ascending.
    ///
    /// # Errors
    /// As [`Reader::get`].
    fn range<K: Key, V: Record>(
        &self,
        table: Table<K, V>,
        range: impl RangeBounds<K>,
    ) -> Result<Vec<(K, V)>, StorageError> {
        let mut found = Vec::new();
        self.for_each(table, range, &mut |key, value| {
            found.push((key, value));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// All records whose keys begin with `prefix`, ascending; [`All`](crate::key::All) for the whole table.
    ///
    /// # Errors
    /// As [`Reader::get`].
    fn with_prefix<K: Key, V: Record, P: PrefixOf<K>>(
        &self,
        table: Table<K, V>,
        prefix: &P,
    ) -> Result<Vec<(K, V)>, StorageError> {
        let mut found = Vec::new();
        self.for_each_with_prefix(table, prefix, &mut |key, value| {
            found.push((key, value));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// The last record whose key begins with `prefix`.
    ///
    /// # Errors
    /// As [`Reader::get`].
    fn last_with_prefix<K: Key, V: Record, P: PrefixOf<K>>(
        &self,
        table: Table<K, V>,
        prefix: &P,
    ) -> Result<Option<(K, V)>, StorageError> {
        let (start, end) = prefix_range(&prefix.prefix_bytes());
        let mut found = None;
        self.raw_scan(table.name, (as_slice(&start), as_slice(&end)), true, &mut |key, sealed| {
            found = Some(read_entry(table, key, sealed)?);
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }

    /// The last record at or before `key` whose key begins with `prefix`.
    ///
    /// # Errors
    /// As [`Reader::get`].
    fn last_at_or_before<K: Key, V: Record, P: PrefixOf<K>>(
        &self,
        table: Table<K, V>,
        prefix: &P,
        key: &K,
    ) -> Result<Option<(K, V)>, StorageError> {
        let (start, end) = (prefix.prefix_bytes(), key.to_bytes());
        let mut found = None;
        self.raw_scan(
            table.name,
            (Bound::Included(&start), Bound::Included(&end)),
            true,
            &mut |key, sealed| {
                found = Some(read_entry(table, key, sealed)?);
                Ok(ControlFlow::Break(()))
            },
        )?;
        Ok(found)
    }
}

impl<R: RawReader + ?Sized> Reader for R {}

fn read_entry<K: Key, V: Record>(
    table: Table<K, V>,
    key: &[u8],
    sealed: &[u8],
) -> Result<(K, V), StorageError> {
    let value = codec::unseal(table.name, key, sealed)?;
    let typed = K::from_bytes(key).ok_or_else(|| {
        StorageError::corrupt(table.name, key, "expected a key of the table's type, got another")
    })?;
    Ok((typed, value))
}

fn bound_bytes<K: Key>(bound: Bound<&K>) -> Bound<Vec<u8>> {
    bound.map(Key::to_bytes)
}

fn as_slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}

fn prefix_range(prefix: &[u8]) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let end = after_prefix(prefix).map_or(Bound::Unbounded, Bound::Excluded);
    (Bound::Included(prefix.to_vec()), end)
}

/// Runs something of redb and turns a panic, which a damaged page can cause there, into an error.
pub(crate) fn guard<T>(
    table: &str,
    action: impl FnOnce() -> Result<T, StorageError>,
) -> Result<T, StorageError> {
    catch_unwind(AssertUnwindSafe(action)).unwrap_or_else(|payload| {
        Err(StorageError::corrupt(
            table,
            &[],
            format!("expected sound pages, got a failure inside redb: {}", panic_text(&*payload)),
        ))
    })
}

/// The text of a panic.
pub(crate) fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// Reads one entry of an open redb table.
pub(crate) fn get_from(
    name: &str,
    table: &impl redb::ReadableTable<&'static [u8], &'static [u8]>,
    key: &[u8],
    visit: &mut dyn FnMut(&[u8]) -> Result<(), StorageError>,
) -> Result<bool, StorageError> {
    let found = guard(name, || {
        table.get(key).map_err(|error| StorageError::of_redb(&format!("read table {name}"), error))
    })?;
    match found {
        Some(value) => visit(guard(name, || Ok(value.value()))?).map(|()| true),
        None => Ok(false),
    }
}

/// Reads the last entry of an open redb table whose key is not beyond `key`.
pub(crate) fn last_to_from(
    name: &str,
    table: &impl redb::ReadableTable<&'static [u8], &'static [u8]>,
    key: &[u8],
    visit: &mut VisitEntry<'_>,
) -> Result<(), StorageError> {
    let found = guard(name, || {
        let failed = |error| StorageError::of_redb(&format!("read table {name}"), error);
        table.upper_bound(Bound::Included(key)).map_err(failed)?.peek_prev().map_err(failed)
    })?;
    let Some((key, value)) = &found else { return Ok(()) };
    let (key, value) = guard(name, || Ok((key.value(), value.value())))?;
    visit(key, value)
}

/// Reads a range of an open redb table.
pub(crate) fn scan_from(
    name: &str,
    table: &impl redb::ReadableTable<&'static [u8], &'static [u8]>,
    range: (Bound<&[u8]>, Bound<&[u8]>),
    backwards: bool,
    visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit,
) -> Result<(), StorageError> {
    if is_empty(range) {
        return Ok(());
    }
    let failed = |error: redb::StorageError| StorageError::of_redb(&format!("read table {name}"), error);
    let mut entries = guard(name, || table.range::<&[u8]>(range).map_err(failed))?;
    loop {
        let next = guard(name, || {
            let next = if backwards { entries.next_back() } else { entries.next() };
            next.transpose().map_err(failed)
        })?;
        let Some((key, value)) = &next else { return Ok(()) };
        let (key, value) = guard(name, || Ok((key.value(), value.value())))?;
        if visit(key, value)?.is_break() {
            return Ok(());
        }
    }
}

/// Whether the range holds no key at all; redb takes only ranges that are in order.
fn is_empty(range: (Bound<&[u8]>, Bound<&[u8]>)) -> bool {
    match range {
        (Bound::Included(start), Bound::Included(end)) => start > end,
        (Bound::Included(start) | Bound::Excluded(start), Bound::Included(end) | Bound::Excluded(end)) => {
            start >= end
        }
        _ => false,
    }
}
