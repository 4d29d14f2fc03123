//! The folder of the ledger: that it is there, whose it is, and how much room is left.

use std::fs::{self, Metadata};
use std::path::Path;

use super::Finding;
use crate::config::DataFolder;

/// Free space below which somebody should look, in bytes: a week of a busy node.
const FREE_BYTES_LOW: u64 = 1 << 30;
/// Free space below which the node will soon stop writing, in bytes.
const FREE_BYTES_LEAST: u64 = 64 << 20;

/// Looks at the folder and its files.
pub(super) fn look(folder: &DataFolder) -> Vec<Finding> {
    let path = folder.path();
    let metadata = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => metadata,
        Ok(_) => return vec![no_folder(path, "something that is no folder")],
        Err(error) => return vec![no_folder(path, &error.to_string())],
    };
    let mut findings = vec![access(path, &metadata), room(folder)];
    findings.push(secret(&folder.log_key()));
    findings
}

fn no_folder(path: &Path, got: &str) -> Finding {
    let found = format!("expected a folder at {}, got {got}", path.display());
    Finding::failed("folder", found, "name the folder with --data, or make a ledger with `meed init`")
}

/// The ledger holds names, links and evidence: whoever may read the folder may read those.
fn access(path: &Path, metadata: &Metadata) -> Finding {
    if others_may(metadata, 0o022) {
        let found = format!("other accounts may write to {}", path.display());
        return Finding::failed("folder", found, format!("chmod go-w {}", path.display()));
    }
    if metadata.permissions().readonly() {
        let found = format!("{} is read-only", path.display());
        return Finding::failed(
            "folder",
            found,
            "let this account write there, or run as the account that may",
        );
    }
    Finding::well("folder", path.display().to_string())
}

/// What keeps the node's log key from everybody else is the file's mode.
fn secret(path: &Path) -> Finding {
    match fs::metadata(path) {
        Err(error) => {
            let found = format!("{}: {error}; the ledger can only be read", path.display());
            Finding::failed(
                "log key file",
                found,
                "put the copy of the key back that is kept apart from the folder",
            )
        }
        Ok(metadata) if others_may(&metadata, 0o077) => {
            let found = format!("other accounts may read or write {}", path.display());
            Finding::failed("log key file", found, format!("chmod 600 {}", path.display()))
        }
        Ok(_) => Finding::well("log key file", "for its owner alone"),
    }
}

#[cfg(unix)]
fn others_may(metadata: &Metadata, bits: u32) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & bits != 0
}

#[cfg(not(unix))]
fn others_may(_: &Metadata, _: u32) -> bool {
    false
}

/// A backup and `meed compact` need as much room again as the ledger has.
fn room(folder: &DataFolder) -> Finding {
    let ledger_bytes = fs::metadata(folder.ledger()).map_or(0, |metadata| metadata.len());
    let Some(free_bytes) = free_bytes(folder.path()) else {
        let remedy = "check by other means that there is room for twice the ledger";
        return Finding::warning("disk", "this system does not say how much room is left", remedy);
    };
    let found = format!("{} free, the ledger has {}", megabytes(free_bytes), megabytes(ledger_bytes));
    if free_bytes < FREE_BYTES_LEAST {
        return Finding::failed(
            "disk",
            found,
            "make room: the node stops taking events when the disk is full",
        );
    }
    if free_bytes < FREE_BYTES_LOW.max(ledger_bytes) {
        return Finding::warning(
            "disk",
            found,
            "make room: a copy of the ledger must fit, and a week of events",
        );
    }
    Finding::well("disk", found)
}

#[cfg(unix)]
fn free_bytes(path: &Path) -> Option<u64> {
    let system = rustix::fs::statvfs(path).ok()?;
    system.f_bavail.checked_mul(system.f_frsize)
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

fn megabytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}
