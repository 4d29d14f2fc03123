//! What README and docs/ tell people to type is understood as it stands there.

use clap::{Command, CommandFactory, Parser};
use meed_node::cli::args::Cli;

const DOCUMENTS: [(&str, &str); 4] = [
    ("README.md", include_str!("../../../README.md")),
    ("docs/operating.md", include_str!("../../../docs/operating.md")),
    ("docs/meed.service", include_str!("../../../docs/meed.service")),
    ("docs/Containerfile", include_str!("../../../docs/Containerfile")),
];

/// The words of a command as a shell splits them, up to what is the shell's.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut quoted) = (vec![String::new()], false);
    for character in command.chars() {
        match character {
            '"' => quoted = !quoted,
            '#' | '>' | '&' | '(' if !quoted => break,
            ' ' if !quoted => words.push(String::new()),
            // A date is put in by the shell.
            '$' => words.last_mut().expect("a word").push('x'),
            other => words.last_mut().expect("a word").push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What stands before a command that another program runs.
const RUNNERS: [&str; 3] = ["sudo -u meed ", "podman exec meed ", "podman run --rm -v meed:/data "];

/// The lines that people type: those between fences, and where there are none, those of comments.
fn typed(text: &str) -> Vec<&str> {
    let (mut inside, has_fences) = (false, text.contains("```"));
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if has_fences && inside {
            lines.push(line);
        } else if let (false, Some(comment)) = (has_fences, line.strip_prefix('#')) {
            lines.push(comment.trim_start());
        }
    }
    lines
}

/// The commands of a document, without variables before them and without what runs them.
fn commands(text: &str) -> Vec<&str> {
    let lines = typed(text).into_iter().map(|line| match line.split_once(' ') {
        Some((first, rest)) if first.starts_with("MEED_") && first.contains('=') => rest,
        _ => RUNNERS.iter().find_map(|runner| line.strip_prefix(runner)).unwrap_or(line),
    });
    lines.filter(|line| line.starts_with("meed ")).collect()
}

#[test]
fn every_command_in_the_documents_is_one() {
    for (name, text) in DOCUMENTS {
        for command in commands(text) {
            let parsed = Cli::try_parse_from(words(command));
            assert!(parsed.is_ok(), "{name}: {command}\n{}", parsed.unwrap_err());
        }
    }
    let counts = DOCUMENTS.map(|(_, text)| commands(text).len());
    assert!(counts[0] > 20 && counts[1] > 10 && counts[2] == 1 && counts[3] == 2, "{counts:?}");
}

/// Every command with all below it.
fn with_all_below(command: &Command) -> Vec<Command> {
    let below = command.get_subcommands().flat_map(with_all_below);
    std::iter::once(command.clone()).chain(below).collect()
}

#[test]
fn what_stands_below_the_options_of_a_command_fits_a_terminal() {
    let commands = with_all_below(&Cli::command());
    assert!(commands.len() > 50, "{}", commands.len());
    for command in commands {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        // A line that nobody can break, as an event, is left to the terminal.
        for line in help.lines().filter(|line| line.contains(' ')) {
            assert!(line.chars().count() <= 100, "{}: {line}", command.get_name());
        }
    }
}
