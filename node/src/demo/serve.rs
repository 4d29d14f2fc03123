//! Serving the demo's ledger for reading.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::runtime::Builder;

use super::stage::Stage;
use crate::api::{self, Face};
use crate::cli::console::Console;
use crate::failure::Failure;

/// Serves what anybody may read, and takes approvers' signatures, until the process is interrupted. Only on this
/// machine: there is no TLS and no limit of rates here.
pub(super) fn run(stage: Stage, address: SocketAddr, console: Console) -> Result<(), Failure> {
    if !address.ip().is_loopback() {
        let what = format!("expected an address of this machine such as 127.0.0.1:8080, got {address}");
        return Err(Failure::usage(what, "serve the demo on a loopback address"));
    }
    let failed = |error: std::io::Error| {
        let what = format!("cannot serve on {address}: {error}");
        Failure::refused("unservable", what, "choose another port with --serve")
    };
    let actor = stage.service.settings().actor.clone();
    let router = api::router(stage.service.clone(), Face::Port, actor);
    let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        console.notice(format!(
            "serving the ledger for reading until interrupted: http://{address}/api/v1/scopes/default/epochs/1"
        ));
        axum::serve(listener, router).await.map_err(failed)
    })
}
