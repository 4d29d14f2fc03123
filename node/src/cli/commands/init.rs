//! `meed init`: a ledger folder, whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use meed_audit::Rejection;
use meed_audit::ids::{NodeId, Origin};
use meed_keys::{KeyName, KeyUse};
use meed_storage::{Genesis, Ledger, Options};
use serde::Serialize;

use crate::cli::args::InitArgs;
use crate::cli::console::Console;
use crate::config::{DataFolder, Settings, commented};
use crate::failure::Failure;
use crate::files::{self, Access};
use crate::{clock, key_command};

/// What `init` answers.
#[derive(Serialize)]
pub struct InitAnswer {
    /// The node's id.
    pub node_id: String,
    /// Where it publishes its logs.
    pub origin: String,
    /// The folder.
    pub data: String,
    /// The log's public key, named by the origin.
    pub log_key: String,
}

/// Runs `meed init`.
///
/// # Errors
/// Where the folder holds a ledger already or cannot be written.
pub fn run(args: &InitArgs, data: Option<&Path>, console: Console) -> Result<(), Failure> {
    let folder = DataFolder::choose(data);
    let settings = Settings::read(&DataFolder::at(PathBuf::new()))?;
    let wrong = |rejection: Rejection| Failure::from(rejection).as_usage();
    let node_id = args.node_id.as_deref().map(str::parse).transpose().map_err(wrong)?;
    let origin = args.origin.as_deref().map(str::parse).transpose().map_err(wrong)?;
    let answer = create(&folder, node_id.or(settings.node_id), origin.or(settings.origin))?;
    console.notice(format!(
        "notice: {} signs the node's logs and is not sealed. Keep a copy where nobody else can read it: backups never \
         hold it",
        folder.log_key().display()
    ));
    console.answer(&answer, || {
        format!(
            "folder          {}\nnode id         {}\norigin          {}\nlog key file    {}\nlog public key  {}",
            answer.data,
            answer.node_id,
            answer.origin,
            folder.log_key().display(),
            answer.log_key
        )
    })
}

/// Makes the folder of a new ledger. What fails on the way leaves nothing behind.
///
/// # Errors
/// Where the folder holds a ledger already or cannot be written.
pub fn create(
    folder: &DataFolder,
    node_id: Option<NodeId>,
    origin: Option<Origin>,
) -> Result<InitAnswer, Failure> {
    check_free(folder)?;
    let node_id = match node_id {
        Some(node_id) => node_id,
        None => NodeId::from_random(clock::random()?),
    };
    let origin = match origin {
        Some(origin) => origin,
        None => format!("localhost/{}", node_id.to_string().get(..8).unwrap_or_default()).parse()?,
    };
    let workshop = Workshop::begin(folder.path())?;
    let log_key = fill(&workshop.folder(), &node_id, &origin)?;
    workshop.complete(folder)?;
    let data = folder.path().display().to_string();
    Ok(InitAnswer { node_id: node_id.to_string(), origin: origin.to_string(), data, log_key })
}

/// Nothing that `init` writes may be there already.
pub(super) fn check_free(folder: &DataFolder) -> Result<(), Failure> {
    let is_taken = |path: &Path| fs::symlink_metadata(path).is_ok();
    if is_taken(&folder.ledger()) {
        let what = format!("expected no ledger in {}, got one", folder.path().display());
        return Err(Failure::refused(
            "exists",
            what,
            "use the ledger that is there, or choose another folder with --data",
        ));
    }
    match [folder.log_key(), folder.settings()].iter().find(|path| is_taken(path)) {
        Some(path) => Err(Failure::exists(path)),
        None => Ok(()),
    }
}

fn fill(folder: &DataFolder, node_id: &NodeId, origin: &Origin) -> Result<String, Failure> {
    let name: KeyName = origin
        .as_str()
        .parse()
        .map_err(|error: meed_keys::NameError| Failure::internal(error.to_string()))?;
    let key = key_command::generate(name, KeyUse::Log)?;
    key_command::write(&key, None, &folder.log_key())?;
    files::write_new(&folder.settings(), commented(node_id, origin).as_bytes(), Access::Umask)?;
    let genesis = Genesis {
        node_id: *node_id,
        origin: origin.clone(),
        log_key: *key.public_key(),
        created_at: clock::now()?,
    };
    let vkey = key.verifier_key().to_string();
    drop(Ledger::create(folder.ledger(), &genesis, Options { log_key: Some(key), ..Options::default() })?);
    Ok(vkey)
}

/// A folder that is being filled, and taken away again unless it is completed.
pub(super) struct Workshop {
    path: PathBuf,
    /// Whether the final folder was there before: then its new files are moved into it, one by one.
    exists: bool,
    complete: bool,
}

impl Workshop {
    /// Begins a folder for what will stand at `target`.
    pub(super) fn begin(target: &Path) -> Result<Self, Failure> {
        let exists = target.is_dir();
        if !exists && fs::symlink_metadata(target).is_ok() {
            return Err(Failure::exists(target));
        }
        let path = files::beside(&if exists { target.join("ledger") } else { target.to_path_buf() }, "init")?;
        let unwritable = |error: std::io::Error| Failure::unwritable(target, &error);
        fs::create_dir_all(files::folder_of(&path)).map_err(unwritable)?;
        make_folder(&path).map_err(unwritable)?;
        Ok(Self { path, exists, complete: false })
    }

    /// The folder to fill.
    pub(super) fn folder(&self) -> DataFolder {
        DataFolder::at(self.path.clone())
    }

    /// Puts everything into its place. The ledger comes last: what makes a folder a ledger's is there when all is.
    pub(super) fn complete(mut self, target: &DataFolder) -> Result<(), Failure> {
        let unwritable = |error: std::io::Error| Failure::unwritable(target.path(), &error);
        if !self.exists {
            fs::rename(&self.path, target.path()).map_err(unwritable)?;
            self.complete = true;
            return files::sync_folder(target.path());
        }
        check_free(target)?;
        let made = self.folder();
        let moves = [
            (made.log_key(), target.log_key()),
            (made.settings(), target.settings()),
            (made.ledger(), target.ledger()),
        ];
        let mut placed: Vec<&PathBuf> = Vec::new();
        for (from, to) in moves.iter().filter(|(from, _)| fs::symlink_metadata(from).is_ok()) {
            if let Err(error) = fs::rename(from, to) {
                for path in placed {
                    // What was moved goes again; the error that is reported is the first one.
                    let _ = fs::remove_file(path);
                }
                return Err(unwritable(error));
            }
            placed.push(to);
        }
        files::sync_folder(&target.ledger())
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        if !self.complete {
            // Nothing better can be done about a folder that cannot be removed.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// A folder for its owner alone: it will hold a key.
fn make_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
