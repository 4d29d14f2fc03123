//! The lines of a dossier: their one form, written and read.

use std::io::{self, BufRead, Read, Write};

use serde::{Deserialize, Serialize};

use super::{DOSSIER_LINE_BYTES_MAX, at_line, incomplete};
use crate::hash::Hash;
use crate::ids::{EpochNumber, NodeId, Origin, Revision, ScopeKey};
use crate::json::refuse_json;
use crate::leaf::version_tag;
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::time::Timestamp;

/// One line of a dossier. `kind` comes first, then the fields in the order of their names: the one form that is read.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
pub(super) enum Line {
    Approvers { note: String },
    Decision { leaf: String },
    Earlier { text: String },
    End { lines: String },
    Event { index: String, leaf: String, routed: bool },
    Growth { from_root: Hash, from_size: String, path: Vec<Hash>, to_root: Hash, to_size: String },
    Header(Box<Header>),
    Policy { document: String },
    Pool { leaf: String },
    Previous { note: String },
    PreviousAllocation { leaf: String },
    Superseded { note: String },
    SupersededAllocation { leaf: String },
    Window { end: Timestamp, epoch: EpochNumber, log_size: String, start: Timestamp },
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) events_log: String,
    pub(super) events_root: Hash,
    pub(super) log_key: String,
    pub(super) node: NodeId,
    pub(super) note: String,
    pub(super) origin: Origin,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) previous: Option<Hash>,
    pub(super) revision: Revision,
    pub(super) scope_key: ScopeKey,
    pub(super) sign_by: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) supersedes: Option<Hash>,
    pub(super) v: DossierV1,
}

version_tag! {
    /// The format of dossiers.
    DossierV1, Header, "meed/dossier/v1"
}

/// Canonical leaves are UTF-8 by construction.
pub(super) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}

/// Writes a dossier line by line, for one that is too long to be held: what [`Dossier::write`](super::Dossier::write)
/// writes, in its order.
pub struct DossierWriter<'a> {
    out: &'a mut dyn Write,
    lines: u64,
}

impl<'a> DossierWriter<'a> {
    /// Goes on after `lines` lines that were written before.
    pub fn after(lines: u64, out: &'a mut dyn Write) -> Self {
        Self { out, lines }
    }

    /// Lines so far.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    pub(super) fn line(&mut self, line: &Line) -> io::Result<()> {
        serde_json::to_writer(&mut *self.out, line)?;
        self.lines += 1;
        self.out.write_all(b"\n")
    }
}

/// Reads one line without its newline, never more than the limit into memory.
pub(super) fn read_line(reader: &mut dyn BufRead, number: u64) -> Checked<Option<Vec<u8>>> {
    let limit = u64::try_from(DOSSIER_LINE_BYTES_MAX + 1).unwrap_or(u64::MAX);
    let mut line = Vec::new();
    let mut bounded = reader.take(limit);
    bounded.read_until(b'\n', &mut line).map_err(|error| {
        at_line(number, Rejection::new(RejectionCode::Malformed, "", "a readable file", error))
    })?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.pop() == Some(b'\n') {
        return Ok(Some(line));
    }
    if line.len() < DOSSIER_LINE_BYTES_MAX {
        return Err(at_line(number, incomplete("a line that ends in a newline", "the end of the file")));
    }
    let expected = format!("at most {DOSSIER_LINE_BYTES_MAX} bytes");
    Err(at_line(number, Rejection::new(RejectionCode::InputTooLarge, "", expected, "more")))
}

pub(super) fn parse_line(bytes: &[u8]) -> Checked<Line> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Rejection::new(RejectionCode::NotUtf8, "", "UTF-8", error))?;
    let line: Line = serde_json::from_str(text).map_err(|error| Rejection {
        code: RejectionCode::Malformed,
        ..refuse_json("", "a line of a dossier", &error, bytes)
    })?;
    if serde_json::to_string(&line).is_ok_and(|again| again == text) {
        return Ok(line);
    }
    Err(Rejection::new(RejectionCode::NotCanonical, "", "the one form of the line", "another form"))
}
