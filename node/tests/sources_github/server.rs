//! A server that answers as GitHub's GraphQL API does, from a [`Model`] that a test may change at any time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::model::{Model, NUMBER};

/// The token that it knows.
pub(crate) const TOKEN: &str = "ghs_a-token-of-the-tests";

/// What happens to the model before a request.
type Change = Box<dyn FnOnce(&mut Model) + Send>;

/// What a test sees and sets.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) model: Model,
    /// Answers in place of the right ones, by the number of the request, from 1.
    pub(crate) faults: BTreeMap<usize, ResponseTemplate>,
    /// What happens before a request.
    pub(crate) changes: BTreeMap<usize, Change>,
    /// The questions that were asked.
    pub(crate) asked: Vec<Value>,
    /// The name of the repository now.
    pub(crate) name: Option<String>,
}

/// A server at work.
pub(crate) struct Github {
    runtime: Runtime,
    server: MockServer,
    pub(crate) state: Arc<Mutex<State>>,
}

impl Github {
    pub(crate) fn start(model: Model) -> Self {
        let runtime = Runtime::new().unwrap();
        let state = Arc::new(Mutex::new(State { model, ..State::default() }));
        let server = runtime.block_on(async {
            let server = MockServer::start().await;
            Mock::given(any()).respond_with(Answers(Arc::clone(&state))).mount(&server).await;
            server
        });
        Self { runtime, server, state }
    }

    pub(crate) fn url(&self) -> String {
        let _in_runtime = self.runtime.enter();
        format!("{}/graphql", self.server.uri())
    }

    /// How many questions were asked since the last time; what was to go wrong later does not any more.
    pub(crate) fn count(&self) -> usize {
        let mut state = self.state.lock().unwrap();
        state.faults.clear();
        std::mem::take(&mut state.asked).len()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Model)) {
        change(&mut self.state.lock().unwrap().model);
    }

    /// Answers the n-th question from now so.
    pub(crate) fn fault(&self, number: usize, answer: ResponseTemplate) {
        let mut state = self.state.lock().unwrap();
        let number = state.asked.len() + number;
        state.faults.insert(number, answer);
    }
}

struct Answers(Arc<Mutex<State>>);

impl Respond for Answers {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.0.lock().unwrap();
        let question: Value = serde_json::from_slice(&request.body).unwrap();
        state.asked.push(question.clone());
        let number = state.asked.len();
        if let Some(change) = state.changes.remove(&number) {
            change(&mut state.model);
        }
        if let Some(fault) = state.faults.remove(&number) {
            return fault;
        }
        let token = request.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        if token != Some(format!("Bearer {TOKEN}")) {
            return ResponseTemplate::new(401).set_body_json(json!({"message": "Bad credentials"}));
        }
        let name = state.name.clone().unwrap_or_else(|| "octo/repo".to_owned());
        ResponseTemplate::new(200).set_body_json(answer(&state.model, &name, &question))
    }
}

fn answer(model: &Model, name: &str, question: &Value) -> Value {
    let query = question["query"].as_str().unwrap();
    let variables = &question["variables"];
    if query.contains("search(") {
        return json!({"data": {
            "merged": {"issueCount": count(&model.pulls, "mergedAt", &variables["merged"]) + model.hidden_merges},
            "closed": {"issueCount": count(&model.issues, "closedAt", &variables["closed"])},
        }});
    }
    if query.contains("node(id:") {
        return json!({"data": {"node": further(model, query, variables)}});
    }
    let mut repository = json!({"databaseId": NUMBER, "nameWithOwner": name});
    if query.contains("rateLimit{") {
        let limit = json!({"remaining": 4_990, "resetAt": "2026-01-01T01:00:00Z"});
        return json!({"data": {"repository": repository, "rateLimit": limit}});
    }
    let list = if query.contains("page:pullRequests(") { &model.pulls } else { &model.issues };
    match page(list, query, variables) {
        Some(page) => repository["page"] = page,
        None => {
            let error = json!({"type": "INVALID_CURSOR_ARGUMENTS", "message": "not a valid cursor"});
            return json!({"data": {"repository": null}, "errors": [error]});
        }
    }
    json!({"data": {"repository": repository}})
}

