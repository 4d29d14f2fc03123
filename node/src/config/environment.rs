//! Settings from the environment: each setting of the file as `MEED_<NAME>`, above the file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::SettingsFile;
use crate::failure::Failure;

/// Variables of this program that are no settings.
const OTHER_VARIABLES: [&str; 4] = ["MEED_DATA", "MEED_CI", "MEED_NODE", "MEED_TOKEN"];

/// What the environment gives stands above the file.
pub(super) fn over(file: SettingsFile, environment: SettingsFile) -> SettingsFile {
    SettingsFile {
        node_id: environment.node_id.or(file.node_id),
        origin: environment.origin.or(file.origin),
        actor: environment.actor.or(file.actor),
        sign_by_days: environment.sign_by_days.or(file.sign_by_days),
        cache_mib: environment.cache_mib.or(file.cache_mib),
        bots: environment.bots.or(file.bots),
        scopes: file.scopes,
        listen: environment.listen.or(file.listen),
        public_url: environment.public_url.or(file.public_url),
        tls_certificate: environment.tls_certificate.or(file.tls_certificate),
        tls_key: environment.tls_key.or(file.tls_key),
        github_webhook_secret_file: environment
            .github_webhook_secret_file
            .or(file.github_webhook_secret_file),
        log_format: environment.log_format.or(file.log_format),
        requests_per_second: environment.requests_per_second.or(file.requests_per_second),
        requests_at_work_max: environment.requests_at_work_max.or(file.requests_at_work_max),
        connections_max: environment.connections_max.or(file.connections_max),
        connections_per_client_max: environment
            .connections_per_client_max
            .or(file.connections_per_client_max),
        head_timeout_seconds: environment.head_timeout_seconds.or(file.head_timeout_seconds),
        request_timeout_seconds: environment.request_timeout_seconds.or(file.request_timeout_seconds),
        proxies: environment.proxies.or(file.proxies),
    }
}

pub(super) fn read_environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<SettingsFile, Failure> {
    let mut given = BTreeMap::new();
    for (name, value) in variables {
        let Some(name) = name.to_str() else { continue };
        let is_setting = name.starts_with("MEED_") && !OTHER_VARIABLES.contains(&name);
        if (is_setting || name == "NODE_ID") && !value.is_empty() {
            let value = value.into_string().map_err(|_| bad_variable(name, "UTF-8", "other bytes"))?;
            given.insert(name.to_owned(), value);
        }
    }
    let mut take = |name: &str| given.remove(name);
    let list = |text: String| text.split(',').map(|item| item.trim().to_owned()).collect::<Vec<_>>();
    let file = SettingsFile {
        node_id: take("NODE_ID"),
        origin: take("MEED_ORIGIN"),
        actor: take("MEED_ACTOR"),
        sign_by_days: take_number(&mut take, "MEED_SIGN_BY_DAYS")?,
        cache_mib: take_number(&mut take, "MEED_CACHE_MIB")?,
        bots: take("MEED_BOTS").map(list),
        scopes: BTreeMap::new(),
        listen: take("MEED_LISTEN"),
        public_url: take("MEED_PUBLIC_URL"),
        tls_certificate: take("MEED_TLS_CERTIFICATE").map(PathBuf::from),
        tls_key: take("MEED_TLS_KEY").map(PathBuf::from),
        github_webhook_secret_file: take("MEED_GITHUB_WEBHOOK_SECRET_FILE").map(PathBuf::from),
        log_format: take("MEED_LOG_FORMAT"),
        requests_per_second: take_number(&mut take, "MEED_REQUESTS_PER_SECOND")?,
        requests_at_work_max: take_number(&mut take, "MEED_REQUESTS_AT_WORK_MAX")?,
        connections_max: take_number(&mut take, "MEED_CONNECTIONS_MAX")?,
        connections_per_client_max: take_number(&mut take, "MEED_CONNECTIONS_PER_CLIENT_MAX")?,
        head_timeout_seconds: take_number(&mut take, "MEED_HEAD_TIMEOUT_SECONDS")?,
        request_timeout_seconds: take_number(&mut take, "MEED_REQUEST_TIMEOUT_SECONDS")?,
        proxies: take("MEED_PROXIES").map(list),
    };
    let node_id = take("MEED_NODE_ID");
    match given.keys().next() {
        None => Ok(SettingsFile { node_id: file.node_id.or(node_id), ..file }),
        Some(name) => Err(bad_variable(name, "a name that is a setting", name)),
    }
}

fn take_number<T: std::str::FromStr>(
    take: &mut impl FnMut(&str) -> Option<String>,
    name: &str,
) -> Result<Option<T>, Failure> {
    let Some(text) = take(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| bad_variable(name, "a whole number", &text))
}

fn bad_variable(name: &str, expected: &str, got: &str) -> Failure {
    let what = format!("environment variable {name}: expected {expected}, got {got}");
    Failure::usage(what, "correct the variable or unset it; the settings are those in meed.toml")
}
