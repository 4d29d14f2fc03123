//! The dossier of a draft: one file with all that recomputing it needs, as lines of JSON (NDJSON).
//!
//! An approver reads it offline before signing. Everything hashed is carried verbatim as text, so that reading it
//! goes through the same strict parsers as everywhere else; the last line counts the lines before it, so that a file
//! that was cut off is noticed.

mod chain;
mod line;
mod previous;
mod recompute;

use std::io::{self, BufRead, Write};

use meed_keys::VerifierKey;

use crate::activity::EpochEvent;
use crate::allocation::Allocation;
use crate::amount::parse_count;
use crate::approve::{node_verifier, parse_note};
use crate::approvers::{ApproverSetText, ScopeName};
use crate::close::{DraftTerms, EpochInput};
use crate::decision::Decision;
use crate::hash::Hash;
use crate::leaf::{EVENT_LEAF_BYTES_MAX, Leaf};
use crate::policy::Policy;
use crate::pool::{Pool, PoolComponent};
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::statement::Statement;
use crate::time::Period;
use crate::window::EpochWindow;
use line::{Header, Line, parse_line, read_line, text};
use previous::GivenStatement;

pub use line::{DossierV1, DossierWriter};
pub use recompute::compare_texts;

/// Longest line, in bytes: a signed note or an event leaf, escaped as a JSON string, with its field names.
pub const DOSSIER_LINE_BYTES_MAX: usize = 524_288;
const _: () =
    assert!(DOSSIER_LINE_BYTES_MAX > 6 * 65_535 && DOSSIER_LINE_BYTES_MAX > 6 * EVENT_LEAF_BYTES_MAX);

/// How the events log grew between two sizes that statements of the scope pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogGrowth {
    /// The smaller size.
    pub from_size: u64,
    /// Its root.
    pub from_root: Hash,
    /// The larger size.
    pub to_size: u64,
    /// Its root.
    pub to_root: Hash,
    /// RFC 9162 consistency path between them.
    pub path: Vec<Hash>,
}

/// A final statement of the scope with its allocations, so that the difference from it can be shown.
#[derive(Clone, Debug)]
pub struct PreviousEpoch {
    /// The signed note, as the statements log holds it.
    pub note: String,
    /// Its statement.
    pub statement: Statement,
    /// Its allocations, which give the statement's root.
    pub allocations: Vec<Allocation>,
}

/// All that a recomputation needs, and what it must give.
#[derive(Clone, Debug)]
pub struct Dossier {
    /// What the statement is computed from.
    pub input: EpochInput,
    /// The draft's signed note: the statement and the node's line.
    pub note: String,
    /// The node's log key, named by the events log's origin line. It comes from the node: an approver compares it
    /// with the one that was seen before.
    pub log_key: VerifierKey,
    /// The signed notes of the approver sets, from version 1 to the one in force.
    pub approver_notes: Vec<String>,
    /// How the events log grew over the scope's statements.
    pub growth: Vec<LogGrowth>,
    /// The scope's final statements before the previous one, from its first, in the order of their chain.
    pub earlier: Vec<Statement>,
    /// The scope's last final statement before this draft, where there is one.
    pub previous: Option<PreviousEpoch>,
    /// The statement that the draft supersedes, where it is an amendment and that is not the one before.
    pub superseded: Option<PreviousEpoch>,
}

