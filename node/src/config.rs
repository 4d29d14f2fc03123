//! The data folder: where its files are, and its settings from `meed.toml` and the environment.
//!
//! Every setting of `meed.toml` can also be given as `MEED_<NAME>`, which stands above the file; unknown names are
//! errors in both places, since a misspelt setting must not be a setting that silently does nothing. What the node
//! does for each scope by itself stands in the file alone.

mod commented;
mod environment;
mod folder;
mod scopes;
mod sources;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use meed_audit::Rejection;
use meed_audit::ids::{NodeId, Origin, ScopeKey};
use meed_audit::json::refuse_content;
use meed_audit::sign_in::Site;
use meed_audit::text::FreeText;
use meed_storage::SIGN_BY_DAYS_DEFAULT;
use serde::Deserialize;

use crate::failure::Failure;
use crate::files;
use crate::serve::LogFormat;
use crate::sources::git::{BotList, BotPattern};

pub use commented::commented;
pub use folder::DataFolder;
pub use scopes::{COLLECT_DEFAULT, GRACE_HOURS_DEFAULT, ScopeSettings};
pub use sources::{Reader, SourcePlace, SourceSettings};

/// Longest settings file, in bytes.
const SETTINGS_BYTES_MAX: usize = 65_536;
/// Memory for pages of the ledger where nothing else is said, in MiB.
pub const CACHE_MIB_DEFAULT: usize = 64;
const LISTEN_DEFAULT: &str = "127.0.0.1:8080";
const REQUESTS_PER_SECOND_DEFAULT: u32 = 50;
const REQUESTS_AT_WORK_DEFAULT: usize = 256;
const CONNECTIONS_DEFAULT: usize = 1_024;
const CONNECTIONS_PER_CLIENT_DEFAULT: usize = 64;
const HEAD_TIMEOUT_SECONDS_DEFAULT: u64 = 20;
const REQUEST_TIMEOUT_SECONDS_DEFAULT: u64 = 60;

/// The settings of a node.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The id that the ledger must have.
    pub node_id: Option<NodeId>,
    /// The origin that the ledger must have.
    pub origin: Option<Origin>,
    /// Who decides, where the command line does not say.
    pub actor: FreeText,
    /// How long signatures are taken after a freeze, in days.
    pub sign_by_days: u32,
    /// Memory for pages of the ledger, in MiB.
    pub cache_mib: usize,
    /// Authors who are programs.
    pub bots: BotList,
    /// What the node does for each scope by itself.
    pub scopes: BTreeMap<ScopeKey, ScopeSettings>,
    /// Where the node listens.
    pub listen: SocketAddr,
    /// Where people reach the node, where a proxy or a name stands between.
    pub public_url: Option<Site>,
    /// The certificate chain for the port, as a PEM file.
    pub tls_certificate: Option<PathBuf>,
    /// The certificate's key, as a PEM file.
    pub tls_key: Option<PathBuf>,
    /// The secret by which deliveries of GitHub are checked, as a file.
    pub github_webhook_secret_file: Option<PathBuf>,
    /// How the node writes about its work.
    pub log_format: LogFormat,
    /// Requests that one client may send a second, on average; 0 for no limit.
    pub requests_per_second: u32,
    /// Requests that are worked on at a time.
    pub requests_at_work_max: usize,
    /// Open connections at a time.
    pub connections_max: usize,
    /// Open connections of one client at a time.
    pub connections_per_client_max: usize,
    /// How long a client may take for the head of a request, and stay silent between two of them.
    pub head_timeout: Duration,
    /// How long one request may take, its body and its answer's making included.
    pub request_timeout: Duration,
    /// Addresses of proxies whose `X-Forwarded-For` is believed.
    pub proxies: Vec<IpAddr>,
}

/// The file, and the environment brought into its form.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    node_id: Option<String>,
    origin: Option<String>,
    actor: Option<String>,
    sign_by_days: Option<u32>,
    cache_mib: Option<usize>,
    bots: Option<Vec<String>>,
    #[serde(default)]
    scopes: BTreeMap<String, toml::Spanned<scopes::ScopeFile>>,
    listen: Option<String>,
    public_url: Option<String>,
    tls_certificate: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    github_webhook_secret_file: Option<PathBuf>,
    log_format: Option<String>,
    requests_per_second: Option<u32>,
    requests_at_work_max: Option<usize>,
    connections_max: Option<usize>,
    connections_per_client_max: Option<usize>,
    head_timeout_seconds: Option<u64>,
    request_timeout_seconds: Option<u64>,
    proxies: Option<Vec<String>>,
}

