//! `meed serve`: the node that stays. It opens the ledger once, listens on a port for everybody and on a Unix socket
//! for the owner, and ends when it is asked to, after it has finished what it acknowledged.

mod around;
mod compressed;
mod conditional;
mod connection;
mod logs;
mod metrics;
mod observe;
mod port;
mod rate;
mod socket;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::api::{self, Face};
use crate::cli::args::{Cli, ServeArgs};
use crate::cli::console::Console;
use crate::config::{DataFolder, Settings};
use crate::failure::Failure;
use crate::service::Service;
use crate::workflow::{self, EngineHandle};
use connection::Limits;
use rate::Limiter;

pub use logs::LogFormat;
pub use metrics::Metrics;
pub use socket::is_answered;

/// Serves the ledger that the command line means, until the process is asked to end.
///
/// # Errors
/// What the settings, the ledger, the address or the certificate refuse.
pub fn run(args: &ServeArgs, cli: &Cli, console: Console) -> Result<(), Failure> {
    let folder = DataFolder::choose(cli.data.as_deref());
    let settings = Settings::read(&folder)?;
    logs::start(settings.log_format, args.verbose)?;
    let (service, keyless) = Service::open(&folder, settings)?;
    if keyless {
        console.notice(format!(
            "notice: {} is missing, or this account may not read it: the ledger can only be read",
            folder.log_key().display()
        ));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal(format!("starting the runtime: {error}")))?;
    let result = runtime.block_on(serve(args, &folder, service, console));
    // What a request waits for in the writer is finished by the ledger itself when its last handle goes.
    drop(runtime);
    result
}

async fn serve(
    args: &ServeArgs,
    folder: &DataFolder,
    service: Service,
    console: Console,
) -> Result<(), Failure> {
    // First of all: whoever reads that the node serves may end it at once.
    let mut signals = Signals::listen()?;
    let settings = service.settings().clone();
    let address: SocketAddr = args.listen.unwrap_or(settings.listen);
    let certificate = tls::Certificate::of(&settings)?;
    let listener = bind(address).await?;
    let local = socket::bind(folder)?;
    let address = listener.local_addr().map_err(|error| unservable(address, &error))?;

    let notify: workflow::Notify = Arc::new(|line| tracing::info!("{line}"));
    let (engine, reloaded) = workflow::start(service.clone(), notify)?;
    tell(&reloaded);
    let scheme = if certificate.is_some() { "https" } else { "http" };
    let service = service.with_engine(engine.engine()).listening(&format!("{scheme}://{address}"));
    let metrics = Arc::new(Metrics::new(service.clone()));
    let actor = settings.actor.clone();
    let port = public_router(&service, &settings, Arc::clone(&metrics));
    let owner = api::router(service.clone(), Face::Local, actor);

    let (stop, stopping) = watch::channel(false);
    let limits = Limits::of(&settings);
    let serving = tokio::spawn(port::serve(listener, port, certificate.clone(), limits, stopping.clone()));
    let answering = tokio::spawn(socket::serve(local, owner, settings.head_timeout, stopping));

    console.notice(format!("serving {scheme}://{address}/ until interrupted"));
    tracing::info!(%address, scheme, "serving");
    let reloading = Reloading { folder, engine: &engine, certificate: certificate.as_ref() };
    signals.wait_for_the_end(&reloading).await;
    tracing::info!("ending: finishing what was begun");
    // Both loops watch this; when they are gone already there is nobody to tell.
    let _ = stop.send(true);
    let ended = tokio::join!(serving, answering);
    for result in [ended.0, ended.1] {
        result.map_err(|error| Failure::internal(format!("a listener ended early: {error}")))?;
    }
    // The step that is being done may wait for the disk.
    let stopped = tokio::task::spawn_blocking(move || engine.stop()).await;
    stopped.map_err(|error| Failure::internal(format!("the workflows ended early: {error}")))?;
    socket::remove(folder);
    tracing::info!("ended");
    Ok(())
}

/// Whether the port is encrypted as the settings say.
///
/// # Errors
/// `certificate` where a file cannot be read or the two do not belong together.
pub fn check_certificate(settings: &Settings) -> Result<bool, Failure> {
    Ok(tls::Certificate::of(settings)?.is_some())
}

/// Everything that is on the port: the interface, the health of the node, and what goes around them.
pub fn public_router(service: &Service, settings: &Settings, metrics: Arc<Metrics>) -> Router {
    let api = api::router(service.clone(), Face::Port, settings.actor.clone());
    let health = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(metrics::ready))
        .route("/metrics", get(metrics::show))
        .with_state(Arc::clone(&metrics));
    let limiter = Limiter::of(settings);
    around::limited(api, limiter, Arc::clone(&metrics)).merge(around::unlimited(health, metrics))
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| unservable(address, &error))
}

fn unservable(address: SocketAddr, error: &std::io::Error) -> Failure {
    let what = format!("cannot serve on {address}: {error}");
    Failure::refused("unservable", what, "choose another address with --listen or the setting `listen`")
}

/// Says what the settings changed of the schedules.
fn tell(reloaded: &workflow::Reload) {
    let groups = [
        ("scheduled", &reloaded.added),
        ("schedule changed", &reloaded.changed),
        ("schedule paused: the settings do not name it any more", &reloaded.paused),
        ("schedule resumed", &reloaded.resumed),
    ];
    for (what, scopes) in groups {
        scopes.iter().for_each(|scope| tracing::info!(%scope, "{what}"));
    }
    for scope in &reloaded.unknown {
        tracing::warn!(%scope, "the settings name a scope that this ledger does not have, or that has ended");
    }
}

/// What SIGHUP reads again.
struct Reloading<'a> {
    folder: &'a DataFolder,
    engine: &'a EngineHandle,
    certificate: Option<&'a tls::Certificate>,
}

/// The signals that a node listens to.
struct Signals {
    interrupted: Signal,
    terminated: Signal,
    hung_up: Signal,
}

impl Signals {
    /// From here on no signal ends the process by itself.
    fn listen() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::internal(format!("listening for signals: {error}")));
        Ok(Self {
            interrupted: listen(SignalKind::interrupt())?,
            terminated: listen(SignalKind::terminate())?,
            hung_up: listen(SignalKind::hangup())?,
        })
    }

    /// Waits for SIGINT or SIGTERM. SIGHUP reads the schedules and the certificate again.
    async fn wait_for_the_end(&mut self, reloading: &Reloading<'_>) {
        loop {
            tokio::select! {
                _ = self.interrupted.recv() => return,
                _ = self.terminated.recv() => return,
                _ = self.hung_up.recv() => reloading.reload(),
            }
        }
    }
}

impl Reloading<'_> {
    /// What cannot be read stays as it was: a node that stops for a bad file helps nobody.
    fn reload(&self) {
        let settings = Settings::read(self.folder);
        match settings.and_then(|settings| self.engine.reload(&settings)) {
            Ok(reloaded) => tell(&reloaded),
            Err(failure) => {
                tracing::error!(problem = %failure.problem.detail, "the schedules stay as they were")
            }
        }
        let Some(certificate) = self.certificate else { return };
        match certificate.reload() {
            Ok(()) => tracing::info!("the certificate was read again"),
            Err(failure) => {
                tracing::error!(problem = %failure.problem.detail, "the certificate stays as it was")
            }
        }
    }
}
