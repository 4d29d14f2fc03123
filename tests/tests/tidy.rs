//! The house rules of this workspace as tests: what review would otherwise have to remember.
//!
//! Each rule is a function from a file to its complaints, and `every_rule_can_fail` gives each one an offender, so
//! that none of them passes because it looks at nothing. The words a rule forbids are put together with `concat!`,
//! because this file obeys the rules too.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

type Outcome = Result<(), Box<dyn Error>>;

/// Rooms whose sources are the product.
const ROOMS: [&str; 4] = ["keys/src/", "audit/src/", "storage/src/", "node/src/"];
/// Rooms in which a payout is decided or kept: no floating point, no clock, no randomness.
const EXACT: [&str; 3] = ["keys/src/", "audit/src/", "storage/src/"];
/// Rooms whose results must be the same bytes on every machine.
const PURE: [&str; 2] = ["keys/src/", "audit/src/"];
/// Parts of the program that serve whoever asks, and so know nothing of the command line, which is one of those.
const SERVING: [&str; 8] = [
    "node/src/api/",
    "node/src/schedule/",
    "node/src/service/",
    "node/src/session/",
    "node/src/sources/",
    "node/src/web/",
    "node/src/words/",
    "node/src/workflow/",
];
/// The longest file of a room, in lines.
const LINES_MAX: usize = 600;
/// Files that people write by hand; recorded data (vectors, golden files, CLI sessions) is left as it came.
const WRITTEN: [&str; 11] = ["rs", "toml", "md", "py", "sh", "js", "mjs", "css", "html", "yml", ""];
/// Folders that hold recorded or built things.
const SKIPPED: [&str; 9] =
    [".git", "target", "vectors", "golden", "corpus", "findings", "node_modules", "__pycache__", "meed-data"];

/// A file of the project: its path from the root, with `/`, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    fn is_in(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.starts_with(folder))
    }

    /// Complaints about every line, without its `//` comment, that `offends`.
    fn code_lines(&self, offends: impl Fn(&str) -> Option<String>) -> Vec<String> {
        let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
        self.lines(|line| offends(&code(line)))
    }

    /// Complaints about every line that `offends`, with path and line number.
    fn lines(&self, offends: impl Fn(&str) -> Option<String>) -> Vec<String> {
        let found = |(index, line)| offends(line).map(|what| format!("{}:{}: {what}", self.path, index + 1));
        self.text.lines().enumerate().filter_map(found).collect()
    }
}

type Rule = fn(&Source) -> Vec<String>;

/// Every rule about single files, with an offender for each.
const RULES: [(&str, Rule, &str, &str); 12] = [
    ("role", opens_with_its_role, "node/src/a.rs", "fn a() {}\n"),
    ("length", is_short_enough, "audit/src/a.rs", concat!("//! Long.\n", include_str!("../../Cargo.lock"))),
    ("finished", is_finished, "tests/tests/a.rs", concat!("fn a() { to", "do!() }\n")),
    ("marker", is_finished, ".ci/run", concat!("# FIX", "ME: later\n")),
    ("skipped test", skips_no_test, "keys/tests/a.rs", concat!("#[igno", "re]\n")),
    ("machine path", names_no_machine_path, "README.md", concat!("see /ho", "me/someone/meed\n")),
    ("float", has_no_floats, "storage/src/a.rs", "fn a(share: f64) {}\n"),
    ("order", has_no_random_order, "audit/src/a.rs", "use std::collections::HashMap;\n"),
    ("clock", asks_for_no_time_or_randomness, "storage/src/a.rs", "let now = SystemTime::now();\n"),
    ("allow", allows_with_a_reason, "node/src/a.rs", "#[allow(clippy::panic)]\nfn a() {}\n"),
    ("whitespace", is_clean_text, "ARCHITECTURE.md", "a line \n"),
    ("command line", knows_no_command_line, "node/src/web/a.rs", concat!("use crate::cl", "i::args::Cli;\n")),
];

fn opens_with_its_role(source: &Source) -> Vec<String> {
    let silent = source.is_rust() && !source.text.starts_with("//!");
    complain(silent, source, "does not open with its role (`//!`)")
}

fn is_short_enough(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    let long = source.is_in(&ROOMS) && lines > LINES_MAX;
    complain(long, source, &format!("expected at most {LINES_MAX} lines, got {lines}"))
}

fn is_finished(source: &Source) -> Vec<String> {
    const CALLS: [&str; 3] = [concat!("to", "do!("), concat!("db", "g!("), concat!("unimple", "mented!(")];
    const MARKERS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    source.lines(|line| {
        let call = CALLS.into_iter().find(|call| line.contains(call));
        let marker = MARKERS.into_iter().find(|marker| words(line).any(|word| word == *marker));
        call.or(marker).map(|what| format!("unfinished: {what}"))
    })
}

