//! Every rule of the ledger has a test that bears its name: a function, or a module of tests, in snake case.
//!
//! ARCHITECTURE.md says what each rule means; this list is the one that is checked.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// The rules, by the names that documents and reviews use.
const RULES: [&str; 36] = [
    "ACTIVITY_APPEND_ONLY",
    "ACTIVITY_IDEMPOTENT",
    "PROVENANCE_REQUIRED",
    "EPOCH_BY_EVENT_TIME",
    "ACTIVITY_COMPLETE",
    "EPOCH_WINDOW_UNIQUE",
    "ONE_OPEN_EPOCH",
    "EPOCH_THREE_PHASE",
    "EVERY_EPOCH_CAN_END",
    "POLICY_PINNED",
    "DRAFT_PINNED",
    "STATEMENTS_IN_ORDER",
    "ONE_TEXT_PER_ORIGIN",
    "APPROVERS_PINNED_AT_REVIEW",
    "APPROVERS_PER_SCOPE",
    "POOL_IMMUTABLE",
    "POOL_UNIQUE_PER_TYPE",
    "POOL_REQUIRES_BASE",
    "POOL_LOCKED_AT_REVIEW",
    "POOL_REPRODUCIBLE",
    "WEIGHTS_INTEGER_ONLY",
    "ALL_MATH_INTEGER",
    "IDENTITY_BEST_EFFORT",
    "DECISIONS_RECORDED",
    "PAYOUT_DETERMINISTIC",
    "STATEMENT_BINDS_ALL",
    "SIGNATURE_SCOPE_BOUND",
    "CURATION_FREEZE_ON_FINALIZE",
    "EPOCH_FINALIZE_IDEMPOTENT",
    "CURSOR_STATE_PERSISTED",
    "NODE_SCOPED",
    "SCOPE_GATED_QUERIES",
    "NO_AUTO_MERGE",
    "BINDINGS_ARE_EVIDENCED",
    "IDENTITY_EVENTS_APPEND_ONLY",
    "CANONICAL_IS_USER_ID",
];

/// The folder of the workspace.
fn root() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests)
}

/// Every Rust file of the members that can hold a test.
fn rust_files() -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let root = root();
    let mut folders: Vec<PathBuf> =
        ["keys", "audit", "storage", "node", "tests"].into_iter().map(|member| root.join(member)).collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.extend((!path.ends_with("target")).then_some(path));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    Ok(files)
}

/// Whether `text` has a test function of this name, alone or as a part of its name (`node_scoped_and_…`), or a module
/// of this name with a test in it.
fn has_test_named(text: &str, name: &str) -> bool {
    let attribute = |line: &str| line.starts_with("#[") && line.trim_end_matches(')').contains("test");
    let module = format!("mod {name} {{");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let found = |(index, line): (usize, &&str)| {
        let before = lines.iter().take(index).rev();
        let mut before = before.take_while(|line| line.starts_with("#[") || line.starts_with("//"));
        let tested = function_name(line).is_some_and(|function| bears(function, name));
        (tested && before.any(|line| attribute(line)))
            || (line.contains(&module) && lines.iter().skip(index).any(|line| attribute(line)))
    };
    lines.iter().enumerate().any(found)
}

/// The name of the function that a line begins, if it begins one.
fn function_name(line: &str) -> Option<&str> {
    let (before, rest) = line.split_once("fn ")?;
    (!before.contains("//")).then(|| rest.split('(').next()).flatten()
}

/// Whether the words of `name` stand together in `function`.
fn bears(function: &str, name: &str) -> bool {
    format!("_{function}_").contains(&format!("_{name}_"))
}

#[test]
fn every_rule_has_a_test_of_its_name() -> Result<(), Box<dyn Error>> {
    let texts: Vec<String> = rust_files()?.into_iter().map(fs::read_to_string).collect::<Result<_, _>>()?;
    let tested = |rule: &str| texts.iter().any(|text| has_test_named(text, &rule.to_lowercase()));
    let missing: Vec<&str> = RULES.into_iter().filter(|rule| !tested(rule)).collect();
    assert!(missing.is_empty(), "rules without a test of their name: {missing:?}");
    Ok(())
}

/// A rule that only the callers of the ledger kept would be none: each is tested through the ledger's own commands.
#[test]
fn every_rule_has_a_test_of_the_ledger() -> Result<(), Box<dyn Error>> {
    let storage = root().join("storage/tests");
    let files = rust_files()?.into_iter().filter(|file| file.starts_with(&storage));
    let texts: Vec<String> = files.map(fs::read_to_string).collect::<Result<_, _>>()?;
    let tested = |rule: &str| texts.iter().any(|text| has_test_named(text, &rule.to_lowercase()));
    let missing: Vec<&str> = RULES.into_iter().filter(|rule| !tested(rule)).collect();
    assert!(missing.is_empty(), "rules without a test of their name in storage/tests: {missing:?}");
    Ok(())
}

/// The list above is the table of ARCHITECTURE.md, so that a rule that is written there cannot go without its test.
#[test]
fn the_rules_are_those_of_the_architecture() -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md"))?;
    let section = text.split("## Rules of the ledger").nth(1).and_then(|rest| rest.split("\n## ").next());
    let cells =
        section.unwrap_or_default().lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let named: BTreeSet<&str> = cells
        .flat_map(|cell| cell.split(", "))
        .filter(|name| name.chars().all(|letter| letter == '_' || letter.is_ascii_uppercase()))
        .collect();
    assert_eq!(named, BTreeSet::from(RULES));
    Ok(())
}

#[test]
fn a_name_alone_is_no_test() {
    assert!(has_test_named("#[test]\nfn node_scoped() {\n", "node_scoped"));
    assert!(has_test_named("#[tokio::test]\n// Why.\nasync fn node_scoped() {\n", "node_scoped"));
    assert!(has_test_named("mod node_scoped {\n    #[test]\n    fn a() {}\n}\n", "node_scoped"));
    assert!(!has_test_named("fn node_scoped() {}\n", "node_scoped"));
    assert!(!has_test_named("// node_scoped\n#[test]\nfn other() {}\n", "node_scoped"));
    assert!(has_test_named("#[test]\nfn one_open_epoch_and_node_scoped() {\n", "node_scoped"));
    assert!(!has_test_named("#[test]\nfn node_scopeds() {}\n", "node_scoped"));
    assert!(!has_test_named("#[test]\nfn node_is_scoped() {}\n", "node_scoped"));
}
