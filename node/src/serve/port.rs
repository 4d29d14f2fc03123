//! The port: connections from anywhere, counted, limited, and encrypted where a certificate is given.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{sleep, timeout};

use super::connection::{self, Limits};
use super::tls::Certificate;

/// How long a client may take to agree on encryption.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait after the system refused a connection, as it does when there are no more file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Where a request came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Takes connections until the node ends.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    certificate: Option<Certificate>,
    limits: Limits,
    mut stopping: watch::Receiver<bool>,
) {
    let ending = GracefulShutdown::new();
    loop {
        // Also while it waits for room: a node whose connections are all taken must end when it is asked to.
        let (room, accepted) = tokio::select! {
            taken = take(&listener, &limits) => taken,
            _ = stopping.changed() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                sleep(PAUSE).await;
                continue;
            }
        };
        let Some(admission) = limits.admit(peer.ip()) else {
            tracing::debug!(%peer, "a client has too many connections");
            continue;
        };
        let (router, certificate) = (router.clone(), certificate.clone());
        let (head_timeout, watcher) = (limits.head_timeout, ending.watcher());
        tokio::spawn(async move {
            let _held = (room, admission);
            greet(stream, peer, router, certificate, head_timeout, watcher).await;
        });
    }
    drop(listener);
    connection::finish(ending).await;
}

/// The next connection, once there is room for it.
async fn take(
    listener: &TcpListener,
    limits: &Limits,
) -> (Option<OwnedSemaphorePermit>, std::io::Result<(TcpStream, SocketAddr)>) {
    let room = limits.room().await;
    (room, listener.accept().await)
}

async fn greet(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    certificate: Option<Certificate>,
    head_timeout: Duration,
    ending: Watcher,
) {
    // Answers are written at once: they are whole when they are sent.
    let _ = stream.set_nodelay(true);
    let source = Some(Peer(peer));
    match certificate {
        None => connection::answer(stream, router, source, head_timeout, ending).await,
        Some(certificate) => match timeout(HANDSHAKE_TIMEOUT, certificate.accept(stream)).await {
            Ok(Ok(stream)) => connection::answer(stream, router, source, head_timeout, ending).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "no encryption was agreed on"),
            Err(_) => tracing::debug!(%peer, "a client was too slow to agree on encryption"),
        },
    }
}
