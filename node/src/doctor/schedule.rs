//! What the settings let a node collect by itself, and other sources that somebody wants to try.

use meed_audit::Rejection;

use super::Finding;
use crate::cli::args::GithubApiArgs;
use crate::clock::SystemClock;
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

/// Looks at a source that somebody names, whether it is in the settings or not.
pub(super) fn look_at_one(source: &str, api: &GithubApiArgs) -> Result<Finding, Failure> {
    let Some(name) = source.strip_prefix("github:") else {
        let what = format!("--source: expected github:OWNER/REPO, got {source}");
        let remedy = "name a repository of GitHub; sources of other kinds are looked at without --source, where they are \
                      in the settings";
        return Err(Failure::usage(what, remedy));
    };
    let repository =
        name.parse().map_err(|refusal: Rejection| Failure::from(refusal).within("--source").as_usage())?;
    let place = api.place(repository)?;
    Ok(match place.look(&SystemClock) {
        Ok(found) => Finding::well("source", found),
        Err(error) => Finding::of("source", &Failure::from(error)),
    })
}

fn look_at(scope: &str, source: &SourceSettings) -> Finding {
    let name = format!("{scope}: {}", source.name);
    match source.place.reader().look(&SystemClock) {
        Ok(found) => Finding::well("source", format!("{name}: {found}")),
        Err(error) => Finding::of("source", &Failure::from(error).within(name)),
    }
}
