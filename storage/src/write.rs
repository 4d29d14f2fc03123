//! Tables that are open for writing, and writing into them.

use std::ops::Bound;

use crate::error::StorageError;
use crate::table::BytesTable;

/// The bytes of a key and of its sealed record.
pub(crate) type Row = (Vec<u8>, Vec<u8>);

/// Takes the blocks that are made for a table.
pub(crate) type PutBlock<'a> = dyn FnMut(Row) -> Result<(), StorageError> + 'a;

/// A table that is open for writing.
pub(crate) type OpenTable<'txn> = redb::Table<'txn, &'static [u8], &'static [u8]>;

pub(crate) fn open_for_writing<'txn>(
    inner: &'txn redb::WriteTransaction,
    name: &'static str,
) -> Result<OpenTable<'txn>, StorageError> {
    inner.open_table(BytesTable::new(name)).map_err(|error| match error {
        redb::TableError::TableAlreadyOpen(..) => {
            StorageError::internal(format!("table {name} was opened again while it was being read"))
        }
        other => StorageError::of_redb(&format!("open table {name}"), other),
    })
}

/// Puts `first` into its gap, and what follows it as long as that belongs into the same one; gives the record after.
pub(crate) fn fill_gap(
    name: &str,
    open: &mut OpenTable<'_>,
    first: Option<Row>,
    rest: &mut impl Iterator<Item = Result<Row, StorageError>>,
) -> Result<Option<Row>, StorageError> {
    let failed = |error| write_error(name, error);
    let Some((key, sealed)) = first else { return Ok(None) };
    let mut gap = open.lower_bound_mut(Bound::Included(key.as_slice())).map_err(failed)?;
    let end = gap.peek_next().map_err(failed)?.map(|(end, _)| end.value().to_vec());
    let mut record = (key, sealed);
    loop {
        gap.insert_before(record.0.as_slice(), record.1.as_slice()).map_err(|error| match error {
            redb::CursorError::Storage(error) => write_error(name, error),
            other => StorageError::corrupt(
                name,
                &record.0,
                format!("expected a free key after the last one: {other}"),
            ),
        })?;
        let next = rest.next().transpose()?;
        match next {
            Some(next) if end.as_ref().is_none_or(|end| next.0 < *end) => record = next,
            other => {
                gap.close().map_err(failed)?;
                return Ok(other);
            }
        }
    }
}

pub(crate) fn write_error(name: &str, error: redb::StorageError) -> StorageError {
    StorageError::of_redb(&format!("write table {name}"), error)
}
