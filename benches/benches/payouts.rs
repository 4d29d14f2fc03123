//! Payouts of 1,000,000 claimants by the rulebook, beside a plain u128 loop of the same arithmetic.
//!
//! The plain loop is what someone would write who trusts every number: no checks for overflow, no 256-bit fallback,
//! and a full sort of the remainders is spared it as well.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use meed_audit::apportion::apportion;

const CLAIMANTS_COUNT: usize = 1_000_000;
const POOL: u128 = 10_000_000_000_000;

/// Units as a community has them: a few with much, many with little (a fixed sequence).
fn units() -> Vec<u128> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..CLAIMANTS_COUNT)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u128::from(state >> 40) * 1_000 / u128::from((state & 0xff) + 1)
        })
        .collect()
}

fn plain(pool: u128, units: &[u128], sum: u128) -> Vec<u128> {
    let mut parts = Vec::with_capacity(units.len());
    let mut remainders = Vec::with_capacity(units.len());
    let mut left_over = pool;
    for (position, unit) in units.iter().enumerate() {
        let product = unit * pool;
        let floor = product / sum;
        parts.push(floor);
        remainders.push((product - floor * sum, position));
        left_over -= floor;
    }
    let count = usize::try_from(left_over).expect("fewer than claimants");
    if count > 0 {
        remainders
            .select_nth_unstable_by(count - 1, |(a, first), (b, second)| b.cmp(a).then(first.cmp(second)));
    }
    for (_, position) in &remainders[..count] {
        parts[*position] += 1;
    }
    parts
}

fn payouts(criterion: &mut Criterion) {
    let units = units();
    let sum: u128 = units.iter().sum();
    assert_eq!(plain(POOL, &units, sum), apportion(POOL, &units, sum).expect("divides"));
    let mut group = criterion.benchmark_group("payouts of 1,000,000 claimants");
    group.sample_size(20).throughput(Throughput::Elements(CLAIMANTS_COUNT as u64));
    group.bench_function("plain u128 loop", |bencher| bencher.iter(|| plain(POOL, &units, sum)));
    group.bench_function("meed", |bencher| bencher.iter(|| apportion(POOL, &units, sum)));
    group.finish();
}

criterion_group!(benches, payouts);
criterion_main!(benches);
