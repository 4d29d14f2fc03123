//! What the node writes about its work: one line an occurrence on standard error, as text or as JSON.

use std::fmt;
use std::io::IsTerminal;
use std::str::FromStr;

use tracing::Level;
use tracing_subscriber::EnvFilter;

use crate::clock;
use crate::failure::Failure;

/// The form of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

impl FromStr for LogFormat {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => {
                let what = format!("setting log_format: expected text or json, got {other:?}");
                Err(Failure::usage(what, "correct the setting or leave it out"))
            }
        }
    }
}

/// The time of a line, in the one form that the program writes times.
struct Now;

impl tracing_subscriber::fmt::time::FormatTime for Now {
    fn format_time(&self, writer: &mut tracing_subscriber::fmt::format::Writer<'_>) -> fmt::Result {
        match clock::now() {
            Ok(now) => write!(writer, "{now}"),
            Err(_) => writer.write_str("-"),
        }
    }
}

/// Begins to write. `verbose` writes every request too.
///
/// # Errors
/// Where something in this process writes already.
pub(super) fn start(format: LogFormat, verbose: bool) -> Result<(), Failure> {
    let level = if verbose { Level::DEBUG } else { Level::INFO };
    let filter = EnvFilter::new(format!("warn,meed_node={level},meed_storage={level}"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_timer(Now)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| Failure::internal(format!("starting the log: {error}")))
}
