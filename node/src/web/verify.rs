//! The page that checks a proof in the browser, and the files of the verifier.

use axum::response::Response;
use maud::{PreEscaped, html};
use meed_audit::RejectionCode;

use super::verifier::{MARKUP, PAGE_MODULE, STANDALONE_PATH, modules, standalone_html};
use super::{Answer, Sorry, frame};
use crate::api::answers::typed;
use crate::api::extract::{At, Refused};
use crate::api::parameters::FilePath;
use crate::failure::reject;

/// `/verify`: the verifier in the frame of the node's pages.
pub(super) async fn page() -> Answer {
    let content = html! {
        (PreEscaped(MARKUP))
        script type="module" src={ "/verify/" (PAGE_MODULE) } {}
    };
    Ok(frame::page("Verify", &[("Overview", "/"), ("Verify", "")], &content))
}

/// A module of the verifier, or the whole of it as one file.
pub(super) async fn file(At(FilePath { file }): At<FilePath>) -> Result<Response, Sorry> {
    if STANDALONE_PATH.rsplit('/').next() == Some(file.as_str()) {
        return Ok(typed("text/html; charset=utf-8", standalone_html().into_bytes()));
    }
    let found = modules().iter().find(|(name, _)| *name == file);
    let expected = "a file of the verifier";
    let (_, text) = found.ok_or_else(|| {
        Sorry::from(Refused::from(reject(RejectionCode::RecordNotFound, "file", expected, &file)))
    })?;
    Ok(typed("text/javascript; charset=utf-8", text.as_bytes().to_vec()))
}
