//! The verifier as a program of Node, and its own tests.

use std::path::Path;
use std::process::{Command, Output};

use meed_audit::proof::Proof;
use meed_tests::facts::claimant;
use meed_tests::world::World;

use crate::node::{is_there, programs};

/// Runs the program on files of a folder.
fn verify(folder: &Path, arguments: &[&str]) -> Output {
    let program = programs().join("../../node/web/verifier/cli.mjs");
    Command::new("node").arg(program).args(arguments).current_dir(folder).output().expect("node")
}

#[test]
fn the_program_answers_with_the_exit_codes_of_meed_verify() {
    if !is_there() {
        return;
    }
    let world = World::new();
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("writes");
    let payout = Proof::Payout(world.payout_proof(3)).to_file();
    let absence = world.absence_proof(&world.full, &claimant("identity:discord:1"));
    write("trust.toml", world.trust().to_toml().expect("TOML").as_bytes());
    write("bare.toml", world.trust_from(1, &world.bare_policy()).to_toml().expect("TOML").as_bytes());
    write("bad.toml", b"format = \"meed/trust/v1\"\n");
    write("bytes.toml", b"\xff");
    write("large.toml", &[b'#'; 262_145]);
    write("proof.json", &payout);
    write("absence.json", &Proof::Absence(absence).to_file());
    write("cut.json", &payout[..payout.len() - 2]);
    for (arguments, code, says) in [
        (&["proof.json", "--trust", "trust.toml"][..], 0, "\nverified\n"),
        (&["--trust", "bare.toml", "proof.json"], 0, "whether others see the same log"),
        (&["absence.json", "--trust", "trust.toml"], 0, "not in this epoch\nverified\n"),
        (&["cut.json", "--trust", "trust.toml"], 1, "FAILED  format"),
        (&["proof.json", "--trust", "bad.toml"], 1, "not verified: malformed: trust file"),
        (&["proof.json", "--trust", "bytes.toml"], 2, "UTF-8"),
        (&["proof.json", "--trust", "large.toml"], 2, "at most 262144 bytes"),
        (&["absent.json", "--trust", "trust.toml"], 2, "cannot read absent.json: ENOENT"),
        (&["proof.json"], 2, "usage: "),
        (&["proof.json", "cut.json", "--trust", "trust.toml"], 2, "unexpected cut.json"),
        (&["proof.json", "--trust", "trust.toml", "--quiet"], 2, "unexpected --quiet"),
        (
            &["proof.json", "--trust", "trust.toml", "--json"],
            0,
            "\"verified\":true,\"kind\":\"payout\",\"links\":[",
        ),
        (&["cut.json", "--trust", "trust.toml", "--json"], 1, "{\"link\":\"format\",\"ok\":false,"),
    ] {
        let output = verify(folder.path(), arguments);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).expect("UTF-8");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
}

#[test]
fn the_tests_of_the_modules_pass() {
    if !is_there() {
        return;
    }
    let test = programs().join("vectors.test.mjs");
    let output = Command::new("node").arg("--test").arg(test).output().expect("node");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("# fail 0") && !said.contains("# tests 0"), "{said}");
}
