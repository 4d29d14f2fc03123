//! At which address a request reached the node, as far as a signature may rest on it.

use axum::http::{HeaderMap, header};
use meed_audit::sign_in::Site;
use meed_audit::{Checked, Rejection, RejectionCode};

use crate::config::Settings;

/// The site that people are asked to sign in at: that of the setting `public_url`. Without one it is the host of the
/// request, where that is the machine itself: the header says whatever its sender wants, and a signature that another
/// site asked for in its own name must not open this one.
///
/// # Errors
/// `domain_unknown` where there is no such setting and the host is another.
pub(crate) fn site_of(settings: &Settings, headers: &HeaderMap) -> Checked<Site> {
    if let Some(site) = &settings.public_url {
        return Ok(site.clone());
    }
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let site = Site::of_host(settings.is_encrypted(), host).filter(Site::is_loopback);
    site.ok_or_else(|| {
        let expected = "the setting `public_url`, or a request to localhost";
        Rejection::new(RejectionCode::DomainUnknown, "domain", expected, host)
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_host_that_anybody_can_claim_is_no_site() {
        let settings =
            |text: &str| Settings::parse(text, Path::new("meed.toml"), std::iter::empty()).expect("settings");
        let at = |settings: &Settings, host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().expect("a value"));
            site_of(settings, &headers).map(|site| site.to_string()).map_err(|rejection| rejection.code)
        };
        let (plain, tls) = (settings(""), settings("tls_certificate = \"a\"\ntls_key = \"b\"\n"));
        assert_eq!(at(&plain, "localhost:8080"), Ok("http://localhost:8080".to_owned()));
        assert_eq!(at(&tls, "127.0.0.1"), Ok("https://127.0.0.1".to_owned()));
        for host in ["example.org", "localhost.example.org", "192.0.2.7", "", "a b"] {
            assert_eq!(at(&plain, host), Err(RejectionCode::DomainUnknown), "{host}");
        }
        let named = settings("public_url = \"https://ledger.example.org\"\n");
        for host in ["example.org", "localhost", "ledger.example.org"] {
            assert_eq!(at(&named, host), Ok("https://ledger.example.org".to_owned()));
        }
        assert_eq!(site_of(&plain, &HeaderMap::new()).map_err(|r| r.code), Err(RejectionCode::DomainUnknown));
    }
}
