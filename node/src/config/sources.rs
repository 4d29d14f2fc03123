//! Where the events of a scope come from: the sections `[[scopes.KEY.sources]]` of `meed.toml`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use meed_storage::KeyText;
use serde::{Deserialize, Serialize};

use super::scopes::Wrong;
use crate::clock::Clock;
use crate::sources::SourceError;
use crate::sources::files::EventFiles;
use crate::sources::git::GitPlace;
use crate::sources::github::{
    GithubPlace, IssueCredit, RepositoryName, Rules, TIMEOUT_SECONDS_DEFAULT, TOKEN_VARIABLE_DEFAULT, Take,
    TokenPlace, URL_DEFAULT,
};
use crate::sources::source::Source;

/// Longest name of a source, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// A source of a scope. A run records it as it is here, so that it goes on with the same after a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSettings {
    /// By what reports call it; unique in its scope.
    pub name: String,
    /// What kind of place, and where.
    pub place: SourcePlace,
}

/// A place that events come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SourcePlace {
    /// A local clone.
    Git {
        /// A folder in it.
        path: PathBuf,
        /// A branch, tag or commit.
        reference: String,
    },
    /// Files with one event a line.
    File {
        /// A file, a folder, or a folder and a pattern.
        path: PathBuf,
    },
    /// A repository of GitHub.
    Github {
        /// Which, and how it is read.
        place: Box<GithubPlace>,
    },
}

/// How a place is read.
#[derive(Debug)]
pub enum Reader {
    /// Window by window, each as a whole.
    Windows(Box<dyn Source>),
    /// Page by page, from where it was read last.
    Pages(Box<GithubPlace>),
}

impl SourcePlace {
    /// What reads it.
    pub fn reader(&self) -> Reader {
        match self.clone() {
            Self::Git { path, reference } => Reader::Windows(Box::new(GitPlace { path, reference })),
            Self::File { path } => Reader::Windows(Box::new(EventFiles { path })),
            Self::Github { place } => Reader::Pages(place),
        }
    }
}

impl Reader {
    /// Whether the place can be read now, and what is there in a few words.
    ///
    /// # Errors
    /// Why the place cannot be read.
    pub fn look(&self, clock: &dyn Clock) -> Result<String, SourceError> {
        match self {
            Self::Windows(source) => source.look(),
            Self::Pages(place) => place.look(clock),
        }
    }
}

/// A section of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceFile {
    kind: Kind,
    name: Option<String>,
    path: Option<PathBuf>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    repository: Option<String>,
    url: Option<String>,
    token_file: Option<PathBuf>,
    token_variable: Option<String>,
    take: Option<BTreeSet<Take>>,
    coauthors: Option<bool>,
    issue_credit: Option<IssueCredit>,
    timeout_seconds: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Git,
    File,
    Github,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Git => "git",
            Self::File => "file",
            Self::Github => "github",
        }
    }
}

impl SourceFile {
    /// The keys that were given, each with the kind that has it.
    fn given(&self) -> impl Iterator<Item = (&'static str, &'static [Kind])> {
        const LOCAL: &[Kind] = &[Kind::Git, Kind::File];
        const GITHUB: &[Kind] = &[Kind::Github];
        let keys = [
            ("path", self.path.is_some(), LOCAL),
            ("ref", self.reference.is_some(), &[Kind::Git]),
            ("repository", self.repository.is_some(), GITHUB),
            ("url", self.url.is_some(), GITHUB),
            ("token_file", self.token_file.is_some(), GITHUB),
            ("token_variable", self.token_variable.is_some(), GITHUB),
            ("take", self.take.is_some(), GITHUB),
            ("coauthors", self.coauthors.is_some(), GITHUB),
            ("issue_credit", self.issue_credit.is_some(), GITHUB),
            ("timeout_seconds", self.timeout_seconds.is_some(), GITHUB),
        ];
        keys.into_iter().filter(|(_, given, _)| *given).map(|(key, _, kinds)| (key, kinds))
    }
}

