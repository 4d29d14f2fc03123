//! A clone as a source of scheduled collection.

use std::path::PathBuf;

use super::repository::Repository;
use super::{CollectReport, GitRequest, SkipReason, collect};
use crate::failure::Failure;
use crate::sources::source::{Asked, ReadUntil, Sink, Source, SourcePass};
use crate::sources::{CollectError, SourceError};

/// Why a commit of a window, which has a time and is nobody's exception, became no event: work that is missing.
const LOST: [SkipReason; 5] = [
    SkipReason::EmailMissing,
    SkipReason::EmailInvalid,
    SkipReason::TooManyAuthors,
    SkipReason::Oversized,
    SkipReason::Refused,
];

/// A reference of a local clone.
#[derive(Clone, Debug)]
pub struct GitPlace {
    /// A folder in the clone.
    pub path: PathBuf,
    /// A branch, tag or commit.
    pub reference: String,
}

impl Source for GitPlace {
    fn look(&self) -> Result<String, SourceError> {
        let repository = Repository::open(&self.path, &self.reference)?;
        Ok(format!("a git repository, {} at {}", self.reference, repository.head))
    }

    fn read(&self, asked: &Asked, sink: &mut Sink<'_>) -> Result<SourcePass, CollectError<Failure>> {
        let request = GitRequest {
            path: self.path.clone(),
            reference: self.reference.clone(),
            since: Some(asked.window.start),
            until: Some(asked.window.end),
            node_id: asked.node_id,
            bots: asked.bots.clone(),
            now: asked.now,
        };
        let report = collect(&request, sink)?;
        let mut pass = SourcePass { until: report.read_until(), ..SourcePass::default() };
        for reason in LOST {
            pass.count_unreadable(reason.name(), report.skipped_count(reason));
        }
        Ok(pass)
    }
}

impl CollectReport {
    /// How far the history was collected: up to the latest event, at this commit.
    pub fn read_until(&self) -> Option<ReadUntil> {
        Some(ReadUntil {
            source: "git".to_owned(),
            stream: "commits".to_owned(),
            source_ref: self.source_ref.clone(),
            order: self.last_time?.as_ms().unsigned_abs(),
            token: self.head.clone(),
        })
    }
}
