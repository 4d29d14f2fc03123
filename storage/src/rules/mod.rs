//! The rules of the ledger, each holding in the transaction that it guards.
