//! Webhooks: what GitHub delivers, checked before anything of it is read.

use hmac::{Hmac, KeyInit, Mac};
use meed_audit::ids::{ScopeId, ScopeKey};
use meed_audit::json::refuse_json;
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_audit::{Rejection, RejectionCode};
use meed_storage::{KeyText, RunId};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Service;
use crate::api::documents::{CollectRequest, DeliveryView, StoredView};
use crate::config::SourcePlace;
use crate::failure::{Failure, reject};
use crate::files;
use crate::sources::github::{GithubPlace, Meaning, Payload};
use crate::workflow::Answer;

/// Longest secret, in bytes.
const SECRET_BYTES_MAX: usize = 1_024;
/// Shortest secret, in bytes: a shorter one could be guessed.
const SECRET_BYTES_MIN: usize = 16;
/// Longest id of a delivery, in bytes: GitHub's have 36.
const ID_BYTES_MAX: usize = 100;
/// The least time between two collections that deliveries ask for, in milliseconds: each reads its weeks again.
const COLLECT_EVERY_MS: i64 = 5 * 60_000;
/// Newest runs of a scope among which the last collection is looked for.
const RUNS_LOOKED_AT: usize = 20;
/// Who asks for the collections.
const ACTOR: &str = "github webhook";

/// What came, as its headers name it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery<'a> {
    /// `X-GitHub-Delivery`.
    pub(crate) id: &'a str,
    /// `X-GitHub-Event`.
    pub(crate) event: &'a str,
    /// `X-Hub-Signature-256`.
    pub(crate) signature: &'a str,
    /// The bytes that are signed.
    pub(crate) body: &'a [u8],
}

impl Service {
    /// Takes a delivery: stores what it tells whole, and has the rest collected.
    ///
    /// # Errors
    /// `record_not_found` where the settings have no secret; `signature_invalid`; `malformed`, of what is signed and no
    /// payload.
    pub(crate) fn take_delivery(&self, delivery: Delivery<'_>) -> Result<DeliveryView, Failure> {
        self.check_signature(delivery.signature, delivery.body)?;
        let id = delivery_id(delivery.id)?;
        let mut view = DeliveryView { delivery: delivery.id.to_owned(), ..DeliveryView::default() };
        if self.snapshot()?.knows_delivery(&id)? {
            view.replayed = true;
            return Ok(view);
        }
        let payload: Payload = serde_json::from_slice(delivery.body).map_err(|error| {
            Failure::from(refuse_json("body", "the payload of an event of GitHub", &error, delivery.body))
        })?;
        for (scope, place) in self.places_of(&payload) {
            let now = self.now()?;
            // A scope of the settings that the ledger does not have, or that has ended, takes nothing.
            let scopes = self.snapshot()?.scopes()?;
            let living = scopes.iter().find(|known| known.terms.key == scope && !known.ended);
            let Some(id) = living.map(|known| known.id) else { continue };
            match payload.meaning(delivery.event, &place, &self.settings.bots, now) {
                Meaning::Nothing => {}
                Meaning::Collect => view.collecting.extend(self.collect_soon(&scope, id, now)?),
                Meaning::Events(events) => {
                    let stored: StoredView = self.append_with_outcomes(id, events, now, None)?.0;
                    view.events.add(&stored);
                }
            }
        }
        // Last, so that what could not be done can be delivered again.
        view.replayed = !self.ledger.note_delivery(id, self.now()?)?;
        Ok(view)
    }

    /// HMAC-SHA256 over the bytes as they came, compared in constant time.
    fn check_signature(&self, signature: &str, body: &[u8]) -> Result<(), Failure> {
        let Some(path) = &self.settings.github_webhook_secret_file else {
            let expected = "a node whose settings name a secret for deliveries of GitHub";
            let remedy = "set github_webhook_secret_file in the node's meed.toml";
            return Err(
                reject(RejectionCode::RecordNotFound, "webhook", expected, "none").with_remedy(remedy)
            );
        };
        let secret = Zeroizing::new(files::read_text(path, SECRET_BYTES_MAX)?);
        let secret = secret.trim();
        if secret.len() < SECRET_BYTES_MIN {
            let what = format!("the secret for deliveries of GitHub has less than {SECRET_BYTES_MIN} bytes");
            return Err(Failure::internal(what)
                .with_remedy("put a longer one into its file and into GitHub's settings"));
        }
        let invalid = |got: &str| {
            let expected = "sha256= and the HMAC of the body, by the secret of this node";
            reject(RejectionCode::SignatureInvalid, "X-Hub-Signature-256", expected, got)
                .with_remedy("give the webhook the secret that the node's file holds")
        };
        let tag = signature.strip_prefix("sha256=").and_then(bytes_of_hex);
        let tag = tag.ok_or_else(|| invalid("another form"))?;
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
        let mac = mac.map_err(|error| Failure::internal(error.to_string()))?;
        mac.chain_update(body).verify_slice(&tag).map_err(|_| invalid("another one"))
    }

    /// The scopes with a source of the payload's repository, by whatever case its name is written in.
    fn places_of(&self, payload: &Payload) -> Vec<(ScopeKey, GithubPlace)> {
        let Some(name) = payload.repository().map(|name| name.to_string()) else { return Vec::new() };
        let scopes = self.scope_settings();
        let sources =
            scopes.iter().flat_map(|(key, scope)| scope.sources.iter().map(move |source| (key, source)));
        sources
            .filter_map(|(key, source)| match &source.place {
                SourcePlace::Github { place } if place.repository.to_string().eq_ignore_ascii_case(&name) => {
                    Some((key.clone(), (**place).clone()))
                }
                _ => None,
            })
            .collect()
    }

    /// Asks for a collection of a scope, unless it is paused, or one was begun a short while ago: what is delivered until
    /// the next is collected with it.
    fn collect_soon(
        &self,
        key: &ScopeKey,
        scope: ScopeId,
        now: Timestamp,
    ) -> Result<Option<String>, Failure> {
        let snapshot = self.snapshot()?;
        let is_paused = snapshot.schedules()?.iter().any(|it| it.scope == scope && it.paused.is_some());
        let runs = snapshot.runs(Some(scope), None, RUNS_LOOKED_AT)?;
        let mut collections = runs.iter().filter(|run| matches!(run.id, RunId::Collect { .. }));
        let is_recent = collections.any(|run| {
            let next_ms = run.started_at.as_ms().saturating_add(COLLECT_EVERY_MS);
            !run.state.has_ended() || next_ms > now.as_ms()
        });
        if is_paused || is_recent {
            return Ok(None);
        }
        drop(snapshot);
        let actor = FreeText::parse("actor", ACTOR)?;
        Ok(match self.runner().collect(key.as_str(), &CollectRequest::default(), &actor)? {
            Answer::Begun(run) => Some(run.id),
            Answer::Ended(_) => None,
        })
    }
}

fn delivery_id(text: &str) -> Result<KeyText, Failure> {
    let is_id = (1..=ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_id {
        let expected = format!("1 to {ID_BYTES_MAX} visible characters");
        let refusal =
            Rejection::new(RejectionCode::InvalidIdentifier, "X-GitHub-Delivery", expected, "another form");
        return Err(refusal.into());
    }
    Ok(text.parse()?)
}

/// 64 hex digits, as GitHub writes them.
fn bytes_of_hex(text: &str) -> Option<[u8; 32]> {
    meed_audit::hash::Hash::from_hex(text).ok().map(meed_audit::hash::Hash::to_bytes)
}