impl Dossier {
    /// Writes the dossier. Event leaves are encoded again from the parsed events, which gives their bytes.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut writer = DossierWriter::after(0, out);
        self.write_head(&mut writer)?;
        self.input.events.iter().try_for_each(|entry| writer.event(entry))?;
        self.write_history(&mut writer)?;
        if let Some(previous) = &self.previous {
            writer.previous(previous)?;
            previous.allocations.iter().try_for_each(|allocation| writer.previous_allocation(allocation))?;
        }
        if let Some(superseded) = &self.superseded {
            writer.superseded(superseded)?;
            superseded
                .allocations
                .iter()
                .try_for_each(|allocation| writer.superseded_allocation(allocation))?;
        }
        writer.end()
    }

    /// Writes what comes before the events.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_head(&self, writer: &mut DossierWriter<'_>) -> io::Result<()> {
        let input = &self.input;
        writer.line(&Line::Header(Box::new(self.header())))?;
        writer.line(&Line::Policy { document: text(input.policy.encode()) })?;
        for window in &input.windows {
            let log_size = window.log_size.unwrap_or_default().to_string();
            let Period { start, end } = window.period;
            writer.line(&Line::Window { end, epoch: window.number, log_size, start })?;
        }
        for note in &self.approver_notes {
            writer.line(&Line::Approvers { note: note.clone() })?;
        }
        for component in input.pool.components() {
            writer.line(&Line::Pool { leaf: text(component.encode()) })?;
        }
        for decision in &input.decisions {
            writer.line(&Line::Decision { leaf: text(decision.encode()) })?;
        }
        Ok(())
    }

    /// Writes how the events log grew and the scope's earlier statements, which come after the events.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_history(&self, writer: &mut DossierWriter<'_>) -> io::Result<()> {
        for growth in &self.growth {
            writer.line(&Line::Growth {
                from_root: growth.from_root,
                from_size: growth.from_size.to_string(),
                path: growth.path.clone(),
                to_root: growth.to_root,
                to_size: growth.to_size.to_string(),
            })?;
        }
        for statement in &self.earlier {
            writer.line(&Line::Earlier { text: statement.to_string() })?;
        }
        Ok(())
    }

    fn header(&self) -> Header {
        let input = &self.input;
        Header {
            events_log: input.events_log.clone(),
            events_root: input.events_root,
            log_key: self.log_key.to_string(),
            node: input.name.node,
            note: self.note.clone(),
            origin: input.name.origin.clone(),
            previous: input.draft.previous,
            revision: input.draft.revision,
            scope_key: input.name.key.clone(),
            sign_by: input.draft.sign_by,
            supersedes: input.draft.supersedes,
            v: DossierV1,
        }
    }

    /// Reads a dossier, checking every part's own form; that the parts give the statement is for [`crate::close`].
    ///
    /// # Errors
    /// Names the line and what is wrong with it; `input_incomplete` when the file was cut off.
    pub fn read(reader: &mut dyn BufRead) -> Checked<Self> {
        let mut builder = Builder::default();
        let mut number = 0_u64;
        while let Some(line) = read_line(reader, number + 1)? {
            if builder.ended {
                return Err(at_line(number + 1, incomplete("nothing after the end line", "another line")));
            }
            let parsed: Line = parse_line(&line).map_err(|rejection| at_line(number + 1, rejection))?;
            builder.add(parsed, number).map_err(|rejection| at_line(number + 1, rejection))?;
            number += 1;
        }
        builder.finish()
    }
}

impl DossierWriter<'_> {
    /// An event.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn event(&mut self, entry: &EpochEvent) -> io::Result<()> {
        let index = entry.index.to_string();
        self.line(&Line::Event { index, leaf: text(entry.event.encode()), routed: entry.routed })
    }

    /// The statement before, without its allocations, which follow one by one.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn previous(&mut self, previous: &PreviousEpoch) -> io::Result<()> {
        self.line(&Line::Previous { note: previous.note.clone() })
    }

    /// An allocation of the statement before.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn previous_allocation(&mut self, allocation: &Allocation) -> io::Result<()> {
        self.line(&Line::PreviousAllocation { leaf: text(allocation.encode()) })
    }

    /// The statement that is superseded, without its allocations, which follow one by one.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn superseded(&mut self, superseded: &PreviousEpoch) -> io::Result<()> {
        self.line(&Line::Superseded { note: superseded.note.clone() })
    }

    /// An allocation of the statement that is superseded.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn superseded_allocation(&mut self, allocation: &Allocation) -> io::Result<()> {
        self.line(&Line::SupersededAllocation { leaf: text(allocation.encode()) })
    }

    /// The last line, which counts those before it.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn end(&mut self) -> io::Result<()> {
        let lines = self.lines().to_string();
        self.line(&Line::End { lines })
    }
}

fn at_line(number: u64, rejection: Rejection) -> Rejection {
    rejection.within(format!("dossier line {number}"))
}

fn incomplete(expected: &str, got: &str) -> Rejection {
    Rejection::new(RejectionCode::InputIncomplete, "dossier", expected, got)
}

/// What has been read so far. The header comes first; other kinds come in any order that keeps each kind's own.
#[derive(Default)]
struct Builder {
    header: Option<Box<Header>>,
    policy: Option<Policy>,
    windows: Vec<EpochWindow>,
    approver_notes: Vec<String>,
    pool: Vec<PoolComponent>,
    decisions: Vec<Decision>,
    events: Vec<EpochEvent>,
    growth: Vec<LogGrowth>,
    earlier: Vec<Statement>,
    previous: GivenStatement,
    superseded: GivenStatement,
    ended: bool,
}

