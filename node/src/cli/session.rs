//! A command's ledger, opened and ready to be asked.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use meed_audit::text::FreeText;

use super::args::{Cli, EpochArgs};
use super::console::Console;
use crate::client::{Client, Remote, segment};
use crate::config::{DataFolder, Settings};
use crate::failure::Failure;
use crate::files;
use crate::serve;
use crate::service::Service;

/// The client of an open ledger, and where answers go.
pub struct Session {
    /// Sends requests to the ledger's router.
    pub client: Client,
    /// Where answers go.
    pub console: Console,
}

impl Session {
    /// Reaches the ledger that the command line means: that of a node elsewhere, that of the node which runs on the
    /// folder, or the one in the folder.
    ///
    /// # Errors
    /// What the settings, the node or the ledger refuse.
    pub fn open(cli: &Cli, console: Console) -> Result<Self, Failure> {
        let given = cli.actor.as_deref().map(|name| FreeText::parse("actor", name)).transpose()?;
        if let Some(address) = &cli.node {
            if given.is_some() {
                let what =
                    "expected no --actor beside --node, got one: decisions there bear the token's name";
                return Err(Failure::usage(what, "leave --actor out, or use the token of that person"));
            }
            let roots = roots(cli.node_root.as_deref())?;
            let remote = Remote::at(address, cli.token.clone(), &roots)?;
            return Ok(Self { client: Client::of_node(remote)?, console });
        }
        let folder = DataFolder::choose(cli.data.as_deref());
        if serve::is_answered(&folder.socket()) {
            let remote = Remote::on_socket(&folder.socket(), given)?;
            return Ok(Self { client: Client::of_node(remote)?, console });
        }
        let settings = Settings::read(&folder)?;
        let actor = given.unwrap_or_else(|| settings.actor.clone());
        Self::open_at(&folder, settings, actor, console)
    }

    /// Opens the ledger of a folder, in the name of `actor`.
    ///
    /// # Errors
    /// What the ledger refuses.
    pub fn open_at(
        folder: &DataFolder,
        settings: Settings,
        actor: FreeText,
        console: Console,
    ) -> Result<Self, Failure> {
        let (service, keyless) = Service::open(folder, settings)?;
        if keyless {
            console.notice(format!(
                "notice: {} is missing, or this account may not read it: the ledger can only be read",
                folder.log_key().display()
            ));
        }
        Ok(Self { client: Client::new(service, actor)?, console })
    }

    /// Does something that takes a while, with a sign of life on a terminal.
    ///
    /// # Errors
    /// Those of the work.
    pub fn waiting<T>(
        &self,
        what: &'static str,
        work: impl FnOnce(&Client) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        // It draws on standard error, and only where that is a terminal.
        let bar = ProgressBar::new_spinner().with_message(what);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        let result = work(&self.client);
        bar.finish_and_clear();
        result
    }
}

/// Longest file of certificates, in bytes.
const ROOTS_BYTES_MAX: usize = 1 << 20;

/// The certificates of a PEM file.
fn roots(path: Option<&Path>) -> Result<Vec<reqwest::Certificate>, Failure> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let text = files::read_text(path, ROOTS_BYTES_MAX)?;
    reqwest::Certificate::from_pem_bundle(text.as_bytes()).map_err(|error| {
        let what = format!("{}: expected certificates in PEM, got others: {error}", path.display());
        Failure::usage(what, "give the certificate that vouches for the node")
    })
}

/// The path of a scope, with what comes after it.
pub fn scope_path(scope: &str, rest: &str) -> String {
    format!("/scopes/{}{rest}", segment(scope))
}

/// The path of an epoch, with what comes after it.
pub fn epoch_path(epoch: &EpochArgs, rest: &str) -> String {
    scope_path(&epoch.scope, &format!("/epochs/{}{rest}", epoch.epoch))
}

/// `?revision=R`, where there is one.
pub fn revision_query(revision: Option<u64>) -> String {
    revision.map(|revision| format!("?revision={revision}")).unwrap_or_default()
}
