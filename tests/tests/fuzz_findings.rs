//! What fuzzing found, and the inputs that fuzzing starts from, as ordinary tests.
//!
//! A finding is a file `findings/<target>/<what it was>` beside this one. It stays, so that it is never found again.

#![expect(clippy::expect_used, reason = "a helper of a test fails as a test does: by stopping it")]

use std::fs;
use std::path::{Path, PathBuf};

use meed_tests::checks::{TARGETS, target};

/// The files of a folder, none where there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

#[test]
fn every_finding_of_fuzzing_is_settled() {
    for folder in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/findings")) {
        let name = folder.file_name().and_then(|name| name.to_str()).expect("a name");
        let target = target(name).expect("a target of that name");
        let found = files(&folder);
        assert!(!found.is_empty(), "{name}: no findings");
        for file in found {
            println!("{}", file.display());
            (target.check)(&fs::read(file).expect("a file"));
        }
    }
}

#[test]
fn every_check_holds_for_its_seeds_and_their_halves() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{} starts from nothing", target.name);
        for seed in seeds {
            (target.check)(&seed);
            (target.check)(&seed[..seed.len() / 2]);
        }
    }
}

#[test]
fn every_check_holds_for_bytes_without_meaning() {
    let mut state = 1_u64;
    let mut bytes = vec![0; 512];
    for round in 0..200 {
        for byte in &mut bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = state.to_be_bytes()[0];
        }
        for target in TARGETS {
            (target.check)(&bytes[..round * 2]);
        }
    }
}
