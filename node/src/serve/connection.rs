//! One connection: HTTP/1.1 with limits, and a graceful end.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt;

use super::port::Peer;
use crate::config::Settings;

/// Most header fields of a request.
const HEADERS_MAX: usize = 64;
/// Most bytes of the head of a request.
const HEAD_BYTES_MAX: usize = 32_768;
/// How long requests that are under way may take to finish when the node ends.
const FINISH_TIMEOUT: Duration = Duration::from_secs(30);

/// How much one node takes on.
#[derive(Clone)]
pub(super) struct Limits {
    connections: Arc<Semaphore>,
    clients: Arc<Clients>,
    /// How long a client may take for the head of a request, and stay silent between two of them.
    pub(super) head_timeout: Duration,
}

impl Limits {
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            connections: Arc::new(Semaphore::new(settings.connections_max)),
            clients: Arc::new(Clients {
                most: settings.connections_per_client_max,
                open: Mutex::new(HashMap::new()),
            }),
            head_timeout: settings.head_timeout,
        }
    }

    /// Waits until there is room for another connection. The semaphore is never closed, so there always comes one.
    pub(super) async fn room(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.connections).acquire_owned().await.ok()
    }

    /// Room for one more connection of this client; nothing where it has too many.
    pub(super) fn admit(&self, address: IpAddr) -> Option<Admission> {
        let client = client_of(address);
        let mut open = self.clients.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(client).or_insert(0);
        if *count >= self.clients.most {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Admission { clients: Arc::clone(&self.clients), client })
    }
}

struct Clients {
    most: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// A client's right to one connection, given back when it is dropped.
pub(super) struct Admission {
    clients: Arc<Clients>,
    client: IpAddr,
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut open = self.clients.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&self.client);
            }
        }
    }
}

/// Whom an address stands for: an IPv6 site has a whole /64 of them, an IPv4 address may come as an IPv6 one.
pub(super) fn client_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// Answers the requests of one connection until it ends, or until it has answered the one under way when the node ends.
/// `peer` goes along with each request, where it is known.
pub(super) async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    peer: Option<Peer>,
    head_timeout: Duration,
    ending: Watcher,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        router.clone().oneshot(request.map(Body::new))
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    // A client that goes away or sends what is no HTTP is its own loss.
    if let Err(error) = ending.watch(connection).await {
        tracing::debug!(%error, "a connection ended");
    }
}

/// Waits until every connection has answered what it was asked, though not forever.
pub(super) async fn finish(ending: GracefulShutdown) {
    if tokio::time::timeout(FINISH_TIMEOUT, ending.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time and were cut off");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_an_ipv4_address_or_an_ipv6_site() {
        let client = |text: &str| client_of(text.parse().expect("an address")).to_string();
        assert_eq!(client("192.0.2.7"), "192.0.2.7");
        assert_eq!(client("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(client("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }

    #[test]
    fn a_client_gets_its_room_back() {
        let limits = Limits {
            connections: Arc::new(Semaphore::new(1)),
            clients: Arc::new(Clients { most: 2, open: Mutex::new(HashMap::new()) }),
            head_timeout: Duration::from_secs(1),
        };
        let address: IpAddr = "192.0.2.7".parse().expect("an address");
        let first = limits.admit(address).expect("room");
        let second = limits.admit(address).expect("room");
        assert!(limits.admit(address).is_none());
        assert!(limits.admit("192.0.2.8".parse().expect("an address")).is_some());
        drop(first);
        assert!(limits.admit(address).is_some());
        drop(second);
        assert!(limits.clients.open.lock().expect("a lock").is_empty());
    }
}
