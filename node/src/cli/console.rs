//! What a command says: its answer on standard output, everything else on standard error.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;

use meed_keys::limits::MAX_PASSPHRASE_BYTES;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::files;
use crate::words::counted;

/// The two streams of a command.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    json: bool,
    quiet: bool,
}

impl Console {
    /// A console that answers in JSON or in text.
    pub fn new(json: bool) -> Self {
        Self { json, quiet: false }
    }

    /// The same console without notices.
    #[must_use]
    pub fn quiet(self) -> Self {
        Self { quiet: true, ..self }
    }

    /// Whether programs read the answer.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// Prints the answer: `text` for people, `value` for programs, each ending in one newline.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn answer(self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json {
            let line = serde_json::to_string(value).map_err(|error| Failure::internal(error.to_string()))?;
            return self.bytes(format!("{line}\n").as_bytes());
        }
        let mut text = text();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        self.bytes(text.as_bytes())
    }

    /// Prints exactly these bytes.
    ///
    /// # Errors
    /// When standard output cannot be written; a reader who has gone is no error.
    pub fn bytes(self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::unwritable(Path::new("standard output"), &error))
            }
            _ => Ok(()),
        }
    }

    /// Says something beside the answer: to programs as an object with the one member `notice`, so that every line of
    /// standard error is JSON.
    pub fn notice(self, text: impl AsRef<str>) {
        if self.quiet {
            return;
        }
        let text = text.as_ref().trim_end();
        match self.json {
            true => {
                let text = text.strip_prefix("notice: ").unwrap_or(text);
                say(&serde_json::json!({ "notice": text }).to_string());
            }
            false => say(text),
        }
    }

    /// Prints why the command ended without its answer: two lines, or a problem document.
    pub fn failure(self, failure: &Failure) {
        let problem = &failure.problem;
        if self.json {
            say(&serde_json::to_string(problem).unwrap_or_default());
            return;
        }
        for line in &problem.lines {
            say(&format!("line {}: {}", line.line, line.detail));
        }
        if problem.lines_more > 0 {
            say(&format!("and {} more, which are not listed", counted(problem.lines_more, "bad line")));
        }
        let detail = problem.detail.split_whitespace().collect::<Vec<_>>().join(" ");
        say(&format!("error: {detail}\n  remedy: {}", problem.remedy));
    }

    /// Asks a person whether to go on.
    ///
    /// # Errors
    /// Where nobody is there to answer.
    pub fn confirm(self, question: &str) -> Result<bool, Failure> {
        if !io::stdin().is_terminal() {
            let what = "expected somebody at a terminal to say yes, got none";
            return Err(Failure::refused("not_confirmed", what, "run it in a terminal, or give --yes"));
        }
        let mut err = io::stderr().lock();
        let asked = write!(err, "{question} [y/N] ").and_then(|()| err.flush());
        asked.map_err(|error| Failure::unwritable(Path::new("standard error"), &error))?;
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        read.map_err(|error| Failure::unreadable(Path::new("standard input"), &error))?;
        Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
    }
}

/// One or more lines on standard error. There is nobody left to tell when that is gone.
fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// The passphrase of a key: from a file's first line, else from the terminal.
///
/// # Errors
/// Where the file cannot be read or nobody is at a terminal.
pub fn passphrase(file: Option<&Path>, prompt: &str) -> Result<Zeroizing<String>, Failure> {
    match file {
        Some(file) => passphrase_of_file(file),
        None => passphrase_of_terminal(prompt),
    }
}

fn passphrase_of_file(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = Zeroizing::new(files::read_text(file, 2 * MAX_PASSPHRASE_BYTES)?);
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        let what = format!("expected a passphrase on the first line of {}, got none", file.display());
        return Err(Failure::usage(what, "write the passphrase there"));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

/// A passphrase typed in the terminal, without showing it.
///
/// # Errors
/// Where nobody is at a terminal.
pub fn passphrase_of_terminal(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let nobody = |detail: String| {
        let what = format!("expected a passphrase from a terminal, got {detail}");
        Failure::refused("passphrase_needed", what, "run it in a terminal, or give --passphrase-file")
    };
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(nobody("none".to_owned()));
    }
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|error| nobody(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_the_first_line() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("passphrase");
        std::fs::write(&path, "correct horse\nbattery\n").expect("written");
        assert_eq!(*passphrase(Some(&path), "").expect("read"), "correct horse");
        std::fs::write(&path, "\n").expect("written");
        assert!(passphrase(Some(&path), "").is_err());
    }
}
