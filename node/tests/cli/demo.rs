//! `meed demo`: on a repository, on none, twice, and served.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Child;

use meed_node::sources::sample;

use crate::support::{World, now, program};

fn check_end(out: &str) {
    let tail: Vec<&str> = out.lines().rev().take(2).collect();
    assert_eq!(tail.first(), Some(&"verified"), "{out}");
    assert!(tail[1].starts_with("proof file: "), "{out}");
    assert!(out.contains("refused at the link inclusion"), "{out}");
    let sums: Vec<&str> = out.lines().filter(|line| line.trim_start().starts_with("paid ")).collect();
    assert_eq!(sums.len(), 1, "{out}");
    assert_eq!(out.matches(" would pay ").count(), 1, "what is proposed is not paid: {out}");
    assert!(!out.contains("milli-units") && out.contains("sets the final units of "), "{out}");
    let words: Vec<&str> = sums[0].split_whitespace().collect();
    let number = |place: usize| words[place].parse::<u64>().expect("number");
    assert_eq!(number(1) + number(4), number(7), "{}", sums[0]);
}

#[test]
fn without_a_repository_it_plays_on_a_sample_and_says_so_and_twice_in_a_fresh_folder() {
    let world = World::empty();
    let first = world.run(&["demo"]);
    assert!(first.err.contains("plays on a sample"), "{}", first.err);
    check_end(&first.ok());
    let second = world.run(&["demo"]);
    assert!(second.err.contains("this run uses meed-demo-2"), "{}", second.err);
    check_end(&second.ok());
    world.run(&["verify", "meed-demo/demo.payout.json", "--trust", "meed-demo/trust.toml"]).ok();
    world
        .run(&["verify", "meed-demo/demo.payout.json", "--trust", "meed-demo-2/trust.toml"])
        .refused(1, "scope");
}

#[test]
fn with_a_repository_it_answers_programs_too() {
    let world = World::empty();
    let repository = world.path("repository");
    sample::generate(&repository, now()).expect("sample");
    let answer = world.json(&["demo", "--repo", "repository", "--data", "there"]);
    assert_eq!(answer["verified"], true);
    assert_eq!(answer["closed_early"], false);
    assert_eq!(answer["tampered_link"], "inclusion");
    let paid: u64 = answer["allocations"]
        .as_array()
        .expect("allocations")
        .iter()
        .map(|leaf| leaf["credits"].as_str().expect("text").parse::<u64>().expect("number"))
        .sum();
    assert_eq!(paid.to_string(), answer["distributed"].as_str().expect("text"));
    assert!(world.path("there/demo.payout.json").exists());
    world.run(&["demo", "--repo", "none"]).refused(2, "cannot enter the folder");
    assert!(!world.path("meed-demo").exists(), "nothing half made");
}

/// What of a line is the same on every repository: numbers and names are not, nor how wide a table is.
fn stable(line: &str) -> Option<String> {
    let words: Vec<String> =
        line.split_whitespace()
            .map(|word| {
                if word.bytes().all(|byte| byte.is_ascii_digit()) { "N".to_owned() } else { word.to_owned() }
            })
            .collect();
    let text = words.join(" ");
    let is_row = text.starts_with("identity:") || text.starts_with("user:") || text.starts_with('─');
    (!is_row && !text.is_empty()).then_some(text)
}

/// README shows an example; what is stable in it must be what the program says.
#[test]
fn the_demo_ends_as_the_readme_shows() {
    let readme = include_str!("../../../README.md");
    let shown = readme.split("<!-- demo output: begin -->").nth(1).expect("the example");
    let shown = shown.split("```").nth(1).expect("its lines");
    let expected: Vec<String> = shown.lines().filter(|line| *line != "…").filter_map(stable).collect();
    assert_eq!(expected.len(), 5, "{expected:?}");
    let out = World::empty().run(&["demo"]).ok();
    let mut said = out.lines().filter_map(stable);
    for line in &expected {
        assert!(said.any(|found| found == *line), "{line}, after what stands before it: {out}");
    }
    assert_eq!(said.next(), None, "and it ends there: {out}");
}

struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.write_all(request.as_bytes()).expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

#[test]
fn served_it_can_be_read_and_takes_no_writes() {
    let world = World::empty();
    world.run(&["demo", "--serve", "0.0.0.0:0"]).refused(2, "expected an address of this machine");
    let mut command = program(&world.path(""));
    let mut serving = Serving(command.args(["demo", "--serve", "127.0.0.1:0"]).spawn().expect("meed runs"));
    let out = serving.0.stdout.take().expect("output");
    // What is told on standard output has to be read, or the program would wait.
    let told = std::thread::spawn(move || std::io::read_to_string(out));
    let errors = BufReader::new(serving.0.stderr.take().expect("errors"));
    let line = errors.lines().map(|line| line.expect("line")).find(|line| line.contains("http://"));
    let line = line.expect("an address");
    let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("address");
    let end = "Host: localhost\r\nConnection: close\r\n";
    let epoch = "/api/v1/scopes/default/epochs/1";
    let answer = ask(address, &format!("GET {epoch} HTTP/1.1\r\n{end}\r\n"));
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"finalized\""), "{answer}");
    let answer = ask(address, &format!("GET {epoch}/statement HTTP/1.1\r\n{end}\r\n"));
    assert!(answer.contains("meed payout statement v1"), "{answer}");
    let write =
        format!("POST {epoch}/amendments HTTP/1.1\r\n{end}Content-Length: 14\r\n\r\n{{\"reason\":\"x\"}}");
    let answer = ask(address, &write);
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("application/problem+json"), "{answer}");
    let answer = ask(address, &format!("POST /api/v1/scopes HTTP/1.1\r\n{end}Content-Length: 2\r\n\r\n{{}}"));
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    drop(serving);
    check_end(&told.join().expect("thread").expect("text"));
}
