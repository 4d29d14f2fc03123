//! The service: commands to the ledger's writer, answers from its snapshots. It reads the clock and draws randomness.
//!
//! Every method takes a request's document and gives an answer's; domain texts are parsed here, once. Methods block:
//! the router calls them off its own thread.

mod activity;
mod approvals;
mod care;
mod decisions;
pub(crate) mod differences;
mod epochs;
mod first_window;
mod frames;
pub(crate) mod history;
mod intake;
mod kept;
pub(crate) mod long;
pub(crate) mod other_keys;
pub(crate) mod own_accounts;
mod pages;
mod parts;
pub(crate) mod payouts;
mod people;
mod proofs;
pub(crate) mod runs;
mod scopes;
mod statements;
#[cfg(test)]
mod testing;
mod tokens;
mod unbound;
mod views;
mod webhooks;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use meed_audit::ids::{EpochNumber, Revision, ScopeId, ScopeKey};
use meed_audit::text::FreeText;
use meed_keys::SigningKey;
use meed_storage::{By, Ledger, Options, Snapshot, Which};

use crate::clock::{Clock, SystemClock};
use crate::config::{DataFolder, ScopeSettings, Settings};
use crate::failure::Failure;
use crate::key_command::{self, LOG_KEY_REMEDY};
use crate::nearest::nearest;
use crate::workflow::{Engine, Runner};
use frames::Frames;
use kept::Kept;

pub use activity::IMPORT_BYTES_MAX;
pub use care::Counts;
pub use parts::Wanted;
pub use proofs::ExportKind;
pub(crate) use webhooks::Delivery;

/// After how many new events a node folds them into their indexes. Fewer than a library's default, which is made for
/// imports of millions: a node also answers readers meanwhile, in little memory.
const FOLD_EVENTS: usize = 20_000;

/// An open ledger with the settings of its folder.
#[derive(Clone)]
pub struct Service {
    ledger: Ledger,
    ledger_path: PathBuf,
    settings: Arc<Settings>,
    clock: Arc<dyn Clock>,
    /// What proofs have in common.
    frames: Arc<Frames>,
    /// Does runs, where a node serves.
    engine: Option<Arc<Engine>>,
    /// Where it listens, where a node serves.
    listens_at: Option<Arc<str>>,
    kept: Arc<Kept>,
}

/// A scope and an epoch as a request names them, found in a snapshot.
pub(crate) struct Place {
    pub(crate) scope: ScopeId,
    pub(crate) epoch: EpochNumber,
}

impl Service {
    /// Opens the ledger of a folder, with its log key where the folder has it. True beside it when it has none: then
    /// the ledger can be read and signs nothing.
    ///
    /// # Errors
    /// What opening refuses; a ledger that is not the one that the settings name.
    pub fn open(folder: &DataFolder, settings: Settings) -> Result<(Self, bool), Failure> {
        let log_key = read_log_key(folder)?;
        let keyless = log_key.is_none();
        let options = Options {
            cache_bytes: settings.cache_mib << 20,
            fold_events: FOLD_EVENTS,
            log_key,
            stopwatch: crate::clock::stopwatch,
        };
        let ledger = Ledger::open(folder.ledger(), options)?;
        let (settings, clock) = (Arc::new(settings), Arc::new(SystemClock));
        let (frames, kept) = (Arc::default(), Arc::new(Kept::new()));
        let (engine, listens_at) = (None, None);
        let ledger_path = folder.ledger();
        let service = Self { ledger, ledger_path, settings, clock, frames, engine, listens_at, kept };
        service.check_identity()?;
        Ok((service, keyless))
    }