/// Checks a section. Paths are relative to `folder`.
pub(super) fn check_source(file: SourceFile, folder: &Path, at: usize) -> Result<SourceSettings, Wrong> {
    let kind = file.kind.name();
    if let Some((key, kinds)) = file.given().find(|(_, kinds)| !kinds.contains(&file.kind)) {
        let kinds: Vec<String> = kinds.iter().map(|kind| format!("{:?}", kind.name())).collect();
        let what = format!(
            "sources: expected `{key}` with kind = {} only, got it with {kind:?}",
            kinds.join(" or ")
        );
        return Err(Wrong { at, what, remedy: "leave it out, or correct `kind`" });
    }
    let missing = |key: &str| {
        let what = format!("sources: expected a `{key}` with kind = {kind:?}, got none");
        Wrong { at, what, remedy: "say where the events of this source come from" }
    };
    let (shown, place) = match file.kind {
        Kind::Github => {
            let name = file.repository.as_deref().ok_or_else(|| missing("repository"))?;
            (name.to_owned(), SourcePlace::Github { place: Box::new(github_place(&file, name, folder, at)?) })
        }
        Kind::Git | Kind::File => {
            let path = file.path.as_deref().ok_or_else(|| missing("path"))?;
            let reference = || file.reference.clone().unwrap_or_else(|| "HEAD".to_owned());
            let full = folder.join(path);
            let place = match file.kind {
                Kind::Git => SourcePlace::Git { path: full, reference: reference() },
                _ => SourcePlace::File { path: full },
            };
            (path.display().to_string(), place)
        }
    };
    let name = file.name.unwrap_or_else(|| format!("{kind}:{shown}"));
    check_name(&name, at)?;
    Ok(SourceSettings { name, place })
}

fn check_name(name: &str, at: usize) -> Result<(), Wrong> {
    let is_name = !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && name.parse::<KeyText>().is_ok()
        && !name.chars().any(|character| character.is_control() || meed_audit::text::is_deceptive(character));
    if is_name {
        return Ok(());
    }
    let what = format!("sources: expected a name of 1 to {NAME_BYTES_MAX} bytes of plain text, got another");
    Err(Wrong { at, what, remedy: "give the source a short `name`" })
}

fn github_place(file: &SourceFile, name: &str, folder: &Path, at: usize) -> Result<GithubPlace, Wrong> {
    let wrong = |what: String, remedy| Wrong { at, what, remedy };
    let repository: RepositoryName = name.parse().map_err(|rejection: meed_audit::Rejection| {
        wrong(format!("sources: {rejection}"), "write the name of the repository as GitHub shows it")
    })?;
    let token = match (&file.token_file, &file.token_variable) {
        (Some(_), Some(_)) => {
            let what = "sources: expected `token_file` or `token_variable`, got both".to_owned();
            return Err(wrong(what, "leave one of them out"));
        }
        (Some(path), None) => TokenPlace::File(folder.join(path)),
        (None, Some(name)) => TokenPlace::Variable(name.clone()),
        (None, None) => TokenPlace::default(),
    };
    let usual = Rules::default();
    let rules = Rules {
        take: file.take.clone().unwrap_or(usual.take),
        coauthors: file.coauthors.unwrap_or(usual.coauthors),
        issue_credit: file.issue_credit.unwrap_or(usual.issue_credit),
    };
    if rules.take.is_empty() {
        let what = "sources: expected something in `take`, got an empty list".to_owned();
        return Err(wrong(what, "name what is taken, or leave the source out"));
    }
    Ok(GithubPlace {
        token,
        rules,
        url: file.url.clone().unwrap_or_else(|| URL_DEFAULT.to_owned()),
        timeout_seconds: file.timeout_seconds.unwrap_or(TIMEOUT_SECONDS_DEFAULT),
        ..GithubPlace::new(repository)
    })
}

/// The part of the file that `init` writes about GitHub.
pub(super) fn commented_github() -> String {
    let kinds =
        |names: Vec<&str>| names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let all = kinds(Take::ALL.iter().map(|kind| kind.name()).collect());
    let credits = IssueCredit::ALL.map(IssueCredit::name).join(", ");
    let usual = Rules::default();
    let take = kinds(usual.take.iter().map(|kind| kind.name()).collect());
    format!(
        "\
# A repository of GitHub, over its API. The token is read whenever events are collected, from a file for its owner
# alone or from an environment variable of the node; it is never written down. Of {all}
# what is named in `take` is taken; co-authors of trailers share a merged pull request; a closed issue is credited to
# one of {credits}.
# [[scopes.default.sources]]
# kind = \"github\"
# repository = \"octocat/hello-world\"
# url = \"{URL_DEFAULT}\"
# token_variable = \"{TOKEN_VARIABLE_DEFAULT}\"
# take = [{take}]
# coauthors = {}
# issue_credit = \"{}\"
# timeout_seconds = {TIMEOUT_SECONDS_DEFAULT}
",
        usual.coauthors,
        usual.issue_credit.name()
    )
}
