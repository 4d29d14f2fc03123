//! The Unix socket in the data folder: the owner's way to a node that runs, without port and password.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use axum::Router;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use super::connection;
use crate::config::DataFolder;
use crate::failure::Failure;

/// Longest path that the system takes for a socket, in bytes.
const PATH_BYTES_MAX: usize = 107;

/// A socket with the account that may use it.
pub(super) struct OwnerSocket {
    listener: UnixListener,
    owner: u32,
}

/// Makes the socket, in place of one that an earlier node left. The ledger is open by now, so no other node runs here.
///
/// # Errors
/// `unservable` where the path is too long for a socket or the folder takes none.
pub(super) fn bind(folder: &DataFolder) -> Result<OwnerSocket, Failure> {
    let path = folder.socket();
    if path.as_os_str().len() > PATH_BYTES_MAX {
        let what = format!("expected a path of at most {PATH_BYTES_MAX} bytes, got {}", path.display());
        return Err(Failure::refused("unservable", what, "move the data folder to a shorter path"));
    }
    remove(folder);
    let failed = |error| Failure::unwritable(&path, &error);
    let listener = UnixListener::bind(&path).map_err(failed)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    let owner = std::fs::metadata(&path).map_err(failed)?.uid();
    Ok(OwnerSocket { listener, owner })
}

/// Takes the socket away.
pub(super) fn remove(folder: &DataFolder) {
    // Where there is none, nothing is to be done; where it stays, the next node replaces it.
    let _ = std::fs::remove_file(folder.socket());
}

/// Whether a node answers on this socket.
pub fn is_answered(path: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(path).is_ok()
}

/// Takes the owner's connections until the node ends.
pub(super) async fn serve(
    socket: OwnerSocket,
    router: Router,
    head_timeout: Duration,
    mut stopping: watch::Receiver<bool>,
) {
    let ending = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = socket.listener.accept() => accepted,
            _ = stopping.changed() => break,
        };
        let Ok((stream, _)) = accepted else { continue };
        if !is_owner(&stream, socket.owner) {
            tracing::warn!("another account tried the owner's socket");
            continue;
        }
        tokio::spawn(connection::answer(stream, router.clone(), None, head_timeout, ending.watcher()));
    }
    connection::finish(ending).await;
}

/// The mode of the file keeps others out; that the system names the account at the other end is the second lock, for
/// the moment between making the file and setting its mode.
fn is_owner(stream: &UnixStream, owner: u32) -> bool {
    const ROOT: u32 = 0;
    stream.peer_cred().is_ok_and(|account| [owner, ROOT].contains(&account.uid()))
}