impl Settings {
    /// Whether browsers reach the node over TLS, its own or that of a proxy before it.
    pub fn is_encrypted(&self) -> bool {
        match &self.public_url {
            Some(url) => url.is_encrypted(),
            None => self.tls_certificate.is_some(),
        }
    }

    /// Reads the settings of a folder; where it has no file, those of the environment and the defaults.
    ///
    /// # Errors
    /// `usage`, naming the setting that is unknown or malformed.
    pub fn read(folder: &DataFolder) -> Result<Self, Failure> {
        let path = folder.settings();
        let text = match std::fs::symlink_metadata(&path) {
            Ok(_) => files::read_text(&path, SETTINGS_BYTES_MAX)?,
            Err(_) => String::new(),
        };
        Self::parse(&text, &path, std::env::vars_os())
    }

    /// Reads settings from the text of a file and from variables.
    ///
    /// # Errors
    /// As [`Settings::read`].
    pub fn parse(
        text: &str,
        path: &Path,
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self, Failure> {
        let file: SettingsFile = toml::from_str(text).map_err(|error| {
            let place = error.span().map_or(1, |span| line_of(text, span.start));
            let Rejection { expected, got, .. } = refuse_content("", "settings, each once", error.message());
            let what = format!("{} line {place}: expected {expected}, got {got}", path.display());
            Failure::usage(what, "correct the settings file; `meed init` writes one with every setting in it")
        })?;
        let mut file = environment::over(file, environment::read_environment(variables)?);
        let sections = std::mem::take(&mut file.scopes);
        let scopes = scopes::check(sections, files::folder_of(path)).map_err(|wrong| {
            let line = line_of(text, wrong.at);
            wrong.into_failure(path, line)
        })?;
        Ok(Self { scopes, ..Self::check(file)? })
    }

    fn check(file: SettingsFile) -> Result<Self, Failure> {
        let wrong = |name: &'static str| {
            move |rejection: Rejection| Failure::from(rejection).within(format!("setting {name}")).as_usage()
        };
        let mut patterns = Vec::new();
        for text in file.bots.iter().flatten() {
            patterns.push(text.parse::<BotPattern>().map_err(wrong("bots"))?);
        }
        let actor = file.actor.as_deref().unwrap_or("operator");
        Ok(Self {
            node_id: file.node_id.as_deref().map(str::parse).transpose().map_err(wrong("node_id"))?,
            origin: file.origin.as_deref().map(str::parse).transpose().map_err(wrong("origin"))?,
            actor: FreeText::parse("actor", actor).map_err(wrong("actor"))?,
            sign_by_days: file.sign_by_days.unwrap_or(SIGN_BY_DAYS_DEFAULT),
            cache_mib: file.cache_mib.unwrap_or(CACHE_MIB_DEFAULT),
            bots: if file.bots.is_some() { BotList::new(patterns) } else { BotList::default() },
            scopes: BTreeMap::new(),
            listen: parse_setting("listen", file.listen.as_deref().unwrap_or(LISTEN_DEFAULT))?,
            public_url: file.public_url.map(|text| parse_setting("public_url", &text)).transpose()?,
            tls_certificate: file.tls_certificate,
            tls_key: file.tls_key,
            github_webhook_secret_file: file.github_webhook_secret_file,
            log_format: file.log_format.as_deref().map_or(Ok(LogFormat::Text), str::parse)?,
            requests_per_second: file.requests_per_second.unwrap_or(REQUESTS_PER_SECOND_DEFAULT),
            requests_at_work_max: at_least_one(
                "requests_at_work_max",
                file.requests_at_work_max,
                REQUESTS_AT_WORK_DEFAULT,
            )?,
            connections_max: at_least_one("connections_max", file.connections_max, CONNECTIONS_DEFAULT)?,
            connections_per_client_max: at_least_one(
                "connections_per_client_max",
                file.connections_per_client_max,
                CONNECTIONS_PER_CLIENT_DEFAULT,
            )?,
            head_timeout: seconds(
                "head_timeout_seconds",
                file.head_timeout_seconds,
                HEAD_TIMEOUT_SECONDS_DEFAULT,
            )?,
            request_timeout: seconds(
                "request_timeout_seconds",
                file.request_timeout_seconds,
                REQUEST_TIMEOUT_SECONDS_DEFAULT,
            )?,
            proxies: file
                .proxies
                .unwrap_or_default()
                .iter()
                .map(|text| parse_setting("proxies", text))
                .collect::<Result<_, _>>()?,
        })
    }
}

