//! The data folder: where its files are.

use std::path::{Path, PathBuf};

use crate::cli::args::DEFAULT_DATA;

/// The names in a data folder.
#[derive(Clone, Debug)]
pub struct DataFolder {
    path: PathBuf,
}

impl DataFolder {
    /// The folder that the command line names, else `MEED_DATA`, else `./meed-data`.
    pub fn choose(given: Option<&Path>) -> Self {
        let path = given.map(Path::to_path_buf);
        let path =
            path.or_else(|| std::env::var_os("MEED_DATA").filter(|d| !d.is_empty()).map(PathBuf::from));
        Self::at(path.unwrap_or_else(|| PathBuf::from(DEFAULT_DATA)))
    }

    /// The folder at `path`.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The ledger.
    pub fn ledger(&self) -> PathBuf {
        self.path.join("ledger.redb")
    }

    /// The node's log key: plain, since the node starts without anybody there; for its owner alone.
    pub fn log_key(&self) -> PathBuf {
        self.path.join("log.key")
    }

    /// The Unix socket of the node that runs on this folder.
    pub fn socket(&self) -> PathBuf {
        self.path.join("meed.sock")
    }

    /// The settings.
    pub fn settings(&self) -> PathBuf {
        self.path.join("meed.toml")
    }
}
