//! Numbers about the node's work in the text form of Prometheus, and whether it is ready.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::api::problems::ProblemResponse;
use crate::failure::Failure;
use crate::service::Service;

/// Upper bounds of answer times, in seconds.
const SECONDS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 10.0];
/// How long the writer may take to show that it works.
const READY_TIMEOUT: Duration = Duration::from_secs(5);
/// The methods that routes have.
const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "PATCH", "DELETE"];
const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Which answers are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    route: String,
    method: String,
    status: u16,
}

/// Which answers are timed together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// The node's numbers.
pub struct Metrics {
    service: Service,
    registry: Registry,
    answers: Family<Kind, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    known: RwLock<HashMap<String, Vec<Known>>>,
}

/// The numbers of one kind of answer of a route, at hand without making the labels anew.
struct Known {
    method: &'static str,
    status: StatusCode,
    answers: Counter,
    seconds: Histogram,
}

impl Metrics {
    /// The numbers of a node that has not answered anything yet.
    pub fn new(service: Service) -> Self {
        let mut registry = Registry::with_prefix("meed");
        let answers = Family::default();
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        let seconds = Family::new_with_constructor(histogram);
        registry.register("http_answers", "Answers, by route, method and status", answers.clone());
        registry.register_with_unit(
            "http_answer",
            "Time from the head of a request to the head of its answer",
            Unit::Seconds,
            seconds.clone(),
        );
        registry.register_collector(Box::new(LedgerNumbers { service: service.clone() }));
        Self { service, registry, answers, seconds, known: RwLock::default() }
    }

    /// Counts an answer.
    pub(super) fn count(&self, route: &str, method: &str, status: StatusCode, took: Duration) {
        // Anybody can think of methods; only those that there are become labels.
        let method = METHODS.into_iter().find(|known| *known == method).unwrap_or("other");
        let is_same = |known: &&Known| known.method == method && known.status == status;
        let seen = |known: &Known| {
            known.answers.inc();
            known.seconds.observe(took.as_secs_f64());
        };
        let kinds = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kinds.get(route).and_then(|kinds| kinds.iter().find(is_same)) {
            return seen(known);
        }
        drop(kinds);
        let kind = Kind { route: route.to_owned(), method: method.to_owned(), status: status.as_u16() };
        let answers = self.answers.get_or_create_owned(&kind);
        let seconds = self.seconds.get_or_create_owned(&Route { route: route.to_owned() });
        let known = Known { method, status, answers, seconds };
        seen(&known);
        let mut kinds = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let kinds = kinds.entry(route.to_owned()).or_default();
        // Another thread may have been faster.
        if !kinds.iter().any(|other| is_same(&other)) {
            kinds.push(known);
        }
    }
}

/// What the ledger says of itself when it is asked.
struct LedgerNumbers {
    service: Service,
}

impl fmt::Debug for LedgerNumbers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LedgerNumbers").finish_non_exhaustive()
    }
}

impl Collector for LedgerNumbers {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let writer = self.service.writer_counts();
        let mut gauge = |name: &str, help: &str, value: u64| {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        gauge("writer_waiting", "Commands that wait for the writer", writer.waiting_count)?;
        // A ledger that cannot be read shows as numbers that are missing; readiness says why.
        if let Ok(counts) = self.service.counts() {
            gauge("scopes", "Scopes", counts.scopes)?;
            gauge("epochs_open", "Epochs that take events", counts.epochs_open)?;
            gauge("epochs_in_review", "Epochs that are reviewed", counts.epochs_in_review)?;
            gauge("epochs_final", "Epochs that are final", counts.epochs_final)?;
            gauge("log_events", "Entries of the events log", counts.events)?;
            gauge("log_statements", "Entries of the statements log", counts.statements)?;
            gauge("runs", "Attempts of runs since the ledger was made", counts.runs)?;
            gauge("runs_at_work", "Runs that have not ended", counts.runs_at_work)?;
            gauge("runs_failed", "Runs that failed, of the newest 100", counts.runs_failed)?;
            gauge("ledger_bytes", "Size of the ledger file", counts.ledger_bytes)?;
        }
        let mut counter = |name: &str, help: &str, value: u64| {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)
        };
        counter("writer_commands", "Commands that the writer has taken", writer.taken_count)?;
        counter("writer_commits", "Durable commits", writer.commits_count)?;
        counter(
            "writer_commit_microseconds",
            "Time that durable commits took in all",
            writer.commit_microseconds,
        )
    }
}

/// `/metrics`.
pub(super) async fn show(State(metrics): State<Arc<Metrics>>) -> Response {
    let shown = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &metrics.registry).map(|()| text)
    });
    match shown.await {
        Ok(Ok(text)) => ([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response(),
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// `/readyz`: whether a command goes through the writer in good time, and the ledger can be read.
pub(super) async fn ready(State(metrics): State<Arc<Metrics>>) -> Response {
    let service = metrics.service.clone();
    let check = tokio::task::spawn_blocking(move || service.check_ready());
    let refusal = match tokio::time::timeout(READY_TIMEOUT, check).await {
        Ok(Ok(Ok(()))) => return "ready\n".into_response(),
        Ok(Ok(Err(failure))) => failure,
        Ok(Err(error)) => Failure::internal(format!("the check ended early: {error}")),
        Err(_) => {
            let what = format!("expected the writer to answer within {} s", READY_TIMEOUT.as_secs());
            Failure::refused("writer_slow", what, "look at the disk and at what the writer is busy with")
        }
    };
    let mut problem = refusal.problem;
    problem.status = StatusCode::SERVICE_UNAVAILABLE.as_u16();
    ProblemResponse(problem).into_response()
}
