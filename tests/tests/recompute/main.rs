//! A second implementation, in Python and from the specification alone, recomputes what a real ledger published.
//!
//! The ledger lives through four epochs of 300 people and 5,000 events with all that can happen to them; everything
//! is exported into a folder, and `tests/python/recompute.py` must find every byte. Then one digit at a time is
//! changed, and it must refuse each by the rule that is broken.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::missing_panics_doc, reason = "a test fails by panicking")]

mod agree;
mod export;
mod life;
#[path = "../../../storage/tests/support/mod.rs"]
mod support;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use export::{change_extra, replace_once};

/// Runs Python in the folder of the programs; nothing where this machine has none, which in CI is a failure.
fn python(arguments: &[&OsStr]) -> Option<Output> {
    let programs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("python");
    match Command::new("python3").arg("-B").args(arguments).current_dir(programs).output() {
        Ok(output) => Some(output),
        Err(error) if env::var_os("CI").is_none() => {
            println!("SKIPPED: python3 cannot be run: {error}");
            None
        }
        Err(error) => panic!("expected python3 in CI, got {error}"),
    }
}

fn recompute(folder: &Path) -> Option<Output> {
    python(&["recompute.py".as_ref(), folder.as_os_str()])
}

/// What the program says of a folder in which one file is changed; the file is put back.
fn refusal(folder: &Path, file: &str, change: impl FnOnce(&str) -> String) -> String {
    let path = folder.join(file);
    let original = fs::read_to_string(&path).unwrap();
    let changed = change(&original);
    assert_ne!(original, changed, "nothing was changed in {file}");
    fs::write(&path, changed).unwrap();
    let output = recompute(folder).unwrap();
    fs::write(&path, original).unwrap();
    assert_eq!(output.status.code(), Some(1), "{file}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "expected {word:?} in:\n{said}");
    }
}

#[test]
fn the_python_program_passes_its_own_tests() {
    let Some(output) = python(&["-m".as_ref(), "unittest".as_ref()]) else { return };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("\nOK"), "{said}");
}

#[test]
fn python_recomputes_every_byte_and_refuses_every_changed_digit() {
    let life = life::live();
    let folder = tempfile::tempdir().unwrap();
    let exported = export::export(&life, folder.path());
    let Some(output) = recompute(folder.path()) else { return };
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{printed}");
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_table(&printed, &exported, &life);
    assert_refusals(folder.path(), &exported);
}

/// Every epoch is in the table with the numbers that the ledger gives.
fn assert_table(printed: &str, exported: &export::Exported, life: &life::Life) {
    for row in &exported.rows {
        let found = printed.lines().find(|line| line.split_whitespace().next() == Some(&row.name)).unwrap();
        let cells: Vec<&str> = found.split_whitespace().collect();
        let expected =
            [&row.name, &row.events, &row.late, &row.claimants, &row.pool, &row.distributed, &row.set];
        assert_eq!(cells.get(..7).unwrap(), expected);
        if row.is_final {
            assert_eq!(cells.get(7..).unwrap(), ["equal,", "approved", &row.claimants, &row.strangers]);
        }
    }
    let counts = format!(
        "imported lines: {}, of which {} events, {} duplicates, {} conflicts, 0 refused",
        life.lines.len(),
        life.stored,
        life.duplicates,
        life.conflicts
    );
    assert_says(
        printed,
        &[&counts, "roots of the events log recomputed from all leaves: 2 of 3", "everything follows"],
    );
}

/// One digit at a time: of an allocation, a decision, a weight, an event, a pool, a signature.
fn assert_refusals(folder: &Path, exported: &export::Exported) {
    let said = refusal(folder, &exported.payout, |text| change_extra(text, "\"credits\":\"", "1"));
    assert_says(&said, &["22.1 link inclusion", &exported.payout, "expected: root"]);

    let said = refusal(folder, "dossiers/2-1.ndjson", |text| replace_once(text, r#"credits\":\""#, "1"));
    assert_says(&said, &["previous, root of its allocations", "dossiers/2-1.ndjson"]);

    let override_of_7 = r#"\"override\",\"actor\":\"operator\",\"after\":\""#;
    let said = refusal(folder, "dossiers/2-1.ndjson", |text| replace_once(text, override_of_7, "1"));
    assert_says(&said, &["23.2 point 5, the statement", "draft, line 15", "Decisions: "]);

    let said = refusal(folder, "dossiers/2-1.ndjson", |text| {
        text.replacen(r#"\"before\":\"included\""#, r#"\"before\":\"excluded\""#, 1)
    });
    assert_says(&said, &["8.3 point 3, before", "expected: included", "got:      excluded"]);

    let said = refusal(folder, "dossiers/1-0.ndjson", |text| {
        replace_once(text, r#"\"github:pr_merged\",\"units\":\""#, "1")
    });
    assert_says(&said, &["23.2 point 5, the statement", "draft, line 11", "Policy: weight-sum-v1"]);

    let said = refusal(folder, "dossiers/1-0.ndjson", |text| replace_once(text, r#"\"amount\":\""#, "1"));
    assert_says(&said, &["8.6 point 1, the pool is what was decided", "expected: {'base_issuance'"]);

    let said = refusal(folder, "dossiers/4-0.ndjson", |text| {
        text.replacen(r#"\"event_type\":\"pr_merged\""#, r#"\"event_type\":\"review_submitted\""#, 1)
    });
    assert_says(&said, &["23.2 point 5, the statement", "draft, line 13", "Activity: "]);

    let said = refusal(folder, "import/0.ndjson", |text| {
        text.replacen(r#""event_type":"pr_merged""#, r#""event_type":"issue_closed""#, 1)
    });
    assert_says(
        &said,
        &["5.2 the event leaf follows from its line", "event_type", "issue_closed", "pr_merged"],
    );

    let said =
        refusal(folder, "statements/4-0.txt", |text| text.replacen("Distributed: ", "Distributed: 1", 1));
    assert_says(&said, &["23.2 the statement", "statements/4-0.txt"]);
}