fn seconds(name: &str, given: Option<u64>, default: u64) -> Result<Duration, Failure> {
    at_least_one(name, given, default).map(Duration::from_secs)
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

/// A limit with which the node can still answer.
fn at_least_one<T: From<u8> + PartialEq>(name: &str, given: Option<T>, default: T) -> Result<T, Failure> {
    match given {
        Some(given) if given == T::from(0) => {
            let what =
                format!("setting {name}: expected 1 or more, got 0, with which nobody would be answered");
            Err(Failure::usage(what, "correct the setting or leave it out"))
        }
        given => Ok(given.unwrap_or(default)),
    }
}

fn parse_setting<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, Failure> {
    text.parse().map_err(|_| {
        let what = format!("setting {name}: expected {}, got {text:?}", shape_of(name));
        Failure::usage(what, "correct the setting or leave it out")
    })
}

fn shape_of(name: &str) -> &'static str {
    match name {
        "listen" => "an address and a port such as 127.0.0.1:8080",
        "public_url" => "a scheme and a host in lower case such as https://ledger.example.org",
        _ => "an IP address",
    }
}

#[cfg(test)]
mod tests {
    use meed_storage::ScheduleTerms;

    use super::*;
    use crate::sources::github::GithubPlace;

    fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Settings, Failure> {
        let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Settings::parse(text, Path::new("meed.toml"), variables)
    }

