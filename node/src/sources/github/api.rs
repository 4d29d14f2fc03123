//! The GraphQL API: one question, one answer, and what each refusal means.

use std::time::Duration;

use meed_audit::text::is_deceptive;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Response, Url};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};

use super::token::Token;
use super::{GithubError, GithubPlace, limits::Limits};
use crate::client::{http_client, is_this_machine};
use crate::clock::Clock;
use crate::failure::with_sources;

/// How long the API may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 32 << 20;
/// Most characters of what somebody else's server says that are passed on.
const SAID_CHARACTERS_MAX: usize = 200;

/// The way to the API of one place.
pub(super) struct Api<'a> {
    runtime: Runtime,
    http: reqwest::Client,
    url: Url,
    token: Token,
    /// By which the times of limits are judged.
    clock: &'a dyn Clock,
    repository: String,
}

#[derive(Serialize)]
struct Question<'a, V> {
    query: &'a str,
    variables: V,
}

/// What says whether there is an answer.
#[derive(Deserialize)]
struct Verdict {
    #[serde(default)]
    errors: Vec<QueryError>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct QueryError {
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

impl<'a> Api<'a> {
    pub(super) fn open(place: &GithubPlace, clock: &'a dyn Clock) -> Result<Self, GithubError> {
        let address = || GithubError::Address { url: said(&place.url) };
        let url = Url::parse(&place.url).map_err(|_| address())?;
        // The token goes along with every request.
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_this_machine(&url));
        if !is_safe || !url.username().is_empty() || url.password().is_some() {
            return Err(address());
        }
        let started = |detail: String| GithubError::Unreachable { url: place.url.clone(), detail };
        let builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(Duration::from_secs(place.timeout_seconds.max(1)));
        let http = http_client(builder).map_err(|failure| started(failure.problem.detail.clone()))?;
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|error| started(error.to_string()))?;
        let token = place.token.read()?;
        Ok(Self { runtime, http, url, token, clock, repository: place.repository.to_string() })
    }

    /// Asks a question, and gives its whole answer: one with errors in it is none.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        query: &str,
        variables: &impl Serialize,
    ) -> Result<T, GithubError> {
        let question = serde_json::to_vec(&Question { query, variables })
            .map_err(|error| GithubError::Answer { detail: error.to_string() })?;
        let (status, headers, body) = self.runtime.block_on(self.send(question))?;
        let verdict: Option<Verdict> = serde_json::from_slice(&body).ok();
        self.judge(status, &headers, verdict)?;
        let answer: Answer<T> = serde_json::from_slice(&body)
            .map_err(|error| GithubError::Answer { detail: said(&error.to_string()) })?;
        Ok(answer.data)
    }

    async fn send(&self, question: Vec<u8>) -> Result<(u16, HeaderMap, Vec<u8>), GithubError> {
        let failed = |error: reqwest::Error| GithubError::Unreachable {
            url: self.url.to_string(),
            // The address is said already.
            detail: said(&with_sources(&error.without_url())),
        };
        let request = self.http.post(self.url.clone()).bearer_auth(self.token.secret());
        let request = request.header(CONTENT_TYPE, "application/json").body(question);
        let mut response = request.send().await.map_err(failed)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = read_whole(&mut response).await.map_err(failed)?;
        let too_long = || GithubError::Answer {
            detail: format!("expected an answer of at most {ANSWER_BYTES_MAX} bytes"),
        };
        Ok((status, headers, body.ok_or_else(too_long)?))
    }

    /// Whether an answer is one.
    fn judge(&self, status: u16, headers: &HeaderMap, verdict: Option<Verdict>) -> Result<(), GithubError> {
        let limits = Limits::of(headers);
        let (errors, message) = verdict.map_or((Vec::new(), None), |it| (it.errors, it.message));
        let words = message.as_deref().or(errors.first().map(|error| error.message.as_str()));
        let detail = said(words.unwrap_or("it said nothing of why"));
        let is_of = |kind: &str| errors.iter().any(|error| error.r#type.as_deref() == Some(kind));
        let speaks_of_limit = words.is_some_and(|words| {
            let words = words.to_ascii_lowercase();
            words.contains("rate limit") || words.contains("abuse detection")
        });
        let refuses = matches!(status, 403 | 429) || !errors.is_empty();
        if status == 429 || (refuses && (limits.are_reached() || speaks_of_limit || is_of("RATE_LIMITED"))) {
            let now = self
                .clock
                .now()
                .map_err(|failure| GithubError::ServerFailed { detail: failure.problem.detail.clone() })?;
            return Err(GithubError::Limited { until: limits.until(now), detail });
        }
        match status {
            200 if errors.is_empty() => Ok(()),
            200 if is_of("NOT_FOUND") => {
                Err(GithubError::RepositoryUnknown { repository: self.repository.clone() })
            }
            200 if is_of("FORBIDDEN") || is_of("INSUFFICIENT_SCOPES") => {
                Err(GithubError::Forbidden { what: self.repository.clone(), detail })
            }
            200 if is_of("INVALID_CURSOR_ARGUMENTS") => Err(GithubError::CursorUnknown),
            // What took too long has no type, or that of its limit of nodes.
            200 if is_of("MAX_NODE_LIMIT_EXCEEDED") || errors.iter().all(|error| error.r#type.is_none()) => {
                Err(GithubError::ServerFailed { detail })
            }
            200 => Err(GithubError::Answer { detail }),
            401 => Err(GithubError::TokenRefused { detail }),
            403 => Err(GithubError::Forbidden { what: self.repository.clone(), detail }),
            500.. => Err(GithubError::ServerFailed { detail: format!("status {status}: {detail}") }),
            _ => Err(GithubError::NotTheApi { url: self.url.to_string(), status }),
        }
    }
}

/// The body, unless it is longer than what is read.
async fn read_whole(response: &mut Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len().saturating_add(chunk.len()) > ANSWER_BYTES_MAX {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// What somebody else's server says, as one short line that can be shown.
fn said(text: &str) -> String {
    let visible = |character: &char| !character.is_control() && !is_deceptive(*character);
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(visible).take(SAID_CHARACTERS_MAX).collect()
}
