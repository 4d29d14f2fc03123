//! Where the node listens, whether what is sent there is encrypted, and whether people can sign in there.

use std::net::SocketAddr;

use super::Finding;
use crate::config::Settings;
use crate::serve::check_certificate;

/// Looks at the port and its certificate: of the node that runs at `listens_at`, else as the settings say.
pub(super) fn look(settings: &Settings, listens_at: Option<&str>) -> Vec<Finding> {
    let (encrypted, listen) = match (listens_at.and_then(read), check_certificate(settings)) {
        (_, Err(failure)) => return vec![Finding::of("port", &failure)],
        (Some(running), Ok(_)) => running,
        (None, Ok(encrypted)) => (encrypted, settings.listen),
    };
    let mut findings = vec![port(settings, encrypted, listen)];
    if listens_at.is_some() && listen != settings.listen {
        let found = format!("the node that runs listens on {listen}, meed.toml says {}", settings.listen);
        findings.push(Finding::well("setting `listen`", found));
    }
    findings.extend(public_url(settings, listen));
    findings
}

/// The address of a node that runs, and whether it is encrypted.
fn read(listens_at: &str) -> Option<(bool, SocketAddr)> {
    let (scheme, address) = listens_at.split_once("://")?;
    Some((scheme == "https", address.parse().ok()?))
}

fn port(settings: &Settings, encrypted: bool, listen: SocketAddr) -> Finding {
    match (encrypted, listen.ip().is_loopback()) {
        (true, _) => Finding::well("port", format!("https on {listen}")),
        (false, true) => Finding::well("port", format!("http on {listen}, for this machine alone")),
        (false, false) if !settings.proxies.is_empty() => {
            Finding::well("port", format!("http on {listen}, behind a proxy"))
        }
        (false, false) => Finding::warning(
            "port",
            format!("http on {listen}: whoever is on the way can read tokens and change pages"),
            "set tls_certificate and tls_key, or listen on loopback behind a proxy that has them",
        ),
    }
}

/// The texts with which people sign in name the address of the node, which it has to be told where others reach it.
fn public_url(settings: &Settings, listen: SocketAddr) -> Option<Finding> {
    let is_reached = !listen.ip().is_loopback() || !settings.proxies.is_empty();
    match &settings.public_url {
        Some(site) => Some(Finding::well("public_url", site.to_string())),
        None if is_reached => Some(Finding::warning(
            "public_url",
            "none: nobody can sign in from elsewhere with a key or a wallet",
            "set `public_url` in meed.toml to the address at which people reach the node",
        )),
        None => None,
    }
}
