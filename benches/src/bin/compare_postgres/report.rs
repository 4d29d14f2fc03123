//! Medians and ratios, as a table.

use std::time::Duration;

/// One comparison: how long each side took, run by run.
pub(crate) struct Comparison {
    pub(crate) what: String,
    pub(crate) meed: Vec<Duration>,
    pub(crate) postgres: Vec<Duration>,
}

/// The middle one.
pub(crate) fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Prints the comparisons: medians, and how many times as fast meed is.
pub(crate) fn print(comparisons: &[Comparison]) {
    println!("| what | meed, median | PostgreSQL, median | meed is faster by |");
    println!("|---|---|---|---|");
    for row in comparisons {
        let (meed, postgres) = (median(&row.meed), median(&row.postgres));
        let ratio = postgres.as_secs_f64() / meed.as_secs_f64();
        println!(
            "| {} | {:.2} s | {:.2} s | {ratio:.2}x |",
            row.what,
            meed.as_secs_f64(),
            postgres.as_secs_f64()
        );
    }
}
