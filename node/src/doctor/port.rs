//! Where the node listens, and whether what is sent there is encrypted.

use super::Finding;
use crate::config::Settings;
use crate::serve::check_certificate;

/// Looks at the port and its certificate.
pub(super) fn look(settings: &Settings) -> Vec<Finding> {
    let encrypted = match check_certificate(settings) {
        Err(failure) => return vec![Finding::of("port", &failure)],
        Ok(encrypted) => encrypted,
    };
    let listen = settings.listen;
    vec![match (encrypted, listen.ip().is_loopback()) {
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
    }]
}
