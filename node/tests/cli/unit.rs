//! The systemd unit of the documents: what it starts does start, serves, reads its settings again, and ends when it is
//! told to. The commands and variables are those of the file; its paths are put where the test has them.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use crate::support::World;

const UNIT: &str = include_str!("../../../docs/meed.service");

/// The values of a key of the unit, in their order.
fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    let of_key = |line: &'a str| line.strip_prefix(key)?.strip_prefix('=');
    unit.lines().filter_map(of_key).collect()
}

/// The one value of a key.
#[track_caller]
fn value<'a>(unit: &'a str, key: &str) -> &'a str {
    let values = values(unit, key);
    let [value] = values.as_slice() else { panic!("one {key}: {values:?}") };
    value
}

/// The unit as it would be where this ledger and this program are.
fn unit_of(world: &World) -> String {
    let data = world.path("ledger").display().to_string();
    UNIT.replace("/usr/local/bin/meed", env!("CARGO_BIN_EXE_meed")).replace("/var/lib/meed/ledger", &data)
}

/// A command of the unit, with the unit's variables, in place of the usual ones of a test.
fn command(unit: &str, line: &str, world: &World) -> Command {
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().expect("a program"));
    command.args(words).current_dir(world.path("")).env_clear();
    for pair in values(unit, "Environment").into_iter().flat_map(str::split_whitespace) {
        let (name, value) = pair.split_once('=').expect("a variable");
        command.env(name, value);
    }
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn is_ready(address: &str) -> bool {
    let mut stream = TcpStream::connect(address).expect("connected");
    let request = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer.starts_with("HTTP/1.1 200 ")
}

#[test]
fn the_unit_starts_a_node_that_serves_reloads_and_ends() {
    let world = World::open();
    let unit = unit_of(&world);
    let settings = world.read("ledger/meed.toml");
    world.write("ledger/meed.toml", &("listen = \"127.0.0.1:0\"\n".to_owned() + &settings));
    let before = value(&unit, "ExecStartPre").trim_start_matches('-');
    assert!(command(&unit, before, &world).status().expect("it runs").success(), "{before}");

    let mut node = command(&unit, value(&unit, "ExecStart"), &world).spawn().expect("it starts");
    let mut lines = BufReader::new(node.stderr.take().expect("its log")).lines().map_while(Result::ok);
    let said = lines.find(|line| line.contains("until interrupted")).expect("it serves");
    let address = said.split("://").nth(1).and_then(|rest| rest.split('/').next()).expect("an address");
    let reload = value(&unit, "ExecReload").replace("$MAINPID", &node.id().to_string());
    let ready_before = is_ready(address);
    let reloaded = command(&unit, &reload, &world).status().expect("it runs");
    let ready_after = is_ready(address);
    let signal = value(&unit, "KillSignal").trim_start_matches("SIG");
    let stop = format!("/bin/kill -{signal} {}", node.id());
    let stopped = command(&unit, &stop, &world).status().expect("it runs");
    // Somebody has to read its log, or it would wait for that.
    lines.for_each(drop);
    let ended = node.wait().expect("it ends");
    assert!(ready_before && reloaded.success() && ready_after, "it serves on");
    assert!(stopped.success());
    assert_eq!(ended.code(), Some(0), "it ends by itself, and well");
    world.run(&["fsck"]).ok();
}

#[test]
fn the_unit_is_one_that_systemd_reads() {
    let world = World::empty();
    let unit = unit_of(&world);
    for (key, expected) in
        [("WantedBy", "multi-user.target"), ("Restart", "on-failure"), ("User", "meed"), ("Group", "meed")]
    {
        assert_eq!(value(&unit, key), expected);
    }
    assert!(unit.lines().all(|line| {
        line.is_empty()
            || line.starts_with(['#', '['])
            || line
                .split_once('=')
                .is_some_and(|(key, _)| key.chars().all(|character| character.is_ascii_alphanumeric()))
    }));
    world.write("meed.service", &unit);
    let mut verify = Command::new("systemd-analyze");
    let said = match verify.args(["verify", "--man=no"]).arg(world.path("meed.service")).output() {
        Ok(said) => said,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            assert!(
                std::env::var_os("MEED_CI").is_none(),
                "systemd-analyze is missing (Debian: apt-get install systemd)"
            );
            return println!("SKIPPED: systemd-analyze is missing (Debian: apt-get install systemd)");
        }
        Err(error) => panic!("systemd-analyze: {error}"),
    };
    let text = String::from_utf8_lossy(&said.stderr).into_owned() + &String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success() && text.trim().is_empty(), "{text}");
}
