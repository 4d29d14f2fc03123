//! Members without a library: see the tests beside.
