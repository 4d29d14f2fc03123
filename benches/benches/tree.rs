//! A tree of 1,000,000 leaves, beside (2n - 1) times one 65-byte SHA-256 by the same crate, which is the least work
//! that any RFC 6962 tree takes.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use meed_audit::hash::{Hash, leaf_hash};
use meed_audit::merkle::{Tree, TreeBuilder};
use sha2::{Digest, Sha256};

const LEAVES_COUNT: u64 = 1_000_000;

/// 64 bytes of leaf, so that hashing a leaf is a 65-byte hash as hashing a node is.
fn leaf(index: u64) -> [u8; 64] {
    let mut bytes = [0x61; 64];
    bytes[..8].copy_from_slice(&index.to_be_bytes());
    bytes
}

fn hashing_alone() -> [u8; 32] {
    let mut block = [0x01_u8; 65];
    for _ in 0..2 * LEAVES_COUNT - 1 {
        let digest = Sha256::digest(black_box(block));
        block[1..33].copy_from_slice(&digest);
    }
    Sha256::digest(block).into()
}

fn root() -> Hash {
    let mut builder = TreeBuilder::new();
    for index in 0..LEAVES_COUNT {
        builder.push(leaf_hash(&leaf(index)), &mut |_, _, _| {});
    }
    builder.finish(&mut |_, _, _| {})
}

fn tree(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tree of 1,000,000 leaves");
    group.sample_size(10).throughput(Throughput::Elements(LEAVES_COUNT));
    group.bench_function("SHA-256 of 65 bytes, 2n - 1 times", |bencher| bencher.iter(hashing_alone));
    group.bench_function("meed, root", |bencher| bencher.iter(root));
    group.bench_function("meed, all tiles kept", |bencher| {
        bencher.iter(|| Tree::build((0..LEAVES_COUNT).map(|index| leaf_hash(&leaf(index)))));
    });
    group.finish();
}

criterion_group!(benches, tree);
criterion_main!(benches);