/// How many subjects have a time in the range of a search, both ends included.
fn count(subjects: &[Value], field: &str, search: &Value) -> u64 {
    let range = search.as_str().unwrap().rsplit_once(' ').unwrap().1.split_once(':').unwrap().1;
    let (first, last) = range.split_once("..").unwrap();
    let within = |subject: &&Value| subject[field].as_str().is_some_and(|at| first <= at && at <= last);
    subjects.iter().filter(within).count() as u64
}

/// A page by when subjects changed last, the oldest first, after a place that names the last one's time and number.
fn page(list: &[Value], query: &str, variables: &Value) -> Option<Value> {
    let place = |subject: &Value| {
        (subject["updatedAt"].as_str().unwrap().to_owned(), subject["number"].as_u64().unwrap())
    };
    let after = match variables["after"].as_str() {
        None => None,
        Some(after) => {
            let (at, number) = after.strip_prefix("v2:")?.split_once('|')?;
            Some((at.to_owned(), number.parse::<u64>().ok()?))
        }
    };
    let mut rest: Vec<&Value> =
        list.iter().filter(|subject| after.as_ref().is_none_or(|after| place(subject) > *after)).collect();
    rest.sort_by_key(|subject| place(subject));
    let first = usize::try_from(variables["first"].as_u64().unwrap()).unwrap();
    let more = rest.len() > first;
    rest.truncate(first);
    let end = rest.last().map(|subject| {
        let (at, number) = place(subject);
        format!("v2:{at}|{number}")
    });
    let nodes: Vec<Value> = rest.into_iter().map(|subject| shown(subject, query, variables)).collect();
    Some(json!({"pageInfo": {"hasNextPage": more, "endCursor": end}, "nodes": nodes}))
}

/// A subject with the first of what is nested in it, and without what the variables leave out.
fn shown(subject: &Value, query: &str, variables: &Value) -> Value {
    let mut fields = Map::new();
    for (name, value) in subject.as_object().unwrap() {
        let Value::Array(items) = value else {
            fields.insert(name.clone(), value.clone());
            continue;
        };
        let Some(asked) = query.split(&format!(" {name}:")).nth(1) else { continue };
        let variable = asked.split("@include(if:$").nth(1).unwrap().split(')').next().unwrap();
        if variables[variable].as_bool().unwrap() {
            fields.insert(name.clone(), connection(items, 0, first_of(asked)));
        }
    }
    Value::Object(fields)
}

fn first_of(asked: &str) -> usize {
    asked.split("first:").nth(1).unwrap().split([',', ')']).next().unwrap().parse().unwrap()
}

fn connection(items: &[Value], from: usize, first: usize) -> Value {
    let end = items.len().min(from + first);
    let nodes: Vec<Value> = items[from.min(end)..end].iter().map(inner).collect();
    json!({
        "pageInfo": {"hasNextPage": end < items.len(), "endCursor": format!("n{end}")},
        "nodes": nodes,
    })
}

/// A commit has a list in it too.
fn inner(item: &Value) -> Value {
    let mut item = item.clone();
    if let Some(Value::Array(authors)) = item.pointer("/commit/authors").cloned() {
        item["commit"]["authors"] = connection(&authors, 0, 10);
    }
    item
}

/// A further page of something nested.
fn further(model: &Model, query: &str, variables: &Value) -> Value {
    let id = variables["id"].as_str().unwrap();
    let field = query.split("{more:").nth(1).unwrap().split('(').next().unwrap();
    let commits = model.pulls.iter().flat_map(|pull| pull["commits"].as_array().unwrap());
    let commits = commits.map(|commit| &commit["commit"]);
    let owners = model.pulls.iter().chain(&model.issues).chain(commits);
    let owner = owners.into_iter().find(|owner| owner["id"] == id).unwrap();
    let name = match (field, &id[..1]) {
        ("timelineItems", "P") => "dismissals",
        ("timelineItems", _) => "closings",
        (field, _) => field,
    };
    let from = variables["after"].as_str().unwrap()[1..].parse().unwrap();
    json!({"more": connection(owner[name].as_array().unwrap(), from, first_of(query))})
}
