//! The thread that lets an engine work while a node serves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use meed_audit::RejectionCode;
use meed_audit::time::Timestamp;

use super::engine::{Engine, Progress, RetryPolicy};
use super::schedules::Reload;
use crate::config::Settings;
use crate::failure::Failure;
use crate::service::Service;

/// The longest sleep: the machine's clock may be set meanwhile.
const SLEEP_MAX: Duration = Duration::from_secs(60);
/// The sleep after the ledger or the clock failed.
const SLEEP_AFTER_FAILURE: Duration = Duration::from_secs(30);

/// Is told what the engine did, one line each: for the node's log.
pub type Notify = Arc<dyn Fn(&str) + Send + Sync>;

/// An engine at work. Dropping it stops it as [`EngineHandle::stop`] does.
pub struct EngineHandle {
    engine: Arc<Engine>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Lets an engine work in a thread of its own: schedules are reconciled with the service's settings, runs that were
/// interrupted go on, and what is due is done by the service's clock. A ledger that can only be read is no error.
/// `notify` must not block for long.
///
/// # Errors
/// A failure of the ledger, or of the system, which gives no thread.
pub fn start(service: Service, notify: Notify) -> Result<(EngineHandle, Reload), Failure> {
    let engine = Arc::new(Engine::new(service, RetryPolicy::SERVING));
    let settings = engine.service().settings().clone();
    let reload = match engine.reload(&settings) {
        // It serves readers; nothing is done by itself before it can be changed again.
        Err(failure) if is_read_only(&failure) => {
            notify(&format!("workflows: {}; {}", failure.problem.detail, failure.problem.remedy));
            Reload::default()
        }
        reloaded => reloaded?,
    };
    let stopping = Arc::new(AtomicBool::new(false));
    let (worker, flag) = (Arc::clone(&engine), Arc::clone(&stopping));
    let thread = thread::Builder::new().name("workflows".to_owned());
    let thread = thread
        .spawn(move || work(&worker, &flag, &notify))
        .map_err(|error| Failure::internal(format!("starting the workflows: {error}")))?;
    Ok((EngineHandle { engine, stopping, thread: Some(thread) }, reload))
}

impl EngineHandle {
    /// The engine, for requests.
    pub fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.engine)
    }

    /// Makes the schedules what changed settings say; to be called when they were read again (`SIGHUP`).
    ///
    /// # Errors
    /// A failure of the ledger; then the settings of before stay.
    pub fn reload(&self, settings: &Settings) -> Result<Reload, Failure> {
        self.engine.reload(settings)
    }

    /// Ends the work: the step that is being done is finished and recorded, and the next node goes on after it.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for EngineHandle {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.engine.wake.wake();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has ended its work already, and what it recorded stands.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for EngineHandle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EngineHandle").field("engine", &self.engine).finish_non_exhaustive()
    }
}

fn is_read_only(failure: &Failure) -> bool {
    let code = failure.problem.code.as_str();
    code == "no_log_key" || code == RejectionCode::LedgerRestored.name()
}

fn work(engine: &Engine, stopping: &AtomicBool, notify: &Notify) {
    while !stopping.load(Ordering::SeqCst) {
        match engine.step() {
            Ok(Progress::Worked(what)) => notify(&what),
            Ok(Progress::Idle(until)) => engine.wake.wait(sleep(engine, until)),
            Err(failure) => {
                notify(&format!("workflows: {}; {}", failure.problem.detail, failure.problem.remedy));
                engine.wake.wait(SLEEP_AFTER_FAILURE);
            }
        }
    }
}

fn sleep(engine: &Engine, until: Option<Timestamp>) -> Duration {
    let now = engine.service().clock().now();
    let (Some(until), Ok(now)) = (until, now) else { return SLEEP_MAX };
    let ms = u64::try_from(until.as_ms().saturating_sub(now.as_ms())).unwrap_or(0);
    // A little later rather than a little earlier, since the clock has milliseconds.
    Duration::from_millis(ms.saturating_add(1)).min(SLEEP_MAX)
}
