//! What a demo needs before it begins: a folder with a ledger, approvers' keys, a repository, and a week.

use std::path::{Path, PathBuf};

use meed_audit::time::{Period, Timestamp};
use meed_audit::window::WindowDays;
use meed_keys::{KeyName, KeyUse};

use super::APPROVERS;
use crate::cli::args::SignArgs;
use crate::cli::commands::init;
use crate::cli::console::Console;
use crate::client::Client;
use crate::config::{DataFolder, Settings};
use crate::failure::Failure;
use crate::key_command;
use crate::service::Service;
use crate::sources::SourceError;
use crate::sources::git::busiest_finished_week;
use crate::sources::sample;

/// Everything that stands ready.
pub(super) struct Stage {
    /// The data folder.
    pub(super) folder: PathBuf,
    /// Drives the ledger.
    pub(super) client: Client,
    /// The ledger, for serving it afterwards.
    pub(super) service: Service,
    /// The repository.
    pub(super) repository: PathBuf,
    /// Why a sample stands in for a repository, and what it is.
    sample: Option<(String, String)>,
    /// Which week is played.
    pub(super) play: Play,
}

/// Which week is played.
pub(super) struct Play {
    /// The week.
    pub(super) period: Period,
    /// Whether it has to be closed before its end.
    pub(super) early: bool,
}

impl Stage {
    /// Makes the folder with everything in it.
    pub(super) fn set(
        folder: &Path,
        repo: Option<&Path>,
        now: Timestamp,
        console: Console,
    ) -> Result<Self, Failure> {
        let data = DataFolder::at(folder.to_path_buf());
        let (found, week) = match repo {
            Some(path) => (Ok(path.to_path_buf()), Some(busiest_finished_week(path, "HEAD", now)?)),
            None => match busiest_finished_week(Path::new("."), "HEAD", now) {
                Ok(week) => (Ok(PathBuf::from(".")), Some(week)),
                Err(error @ (SourceError::GitMissing | SourceError::GitTooOld { .. })) => {
                    return Err(error.into());
                }
                Err(error) => (Err(error.to_string()), None),
            },
        };
        init::create(&data, None, None)?;
        let (repository, sample) = match found {
            Ok(path) => (path, None),
            Err(why) => {
                let path = folder.join("sample-repository");
                let made = sample::generate(&path, now)?.to_string();
                console.notice(format!("notice: {why}; this demo plays on a sample instead"));
                (path, Some((why, made)))
            }
        };
        let week = match week {
            Some(week) => week,
            None => busiest_finished_week(&repository, "HEAD", now)?,
        };
        let play = match week {
            Some((period, _)) => Play { period, early: false },
            None => Play { period: WindowDays::WEEK.window_at(now)?, early: true },
        };
        for name in APPROVERS {
            make_key(folder, name)?;
        }
        let settings = Settings::read(&data)?;
        let actor = settings.actor.clone();
        let (service, _) = Service::open(&data, settings)?;
        let client = Client::new(service.clone(), actor)?;
        Ok(Self { folder: folder.to_path_buf(), client, service, repository, sample, play })
    }

    /// What is collected from, in words.
    pub(super) fn repository_line(&self) -> String {
        match &self.sample {
            Some((_, made)) => format!("Collect from {made}"),
            None => format!("Collect from the git repository {}", self.repository.display()),
        }
    }

    /// The verifier keys of the approvers.
    pub(super) fn approver_keys(&self) -> Result<Vec<String>, Failure> {
        let read =
            |name: &&str| Ok(key_command::read(&key_path(&self.folder, name))?.verifier_key().to_string());
        APPROVERS.iter().map(read).collect()
    }

    /// How an approver signs a dossier.
    pub(super) fn sign_args(&self, dossier: &Path, name: &str) -> SignArgs {
        SignArgs {
            dossier: dossier.to_path_buf(),
            key: key_path(&self.folder, name),
            yes: true,
            blind: false,
            passphrase_file: None,
        }
    }
}

fn key_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.key"))
}

/// The demo's keys are plain and stand beside the ledger: everywhere else an approver's key is on another machine.
fn make_key(folder: &Path, name: &str) -> Result<(), Failure> {
    let key_name: KeyName =
        name.parse().map_err(|error: meed_keys::NameError| Failure::internal(error.to_string()))?;
    let key = key_command::generate(key_name, KeyUse::Approver)?;
    key_command::write(&key, None, &key_path(folder, name))
}
