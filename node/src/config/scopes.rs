//! What the node does for a scope by itself: the sections `[scopes.KEY]` of `meed.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use meed_audit::ids::ScopeKey;
use meed_storage::ScheduleTerms;
use serde::Deserialize;
use toml::Spanned;

use super::sources::{SourceFile, SourceSettings, check_source};
use crate::failure::Failure;
use crate::schedule::{Cron, FirstWindow};

/// When events are collected where nothing else is said: daily.
pub const COLLECT_DEFAULT: &str = "0 3 * * *";
/// How long after its window's end an epoch is closed where nothing else is said, in hours.
pub const GRACE_HOURS_DEFAULT: u32 = 24;
/// Longest grace, in hours: a year.
const GRACE_HOURS_MAX: u32 = 8_760;
/// Most sources of a scope.
const SOURCES_MAX: usize = 100;

/// What the node does for one scope.
#[derive(Clone, Debug)]
pub struct ScopeSettings {
    /// When events are collected; never where there is none.
    pub collect: Option<Cron>,
    /// How long after its window's end an epoch is closed, in hours.
    pub grace_hours: u32,
    /// Whether epochs are closed.
    pub close: bool,
    /// Whether the next window is opened.
    pub open_next: bool,
    /// Which one is opened where the scope has no epoch yet.
    pub first_window: FirstWindow,
    /// Where events come from.
    pub sources: Vec<SourceSettings>,
}

impl ScopeSettings {
    /// The part that a schedule keeps.
    pub fn terms(&self) -> ScheduleTerms {
        ScheduleTerms {
            collect: self.collect.as_ref().map(ToString::to_string),
            grace_hours: self.grace_hours,
            close: self.close,
            open_next: self.open_next,
            sources: self.sources.iter().map(|source| source.name.clone()).collect(),
        }
    }
}

/// A section of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScopeFile {
    collect: Option<Spanned<String>>,
    grace_hours: Option<Spanned<u32>>,
    close: Option<bool>,
    open_next: Option<bool>,
    first_window: Option<Spanned<String>>,
    #[serde(default)]
    sources: Vec<Spanned<SourceFile>>,
}

/// What is wrong at a place of the file, counted in bytes.
pub(super) struct Wrong {
    pub(super) at: usize,
    pub(super) what: String,
    pub(super) remedy: &'static str,
}

/// Checks the sections. Paths are relative to `folder`, where they are.
pub(super) fn check(
    sections: BTreeMap<String, Spanned<ScopeFile>>,
    folder: &Path,
) -> Result<BTreeMap<ScopeKey, ScopeSettings>, Wrong> {
    let mut scopes = BTreeMap::new();
    for (key, section) in sections {
        let at = section.span().start;
        let key: ScopeKey = key.parse().map_err(|rejection: meed_audit::Rejection| Wrong {
            at,
            what: format!("scopes: {rejection}"),
            remedy: "write [scopes.KEY] with the key of a scope, as `meed scope list` shows it",
        })?;
        scopes.insert(key, check_scope(section.into_inner(), folder)?);
    }
    Ok(scopes)
}

fn check_scope(file: ScopeFile, folder: &Path) -> Result<ScopeSettings, Wrong> {
    let collect = match file.collect {
        None => Some(parse_cron(COLLECT_DEFAULT, 0)?),
        Some(text) if text.get_ref() == "off" => None,
        Some(text) => Some(parse_cron(text.get_ref(), text.span().start)?),
    };
    let grace_hours = match file.grace_hours {
        None => GRACE_HOURS_DEFAULT,
        Some(hours) if *hours.get_ref() <= GRACE_HOURS_MAX => *hours.get_ref(),
        Some(hours) => {
            let what = format!("grace_hours: expected at most {GRACE_HOURS_MAX}, got {}", hours.get_ref());
            return Err(Wrong { at: hours.span().start, what, remedy: "give fewer hours" });
        }
    };
    let (mut sources, mut names) = (Vec::new(), BTreeSet::new());
    for source in file.sources {
        let at = source.span().start;
        let source = check_source(source.into_inner(), folder, at)?;
        if !names.insert(source.name.clone()) {
            let what = format!("sources: expected names that differ, got {:?} twice", source.name);
            return Err(Wrong { at, what, remedy: "give one of them another `name`" });
        }
        sources.push(source);
        if sources.len() > SOURCES_MAX {
            let what = format!("sources: expected at most {SOURCES_MAX}, got more");
            return Err(Wrong { at, what, remedy: "leave some out, or name a folder of files" });
        }
    }
    let first_window =
        file.first_window.map(|text| parse_first_window(&text)).transpose()?.unwrap_or_default();
    let (close, open_next) = (file.close.unwrap_or(true), file.open_next.unwrap_or(true));
    Ok(ScopeSettings { collect, grace_hours, close, open_next, first_window, sources })
}

fn parse_first_window(text: &Spanned<String>) -> Result<FirstWindow, Wrong> {
    text.get_ref().parse().map_err(|rejection: meed_audit::Rejection| Wrong {
        at: text.span().start,
        what: format!("first_window: expected {}, got {}", rejection.expected, rejection.got),
        remedy: "say which window is opened first, or leave it out: then it is that of now, or asked for where events are \
                 older",
    })
}

fn parse_cron(text: &str, at: usize) -> Result<Cron, Wrong> {
    text.parse().map_err(|what| Wrong {
        at,
        what,
        remedy: "write five fields, minute hour day month weekday, such as \"0 3 * * *\"; or \"off\"",
    })
}

/// The part of the file that `init` writes.
pub(super) fn commented() -> String {
    format!(
        "\
# What the node does for a scope by itself while it runs (`meed serve`), one section a scope. A changed file is read
# again on SIGHUP. A scope whose section is gone is paused; nothing is deleted.
# [scopes.default]
# When events are collected, in UTC: minute, hour, day, month, weekday; or \"off\".
# collect = \"{COLLECT_DEFAULT}\"
# How long after its window's end an epoch is closed, so that what comes late still counts.
# grace_hours = {GRACE_HOURS_DEFAULT}
# close = true
# open_next = true
# Which window is the first, where the scope has no epoch yet: \"now\"; \"earliest-event\", which then opens one window
# after the other up to now, an epoch each with its own pool; or that of a date, such as \"2026-01-05\". No epoch takes
# what happened before it. Where nothing is said it is that of now, unless events are older: then none is opened before
# it is said.
# first_window = \"now\"
# Where its events come from, as many as there are. Paths are relative to this file.
# [[scopes.default.sources]]
# kind = \"git\"
# path = \"/srv/repos/project.git\"
# ref = \"HEAD\"
# name = \"code\"
# One event a line, as `meed import` reads them: a file, a folder, or a pattern.
# [[scopes.default.sources]]
# kind = \"file\"
# path = \"/srv/events/*.ndjson\"
{}",
        super::sources::commented_github()
    )
}

impl Wrong {
    /// The failure, with the line of the file.
    pub(super) fn into_failure(self, path: &Path, line: usize) -> Failure {
        Failure::usage(format!("{} line {line}: {}", path.display(), self.what), self.remedy)
    }
}
