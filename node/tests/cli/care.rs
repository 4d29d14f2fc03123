//! Looking after a ledger: backup, restore, resume, compact, erase; and two processes at once.

use std::fs;

use crate::support::World;

#[test]
fn a_restored_ledger_reads_and_signs_only_after_resume() {
    let world = World::finalized();
    world.run(&["backup", "copy.redb"]).ok();
    world.run(&["backup", "copy.redb"]).refused(1, "expected no file");
    let backup = fs::read(world.path("copy.redb")).expect("backup");
    let log_key = world.read("ledger/log.key");
    let secret = log_key.lines().find_map(|line| line.strip_prefix("secret: ")).expect("secret");
    assert!(
        !backup.windows(secret.len()).any(|window| window == secret.as_bytes()),
        "no secret key in a backup"
    );
    let restored = world.run(&["restore", "copy.redb", "--data", "new", "--log-key", "ledger/log.key"]);
    assert!(restored.err.contains("resume --events 6 --statements 2"), "{}", restored.err);
    restored.ok();
    world.run(&["restore", "copy.redb", "--data", "new"]).refused(1, "expected no ledger");
    let statement = ["statement", "--scope", "default", "--epoch", "1"];
    let before = world.run(&statement).ok();
    assert_eq!(world.run(&[&statement[..], &["--data", "new"]].concat()).ok(), before);
    let add = ["scope", "add", "second", "--data", "new"];
    world.run(&add).refused(1, "ledger_restored");
    let resume =
        |events: &str| world.run(&["resume", "--events", events, "--statements", "2", "--data", "new"]);
    resume("7").refused(1, "ledger_behind");
    resume("6").ok();
    resume("6").refused(1, "nothing_to_change");
    world.run(&add).ok();
}

#[test]
fn a_backup_of_another_node_does_not_take_this_log_key() {
    let (world, other) = (World::open(), World::open());
    world.run(&["backup", "copy.redb"]).ok();
    let key = other.path("ledger/log.key");
    let ran = world.run(&["restore", "copy.redb", "--data", "new", "--log-key", key.to_str().expect("path")]);
    ran.refused(1, "expected the log key");
    assert!(!world.path("new").exists(), "nothing half made");
    world.write("no.redb", "nothing");
    world.run(&["restore", "no.redb", "--data", "new"]).refused(1, "expected a meed ledger");
    assert!(!world.path("new").exists());
}

#[test]
fn a_ledger_without_its_log_key_reads_and_says_so() {
    let world = World::finalized();
    fs::rename(world.path("ledger/log.key"), world.path("log.key")).expect("moved");
    let ran = world.run(&["statement", "--scope", "default", "--epoch", "1"]);
    assert!(ran.err.contains("log.key is missing"), "{}", ran.err);
    ran.ok();
}

/// Whoever owns every file may read them whatever their mode says: then nothing is refused.
#[cfg(unix)]
#[test]
fn who_may_not_read_the_log_key_reads_the_ledger_and_who_may_not_write_the_ledger_is_told_why() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::finalized();
    let statement = ["statement", "--scope", "default", "--epoch", "1"];
    let set_mode = |file: &str, mode: u32| {
        fs::set_permissions(world.path(file), fs::Permissions::from_mode(mode)).expect("mode");
    };
    set_mode("ledger/log.key", 0o000);
    let is_refused = fs::File::open(world.path("ledger/log.key")).is_err();
    let ran = world.run(&statement);
    assert_eq!(ran.err.contains("can only be read"), is_refused, "{}", ran.err);
    assert!(ran.ok().starts_with("ledger.example.org/default/epoch/1/0\n"));
    set_mode("ledger/ledger.redb", 0o444);
    let ran = world.run(&statement);
    assert_eq!(ran.code, i32::from(is_refused), "{ran:?}");
    assert_eq!(ran.err.contains("an account that may write the ledger's file"), is_refused, "{}", ran.err);
}

#[test]
fn a_sound_ledger_is_sound_and_one_changed_byte_is_found() {
    let world = World::finalized();
    let report = world.json(&["fsck"]);
    assert_eq!((report["sound"].as_bool(), report["events"].as_u64()), (Some(true), Some(6)), "{report}");
    assert!(world.run(&["fsck"]).ok().starts_with("sound: "));
    // A producer's name stands in each event's leaf, and nowhere else in the file.
    let path = world.path("ledger/ledger.redb");
    let mut bytes = fs::read(&path).expect("ledger");
    let wanted = b"github:repo:7";
    let places: Vec<usize> = bytes
        .windows(wanted.len())
        .enumerate()
        .filter(|(_, window)| window == wanted)
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty());
    for place in places {
        bytes[place + wanted.len() - 1] = b'8';
    }
    fs::write(&path, &bytes).expect("written");
    let ran = world.run(&["fsck"]);
    ran.refused(1, "");
    assert!(ran.out.contains("not sound") || ran.err.contains("the ledger is damaged"), "{ran:?}");
}

#[test]
fn compacting_keeps_everything() {
    let world = World::finalized();
    let proof = world.read("one.payout.json");
    let sizes = world.json(&["compact"]);
    assert!(sizes["bytes_after"].as_u64() <= sizes["bytes_before"].as_u64(), "{sizes}");
    world.proof("identity:github:1", "again.json").ok();
    assert_eq!(world.read("again.json"), proof);
}

#[test]
fn erased_metadata_is_gone_and_proofs_stay() {
    let world = World::finalized();
    let names = |world: &World| {
        world.json(&["activity", "--scope", "default", "--epoch", "1"]).to_string().matches("person-").count()
    };
    let before = names(&world);
    assert_eq!(before, 6);
    let erase = ["erase", "--event", "github:pr:7:e1", "--reason", "asked for"];
    assert!(world.run(&erase).ok().contains("erased"));
    assert!(world.run(&erase).ok().contains("already"));
    world.run(&["erase", "--event", "github:pr:7:none", "--reason", "x"]).refused(1, "event_not_found");
    assert_eq!(names(&world), before - 1);
    world.proof("identity:github:1", "again.json").ok();
    world.run(&["verify", "again.json", "--trust", "trust.toml"]).ok();
    assert_eq!(world.decisions().pop().expect("a decision")["action"], "erase");
}

#[cfg(unix)]
#[test]
fn a_limit_on_file_sizes_is_told_as_a_full_disk() {
    let world = World::empty();
    // Room for the settings, and none for a ledger.
    let ran = world.run_with_file_limit(32, &["init", "--origin", "ledger.example.org"]);
    ran.refused(1, "the disk is full, or the limit on file sizes is reached");
    assert!(ran.err.contains("ulimit -f"), "{}", ran.err);
    assert!(!world.path("ledger/ledger.redb").exists(), "nothing half made is left behind");
    world.run(&["init", "--origin", "ledger.example.org"]).ok();
}
