//! The command line's way to the service: requests to the router in this process where no node runs, through the
//! node's Unix socket where one does, or to a node elsewhere. One code path behind all three.

mod remote;

use std::fmt::Write as _;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use meed_audit::text::FreeText;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use crate::api::documents::Page;
use crate::api::parameters::PART_MAX;
use crate::api::problems::Problem;
use crate::api::{self, Face};
use crate::failure::Failure;
use crate::service::Service;

pub use remote::Remote;
pub(crate) use remote::{http_client, is_this_machine};

/// Sends requests, and waits for their answers.
pub struct Client {
    runtime: Runtime,
    way: Way,
}

/// How requests reach a router.
enum Way {
    /// In this process, for the owner.
    Router(Box<Router>),
    /// Over a socket or the network.
    Remote(Remote),
}

/// A request, whichever way it goes.
struct Message<'a> {
    method: Method,
    path: &'a str,
    accept: &'static str,
    media_type: Option<&'static str>,
    body: Vec<u8>,
}

impl Client {
    /// A client of this service, in the name of `actor`.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new(service: Service, actor: FreeText) -> Result<Self, Failure> {
        let router = Box::new(api::router(service, Face::Local, actor));
        Ok(Self { runtime: runtime()?, way: Way::Router(router) })
    }

    /// A client of a node that runs.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn of_node(remote: Remote) -> Result<Self, Failure> {
        Ok(Self { runtime: runtime()?, way: Way::Remote(remote) })
    }

    /// `GET` of a document.
    ///
    /// # Errors
    /// The problem that the router answers.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        read_document(&self.send(&Message::bare(Method::GET, path, "application/json"))?)
    }

    /// `GET` of a whole list, part by part. `path` has a query already, or none.
    ///
    /// # Errors
    /// The problem that the router answers.
    pub fn all<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, Failure> {
        let (mut items, mut from) = (Vec::new(), None);
        loop {
            let page: Page<T> = self.get(&part_of(path, from.as_deref()))?;
            items.extend(page.items);
            from = page.next;
            if from.is_none() {
                return Ok(items);
            }
        }
    }

    /// Whether requests carry a token.
    pub fn has_token(&self) -> bool {
        matches!(&self.way, Way::Remote(remote) if remote.has_token())
    }

    /// `GET` of bytes.
    ///
    /// # Errors
    /// The problem that the router answers.
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        self.send(&Message::bare(Method::GET, path, "*/*"))
    }

    /// `POST` of a document.
    ///
    /// # Errors
    /// The problem that the router answers.
    pub fn post<T: DeserializeOwned>(&self, path: &str, request: &impl Serialize) -> Result<T, Failure> {
        self.document(Method::POST, path, request)
    }

    /// `PATCH` of a document.
    ///
    /// # Errors
    /// The problem that the router answers.
    pub fn patch<T: DeserializeOwned>(&self, path: &str, request: &impl Serialize) -> Result<T, Failure> {
        self.document(Method::PATCH, path, request)
    }

    /// `DELETE`.
    ///
    /// # Errors
    /// The problem that the router answers.
    pub fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        read_document(&self.send(&Message::bare(Method::DELETE, path, "application/json"))?)
    }

    /// `POST` of a text: signatures, or lines of events.
    ///
    /// # Errors
    /// The problem that the router answers.
    pub fn post_bytes<T: DeserializeOwned>(&self, path: &str, body: Vec<u8>) -> Result<T, Failure> {
        let media_type = Some("text/plain");
        let message = Message { media_type, body, ..Message::bare(Method::POST, path, "application/json") };
        read_document(&self.send(&message)?)
    }

    fn document<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        request: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(request).map_err(|error| Failure::internal(error.to_string()))?;
        let media_type = Some("application/json");
        let message = Message { media_type, body, ..Message::bare(method, path, "application/json") };
        read_document(&self.send(&message)?)
    }

    fn send(&self, message: &Message<'_>) -> Result<Vec<u8>, Failure> {
        let (status, bytes) = self.runtime.block_on(async {
            match &self.way {
                Way::Router(router) => ask_router(router, message).await,
                Way::Remote(remote) => remote.ask(message).await,
            }
        })?;
        read_status(status, &bytes)?;
        Ok(bytes)
    }
}

/// The path of a part of a list, as large as parts may be.
pub fn part_of(path: &str, from: Option<&str>) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    let from = from.map(|from| format!("&from={}", segment(from))).unwrap_or_default();
    format!("{path}{joint}limit={PART_MAX}{from}")
}

impl<'a> Message<'a> {
    fn bare(method: Method, path: &'a str, accept: &'static str) -> Self {
        Self { method, path, accept, media_type: None, body: Vec::new() }
    }
}

fn runtime() -> Result<Runtime, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::internal(format!("starting the runtime: {error}")))
}

async fn ask_router(router: &Router, message: &Message<'_>) -> Result<(StatusCode, Vec<u8>), Failure> {
    let path = message.path;
    let mut request = Request::builder()
        .method(message.method.clone())
        .uri(format!("/api/v1{path}"))
        .header(header::ACCEPT, message.accept);
    if let Some(media_type) = message.media_type {
        request = request.header(header::CONTENT_TYPE, media_type);
    }
    let request = request
        .body(Body::from(message.body.clone()))
        .map_err(|error| Failure::internal(format!("request {path}: {error}")))?;
    let response = match router.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let status = response.status();
    let body = response.into_body().collect().await;
    let bytes = body.map_err(|error| Failure::internal(format!("answer of {path}: {error}")))?.to_bytes();
    Ok((status, bytes.to_vec()))
}

fn read_status(status: StatusCode, bytes: &[u8]) -> Result<(), Failure> {
    if status.is_success() {
        return Ok(());
    }
    let problem: Problem = serde_json::from_slice(bytes).map_err(|_| {
        let what = format!("expected a problem document, got status {status} without one");
        Failure::refused("not_a_node", what, "check that the address is that of a meed node")
    })?;
    Err(problem.into())
}
fn read_document<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(|error| Failure::internal(format!("the router's answer: {error}")))
}

/// A text as one segment of a path: everything but letters, digits and `-._~` percent-encoded.
pub fn segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a text cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// What [`segment`] made, as it was; nothing where it is not that.
pub fn decode_segment(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{decode_segment, segment};

    #[test]
    fn what_was_encoded_is_decoded_and_nothing_else() {
        for text in ["", "operator", "Ana María", "100%", "a/b?c#d"] {
            assert_eq!(decode_segment(&segment(text)).as_deref(), Some(text));
        }
        for text in ["%", "%4", "%zz", "%+1", "%ff"] {
            assert_eq!(decode_segment(text), None, "{text}");
        }
    }

    #[test]
    fn a_segment_stays_one_segment() {
        assert_eq!(segment("identity:git:ab"), "identity%3Agit%3Aab");
        assert_eq!(segment("a/../b?c#d e"), "a%2F..%2Fb%3Fc%23d%20e");
        assert_eq!(segment("é"), "%C3%A9");
    }
}
