//! `meed sign`: an approver's approval, offline. It recomputes what it signs, or says loudly that it did not.
//!
//! Order: read and recompute; check key, time and memory; show; ask; open the key; sign; check the signature as the
//! ledger will; write the memory and sync it; only then print.

mod checks;
mod decided;
pub mod show;
pub mod sign_in;
pub mod state;

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use meed_audit::Rejection;
use meed_audit::approve::check_signature;
use meed_audit::approvers::{APPROVERS_TITLE, ApproverSetText};
use meed_audit::close::ClosedEpoch;
use meed_audit::dossier::Dossier;
use meed_audit::hash::Hash;
use meed_audit::statement::{STATEMENT_TITLE, Statement};
use meed_audit::time::Timestamp;
use meed_keys::limits::MAX_NOTE_BYTES;
use meed_keys::{KeyFile, KeyUse, Note, NoteText, SignatureLine, VerifierKey};
use serde::Serialize;

use crate::cli::args::SignArgs;
use crate::cli::console::Console;
use crate::failure::{Failure, NEWLINE_LOST, with_sources};
use crate::{clock, files, key_command};
use state::Signed;

/// What to do about a dossier that does not give its own statement: whoever signs has no ledger to look into.
const DAMAGED: &str = "do not sign; ask the operator for the dossier again, and compare its hash (`sha256sum`) with that of \
                       the operator's copy and of the other approvers'";

/// What is to be signed, read and checked as far as its kind allows.
enum Subject {
    /// A dossier whose recomputation gave the statement, byte for byte.
    Draft(Box<Dossier>, Box<ClosedEpoch>),
    /// A bare statement, of which nothing can be recomputed.
    Bare(Box<Statement>),
    /// A proposed approver set, with the note that it came in where it was signed.
    Set(Box<ApproverSetText>, Option<Note>),
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
pub struct SignAnswer {
    /// The origin line of what was signed.
    pub origin: String,
    /// SHA-256 of the signed text, in hex.
    pub text_hash: String,
    /// The verifier key.
    pub key: String,
    /// The time that is signed, in seconds since 1970.
    pub time_seconds: u64,
    /// The signature line.
    pub signature: String,
}

/// Runs `meed sign`.
///
/// # Errors
/// Where anything is not as it must be; then nothing is signed.
pub fn run(args: &SignArgs, console: Console) -> Result<(), Failure> {
    let answer = make(args, console)?;
    console.answer(&answer, || answer.signature.clone())
}

/// Makes the signature, after everything that must come before it.
///
/// # Errors
/// As [`run`].
pub fn make(args: &SignArgs, console: Console) -> Result<SignAnswer, Failure> {
    let key = read_approver_key(&args.key)?;
    // One signing at a time for a key: two at once could each find nothing signed yet.
    let _lock = lock(&args.key)?;
    let subject = read_subject(&args.dossier, args.blind)?;
    let state_path = Signed::path_of(&args.key);
    let signed = Signed::read(&state_path, &key.verifier_key().to_string())?;
    let signing = Signing { subject, key, signed };
    let now = clock::now()?;
    signing.check(now, console)?;
    if !args.yes && !console.confirm(&signing.question())? {
        return Err(Failure::refused("not_confirmed", "not signed", "run it again and answer y"));
    }
    signing.sign(args, &state_path)
}

/// Reads the key file of a person; its secret stays closed.
fn read_approver_key(path: &Path) -> Result<KeyFile, Failure> {
    let key = key_command::read(path)?;
    if key.key_use() == KeyUse::Approver {
        return Ok(key);
    }
    let what = format!("expected the key of an approver, got one for use as {}", key.key_use());
    Err(Failure::refused("key_use", what, "give the key file of an approver"))
}

struct Signing {
    subject: Subject,
    key: KeyFile,
    signed: Signed,
}

impl Signing {
    fn verifier(&self) -> &VerifierKey {
        self.key.verifier_key()
    }

    /// Everything that can be checked before asking, and everything that a person should see.
    fn check(&self, now: Timestamp, console: Console) -> Result<(), Failure> {
        match &self.subject {
            Subject::Draft(dossier, closed) => {
                let statement = &closed.statement;
                checks::check_member(&dossier.input.approvers, self.verifier())?;
                checks::check_order(&closed.allocations)?;
                checks::check_statement_memory(&self.signed, statement)?;
                checks::check_time(statement, now)?;
                checks::check_growth(&self.signed, dossier, statement)?;
                console.notice(show::describe_draft(dossier, statement, &closed.allocations));
                if self.signed.seen(&checks::scope_name(statement)).is_none() {
                    console.notice(format!(
                        "notice: this key signs for this scope for the first time. The node's log key is {}: compare \
                         what follows the last + with the operator's trust file and the other approvers",
                        dossier.log_key
                    ));
                }
            }
            Subject::Bare(statement) => {
                checks::check_statement_memory(&self.signed, statement)?;
                checks::check_time(statement, now)?;
                console.notice(
                    "WARNING: this is a bare statement. Nothing of it was recomputed: neither the activity, nor the \
                     amounts, nor who gets them, nor that the logs only grew. Your signature approves all of it.",
                );
                console.notice(statement.to_string());
            }
            Subject::Set(set, note) => {
                let before = checks::known_set(&self.signed, set)?;
                checks::check_set(&self.signed, set, before.as_ref(), note.as_ref(), self.verifier())?;
                console.notice(show::describe_set(set, before.as_ref()));
            }
        }
        Ok(())
    }

    fn question(&self) -> String {
        let name = self.verifier().name();
        match &self.subject {
            Subject::Draft(..) => format!("Sign this statement as {name}?"),
            Subject::Bare(_) => format!("Sign it BLINDLY as {name}?"),
            Subject::Set(..) => format!("Sign this change of who approves as {name}?"),
        }
    }

