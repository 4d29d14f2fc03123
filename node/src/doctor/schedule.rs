//! What the settings let a node collect by itself.

use super::Finding;
use crate::config::{Settings, SourceSettings};
use crate::failure::Failure;

/// Looks at every source of every scope.
pub(super) fn look(settings: &Settings) -> Vec<Finding> {
    if settings.scopes.is_empty() {
        let found =
            "no scope has a section in meed.toml: the node collects, closes and opens nothing by itself";
        return vec![Finding::well("sources", found)];
    }
    let sources = settings.scopes.iter().flat_map(|(scope, settings)| {
        settings.sources.iter().map(move |source| look_at(&scope.to_string(), source))
    });
    sources.collect()
}

fn look_at(scope: &str, source: &SourceSettings) -> Finding {
    let name = format!("{scope}: {}", source.name);
    match source.place.source().look() {
        Ok(found) => Finding::well("source", format!("{name}: {found}")),
        Err(error) => Finding::of("source", &Failure::from(error).within(name)),
    }
}
