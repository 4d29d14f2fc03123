//! What is too long to be held: dossiers and exports, written piece by piece. What they hold never changes, so that each
//! piece may be read from a view of its own.

use std::io;

use meed_audit::allocation::Allocation;
use meed_audit::dossier::{Dossier, DossierWriter};
use meed_audit::ids::{Claimant, Revision, ScopeKey};
use meed_audit::policy::Unit;
use meed_audit::statement::Statement;
use meed_storage::{EventReader, Snapshot, Which};

use super::proofs::{ExportKind, write_rows};
use super::{Place, Service, not_final, which, which_final};
use crate::api::pieces::Writing;
use crate::failure::Failure;

/// Events or allocations of one piece.
const PIECE_COUNT: usize = 2_000;

/// A dossier that is being written.
pub(crate) struct DossierWriting {
    place: Place,
    /// Without its events and the allocations of earlier statements.
    outline: Box<Dossier>,
    entries: Vec<u64>,
    lines: u64,
    part: DossierPart,
}

/// What comes next in a dossier.
enum DossierPart {
    Head,
    Events(usize),
    Previous(Option<Claimant>),
    Superseded(Option<Claimant>),
}

/// An export that is being written.
pub(crate) struct ExportWriting {
    place: Place,
    key: ScopeKey,
    revision: Revision,
    kind: ExportKind,
    unit: Unit,
    after: Option<Claimant>,
    is_begun: bool,
}

impl Service {
    /// All that recomputing a draft or final statement needs.
    ///
    /// # Errors
    /// `draft_not_found`, `statement_not_found`.
    pub(crate) fn dossier(
        &self,
        key: &str,
        epoch: u64,
        revision: Option<u64>,
    ) -> Result<DossierWriting, Failure> {
        let (snapshot, place) = self.place(key, epoch)?;
        let which = which(&snapshot, &place, revision)?;
        let outline = Box::new(snapshot.dossier_outline(place.scope, place.epoch, which)?);
        drop(snapshot);
        let entries = self.entries(key, epoch)?.1.to_vec();
        Ok(DossierWriting { place, outline, entries, lines: 0, part: DossierPart::Head })
    }

    /// The allocations of a final statement for other programs.
    ///
    /// # Errors
    /// `statement_not_found`.
    pub(crate) fn export(
        &self,
        key: &str,
        epoch: u64,
        revision: Option<u64>,
        kind: ExportKind,
    ) -> Result<ExportWriting, Failure> {
        let (snapshot, place) = self.place(key, epoch)?;
        let found = snapshot.final_statement(place.scope, place.epoch, which_final(revision)?);
        let last = found.map_err(|error| not_final(error.into(), &snapshot, &place, revision))?;
        let Statement { scope_key: key, revision, unit, .. } = last.statement;
        Ok(ExportWriting { place, key, revision, kind, unit, after: None, is_begun: false })
    }
}

impl ExportWriting {
    /// How a file of it is called.
    pub(crate) fn file_name(&self) -> String {
        let extension = match self.kind {
            ExportKind::Csv => "csv",
            ExportKind::Json => "json",
        };
        format!("{}-{}-{}.{extension}", self.key, self.place.epoch, self.revision)
    }
}

impl Writing for ExportWriting {
    fn next(mut self, service: &Service) -> Result<(Vec<u8>, Option<Self>), Failure> {
        let Place { scope, epoch } = self.place;
        let which = Which::Revision(self.revision);
        let rows = service.snapshot()?.allocations(scope, epoch, which, self.after.as_ref(), PIECE_COUNT)?;
        let is_last = rows.len() < PIECE_COUNT;
        let mut bytes = Vec::new();
        write_rows((self.kind, &self.unit), &rows, (!self.is_begun, is_last), &mut bytes);
        self.is_begun = true;
        self.after = rows.into_iter().next_back().map(|row| row.claimant);
        Ok((bytes, (!is_last).then_some(self)))
    }
}