    fn text(&self) -> Result<NoteText, Failure> {
        Ok(match &self.subject {
            Subject::Draft(_, closed) => closed.statement.note_text()?,
            Subject::Bare(statement) => statement.note_text()?,
            Subject::Set(set, _) => set.note_text()?,
        })
    }

    fn sign(mut self, args: &SignArgs, state_path: &Path) -> Result<SignAnswer, Failure> {
        let key = key_command::open(&self.key, args.passphrase_file.as_deref())?;
        let text = self.text()?;
        // The passphrase may have taken its time: the time that is signed is that of signing.
        let now = clock::now()?;
        let time_seconds = now.as_seconds();
        let line = key.cosign(&text, time_seconds).map_err(|error| Failure::internal(error.to_string()))?;
        self.check_own_signature(&line, now)?;
        let text_hash = Hash::of(text.as_bytes());
        let origin = self.remember(text_hash);
        self.signed.write(state_path)?;
        Ok(SignAnswer {
            origin,
            text_hash: text_hash.to_hex(),
            key: self.verifier().to_string(),
            time_seconds,
            signature: line.to_string(),
        })
    }

    /// The ledger must be able to take what is about to be printed.
    fn check_own_signature(&self, line: &SignatureLine, now: Timestamp) -> Result<(), Failure> {
        match &self.subject {
            Subject::Draft(dossier, closed) => {
                Ok(check_signature(&closed.statement, &dossier.input.approvers, line)?)
            }
            Subject::Bare(statement) => checks::check_time(statement, now),
            Subject::Set(..) => Ok(()),
        }
    }

    /// Puts what is signed into the memory, and gives the origin line.
    fn remember(&mut self, text_hash: Hash) -> String {
        let (origin, place) = match &self.subject {
            Subject::Draft(_, closed) => {
                let origin = closed.statement.origin_line();
                (origin.clone(), origin)
            }
            Subject::Bare(statement) => (statement.origin_line(), statement.origin_line()),
            Subject::Set(set, _) => (set.origin_line(), checks::set_place(set)),
        };
        self.signed.remember_text(place, text_hash);
        let statement = match &self.subject {
            Subject::Draft(_, closed) => Some(&closed.statement),
            Subject::Bare(statement) => Some(&**statement),
            Subject::Set(..) => None,
        };
        if let Some(statement) = statement {
            self.signed.remember_revision(checks::epoch_name(statement), statement.revision.get());
        }
        if let Subject::Draft(dossier, closed) = &self.subject {
            let seen = checks::seen_of(dossier, &closed.statement);
            self.signed.remember_scope(checks::scope_name(&closed.statement), seen);
        }
        origin
    }
}

/// Holds the key file locked until dropped.
fn lock(key_file: &Path) -> Result<File, Failure> {
    let file = File::open(key_file).map_err(|error| Failure::unreadable(key_file, &error))?;
    file.lock().map_err(|error| Failure::unreadable(key_file, &error))?;
    Ok(file)
}

/// Reads a dossier line by line, or a text whole.
fn read_subject(path: &Path, blind: bool) -> Result<Subject, Failure> {
    let unreadable = |error: io::Error| Failure::unreadable(path, &error);
    let mut reader = BufReader::new(File::open(path).map_err(unreadable)?);
    if reader.fill_buf().map_err(unreadable)?.first() == Some(&b'{') {
        if blind {
            let what = "expected a bare statement with --blind, got a dossier";
            return Err(Failure::usage(
                what,
                "leave --blind out: a dossier is recomputed before it is signed",
            ));
        }
        let damaged = |rejection: Rejection| Failure::from(rejection).with_remedy(DAMAGED);
        let dossier = Dossier::read(&mut reader).map_err(damaged)?;
        let closed = dossier.recompute().map_err(damaged)?;
        return Ok(Subject::Draft(Box::new(dossier), Box::new(closed)));
    }
    read_text_subject(path, &files::read_bounded(path, MAX_NOTE_BYTES)?, blind)
}

/// A text, or a whole note with its text.
fn read_text_subject(path: &Path, bytes: &[u8], blind: bool) -> Result<Subject, Failure> {
    let unknown = |got: &str| {
        let what = format!(
            "expected a dossier, an approver set or (with --blind) a statement in {}, got {got}",
            path.display()
        );
        Failure::refused("nothing_to_sign", what, "fetch the file again with `meed dossier`")
    };
    let note = Note::parse(bytes).ok();
    let text = match &note {
        Some(note) => note.text().as_str(),
        None => std::str::from_utf8(bytes).map_err(|_| unknown("other bytes"))?,
    };
    let title = text.lines().nth(3);
    if matches!(title, Some(APPROVERS_TITLE | STATEMENT_TITLE)) && !text.ends_with('\n') {
        let what = format!("expected a newline at the end of {}, got none", path.display());
        return Err(Failure::refused("malformed", what, NEWLINE_LOST));
    }
    match title {
        Some(APPROVERS_TITLE) => Ok(Subject::Set(Box::new(text.parse()?), note)),
        Some(STATEMENT_TITLE) if blind => Ok(Subject::Bare(Box::new(text.parse()?))),
        Some(STATEMENT_TITLE) => {
            let what = "expected a dossier, got a bare statement, of which nothing can be recomputed";
            Err(Failure::refused(
                "blind_needed",
                what,
                "fetch the dossier with `meed dossier` and sign that; --blind signs the bare text",
            ))
        }
        _ => Err(unknown(&match Note::parse(bytes) {
            Ok(_) => "a signed note of another kind".to_owned(),
            Err(error) => with_sources(&error),
        })),
    }
}
