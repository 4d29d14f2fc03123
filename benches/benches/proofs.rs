//! Proofs of an epoch of 1,000,000 claimants, beside hashing alone: path and leaf out of the store, and the whole proof
//! file, with redb's cache alone and none of our own. And checking a proof, beside as many strict Ed25519 verifications
//! as it holds signatures and its hashes.

use std::hint::black_box;
use std::sync::OnceLock;

use criterion::{Criterion, criterion_group, criterion_main};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use meed_audit::hash::Hash;
use meed_audit::ids::{Claimant, EpochNumber, Revision, ScopeId, SetVersion};
use meed_audit::leaf::Leaf;
use meed_audit::proof::Proof;
use meed_audit::trust::Trust;
use meed_audit::verify::verify;
use meed_benches::meed_side::{self, LEDGER_FILE, scope};
use meed_storage::{Ledger, Options, Snapshot, Which};
use sha2::{Digest, Sha256};

const CLAIMANTS_COUNT: u64 = 1_000_000;
const POOL: u128 = 10_000_000_000;

/// Caches of redb: the one that a node has when nobody says otherwise, and one that holds the whole epoch.
const CACHES_MIB: [usize; 2] = [64, 256];

/// A ledger with one final epoch, opened anew with a cache of this size.
fn open(cache_mib: usize) -> Ledger {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        drop(meed_side::create_final_epoch(folder.path(), CLAIMANTS_COUNT, POOL).expect("a ledger"));
        folder
    });
    let options = Options { cache_bytes: cache_mib << 20, ..meed_side::options() };
    Ledger::open(folder.path().join(LEDGER_FILE), options).expect("opens")
}

/// Claimants far from each other, so that no page that was just read helps.
fn claimants() -> impl Iterator<Item = Claimant> {
    (0..CLAIMANTS_COUNT)
        .cycle()
        .step_by(514_229)
        .map(|number| format!("identity:github:{}", number + 1).parse().expect("a claimant"))
}

fn hash_times(count: usize) -> [u8; 32] {
    let mut block = [0x01_u8; 65];
    for _ in 0..count {
        let digest = Sha256::digest(black_box(block));
        block[1..33].copy_from_slice(&digest);
    }
    Sha256::digest(block).into()
}

fn path_and_leaf(snapshot: &Snapshot, scope: ScopeId, claimant: &Claimant) -> (Vec<Hash>, Vec<u8>) {
    let place = (scope, EpochNumber::FIRST, Revision::FIRST);
    let leaf = snapshot.allocation_leaf(place, claimant).expect("reads").expect("a leaf");
    (leaf.path, leaf.allocation.encode())
}

/// As a node makes the first proof that it is asked for: with all that proofs have in common, of which it keeps nothing.
fn whole_file(snapshot: &Snapshot, scope: ScopeId, claimant: &Claimant) -> Vec<u8> {
    let frame = snapshot.proof_frame(scope, EpochNumber::FIRST, Which::Final, SetVersion::FIRST);
    snapshot.proof_file(&frame.expect("a frame"), claimant).expect("a proof")
}

fn store(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a proof of 1,000,000 claimants, out of the store");
    for count in [50, 150] {
        group.bench_function(format!("SHA-256 of 65 bytes, {count} times"), |bencher| {
            bencher.iter(|| hash_times(count));
        });
    }
    let mut some = claimants();
    for cache_mib in CACHES_MIB {
        let ledger = open(cache_mib);
        let (snapshot, scope) = (ledger.snapshot().expect("a snapshot"), scope());
        // What is read once by everybody, and by every claimant where there is room for it, is in the cache.
        for claimant in claimants().take(200_000) {
            path_and_leaf(&snapshot, scope, &claimant);
        }
        group.bench_function(format!("meed, path and leaf, cache of {cache_mib} MiB"), |bencher| {
            bencher.iter_batched(
                || some.next().expect("endless"),
                |claimant| path_and_leaf(&snapshot, scope, &claimant),
                criterion::BatchSize::SmallInput,
            );
        });
        group.bench_function(format!("meed, whole proof file, cache of {cache_mib} MiB"), |bencher| {
            bencher.iter_batched(
                || some.next().expect("endless"),
                |claimant| whole_file(&snapshot, scope, &claimant),
                criterion::BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// As many strict verifications as the proof has signatures, and as many hashes as its paths and leaves.
fn bare_checks(key: &VerifyingKey, signed: &[(Vec<u8>, Signature)], hashes_count: usize) -> bool {
    let all = signed.iter().all(|(message, signature)| key.verify_strict(message, signature).is_ok());
    all && hash_times(hashes_count) != [0; 32]
}

fn verifying(criterion: &mut Criterion) {
    let ledger = open(64);
    let (snapshot, scope) = (ledger.snapshot().expect("a snapshot"), scope());
    let trust: Trust = snapshot.trust(scope, None).expect("a trust file");
    let claimant = claimants().nth(7).expect("endless");
    let file = whole_file(&snapshot, scope, &claimant);
    let Ok(Proof::Payout(proof)) = Proof::parse(&file) else { panic!("a payout proof") };
    verify(&proof, &trust).expect("verified");

    // Two approvers, the node's line, and the log's checkpoint; 20 levels of the tree.
    let (signatures_count, hashes_count) = (4, 24);
    let key = SigningKey::from_bytes(&[9; 32]);
    let signed: Vec<_> = (0..signatures_count)
        .map(|number| {
            let message = vec![number; 1_500];
            let signature = key.sign(&message);
            (message, signature)
        })
        .collect();
    let mut group = criterion.benchmark_group("checking a payout proof");
    group.bench_function("4 strict Ed25519 verifications and 24 hashes", |bencher| {
        bencher.iter(|| assert!(bare_checks(&key.verifying_key(), &signed, hashes_count)));
    });
    group.bench_function("meed, verify", |bencher| {
        bencher.iter(|| verify(&proof, &trust).expect("verified"));
    });
    group.bench_function("meed, read the file and verify", |bencher| {
        bencher.iter(|| {
            let Ok(Proof::Payout(proof)) = Proof::parse(&file) else { panic!("a payout proof") };
            verify(&proof, &trust).expect("verified")
        });
    });
    group.finish();
}

criterion_group!(benches, store, verifying);
criterion_main!(benches);
