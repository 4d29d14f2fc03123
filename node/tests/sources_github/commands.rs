//! The command line beside the server: collecting, waiting for a limit, and trying a source.

use std::process::Command;

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::model::*;
use super::server::{Github, TOKEN};

/// What a command printed, and how it ended.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

struct Terminal {
    folder: tempfile::TempDir,
    github: Github,
}

impl Terminal {
    fn new(model: Model) -> Self {
        let terminal = Self { folder: tempfile::tempdir().unwrap(), github: Github::start(model) };
        assert_eq!(terminal.run(&["init"], None).code, 0);
        assert_eq!(terminal.run(&["scope", "add", "default"], None).code, 0);
        terminal
    }

    fn run(&self, arguments: &[&str], token: Option<&str>) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meed"));
        command.current_dir(self.folder.path()).env_remove("GITHUB_TOKEN").env_remove("MEED_DATA");
        command.arg("--data").arg(self.folder.path().join("ledger")).args(arguments);
        if let Some(token) = token {
            command.env("GITHUB_TOKEN", token);
        }
        let output = command.output().expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    fn collect(&self, more: &[&str], token: Option<&str>) -> Ran {
        let url = self.github.url();
        let fixed = ["collect", "--scope", "default", "--github", "octo/repo", "--github-url", &url];
        self.run(&[&fixed, more].concat(), token)
    }
}

fn model() -> Model {
    Model {
        pulls: vec![with_comment(merged(1, ANA, &january(6, 1)), 5, BEN, &january(6, 2))],
        issues: vec![closed(2, ANA, BEN, &january(6, 3))],
        ..Model::default()
    }
}

#[test]
fn a_command_collects_from_github_with_the_token_of_the_environment_or_of_a_file() {
    let terminal = Terminal::new(model());
    let ran = terminal.collect(&[], Some(TOKEN));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.out, "1 issue_closed, 1 pr_merged in github:repo:1103454131: 2 stored, 0 there already\n");
    assert!(!ran.err.contains(TOKEN), "{}", ran.err);
    std::fs::write(terminal.folder.path().join("token"), format!("{TOKEN}\n")).unwrap();
    let options = ["--github-token-file", "token", "--take", "merged,comments", "--json"];
    let ran = terminal.collect(&options, None);
    let answer: Value = serde_json::from_str(&ran.out).expect(&ran.err);
    assert_eq!((&answer["stored"], &answer["duplicates"]), (&json!(1), &json!(1)), "{answer}");
    let runs = terminal.run(&["--json", "run", "list"], None);
    assert_eq!(runs.code, 0, "{}", runs.err);
    assert!(runs.out.contains("github:repo:1103454131") && !runs.out.contains(TOKEN), "{}", runs.out);
    let ran = terminal.collect(&[], None);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("GITHUB_TOKEN") && ran.err.lines().count() >= 2, "{}", ran.err);
    let ran = terminal.collect(&["--git", "."], Some(TOKEN));
    assert_eq!(ran.code, 2, "one place at a time");
}

/// A limit is waited out in sight, and then it goes on.
#[test]
fn a_command_waits_for_a_limit_and_says_so() {
    let terminal = Terminal::new(model());
    let limited = ResponseTemplate::new(403).insert_header("retry-after", "1");
    terminal
        .github
        .fault(3, limited.set_body_json(json!({"message": "You have exceeded a secondary rate limit"})));
    let ran = terminal.collect(&[], Some(TOKEN));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err.contains("takes no more requests before") && ran.err.contains("going on then"),
        "{}",
        ran.err
    );
    let again = terminal.collect(&[], Some(TOKEN));
    assert!(again.out.contains("0 stored, 2 there already"), "{}", again.out);
}

#[test]
fn doctor_tries_a_source_that_somebody_names() {
    let terminal = Terminal::new(model());
    let url = terminal.github.url();
    let doctor = |source: &str, token: &str| {
        terminal.run(&["doctor", "--source", source, "--github-url", &url], Some(token))
    };
    let ran = doctor("github:octo/repo", TOKEN);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("octo/repo (number 1103454131), 4990 points"), "{}", ran.out);
    let ran = doctor("github:octo/repo", "ghs_wrong");
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("does not know the token") && ran.out.contains("remedy"), "{}", ran.out);
    for source in ["git:octo/repo", "github:octo", "octo/repo"] {
        assert_eq!(doctor(source, TOKEN).code, 2, "{source}");
    }
}
