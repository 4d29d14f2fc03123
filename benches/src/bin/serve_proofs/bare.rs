//! The raw thing: an axum handler on the node's own kind of route, which answers bytes that it has.

use std::ffi::OsString;

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::Outcome;

/// Serves so many bytes until the process is ended; says where, in the words that the node uses.
pub(crate) fn serve(bytes_count: Option<OsString>) -> Outcome<()> {
    let count: usize =
        bytes_count.as_ref().and_then(|text| text.to_str()).ok_or("no count of bytes")?.parse()?;
    let body = Bytes::from(vec![b'x'; count]);
    let answer = get(async move || ([(header::CONTENT_TYPE, "application/json")], body));
    let router = Router::new().route("/api/v1/scopes/{key}/epochs/{epoch}/proofs/{claimant}", answer);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        eprintln!("serving http://{}/ until interrupted", listener.local_addr()?);
        axum::serve(listener, router).await?;
        Ok(())
    })
}
