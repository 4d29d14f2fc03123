//! The command line's way to the service: requests to the router in this process, without a port.

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

use crate::api;
use crate::api::problems::Problem;
use crate::failure::Failure;
use crate::service::Service;

/// Drives the operator's router.
pub struct Client {
    runtime: Runtime,
    router: Router,
}

impl Client {
    /// A client of this service, in the name of `actor`.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new(service: Service, actor: FreeText) -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::internal(format!("starting the runtime: {error}")))?;
        Ok(Self { runtime, router: api::operator(service, actor) })
    }

    /// `GET` of a document.
    ///
    /// # Errors
    /// The problem that the router answers.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        read_document(&self.send(Method::GET, path, "application/json", Body::empty())?)
    }

    /// `GET` of bytes.
    ///
    /// # Errors
    /// The problem that the router answers.
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        self.send(Method::GET, path, "*/*", Body::empty())
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
        read_document(&self.send(Method::DELETE, path, "application/json", Body::empty())?)
    }

    /// `POST` of bytes.
    ///
    /// # Errors
    /// The problem that the router answers.
    pub fn post_bytes<T: DeserializeOwned>(&self, path: &str, bytes: Vec<u8>) -> Result<T, Failure> {
        read_document(&self.send(Method::POST, path, "application/json", Body::from(bytes))?)
    }

    fn document<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        request: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(request).map_err(|error| Failure::internal(error.to_string()))?;
        read_document(&self.send(method, path, "application/json", Body::from(body))?)
    }

    fn send(&self, method: Method, path: &str, accept: &str, body: Body) -> Result<Vec<u8>, Failure> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(header::ACCEPT, accept)
            .body(body)
            .map_err(|error| Failure::internal(format!("request {path}: {error}")))?;
        self.runtime.block_on(async {
            let response = match self.router.clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            let status = response.status();
            let body = response.into_body().collect().await;
            let bytes =
                body.map_err(|error| Failure::internal(format!("answer of {path}: {error}")))?.to_bytes();
            read_status(status, &bytes)?;
            Ok(bytes.to_vec())
        })
    }
}

fn read_status(status: StatusCode, bytes: &[u8]) -> Result<(), Failure> {
    if status.is_success() {
        return Ok(());
    }
    let problem: Problem = serde_json::from_slice(bytes)
        .map_err(|_| Failure::internal(format!("the router answered {status} without a problem document")))?;
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

#[cfg(test)]
mod tests {
    use super::segment;

    #[test]
    fn a_segment_stays_one_segment() {
        assert_eq!(segment("identity:git:ab"), "identity%3Agit%3Aab");
        assert_eq!(segment("a/../b?c#d e"), "a%2F..%2Fb%3Fc%23d%20e");
        assert_eq!(segment("é"), "%C3%A9");
    }
}
