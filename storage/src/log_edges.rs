//! The right edges of both logs, as the writer has them.

use crate::error::StorageError;
use crate::log::{LogEdge, LogKind};
use crate::table::RawReader;

/// The right edges of both logs.
#[derive(Clone, Debug)]
pub(crate) struct LogEdges {
    pub(crate) events: LogEdge,
    pub(crate) statements: LogEdge,
}

impl LogEdges {
    pub(crate) fn first() -> Self {
        Self { events: LogEdge::first(), statements: LogEdge::first() }
    }

    pub(crate) fn load(reader: &impl RawReader) -> Result<Self, StorageError> {
        let load = |log| LogEdge::load(reader, log);
        Ok(Self { events: load(LogKind::Events)?, statements: load(LogKind::Statements)? })
    }

    pub(crate) fn of(&self, log: LogKind) -> &LogEdge {
        match log {
            LogKind::Events => &self.events,
            LogKind::Statements => &self.statements,
        }
    }

    pub(crate) fn of_mut(&mut self, log: LogKind) -> &mut LogEdge {
        match log {
            LogKind::Events => &mut self.events,
            LogKind::Statements => &mut self.statements,
        }
    }
}
