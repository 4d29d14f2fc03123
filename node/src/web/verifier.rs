//! The verifier in JavaScript: a second implementation of `audit/SPEC.md` that runs in a browser and shares nothing with
//! the Rust. Its modules are served as they are; for use without any server they are put together into one HTML file.
//!
//! Browsers load no modules from `file://`, so there each module becomes a function that gives its exports: its lines
//! stand as they are but for those that begin with `import {` (they take from the modules before) and the word `export`.

use std::fmt::Write as _;

use meed_audit::hash::Hash;

/// Where the page's markup looks for the verifier as one file.
pub const STANDALONE_PATH: &str = "/verify/meed-verifier.html";
/// The module that makes the markup work; it imports the others from beside itself.
pub const PAGE_MODULE: &str = "page.mjs";
/// The markup of the verifier: a `section`, to be put into a page.
pub const MARKUP: &str = include_str!("../../web/verifier/verifier.html");
/// How it looks, for pages with no style of their own.
pub const STYLE: &str = include_str!("../../web/verifier/verifier.css");

macro_rules! modules {
    ($($name:literal),* $(,)?) => {
        /// The modules by name, each after those that it imports.
        const MODULES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../web/verifier/", $name)))),*];
    };
}

modules! {
    "refusal.mjs",
    "bytes.mjs",
    "primitives.mjs",
    "ed25519.mjs",
    "canonical.mjs",
    "words.mjs",
    "keys.mjs",
    "note.mjs",
    "checkpoint.mjs",
    "merkle.mjs",
    "tlog_proof.mjs",
    "statement.mjs",
    "approval.mjs",
    "approvers.mjs",
    "leaf.mjs",
    "proof.mjs",
    "toml.mjs",
    "policy.mjs",
    "trust.mjs",
    "verify.mjs",
    "report.mjs",
    "page.mjs",
}

/// The modules of the page, by name, each after those that it imports.
pub fn modules() -> &'static [(&'static str, &'static str)] {
    MODULES
}

/// The verifier as one HTML file, which needs no server and asks nothing of the network: its own policy forbids it.
pub fn standalone_html() -> String {
    let script = format!("\n{}", bundle());
    let style = format!("\n{STYLE}");
    let sha256 = |text: &str| format!("'sha256-{}'", Hash::of(text.as_bytes()).to_base64());
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'",
        sha256(&script),
        sha256(&style)
    );
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>meed: check a proof</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n<h1>meed</h1>\n{MARKUP}</main>\n\
         <script type=\"module\">{script}</script>\n</body>\n</html>\n"
    )
}

/// All modules as one script.
fn bundle() -> String {
    let mut script = "const modules = {};\n".to_owned();
    for (name, text) in MODULES {
        let _ = writeln!(script, "modules['./{name}'] = (() => {{");
        let exports = wrap(text, &mut script);
        let _ = writeln!(script, "return {{ {} }};\n}})();", exports.join(", "));
    }
    script
}

/// Writes a module's lines as those of a function, and gives the names that it exports.
fn wrap<'a>(text: &'a str, script: &mut String) -> Vec<&'a str> {
    let mut exports = Vec::new();
    let mut is_importing = false;
    for line in text.lines() {
        is_importing |= line.starts_with("import {");
        if is_importing {
            is_importing = !line.ends_with(';');
            script.push_str(&import_line(line));
        } else if let Some(declaration) = line.strip_prefix("export ") {
            exports.extend(declared_name(declaration));
            script.push_str(declaration);
        } else {
            script.push_str(line);
        }
        script.push('\n');
    }
    exports
}

/// `import { a } from './b.mjs';`, or a line of it, as `const { a } = modules['./b.mjs'];`.
fn import_line(line: &str) -> String {
    line.replacen("import {", "const {", 1).replacen("} from '", "} = modules['", 1).replacen("';", "'];", 1)
}