/// Tests may make a ledger as `meed init` does.
fn knows_no_command_line(source: &Source) -> Vec<String> {
    if !source.is_in(&SERVING) || source.path.ends_with("/testing.rs") {
        return Vec::new();
    }
    let text = source.text.split("#[cfg(test)]").next().unwrap_or_default();
    let product = Source::new(&source.path, text);
    let name = concat!("crate::cl", "i::");
    product.code_lines(|code| code.contains(name).then(|| "takes something from the command line".to_owned()))
}

fn skips_no_test(source: &Source) -> Vec<String> {
    let skip = concat!("#[igno", "re");
    source
        .lines(|line| (source.is_rust() && line.contains(skip)).then(|| format!("a test is skipped: {skip}")))
}

fn names_no_machine_path(source: &Source) -> Vec<String> {
    let mut paths: Vec<String> =
        [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("../sha", "red")]
            .map(str::to_owned)
            .to_vec();
    // Where this very workspace stands, unless that is too short to mean anything (`/src`).
    paths.extend(workspace().to_str().filter(|root| root.matches('/').count() > 1).map(str::to_owned));
    source.lines(|line| {
        let found = paths.iter().find(|path| line.contains(path.as_str()));
        found.map(|path| format!("a path of one machine: {path}"))
    })
}

fn has_no_floats(source: &Source) -> Vec<String> {
    if !source.is_in(&EXACT) {
        return Vec::new();
    }
    let float = |word: &&str| ["f32", "f64"].iter().any(|kind| word == kind) || word.ends_with("_f64");
    source.code_lines(|code| {
        // A parser and a writer have to see a fraction to refuse it by name.
        let refusal =
            ["fn visit_f64", "serialize_f32(f32)", "serialize_f64(f64)"].iter().any(|it| code.contains(it));
        words(code).find(float).filter(|_| !refusal).map(|word| format!("floating point: {word}"))
    })
}

fn has_no_random_order(source: &Source) -> Vec<String> {
    if !source.is_in(&PURE) {
        return Vec::new();
    }
    let unordered = |word: &&str| ["HashMap", "HashSet", "RandomState"].contains(word);
    source.code_lines(|code| words(code).find(unordered).map(|word| format!("order differs by run: {word}")))
}

fn asks_for_no_time_or_randomness(source: &Source) -> Vec<String> {
    const ASKS: [&str; 9] = [
        "SystemTime::now",
        "Instant::now",
        "Timestamp::now",
        "Zoned::now",
        "getrandom",
        "OsRng",
        "SysRng",
        "thread_rng",
        "new_v4",
    ];
    if !source.is_in(&EXACT) {
        return Vec::new();
    }
    source.code_lines(|code| {
        ASKS.into_iter().find(|ask| code.contains(ask)).map(|ask| format!("must be an argument: {ask}"))
    })
}

fn allows_with_a_reason(source: &Source) -> Vec<String> {
    if !source.is_in(&ROOMS) {
        return Vec::new();
    }
    let attributes = ["#[allow(", "#![allow(", "#[expect(", "#![expect("];
    let bare = |start: &str| {
        let rests = source.text.split(start).skip(1);
        rests.filter(|rest| !rest.split(")]").next().unwrap_or_default().contains("reason")).count()
    };
    let count: usize = attributes.into_iter().map(bare).sum();
    complain(count > 0, source, &format!("lints switched off without a reason: {count}"))
}

fn is_clean_text(source: &Source) -> Vec<String> {
    let mut complaints =
        source.lines(|line| (line.trim_end() != line).then(|| "space at the end".to_owned()));
    let unended = !source.text.is_empty() && !source.text.ends_with('\n');
    complaints.extend(complain(unended, source, "does not end in a newline"));
    complaints
}

fn complain(offends: bool, source: &Source, what: &str) -> Vec<String> {
    if offends { vec![format!("{}: {what}", source.path)] } else { Vec::new() }
}

/// The identifiers and numbers of a line.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|character: char| !character.is_alphanumeric() && character != '_')
        .filter(|word| !word.is_empty())
}

fn workspace() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_path_buf()
}

/// Every hand-written file below the workspace's root.
fn sources() -> Result<Vec<Source>, Box<dyn Error>> {
    let root = workspace();
    let mut folders = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            if entry.file_type()?.is_dir() {
                folders.extend((!SKIPPED.contains(&name.as_str())).then_some(path));
            } else if WRITTEN.contains(&kind) {
                let relative = path.strip_prefix(&root)?.to_string_lossy().replace('\\', "/");
                found.push(Source { path: relative, text: fs::read_to_string(&path)? });
            }
        }
    }
    found.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(found)
}

/// What a package needs when it runs or is built: the keys of its tables of dependencies, those for tests left out.
fn direct_dependencies(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut inside = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            let table = header.rsplit_once("dependencies.").map_or(header, |(table, _)| table);
            inside = header.ends_with("dependencies") && !header.contains("dev-dependencies");
            if table != header && !header.contains("dev-dependencies") {
                names.extend(header.rsplit_once("dependencies.").map(|(_, name)| name.to_owned()));
            }
        } else if inside && !line.starts_with('#') {
            names.extend(
                line.split(['.', '=', ' ']).next().filter(|name| !name.is_empty()).map(str::to_owned),
            );
        }
    }
    names
}

