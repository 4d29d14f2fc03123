//! How much one client may ask: so many requests a second, with some in stock, and so many at work at a time.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::sync::Semaphore;

use super::connection::client_of;
use super::port::Peer;
use crate::api::problems::{Problem, ProblemResponse};
use crate::config::Settings;

/// Seconds' worth of requests that a client who was quiet may send at once.
const BURST_SECONDS: u32 = 4;
/// After so many clients those that have been quiet are forgotten.
const CLIENTS_MAX: usize = 100_000;

/// The limits of the settings, with what clients have used of them.
pub(super) struct Limiter {
    /// None where the settings ask for no limit.
    rate: Option<DefaultKeyedRateLimiter<IpAddr>>,
    at_work: Semaphore,
    /// How long one request may take, its body and its answer's making included.
    timeout: Duration,
    proxies: Vec<IpAddr>,
}

impl Limiter {
    pub(super) fn of(settings: &Settings) -> Self {
        let rate = NonZeroU32::new(settings.requests_per_second).map(|rate| {
            let stock = rate.saturating_mul(NonZeroU32::new(BURST_SECONDS).unwrap_or(NonZeroU32::MIN));
            RateLimiter::keyed(Quota::per_second(rate).allow_burst(stock))
        });
        Self {
            rate,
            at_work: Semaphore::new(settings.requests_at_work_max),
            timeout: settings.request_timeout,
            proxies: settings.proxies.clone(),
        }
    }

    /// The answer of what comes next, where there is room for it and it comes in time.
    pub(super) async fn limit(&self, request: Request, next: Next) -> Response {
        if let Some(wait) = self.check(&request) {
            return too_many(wait);
        }
        let work = async {
            // The semaphore is never closed.
            let _at_work = self.at_work.acquire().await;
            next.run(request).await
        };
        tokio::time::timeout(self.timeout, work).await.unwrap_or_else(|_| too_slow(self.timeout))
    }

    /// How long the client of this request has to wait first.
    fn check(&self, request: &Request) -> Option<Duration> {
        let rate = self.rate.as_ref()?;
        let peer = request.extensions().get::<Peer>()?;
        let client = client_of(self.behind_proxies(peer.0.ip(), request));
        if rate.len() > CLIENTS_MAX {
            rate.retain_recent();
        }
        let refusal = rate.check_key(&client).err()?;
        Some(refusal.wait_time_from(DefaultClock::default().now()))
    }

    /// The address that a proxy of ours names last: what stands before it came from outside and proves nothing.
    fn behind_proxies(&self, peer: IpAddr, request: &Request) -> IpAddr {
        if !self.proxies.contains(&peer.to_canonical()) {
            return peer;
        }
        let named = request.headers().get_all("x-forwarded-for").iter().next_back();
        let named = named.and_then(|value| value.to_str().ok()).and_then(|text| text.rsplit(',').next());
        named.and_then(|text| text.trim().parse().ok()).unwrap_or(peer)
    }
}

fn too_many(wait: Duration) -> Response {
    let seconds = wait.as_secs().saturating_add(1);
    let problem = Problem::local(
        "too_many_requests",
        format!("expected fewer requests of one client, got one that has to wait {seconds} s"),
        "wait as long as the header Retry-After says; fetch many things with a larger `limit`",
    );
    let problem = problem.with_status(StatusCode::TOO_MANY_REQUESTS);
    let mut response = ProblemResponse(Box::new(problem)).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn too_slow(limit: Duration) -> Response {
    let problem = Problem::local(
        "timeout",
        format!("expected a request of at most {} s, got one that took longer", limit.as_secs()),
        "send the body faster or ask for less; what was sent to the ledger may have been done: look first",
    );
    ProblemResponse(Box::new(problem.with_status(StatusCode::REQUEST_TIMEOUT))).into_response()
}
