//! Files of people: written whole or not at all, secret ones for their owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::clock;
use crate::failure::Failure;

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Its owner alone: mode 0600.
    Owner,
    /// Whom the account's umask lets.
    Umask,
}

/// Writes a new file. It appears at `path` whole and synced, or not at all; what is there already stays.
///
/// # Errors
/// `exists` where `path` is taken; else what the system says.
pub fn write_new(path: &Path, bytes: &[u8], access: Access) -> Result<(), Failure> {
    let draft = Draft::write(path, bytes, access)?;
    // A hard link fails where the name is taken, which a rename would replace.
    match fs::hard_link(&draft.path, path) {
        Ok(()) => sync_folder(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Failure::exists(path)),
        // A file system without hard links: look first, then move.
        Err(_) if fs::symlink_metadata(path).is_err() => draft.move_to(path),
        Err(_) => Err(Failure::exists(path)),
    }
}

/// Writes a file in place of the one at `path`, if there is one: either the old or the new bytes are there, synced.
///
/// # Errors
/// What the system says.
pub fn replace(path: &Path, bytes: &[u8], access: Access) -> Result<(), Failure> {
    Draft::write(path, bytes, access)?.move_to(path)
}

/// Reads a file of at most `bytes_max` bytes.
///
/// # Errors
/// `unreadable`, also for a file that is larger.
pub fn read_bounded(path: &Path, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let file = File::open(path).map_err(|error| Failure::unreadable(path, &error))?;
    read_source(file, path, bytes_max)
}

/// Reads what is called `name`, unless it is longer than it may be.
fn read_source(source: impl Read, name: &Path, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let read = source.take(limit.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| Failure::unreadable(name, &error))?;
    if bytes.len() <= bytes_max {
        return Ok(bytes);
    }
    let what = format!("expected at most {bytes_max} bytes in {}, got more", name.display());
    Err(Failure::usage(what, "check that this is the file you mean"))
}

/// As [`read_bounded`], as text.
///
/// # Errors
/// As [`read_bounded`], and `usage` for a file that is not UTF-8.
pub fn read_text(path: &Path, bytes_max: usize) -> Result<String, Failure> {
    as_text(read_bounded(path, bytes_max)?, path)
}

/// As [`read_text`], from standard input for `-`.
///
/// # Errors
/// As [`read_text`].
pub fn read_text_or_input(path: &Path, bytes_max: usize) -> Result<String, Failure> {
    if path != Path::new("-") {
        return read_text(path, bytes_max);
    }
    let name = Path::new("standard input");
    as_text(read_source(io::stdin().lock(), name, bytes_max)?, name)
}

fn as_text(bytes: Vec<u8>, name: &Path) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|_| {
        let what = format!("expected UTF-8 in {}, got other bytes", name.display());
        Failure::usage(what, "check that this is the file you mean")
    })
}

/// A file with another name beside its final place, removed when it is not moved there.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn write(target: &Path, bytes: &[u8], access: Access) -> Result<Self, Failure> {
        let path = beside(target, "draft")?;
        let unwritable = |error: io::Error| Failure::unwritable(target, &error);
        let mut file = create_new(&path, access).map_err(unwritable)?;
        let draft = Self { path };
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(unwritable)?;
        Ok(draft)
    }

    fn move_to(self, target: &Path) -> Result<(), Failure> {
        fs::rename(&self.path, target).map_err(|error| Failure::unwritable(target, &error))?;
        sync_folder(target)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a move there is nothing left to remove.
        let _ = fs::remove_file(&self.path);
    }
}

/// A fresh name beside `target`: `.<its name>.<what>-<8 hex digits>`.
///
/// # Errors
/// When the system gives no random bytes.
pub fn beside(target: &Path, what: &str) -> Result<PathBuf, Failure> {
    let number = u32::from_be_bytes(clock::random()?);
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    Ok(folder_of(target).join(format!(".{name}.{what}-{number:08x}")))
}

fn create_new(path: &Path, access: Access) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if access == Access::Owner {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = access;
    options.open(path)
}

/// The folder that a path's last name is in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes the name of a new file durable.
///
/// # Errors
/// What the system says.
pub fn sync_folder(path: &Path) -> Result<(), Failure> {
    #[cfg(unix)]
    File::open(folder_of(path))
        .and_then(|folder| folder.sync_all())
        .map_err(|error| Failure::unwritable(path, &error))?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_is_the_owners_and_overwrites_nothing() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("secret");
        write_new(&path, b"first", Access::Owner).expect("written");
        let refusal = write_new(&path, b"second", Access::Owner).expect_err("taken");
        assert_eq!(refusal.problem.code, "exists");
        assert_eq!(fs::read(&path).expect("read"), b"first");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).expect("metadata").permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 1, "no draft stays");
    }

    #[test]
    fn replacing_leaves_no_draft() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("state");
        replace(&path, b"one", Access::Owner).expect("written");
        replace(&path, b"two", Access::Owner).expect("replaced");
        assert_eq!(fs::read(&path).expect("read"), b"two");
        assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 1);
        assert!(replace(&folder.path().join("no/folder"), b"x", Access::Umask).is_err());
    }

    #[test]
    fn large_files_are_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("large");
        fs::write(&path, [b'x'; 11]).expect("written");
        assert_eq!(read_bounded(&path, 11).expect("fits").len(), 11);
        assert_eq!(read_bounded(&path, 10).expect_err("too large").exit, crate::failure::Exit::Usage);
        assert_eq!(
            read_text(&folder.path().join("none"), 10).expect_err("missing").problem.code,
            "unreadable"
        );
    }
}