    #[test]
    fn the_file_that_init_writes_is_read_and_its_comments_are_the_defaults() {
        let node_id = "4ff8eac1-4eba-4ed0-931b-b1fe4f64713d".parse().expect("id");
        let origin = "ledger.example.org".parse().expect("origin");
        let text = commented(&node_id, &origin);
        let written = parse(&text, &[]).expect("read");
        assert_eq!((written.node_id, &written.origin), (Some(node_id), &Some(origin)));
        let uncommented: String = text
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.contains(" = ") || rest.starts_with([' ', '[', ']']) => {
                    format!("{rest}\n")
                }
                _ => format!("{line}\n"),
            })
            .collect();
        let spelled_out = parse(&uncommented, &[]).expect(&uncommented);
        assert_eq!(spelled_out.actor, written.actor);
        assert_eq!(spelled_out.sign_by_days, written.sign_by_days);
        assert_eq!(spelled_out.cache_mib, written.cache_mib);
        assert_eq!(spelled_out.head_timeout, written.head_timeout);
        assert_eq!(spelled_out.request_timeout, written.request_timeout);
        assert_eq!(spelled_out.bots.to_string(), BotList::default().to_string());
        assert!(written.scopes.is_empty());
        let scope = &spelled_out.scopes[&"default".parse::<ScopeKey>().expect("key")];
        let least = parse("[scopes.default]\n", &[]).expect("read").scopes;
        let least = &least[&"default".parse::<ScopeKey>().expect("key")];
        assert_eq!(ScheduleTerms { sources: Vec::new(), ..scope.terms() }, least.terms());
        assert_eq!(
            scope.terms().sources,
            ["code", "file:/srv/events/*.ndjson", "github:octocat/hello-world"]
        );
        let SourcePlace::Github { place } = &scope.sources[2].place else { panic!("{:?}", scope.sources) };
        assert_eq!(**place, GithubPlace::new("octocat/hello-world".parse().expect("name")), "the defaults");
        let reference = "HEAD".to_owned();
        let git = SourcePlace::Git { path: PathBuf::from("/srv/repos/project.git"), reference };
        assert_eq!(scope.sources[0].place, git);
    }

    #[test]
    fn sections_of_scopes_are_as_strict_and_name_the_line() {
        let source = "[[scopes.a.sources]]\nkind = \"git\"\npath = \"x\"\n";
        let github = "[[scopes.a.sources]]\nkind = \"github\"\nrepository = \"o/n\"\n";
        for (text, line, what) in [
            ("[scopes.A]\n".to_owned(), 1, "scope_key"),
            ("[scopes.a]\ncolect = \"off\"\n".to_owned(), 2, "colect"),
            ("\n[scopes.a]\nclose = false\ncollect = \"daily\"\n".to_owned(), 4, "cron"),
            ("[scopes.a]\ncollect = \"0 0 3 * * *\"\n".to_owned(), 2, "cron"),
            ("[scopes.a]\ngrace_hours = 9000\n".to_owned(), 2, "grace_hours"),
            ("[scopes.a]\ngrace_hours = -1\n".to_owned(), 2, "-1"),
            (format!("{source}branch = \"main\"\n"), 4, "branch"),
            (format!("{source}{source}"), 4, "twice"),
            (format!("{source}name = \"\"\n"), 1, "name"),
            (format!("{github}url = \"x\"\nref = \"main\"\n"), 1, "`ref`"),
            (format!("{github}path = \"x\"\n"), 1, "`path`"),
            (format!("{source}token_file = \"x\"\n"), 1, "`token_file`"),
            (format!("{github}token_file = \"x\"\ntoken_variable = \"y\"\n"), 1, "both"),
            (format!("{github}take = []\n"), 1, "empty list"),
            (format!("{github}take = [\"stars\"]\n"), 4, "stars"),
            (format!("{github}issue_credit = \"everybody\"\n"), 4, "everybody"),
            (format!("{github}token = \"secret\"\n"), 4, "unknown"),
            (github.replace("o/n", "o"), 1, "OWNER/NAME"),
            ("[[scopes.a.sources]]\nkind = \"github\"\n".to_owned(), 1, "`repository`"),
            ("[[scopes.a.sources]]\nkind = \"svn\"\npath = \"x\"\n".to_owned(), 2, "svn"),
            ("[[scopes.a.sources]]\nkind = \"git\"\n".to_owned(), 1, "path"),
            ("[[scopes.a.sources]]\nkind = \"file\"\npath = \"x\"\nref = \"main\"\n".to_owned(), 1, "ref"),
        ] {
            let refusal = parse(&text, &[]).expect_err(&text).problem;
            assert!(refusal.detail.contains(&format!("line {line}: ")), "{text}{}", refusal.detail);
            assert!(refusal.detail.contains(what) && !refusal.remedy.is_empty(), "{text}{}", refusal.detail);
        }
        let settings =
            Settings::parse(source, Path::new("/data/meed.toml"), std::iter::empty()).expect("read");
        let scope = &settings.scopes[&"a".parse::<ScopeKey>().expect("key")];
        let reference = "HEAD".to_owned();
        assert_eq!(scope.sources[0].place, SourcePlace::Git { path: PathBuf::from("/data/x"), reference });
    }

    #[test]
    fn unknown_names_are_errors_in_both_places() {
        let refusal = parse("\nsign_by = 3\n", &[]).expect_err("unknown");
        assert!(refusal.problem.detail.contains("line 2"), "{}", refusal.problem.detail);
        assert!(refusal.problem.detail.contains("sign_by"), "{}", refusal.problem.detail);
        let refusal = parse("", &[("MEED_SIGN_BY", "3")]).expect_err("unknown");
        assert!(refusal.problem.detail.contains("MEED_SIGN_BY"), "{}", refusal.problem.detail);
        parse("", &[("MEED_DATA", "x"), ("PATH", "y")]).expect("no settings");
    }

    #[test]
    fn the_environment_stands_above_the_file() {
        let text = "actor = \"file\"\nsign_by_days = 7\n";
        let settings =
            parse(text, &[("MEED_ACTOR", "carol"), ("MEED_BOTS", "name:a*, email:b@*")]).expect("read");
        assert_eq!(settings.actor.to_string(), "carol");
        assert_eq!(settings.sign_by_days, 7);
        assert_eq!(settings.bots.to_string().lines().count(), 2);
        assert!(parse("", &[("MEED_CACHE_MIB", "much")]).is_err());
        for limit in ["requests_at_work_max", "connections_max", "connections_per_client_max"] {
            let refusal = parse(&format!("{limit} = 0\n"), &[]).expect_err("nobody would be answered");
            assert!(refusal.problem.detail.contains(limit), "{}", refusal.problem.detail);
        }
        assert!(parse("", &[("NODE_ID", "not a uuid")]).is_err());
        let id = "4ff8eac1-4eba-4ed0-931b-b1fe4f64713d";
        let settings = parse("", &[("NODE_ID", id)]).expect("read");
        assert_eq!(settings.node_id.map(|id| id.to_string()).as_deref(), Some(id));
    }
}