impl Writing for DossierWriting {
    fn next(mut self, service: &Service) -> Result<(Vec<u8>, Option<Self>), Failure> {
        let snapshot = service.snapshot()?;
        let mut bytes = Vec::new();
        let mut writer = DossierWriter::after(self.lines, &mut bytes);
        let next = self.write_part(&snapshot, &mut writer)?;
        self.lines = writer.lines();
        Ok((bytes, next.map(|part| Self { part, ..self })))
    }
}

impl DossierWriting {
    /// How a file of it is called.
    pub(crate) fn file_name(&self) -> String {
        let input = &self.outline.input;
        format!("{}-{}-{}.ndjson", input.name.key, self.place.epoch, input.draft.revision)
    }

    /// Writes a piece, and says what comes after it.
    fn write_part(
        &self,
        snapshot: &Snapshot,
        writer: &mut DossierWriter<'_>,
    ) -> Result<Option<DossierPart>, Failure> {
        match &self.part {
            DossierPart::Head => {
                self.outline.write_head(writer).map_err(unwritten)?;
                Ok(Some(DossierPart::Events(0)))
            }
            DossierPart::Events(done) => self.write_events(snapshot, *done, writer).map(Some),
            DossierPart::Previous(after) => {
                let Some(previous) = &self.outline.previous else {
                    return Ok(Some(DossierPart::Superseded(None)));
                };
                if after.is_none() {
                    writer.previous(previous).map_err(unwritten)?;
                }
                let of = (&previous.statement.epoch, previous.statement.revision);
                let rows = self.rows(snapshot, of, after.as_ref())?;
                rows.iter().try_for_each(|row| writer.previous_allocation(row)).map_err(unwritten)?;
                let next = goes_on(rows)
                    .map_or(DossierPart::Superseded(None), |last| DossierPart::Previous(Some(last)));
                Ok(Some(next))
            }
            DossierPart::Superseded(after) => {
                let next = match &self.outline.superseded {
                    None => None,
                    Some(superseded) => {
                        if after.is_none() {
                            writer.superseded(superseded).map_err(unwritten)?;
                        }
                        let of = (&superseded.statement.epoch, superseded.statement.revision);
                        let rows = self.rows(snapshot, of, after.as_ref())?;
                        rows.iter()
                            .try_for_each(|row| writer.superseded_allocation(row))
                            .map_err(unwritten)?;
                        goes_on(rows)
                    }
                };
                if next.is_none() {
                    writer.end().map_err(unwritten)?;
                }
                Ok(next.map(|last| DossierPart::Superseded(Some(last))))
            }
        }
    }

    fn write_events(
        &self,
        snapshot: &Snapshot,
        done: usize,
        writer: &mut DossierWriter<'_>,
    ) -> Result<DossierPart, Failure> {
        let rest = self.entries.get(done..).unwrap_or(&[]);
        let piece = rest.get(..PIECE_COUNT).unwrap_or(rest);
        let mut events = Vec::with_capacity(piece.len());
        snapshot.for_each_event(piece, &mut |event| {
            events.push(event);
            Ok(())
        })?;
        events.iter().try_for_each(|event| writer.event(event)).map_err(unwritten)?;
        if piece.len() < rest.len() {
            return Ok(DossierPart::Events(done.saturating_add(piece.len())));
        }
        self.outline.write_history(writer).map_err(unwritten)?;
        Ok(DossierPart::Previous(None))
    }

    fn rows(
        &self,
        snapshot: &Snapshot,
        (epoch, revision): (&meed_audit::ids::EpochNumber, meed_audit::ids::Revision),
        after: Option<&Claimant>,
    ) -> Result<Vec<Allocation>, Failure> {
        let which = Which::Revision(revision);
        Ok(snapshot.allocations(self.place.scope, *epoch, which, after, PIECE_COUNT)?)
    }
}

/// The claimant after whom a list goes on, where this part of it was a full one.
fn goes_on(rows: Vec<Allocation>) -> Option<Claimant> {
    let is_full = rows.len() == PIECE_COUNT;
    rows.into_iter().next_back().filter(|_| is_full).map(|row| row.claimant)
}

fn unwritten(error: io::Error) -> Failure {
    Failure::internal(format!("writing a dossier: {error}"))
}
