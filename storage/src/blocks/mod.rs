//! Blocks: many small things as one value of a table, which are pure bytes here; where they stand is said by
//! [`rows`](crate::rows) and [`index`](crate::index).

pub(crate) mod rows;
pub(crate) mod sorted;
pub(crate) mod varint;
