//! A node that runs: on this machine behind its Unix socket, or elsewhere behind an address and a token.

use std::path::Path;
use std::time::Duration;

use axum::http::{StatusCode, header};
use meed_audit::text::FreeText;
use reqwest::{Certificate, Url};

use super::{Message, segment};
use crate::api::authority::ACTOR_HEADER;
use crate::failure::{Failure, with_sources};

/// How long a node elsewhere may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The way to a node.
pub struct Remote {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    actor: Option<FreeText>,
}

impl Remote {
    /// The node whose socket this is, in the name of `actor`, or of its own setting.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub fn on_socket(path: &Path, actor: Option<FreeText>) -> Result<Self, Failure> {
        let http = http_client(reqwest::Client::builder().unix_socket(path))?;
        Ok(Self { http, base: "http://localhost".to_owned(), token: None, actor })
    }

    /// Whether its requests carry a token.
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// The node at an address, with a token for what is not open to everybody.
    ///
    /// # Errors
    /// `usage` for what is no address; a token is sent only over an encrypted connection or to this machine.
    pub fn at(address: &str, token: Option<String>, roots: &[Certificate]) -> Result<Self, Failure> {
        let expected = |what: &str| {
            let what = format!("--node: expected {what}, got {address}");
            Failure::usage(what, "give the node's address, such as https://ledger.example.org")
        };
        let url = Url::parse(address).map_err(|_| expected("an address"))?;
        let is_local = is_this_machine(&url);
        match url.scheme() {
            "https" => {}
            "http" if is_local || token.is_none() => {}
            "http" => return Err(expected("https, since a token goes along")),
            _ => return Err(expected("http or https")),
        }
        let mut builder = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT);
        for root in roots {
            builder = builder.add_root_certificate(root.clone());
        }
        let base = address.trim_end_matches('/').to_owned();
        Ok(Self { http: http_client(builder)?, base, token, actor: None })
    }

    pub(super) async fn ask(&self, message: &Message<'_>) -> Result<(StatusCode, Vec<u8>), Failure> {
        let url = format!("{}/api/v1{}", self.base, message.path);
        let mut request = self.http.request(message.method.clone(), url);
        request = request.header(header::ACCEPT, message.accept);
        if let Some(media_type) = message.media_type {
            request = request.header(header::CONTENT_TYPE, media_type).body(message.body.clone());
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(actor) = &self.actor {
            request = request.header(ACTOR_HEADER, segment(actor.as_str()));
        }
        let failed = |error: reqwest::Error| {
            let why = with_sources(&error);
            let remedy = match why.contains("certificate") {
                true => "give the certificate that vouches for the node with --node-root, if you trust it",
                false => "check the address, the network and that the node runs",
            };
            Failure::refused(
                "node_unreachable",
                format!("the node at {} did not answer: {why}", self.base),
                remedy,
            )
        };
        let response = request.send().await.map_err(failed)?;
        let status = response.status();
        Ok((status, response.bytes().await.map_err(failed)?.to_vec()))
    }
}

/// Whether an address is one of this machine, which what is sent there does not leave.
pub(crate) fn is_this_machine(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        host == "localhost"
            || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    })
}

/// A client with the TLS of this program, which follows no redirects: a token goes where it was meant to go.
///
/// # Errors
/// When the client cannot be made.
pub(crate) fn http_client(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, Failure> {
    // The tree has one provider of cryptography for TLS; whoever comes first installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = builder.redirect(reqwest::redirect::Policy::none());
    let agent = concat!("meed/", env!("CARGO_PKG_VERSION"));
    builder
        .user_agent(agent)
        .build()
        .map_err(|error| Failure::internal(format!("starting the client: {}", with_sources(&error))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_never_goes_over_an_open_line() {
        let token = || Some("meed_00".to_owned());
        let refused = |address: &str| Remote::at(address, token(), &[]).err().expect(address).problem.detail;
        assert!(refused("http://ledger.example.org").contains("https"));
        assert!(refused("ledger.example.org").contains("an address"));
        assert!(refused("ftp://ledger.example.org").contains("http or https"));
        for address in
            ["https://ledger.example.org", "http://127.0.0.1:8080", "http://[::1]:1", "http://localhost"]
        {
            assert!(Remote::at(address, token(), &[]).is_ok(), "{address}");
        }
        assert!(Remote::at("http://ledger.example.org", None, &[]).is_ok());
    }
}