#[test]
fn every_file_obeys_the_house_rules() -> Outcome {
    let sources = sources()?;
    assert!(sources.len() > 20, "expected a workspace, found {} files", sources.len());
    let complaints: Vec<String> =
        sources.iter().flat_map(|source| RULES.iter().flat_map(move |(_, rule, ..)| rule(source))).collect();
    let unique: std::collections::BTreeSet<String> = complaints.into_iter().collect();
    assert!(unique.is_empty(), "{}", unique.into_iter().collect::<Vec<_>>().join("\n"));
    Ok(())
}

#[test]
fn every_rule_can_fail() {
    for (name, rule, path, text) in RULES {
        assert!(
            !rule(&Source::new(path, text)).is_empty(),
            "the rule `{name}` does not see {path}: {text:?}"
        );
    }
    let fine = Source::new("audit/src/a.rs", "//! Fine.\n// A f64 in a comment is no float, nor is 3f64a.\n");
    assert!(RULES.iter().all(|(_, rule, ..)| rule(&fine).is_empty()));
}

#[test]
fn rooms_depend_only_downwards() -> Outcome {
    const FORBIDDEN: [(&str, &[&str]); 3] = [
        ("keys", &["meed-audit", "meed-storage", "meed-node", "tokio", "axum", "redb", "getrandom", "rand"]),
        ("audit", &["meed-storage", "meed-node", "tokio", "axum", "redb", "getrandom", "rand"]),
        ("storage", &["meed-node", "tokio", "axum", "getrandom", "rand"]),
    ];
    for (room, forbidden) in FORBIDDEN {
        let named = direct_dependencies(&fs::read_to_string(workspace().join(room).join("Cargo.toml"))?);
        assert!(!named.is_empty(), "no dependencies found in {room}/Cargo.toml");
        let wrong: Vec<&String> = named.iter().filter(|name| forbidden.contains(&name.as_str())).collect();
        assert!(wrong.is_empty(), "{room} must not depend on {wrong:?}");
    }
    Ok(())
}

#[test]
fn the_verifier_has_no_server_in_it() -> Outcome {
    const FORBIDDEN: [&str; 8] =
        ["tokio", "axum", "hyper", "mio", "redb", "meed-storage", "meed-node", "bincode"];
    let output = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args([
            "tree",
            "--offline",
            "-p",
            "meed-audit",
            "-e",
            "normal,build",
            "--prefix",
            "none",
            "-f",
            "{p}",
        ])
        .current_dir(workspace())
        .output()?;
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout)?;
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"meed-keys"), "not the tree of meed-audit: {tree}");
    let wrong: Vec<&&str> = names.iter().filter(|name| FORBIDDEN.contains(name)).collect();
    assert!(wrong.is_empty(), "meed-audit must build without {wrong:?}");
    Ok(())
}

#[test]
fn dependencies_are_read_from_every_form_of_table() {
    let manifest = "[package]\nname = \"a\"\n[dependencies]\n# why\nredb.workspace = true\nserde = \"1\"\n\n\
                    [dependencies.axum]\nversion = \"1\"\n[dev-dependencies]\nproptest = \"1\"\n\
                    [target.'cfg(unix)'.dependencies]\ntokio = \"1\"\n[build-dependencies]\ncc = \"1\"\n";
    assert_eq!(direct_dependencies(manifest), ["redb", "serde", "axum", "tokio", "cc"]);
}

#[test]
fn every_member_takes_the_workspace_lints() -> Outcome {
    for member in ["keys", "audit", "storage", "node", "tests"] {
        let manifest = fs::read_to_string(workspace().join(member).join("Cargo.toml"))?;
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{member} does not take the workspace's lints"
        );
    }
    // Benches divide times to print ratios, and say so; what they may not be either is unsafe.
    let benches = fs::read_to_string(workspace().join("benches").join("Cargo.toml"))?;
    assert!(benches.contains("unsafe_code = \"forbid\""), "benches may not hold unsafe code");
    Ok(())
}

#[test]
fn links_between_documents_lead_somewhere() -> Outcome {
    for source in sources()?.into_iter().filter(|source| source.path.ends_with(".md")) {
        let folder = workspace().join(&source.path).parent().map(Path::to_path_buf).unwrap_or_default();
        for target in source.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            let outside = target.contains("://") || target.starts_with("mailto:") || file.is_empty();
            assert!(outside || folder.join(file).exists(), "{}: no such file: {target}", source.path);
        }
    }
    Ok(())
}

#[test]
fn the_first_commands_of_the_readme_are_run_before_each_merge() -> Outcome {
    let readme = fs::read_to_string(workspace().join("README.md"))?;
    let checks = fs::read_to_string(workspace().join(".ci/run"))?;
    let commands: Vec<&str> = readme.lines().filter(|line| line.starts_with("cargo ")).take(2).collect();
    assert_eq!(commands.len(), 2, "README.md does not begin with its two commands");
    for command in commands {
        assert!(checks.contains(command), ".ci/run does not run `{command}`");
    }
    Ok(())
}
