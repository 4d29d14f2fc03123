//! Who signed what is shown, and the text that they signed.

use maud::{Markup, html};
use meed_keys::Note;

use super::Shown;
use crate::api::documents::{SignatureView, StatementView};
use crate::web::frame::{key, time};

pub(super) fn section(shown: &Shown) -> Markup {
    let Some((view, statement)) = &shown.statement else {
        return html! {
            section id="signatures" { h2 { "Who signed" } p { "Nobody: nobody signs a proposal." } }
        };
    };
    let signers = signers(view);
    let others: Vec<&SignatureView> = shown
        .signatures
        .signatures
        .iter()
        .filter(|signature| signature.revision != view.revision || !signers.contains(&signature.name))
        .collect();
    let base = format!("/api/v1/scopes/{}/epochs/{}", shown.epoch.scope, shown.epoch.epoch);
    let (scope, epoch, revision) = (&shown.epoch.scope, shown.epoch.epoch, view.revision);
    html! {
        section id="signatures" {
            h2 { "Who signed" }
            p { (signers.len()) " of the " (statement.approvers.threshold) " signatures that are needed, for revision " (revision)
                @if !view.is_final { ", which is the draft. They are taken until " (time(view.sign_by)) } "." }
            ul { @for name in &signers { li { (key(name)) } } }
            @if !others.is_empty() {
                details {
                    summary { "Signatures that count for nothing here" }
                    ul { @for signature in others { li { (key(&signature.name)) " signed revision " (signature.revision) } } }
                }
            }
            details open[view.is_final] {
                summary { "The statement, exactly as it is signed" }
                pre tabindex="0" { (view.note) }
            }
            p { "An approver recomputes all of it from "
                a href={ (base) "/dossier?revision=" (revision) } download={ (scope) "-" (epoch) "-" (revision) ".dossier" } { "the dossier" }
                " before signing: " code { "meed sign DOSSIER --key KEYFILE" } }
        }
    }
}

/// The approvers whose lines stand below a statement; the node's own line is no approval.
fn signers(view: &StatementView) -> Vec<String> {
    let Ok(note) = Note::parse(&view.note) else { return Vec::new() };
    let names = note.signatures().iter().map(|line| line.name().to_string());
    names.filter(|name| *name != view.origin).collect()
}