/// The name in `const NAME = …`, `function name(…`, `async function name(…` or `class Name …`.
fn declared_name(declaration: &str) -> Option<&str> {
    let after_keyword = ["const ", "function ", "async function ", "class "]
        .into_iter()
        .find_map(|keyword| declaration.strip_prefix(keyword))?;
    after_keyword.split(|character: char| !character.is_alphanumeric() && character != '_').next()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_module_stands_after_those_that_it_imports() {
        let mut before = BTreeSet::new();
        for (name, text) in modules() {
            for imported in text.split("} from './").skip(1).filter_map(|rest| rest.split('\'').next()) {
                assert!(before.contains(imported), "{name} imports {imported}, which stands after it");
            }
            before.insert(*name);
        }
        assert_eq!(modules().last().map(|(name, _)| *name), Some(PAGE_MODULE));
    }

    #[test]
    fn every_module_of_the_folder_is_there_but_the_command_line() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/verifier");
        let names =
            std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").file_name());
        let found: BTreeSet<String> = names
            .map(|name| name.into_string().expect("UTF-8"))
            .filter(|name| name.ends_with(".mjs"))
            .collect();
        let mut known: BTreeSet<String> = modules().iter().map(|(name, _)| (*name).to_owned()).collect();
        known.insert("cli.mjs".to_owned());
        assert_eq!(found, known);
    }

    #[test]
    fn modules_keep_to_the_forms_that_are_put_together() {
        for (name, text) in modules() {
            for end in [
                "</script",
                "<!--",
                "import(",
                "import.meta",
                "export {",
                "export default",
                "innerHTML",
                "eval(",
            ] {
                assert!(!text.contains(end), "{name} holds {end}");
            }
            for line in text.lines() {
                assert!(!line.starts_with("import ") || line.starts_with("import {"), "{name}: {line}");
                let exported = line.strip_prefix("export ");
                assert!(exported.is_none_or(|rest| declared_name(rest).is_some()), "{name}: {line}");
                let renames = line.starts_with("import {") && line.contains(" as ");
                assert!(!renames && !line.starts_with("await "), "{name}: {line}");
            }
        }
    }

    #[test]
    fn imports_and_exports_become_those_of_a_function() {
        let mut script = String::new();
        let module = "import { a } from './a.mjs';\nimport {\n    b,\n} from './b.mjs';\nexport const C = 1;\n\
                      export class D extends Error {\n}\nexport async function e() {}\nfunction f() {}\n";
        assert_eq!(wrap(module, &mut script), ["C", "D", "e"]);
        assert_eq!(
            script,
            "const { a } = modules['./a.mjs'];\nconst {\n    b,\n} = modules['./b.mjs'];\nconst C = 1;\n\
             class D extends Error {\n}\nasync function e() {}\nfunction f() {}\n"
        );
    }

    #[test]
    fn the_file_is_whole_and_asks_nothing_of_the_network() {
        let html = standalone_html();
        assert_eq!(html, standalone_html());
        assert!(html.contains("default-src 'none'; script-src 'sha256-"));
        assert_eq!(html.matches("<script").count(), 1);
        assert!(!html.contains(" src=") && !html.contains("http://") && !html.contains("https://"));
        assert!(MARKUP.contains(STANDALONE_PATH));
        for (name, _) in modules() {
            assert!(html.contains(&format!("modules['./{name}'] = ")), "{name}");
        }
    }

    #[test]
    fn what_the_code_looks_for_is_in_the_markup_and_nothing_runs_in_it() {
        let (_, page) = modules().last().expect("modules");
        for quoted in page.split("#part('").skip(1).filter_map(|rest| rest.split('\'').next()) {
            assert!(MARKUP.contains(&format!("id=\"verifier-{quoted}\"")), "{quoted}");
        }
        for forbidden in ["<script", "style=", " onclick", " onload", " onsubmit", "javascript:"] {
            assert!(!MARKUP.contains(forbidden), "{forbidden}");
        }
    }
}
