//! Files of events as a source of scheduled collection: one event a line, in a file, in all `*.ndjson` of a folder, or
//! in all files whose names match a pattern.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use meed_audit::Rejection;
use meed_audit::event::NewEvent;
use meed_audit::time::{Period, Timestamp};
use serde::Deserialize;

use super::git::{BATCH_EVENTS_MAX, glob_matches};
use super::ndjson::NdjsonReader;
use super::source::{Asked, Sink, Source, SourcePass};
use super::{CollectError, SourceError};
use crate::failure::Failure;
use crate::words::counted;

/// Which files of a folder hold events, where only the folder is named.
const NAMES_DEFAULT: &str = "*.ndjson";

/// Files that some other program writes.
#[derive(Clone, Debug)]
pub struct EventFiles {
    /// A file, a folder, or a folder and a pattern of names in which `*` stands for anything.
    pub path: PathBuf,
}

impl Source for EventFiles {
    fn look(&self) -> Result<String, SourceError> {
        let files = self.files()?;
        for path in &files {
            File::open(path).map_err(|error| SourceError::file_unreadable(path, &error))?;
        }
        Ok(format!("{} that can be read", counted(files.len(), "file")))
    }

    fn read(&self, asked: &Asked, sink: &mut Sink<'_>) -> Result<SourcePass, CollectError<Failure>> {
        let mut reading = Reading { asked, pass: SourcePass::default(), events: Vec::new(), sink };
        for path in self.files()? {
            reading.file(&path)?;
        }
        reading.flush()?;
        Ok(reading.pass)
    }
}

impl EventFiles {
    /// The files, by name. A pattern may match none, a file must be there.
    fn files(&self) -> Result<Vec<PathBuf>, SourceError> {
        let unreadable = |path: &Path, error: &io::Error| SourceError::file_unreadable(path, error);
        let name = self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_pattern = name.contains('*');
        let (folder, pattern) = match (is_pattern, self.path.parent()) {
            (true, Some(folder)) => (folder, name),
            _ if self.path.is_dir() => (self.path.as_path(), NAMES_DEFAULT),
            _ => return Ok(vec![self.path.clone()]),
        };
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
            let path = entry.map_err(|error| unreadable(folder, &error))?.path();
            let matches = path
                .file_name()
                .is_some_and(|name| glob_matches(pattern.as_bytes(), name.as_encoded_bytes()));
            if matches && !path.is_dir() {
                found.push(path);
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

struct Reading<'a, 'b> {
    asked: &'a Asked,
    pass: SourcePass,
    events: Vec<NewEvent>,
    sink: &'a mut Sink<'b>,
}

impl Reading<'_, '_> {
    fn file(&mut self, path: &Path) -> Result<(), CollectError<Failure>> {
        let file = File::open(path).map_err(|error| SourceError::file_unreadable(path, &error))?;
        let mut lines = NdjsonReader::new(BufReader::new(file), self.asked.now);
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        while let Some(line) = lines.next() {
            match line?.event {
                Ok(event) if self.asked.window.contains(event.event_time()) => self.events.push(event),
                Ok(_) => {}
                Err(rejection) if may_be_in(&self.asked.window, lines.text()) => {
                    let code = rejection.code.name();
                    self.pass.name_unreadable(code, || place_and_cause(&name, rejection));
                }
                Err(_) => {}
            }
            if self.events.len() == BATCH_EVENTS_MAX {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), CollectError<Failure>> {
        if self.events.is_empty() {
            return Ok(());
        }
        (self.sink)(std::mem::take(&mut self.events)).map_err(CollectError::Sink)
    }
}

/// The file and line that hold no event, and why, on one line.
fn place_and_cause(file: &str, rejection: Rejection) -> String {
    let Rejection { subject, expected, got, .. } = rejection;
    let file: String = file.chars().map(|one| if one.is_control() { '?' } else { one }).collect();
    format!("{file}, {subject}: expected {expected}, got {got}")
}

/// A bad line is missing from the window that its time names, and where it has none, from every window.
fn may_be_in(window: &Period, line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Dated {
        event_time: String,
    }
    let dated: Option<Dated> = serde_json::from_slice(line).ok();
    let time = dated.and_then(|dated| Timestamp::parse_edge("event_time", &dated.event_time).ok());
    time.is_none_or(|time| window.contains(time))
}