impl Builder {
    fn add(&mut self, line: Line, lines_before: u64) -> Checked<()> {
        if self.header.is_none() != matches!(line, Line::Header(_)) {
            return Err(incomplete("one header, on the first line", "another"));
        }
        match line {
            Line::Header(header) => self.header = Some(header),
            Line::Policy { document } if self.policy.is_none() => {
                self.policy = Some(Policy::decode(document.as_bytes())?);
            }
            Line::Policy { .. } => return Err(incomplete("one policy", "another")),
            Line::Window { end, epoch, log_size, start } => self.windows.push(EpochWindow {
                number: epoch,
                period: Period { start, end },
                log_size: Some(parse_count("log_size", &log_size)?),
            }),
            Line::Approvers { note } => self.approver_notes.push(note),
            Line::Pool { leaf } => self.pool.push(PoolComponent::decode(leaf.as_bytes())?),
            Line::Decision { leaf } => self.decisions.push(Decision::decode(leaf.as_bytes())?),
            Line::Event { index, leaf, routed } => {
                let index = parse_count("index", &index)?;
                self.events.push(EpochEvent::from_leaf(leaf.as_bytes(), index, routed)?);
            }
            Line::Growth { from_root, from_size, path, to_root, to_size } => {
                let from_size = parse_count("from_size", &from_size)?;
                let to_size = parse_count("to_size", &to_size)?;
                self.growth.push(LogGrowth { from_size, from_root, to_size, to_root, path });
            }
            Line::Earlier { text } => self.earlier.push(text.parse()?),
            Line::Previous { note } => self.previous.set_note(note)?,
            Line::PreviousAllocation { leaf } => self.previous.add_allocation(&leaf)?,
            Line::Superseded { note } => self.superseded.set_note(note)?,
            Line::SupersededAllocation { leaf } => self.superseded.add_allocation(&leaf)?,
            Line::End { lines } => {
                if parse_count("lines", &lines)? != lines_before {
                    return Err(incomplete(
                        &format!("{lines} lines before the end"),
                        &lines_before.to_string(),
                    ));
                }
                self.ended = true;
            }
        }
        Ok(())
    }

    fn finish(self) -> Checked<Dossier> {
        if !self.ended {
            return Err(incomplete("an end line", "the end of the file"));
        }
        let header = self.header.ok_or_else(|| incomplete("a header", "none"))?;
        let policy = self.policy.ok_or_else(|| incomplete("a policy", "none"))?;
        let last_note = self.approver_notes.last().ok_or_else(|| incomplete("an approver set", "none"))?;
        let approvers: ApproverSetText = parse_note("approver set", last_note)?.text().as_str().parse()?;
        let previous = self.previous.finish("previous")?;
        let superseded = self.superseded.finish("superseded")?;
        let input = EpochInput {
            name: ScopeName { origin: header.origin, node: header.node, key: header.scope_key },
            policy,
            windows: self.windows,
            events_log: header.events_log,
            events_root: header.events_root,
            events: self.events,
            decisions: self.decisions,
            pool: Pool::from_components(self.pool)?,
            approvers,
            draft: DraftTerms {
                revision: header.revision,
                sign_by: header.sign_by,
                previous: header.previous,
                supersedes: header.supersedes,
            },
        };
        check_indexes(&input.events)?;
        let log_key = read_log_key(&header.log_key, &input.events_log)?;
        Ok(Dossier {
            input,
            note: header.note,
            log_key,
            approver_notes: self.approver_notes,
            growth: self.growth,
            earlier: self.earlier,
            previous,
            superseded,
        })
    }
}

/// No two events are at one place of the log.
fn check_indexes(events: &[EpochEvent]) -> Checked<()> {
    let mut indexes: Vec<u64> = events.iter().map(|entry| entry.index).collect();
    indexes.sort_unstable();
    match indexes.windows(2).find_map(|pair| (pair.first() == pair.last()).then(|| pair.first())?) {
        None => Ok(()),
        Some(index) => {
            let subject = format!("index {index}");
            Err(Rejection::new(RejectionCode::DuplicateField, subject, "one event", "two"))
        }
    }
}

/// The log key, of a log's type and named by the events log's origin line.
fn read_log_key(text: &str, events_log: &str) -> Checked<VerifierKey> {
    let key: VerifierKey = text
        .parse()
        .map_err(|error| Rejection::new(RejectionCode::KeyInvalid, "log_key", "a verifier key", error))?;
    let expected = node_verifier(events_log, key.public_key())?;
    if key == expected {
        return Ok(key);
    }
    Err(Rejection::new(RejectionCode::Mismatch, "log_key", expected.to_string(), key))
}