    /// The ledger must be the one that the settings name.
    fn check_identity(&self) -> Result<(), Failure> {
        let snapshot = self.ledger.snapshot()?;
        let other = |what: &str, expected: String, got: String| {
            let what = format!("expected the ledger of {what} {expected} as the settings say, got {got}");
            Failure::refused(
                "other_ledger",
                what,
                "choose the other folder with --data, or correct meed.toml and NODE_ID",
            )
        };
        let (node_id, origin) = (snapshot.node_id()?, snapshot.origin()?);
        if let Some(expected) = self.settings.node_id
            && expected != node_id
        {
            return Err(other("node", expected.to_string(), node_id.to_string()));
        }
        match &self.settings.origin {
            Some(expected) if *expected != origin => {
                Err(other("origin", expected.to_string(), origin.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// The same service by another clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The same service, whose runs are done by the engine of a node that serves.
    #[must_use]
    pub fn with_engine(self, engine: Arc<Engine>) -> Self {
        Self { engine: Some(engine), ..self }
    }

    /// The same service, of a node that serves at this address.
    #[must_use]
    pub fn listening(self, address: &str) -> Self {
        Self { listens_at: Some(address.into()), ..self }
    }

    /// Where the node that serves listens, as `https://0.0.0.0:443`.
    pub fn listens_at(&self) -> Option<String> {
        self.listens_at.as_deref().map(str::to_owned)
    }

    /// Where runs are done: by the engine of a node that serves, else at once.
    pub fn runner(&self) -> Runner<'_> {
        Runner::new(self, self.engine.as_deref())
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The ledger.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the settings say of scopes: as the node read them last, where one serves.
    pub(crate) fn scope_settings(&self) -> Arc<BTreeMap<ScopeKey, ScopeSettings>> {
        match &self.engine {
            Some(engine) => engine.scopes(),
            None => Arc::new(self.settings.scopes.clone()),
        }
    }

    /// A view of what is durable now.
    ///
    /// # Errors
    /// A failure of the ledger.
    pub fn snapshot(&self) -> Result<Snapshot, Failure> {
        Ok(self.ledger.snapshot()?)
    }

    /// The time by the service's clock.
    fn now(&self) -> Result<meed_audit::time::Timestamp, Failure> {
        self.clock.now()
    }

    pub(crate) fn by(&self, actor: &FreeText) -> Result<By, Failure> {
        Ok(By::new(actor.clone(), self.clock.now()?))
    }

    /// The scope of this key.
    pub(crate) fn scope_id(snapshot: &Snapshot, key: &str) -> Result<(ScopeKey, ScopeId), Failure> {
        let key: ScopeKey = key.parse()?;
        match snapshot.scope_id(&key).map_err(Failure::from) {
            Ok(id) => Ok((key, id)),
            Err(failure) => Err(Self::suggest_scope(snapshot, &key, failure)?),
        }
    }

    /// The failure with the scope that may be meant, where one has nearly this key.
    fn suggest_scope(snapshot: &Snapshot, key: &ScopeKey, failure: Failure) -> Result<Failure, Failure> {
        if failure.problem.code != "scope_not_found" {
            return Ok(failure);
        }
        let scopes = snapshot.scopes()?;
        let meant = nearest(key.as_str(), scopes.iter().map(|scope| scope.terms.key.as_str()));
        Ok(match meant {
            Some(meant) => {
                let remedy = format!("did you mean `{meant}`? Else {}", failure.problem.remedy);
                failure.with_remedy(remedy)
            }
            None => failure,
        })
    }

    fn place(&self, key: &str, epoch: u64) -> Result<(Snapshot, Place), Failure> {
        let snapshot = self.snapshot()?;
        let place = Self::place_in(&snapshot, key, epoch)?;
        Ok((snapshot, place))
    }

    fn place_in(snapshot: &Snapshot, key: &str, epoch: u64) -> Result<Place, Failure> {
        let (_, scope) = Self::scope_id(snapshot, key)?;
        let epoch = EpochNumber::new(epoch)?;
        Ok(Place { scope, epoch })
    }
}

/// The statement that a request means: a revision, else the current draft, else the one in force.
fn which(snapshot: &Snapshot, place: &Place, revision: Option<u64>) -> Result<Which, Failure> {
    if let Some(revision) = revision {
        return Ok(Which::Revision(Revision::new(revision)?));
    }
    let epoch = snapshot.epoch(place.scope, place.epoch)?;
    Ok(if epoch.current_draft.is_none() && epoch.final_revision.is_some() {
        Which::Final
    } else {
        Which::Draft
    })
}

/// A refusal of a revision that is not final, with what to do where another one is.
fn not_final(failure: Failure, snapshot: &Snapshot, place: &Place, revision: Option<u64>) -> Failure {
    let known = snapshot.epoch(place.scope, place.epoch).ok().and_then(|epoch| epoch.final_revision);
    match (known, revision) {
        (Some(last), Some(_)) if failure.problem.code == "statement_not_found" => failure.with_remedy(format!(
            "leave the revision out for the one in force, which is {last}; `meed epoch show` lists those that became final"
        )),
        _ => failure,
    }
}

/// The final statement that a request means.
fn which_final(revision: Option<u64>) -> Result<Which, Failure> {
    Ok(revision.map(Revision::new).transpose()?.map_or(Which::Final, Which::Revision))
}

/// Nothing where there is no key, or one that this account may not read: reading the ledger needs none.
fn read_log_key(folder: &DataFolder) -> Result<Option<SigningKey>, Failure> {
    use std::io::ErrorKind;
    let path = folder.log_key();
    match std::fs::File::open(&path).map_err(|error| error.kind()) {
        Err(ErrorKind::NotFound | ErrorKind::PermissionDenied) => Ok(None),
        _ => {
            let opened = key_command::read_log_key(&path)?.open(None);
            let wrong = |error| Failure::from(error).within(path.display()).with_remedy(LOG_KEY_REMEDY);
            Ok(Some(opened.map_err(wrong)?))
        }
    }
}
