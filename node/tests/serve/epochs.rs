//! What everybody sees of an epoch: whose amounts they are, what an amendment changed, and how an epoch is opened.

use crate::pages::{OWN, sign_in};
use crate::review::{Desk, REVIEW, approvers, encoded};
use crate::support::{Answer, Node};

const EPOCH: &str = "/scopes/default/epochs/1";
const HTML: &str = "Accept: text/html,application/xhtml+xml;q=0.9\r\n";

impl Desk {
    /// Shares an event between two accounts, in parts per million.
    fn shares(&self, event: &str, seven: u32) {
        let shares = format!("identity:github:7={seven}\nidentity:github:8={}", 1_000_000 - seven);
        self.decides(event, &[("change", "shares"), ("shares", &shares)]);
    }

    /// An epoch in review whose draft gives 7 a quarter of the pool and 8 the rest.
    fn with_draft() -> Self {
        let desk = Self::new("operator");
        desk.import(1..=1);
        desk.base_issuance();
        desk.decides("chat:m:1", &[("change", "weight"), ("weight", "1000")]);
        desk.shares("chat:m:1", 250_000);
        desk.does("close", &[]);
        desk.does("draft", &[]);
        desk
    }

    /// Two approvers sign the draft, and it becomes final.
    fn finalizes(&self) {
        for key in approvers().iter().take(2) {
            let (page, line) = (self.page(REVIEW), self.signature(key));
            let sent = self.fill_with_file(&page, "signatures", &[("signatures", &line)], "");
            self.follow(&sent, "signatures");
        }
        let answer = self.fill(&self.page(REVIEW), "finalize", &[]);
        let run = self.ended_run(answer.header("location").expect("a run"));
        assert!(run.contains("role=\"status\">done"), "{run}");
    }

    /// What the public page shows beside each claimant.
    fn paid(&self, path: &str) -> Vec<(String, String)> {
        let page = self.node.get(path, "").text();
        let table = page.split("aria-label=\"Allocations\"").nth(1).expect("a table");
        let table = table.split("</table>").next().expect("its end");
        let text = |cell: &str| cell.split('>').next_back().expect("text").trim().to_owned();
        let row = |row: &str| {
            let name = row.split("class=\"key\">").nth(1)?.split('<').next()?.to_owned();
            let amount = row.split("data-label=\"credits\"").nth(1)?.split("</td>").next()?;
            Some((name, text(amount)))
        };
        table.split("<tr>").filter_map(row).collect()
    }
}

fn paid(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(account, amount)| (format!("identity:github:{account}"), (*amount).to_owned()))
        .collect()
}

#[test]
fn the_public_page_shows_what_approvers_sign_and_not_what_came_after() {
    let desk = Desk::with_draft();
    let draft = paid(&[("7", "2500"), ("8", "7500")]);
    assert_eq!(desk.paid(EPOCH), draft);
    desk.shares("chat:m:1", 500_000);
    assert_eq!(desk.paid(EPOCH), draft, "signatures stand beside the amounts that they are of");
    let page = desk.node.get(EPOCH, "").text();
    for words in ["the draft, revision 0", "1 decision came after the draft and is not in these amounts"] {
        assert!(page.replace("<strong>", "").replace("</strong>", "").contains(words), "{words}: {page}");
    }
    assert!(page.contains("after the draft, and not in it"), "the decision says so itself: {page}");
    assert!(page.contains("?revision=now#allocations"), "{page}");
    let now = format!("{EPOCH}?revision=now");
    assert_eq!(desk.paid(&now), paid(&[("7", "5000"), ("8", "5000")]));
    let page = desk.node.get(&now, "").text();
    assert!(page.contains("a proposal") && page.contains("Approvers sign other amounts"), "{page}");
    // Programs are told the same: of the draft where they name it.
    let leaves = |query: &str| {
        let view = desk.node.get(&format!("/api/v1{EPOCH}/allocations{query}"), "").json();
        (view["revision"].clone(), view["items"][0]["credits"].clone(), view["items"][0]["revision"].clone())
    };
    assert_eq!(leaves("?revision=0"), (0.into(), "2500".into(), "0".into()));
    assert_eq!(leaves(""), (serde_json::Value::Null, "5000".into(), "1".into()));
    for (query, status) in [("?revision=9", 404), ("?revision=x", 400), ("?revision=-1", 400)] {
        assert_eq!(desk.node.get(&format!("{EPOCH}{query}"), "").status, status, "{query}");
    }
}

#[test]
fn what_an_amendment_replaced_stays_to_be_seen_and_proven() {
    let desk = Desk::with_draft();
    desk.finalizes();
    desk.does("amendment", &[("reason", "shared wrongly")]);
    desk.decides("chat:m:1", &[("change", "reset")]);
    desk.decides("chat:m:1", &[("change", "weight"), ("weight", "1000")]);
    // While the amendment is under way, what is in force is shown.
    assert_eq!(desk.paid(EPOCH), paid(&[("7", "2500"), ("8", "7500")]));
    assert!(desk.node.get(EPOCH, "").text().contains("An amendment is under way"));
    desk.does("draft", &[]);
    assert_eq!(desk.paid(EPOCH), paid(&[("7", "2500"), ("8", "7500")]));
    assert_eq!(desk.paid(&format!("{EPOCH}?revision=1")), paid(&[("7", "10000")]));
    desk.finalizes();
    // Nothing is being decided any more: now is what is in force, and signed.
    for path in [EPOCH.to_owned(), format!("{EPOCH}?revision=now")] {
        assert_eq!(desk.paid(&path), paid(&[("7", "10000")]));
        assert!(!desk.node.get(&path, "").text().contains("a proposal"), "{path}");
    }
    let page = desk.node.get(EPOCH, "").text();
    let plain = strip(&page);
    assert!(plain.contains("amended: revision 1 replaces revision 0"), "{plain}");
    assert!(page.contains("not named"), "who is paid nothing any more: {page}");
    let old = format!("{EPOCH}?revision=0");
    assert_eq!(desk.paid(&old), paid(&[("7", "2500"), ("8", "7500")]));
    assert!(strip(&desk.node.get(&old, "").text()).contains("revision 0, which is superseded"));

    let own = |account: u32| desk.node.get(&format!("/claimants/identity%3Agithub%3A{account}"), "").text();
    for (account, words) in [
        (7, "amended: revision 1 replaces revision 0, was 2500 credits, now 10000 credits"),
        (8, "amended: revision 1 replaces revision 0, was 7500 credits, now nothing"),
    ] {
        let page = own(account);
        let plain = strip(&page);
        assert!(plain.contains(words), "{words}: {plain}");
        assert!(plain.contains("superseded: replaced by revision 1"), "{plain}");
        for revision in [0, 1] {
            let proof = format!("/api/v1{EPOCH}/proofs/identity%3Agithub%3A{account}?revision={revision}");
            assert!(page.contains(&format!("href=\"{proof}\"")), "{proof}: {page}");
            let file = desk.node.get(&proof, "");
            assert_eq!(file.status, 200, "{proof}: {}", file.text());
            let is_absent = account == 8 && revision == 1;
            let kind = if is_absent { "meed/absence-proof/v1" } else { "meed/payout-proof/v1" };
            assert_eq!(file.json()["format"], kind, "{proof}");
        }
    }
    programs_read_what_was_replaced(&desk);
}

/// Programs read the same: what is in force, or all of it, each with the address of its proof, in parts of any size.
fn programs_read_what_was_replaced(desk: &Desk) {
    let list = |account: u32, query: &str| {
        let path = format!("/api/v1/claimants/identity%3Agithub%3A{account}/payouts{query}");
        let page = desk.node.get(&path, "").json();
        let item = |item: &serde_json::Value| {
            let proof = desk.node.get(item["proof"].as_str().expect("an address"), "");
            assert_eq!(proof.json()["format"], "meed/payout-proof/v1", "{item}");
            let allocation = &item["allocation"];
            assert_eq!(allocation["scope"], desk.node.get("/api/v1/scopes/default", "").json()["id"]);
            (
                allocation["revision"].as_str().expect("a revision").to_owned(),
                allocation["credits"].as_str().expect("credits").to_owned(),
                item["superseded_by"].as_u64(),
            )
        };
        let items: Vec<_> = page["items"].as_array().expect("items").iter().map(item).collect();
        (items, page["next"].as_str().map(encoded))
    };
    let row = |revision: &str, credits: &str, by| (revision.to_owned(), credits.to_owned(), by);
    assert_eq!(list(7, ""), (vec![row("1", "10000", None)], None));
    assert_eq!(list(8, ""), (vec![], None));
    let all = vec![row("1", "10000", None), row("0", "2500", Some(1))];
    assert_eq!(list(7, "?superseded=true"), (all.clone(), None));
    assert_eq!(list(7, "?superseded=false").0.len(), 1);
    assert_eq!(list(8, "?superseded=true"), (vec![row("0", "7500", Some(1))], None));
    let (first, next) = list(7, "?superseded=true&limit=1");
    let (second, end) = list(7, &format!("?superseded=true&limit=1&from={}", next.expect("another part")));
    assert_eq!(([first, second].concat(), end), (all, None));
    for query in ["?superseded=yes", "?superseded=", "?superseded=true&from=x", "?from=a/1/2&superseded=true"]
    {
        let path = format!("/api/v1/claimants/identity%3Agithub%3A7/payouts{query}");
        assert_eq!(desk.node.get(&path, "").status, 400, "{query}");
    }
}

/// The text of a page without its markup, blanks made one.
#[test]
fn whoever_binds_an_account_keeps_sight_of_what_it_was_paid() {
    let desk = Desk::with_draft();
    desk.finalizes();
    let user = desk.node.ok(&["user", "add", "--name", "Seven"]);
    let user = format!("user:{}", user.trim());
    let page = |claimant: &str| desk.node.get(&format!("/claimants/{claimant}"), HTML).text();
    let account = ["--provider", "github", "--external-id", "7", "--evidence", r#"{"seen":"profile"}"#];
    let bare = user.strip_prefix("user:").expect("an id");
    desk.node.ok(&[&["bind", "--user", bare][..], &account[..]].concat());
    let own = page(&user);
    let link = "href=\"/claimants/identity%3Agithub%3A7\"";
    assert!(own.contains("Theirs is the account") && own.contains(link), "{own}");
    assert!(own.contains("Paid to an account under its own key") && own.contains("2500"), "{own}");
    let proof = "/api/v1/scopes/default/epochs/1/proofs/identity%3Agithub%3A7?revision=0";
    assert!(own.contains(&format!("href=\"{proof}\"")), "{own}");
    assert!(desk.node.get(proof, "").text().contains("meed/payout-proof/v1"));
    // The user is in no statement yet, which can be proven as well.
    assert!(own.contains("download proof of absence"), "{own}");
    let other = page("identity:github:7");
    let back = format!("href=\"/claimants/user%3A{bare}\"");
    assert!(other.contains("It is an account of") && other.contains(&back), "{other}");
    desk.node.ok(&[&["revoke"][..], &account[..]].concat());
    assert!(page(&user).contains("Theirs was the account"));
    assert!(page(&user).contains("Paid to an account under its own key"));
    assert!(page("identity:github:7").contains("It was an account of"));
}

#[test]
fn that_somebody_is_nowhere_named_can_be_proven_from_their_page() {
    let desk = Desk::with_draft();
    let empty = desk.node.get("/claimants/identity:github:99", HTML).text();
    assert!(!empty.contains("proof of absence"), "nothing is final yet: {empty}");
    desk.finalizes();
    let page = desk.node.get("/claimants/identity:github:99", HTML).text();
    let proof = "/api/v1/scopes/default/epochs/1/proofs/identity%3Agithub%3A99?revision=0";
    assert!(page.contains(&format!("href=\"{proof}\"")) && page.contains("default, epoch 1"), "{page}");
    assert!(desk.node.get(proof, "").text().contains("meed/absence-proof/v1"));
}

fn strip(page: &str) -> String {
    let text: String =
        page.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A node with a scope and an operator who is signed in.
fn opened() -> (Node, String) {
    let node = Node::start(&[]);
    let token = node.ok(&["token", "new", "ana", "--role", "operator"]);
    let cookie = sign_in(&node, &token);
    (node, cookie)
}

fn open(node: &Node, cookie: &str, fields: &[(&str, &str)]) -> Answer {
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    node.post("/scopes/default/open", &format!("{OWN}{cookie}"), &body.join("&"))
}

#[test]
fn an_operator_opens_an_epoch_on_the_page_of_its_scope() {
    let (node, cookie) = opened();
    let page = node.get("/scopes/default", &cookie);
    assert!(page.text().contains("Open the epoch") && page.header("cache-control") == Some("no-store"));
    assert!(!node.get("/scopes/default", "").text().contains("Open the epoch"), "for operators alone");
    let refused = |fields: &[(&str, &str)], status: u16, code: &str| {
        let answer = open(&node, &cookie, fields);
        let page = answer.text();
        assert_eq!((answer.status, answer.header("cache-control")), (status, Some("no-store")), "{page}");
        assert!(
            page.contains("role=\"alert\"") && page.contains(&format!("/problems/{code}\"")),
            "{code}: {page}"
        );
        assert!(!page.contains(" --"), "no page tells of options: {page}");
        page
    };
    refused(&[], 400, "invalid_time");
    let page = refused(&[("at", "soon \"<b>"), ("skip", "7")], 400, "invalid_time");
    assert!(
        page.contains("value=\"soon &quot;&lt;b&gt;\"") && page.contains("value=\"7\""),
        "what was typed stays: {page}"
    );
    refused(&[("at", "2026-01-05"), ("skip", "x")], 400, "invalid_number");
    refused(&[("at", "9998-01-01")], 409, "window_ahead");
    let done = open(&node, &cookie, &[("at", "2026-01-06"), ("skip", "")]);
    let place = done.header("location").unwrap_or_default().to_owned();
    assert_eq!((done.status, place.as_str()), (303, "/scopes/default/epochs/1/review?done=open"));
    assert!(node.get(&place, &cookie).text().contains("The epoch is open."));
    refused(&[("at", "2026-01-13")], 409, "epoch_already_open");
    let page = node.get("/scopes/default", &cookie).text();
    assert!(page.contains("is open: one epoch of a scope is at a time"), "{page}");
    // The other rules of windows, once the epoch is closed.
    let keys = approvers().map(|key| key.verifier_key().to_string());
    let mut set = vec!["scope", "approvers", "default", "--threshold", "2"];
    set.extend(keys.iter().flat_map(|key| ["--key", key]));
    node.ok(&set);
    let pool = ["--component", "base_issuance", "--amount", "1", "--evidence", "e", "--algorithm", "v1"];
    node.ok(&[["pool", "add", "--scope", "default", "--epoch", "1"].as_slice(), &pool].concat());
    node.ok(&["epoch", "close", "--scope", "default", "--epoch", "1"]);
    refused(&[("at", "2026-01-06")], 409, "window_overlaps");
    refused(&[("at", "2026-01-20")], 409, "windows_skipped");
    let done = open(&node, &cookie, &[("at", "2026-01-20"), ("skip", "1")]);
    assert_eq!(done.header("location"), Some("/scopes/default/epochs/2/review?done=open"), "{}", done.text());
    let ahead = ("ahead", "1");
    refused(&[("at", "2026-01-27"), ahead], 409, "epoch_already_open");
}

#[test]
fn only_an_operator_on_the_nodes_own_page_opens_an_epoch() {
    let (node, cookie) = opened();
    let fields = "at=2026-01-06&skip=";
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    assert_eq!(node.post("/scopes/default/open", OWN, fields).status, 401);
    let curator = sign_in(&node, &node.ok(&["token", "new", "ben", "--role", "curator"]));
    assert_eq!(node.post("/scopes/default/open", &format!("{OWN}{curator}"), fields).status, 403);
    assert!(!node.get("/scopes/default", &curator).text().contains("Open the epoch"));
    let cross = format!("{form}Sec-Fetch-Site: cross-site\r\n{cookie}");
    let answer = node.post("/scopes/default/open", &cross, fields);
    assert!(answer.status == 403 && answer.text().contains("cross_origin"), "{}", answer.text());
    let unknown = node.post("/scopes/other/open", &format!("{OWN}{cookie}"), fields);
    assert!(unknown.status == 404 && unknown.text().contains("scope_not_found"), "{}", unknown.text());
    let odd = node.post("/scopes/default/open", &format!("{OWN}{cookie}"), "at=2026-01-06&colour=red");
    assert_eq!(odd.status, 400);
    assert!(
        node.get("/api/v1/scopes/default/epochs", "").json()["items"].as_array().is_some_and(Vec::is_empty)
    );
    node.ok(&["scope", "end", "default", "--reason", "over"]);
    assert!(!node.get("/scopes/default", &cookie).text().contains("Open the epoch"));
    let ended = node.post("/scopes/default/open", &format!("{OWN}{cookie}"), fields);
    assert!(ended.status == 409 && ended.text().contains("/problems/scope_ended"), "{}", ended.text());
}

#[test]
fn whoever_asks_for_pages_is_refused_with_a_page() {
    let node = Node::start(&[]);
    for (path, status, code) in [
        ("/nothing", 404, "no_route"),
        ("/scopes/other", 404, "scope_not_found"),
        ("/scopes/default/epochs/9", 404, "epoch_not_found"),
        ("/scopes/default/epochs/x", 400, "malformed"),
        ("/scopes/default?colour=red", 400, "malformed"),
        ("/verify/nothing.mjs", 404, "record_not_found"),
        ("/sign-out", 405, "no_method"),
    ] {
        let page = node.get(path, HTML);
        assert_eq!(page.status, status, "{path}: {}", page.text());
        assert!(
            page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")),
            "{path}: {}",
            page.head
        );
        let text = page.text();
        assert!(
            text.contains("What to do: ") && text.contains(&format!("/problems/{code}\"")),
            "{path}: {text}"
        );
        assert!(!text.contains("`meed ") && !text.contains("begin with /api/v1"), "{path}: {text}");
        let length = page.header("content-length").and_then(|length| length.parse().ok());
        assert!(length.is_none_or(|length: usize| length == page.body.len()), "{path}: {}", page.head);
    }
    // Programs are answered as before, and the interface always is.
    node.get("/nothing", "").problem(404, "no_route");
    node.get("/nothing", "Accept: application/json\r\n").problem(404, "no_route");
    node.get("/api/v1/scopes/other", HTML).problem(404, "scope_not_found");
    node.get("/api/v1/nothing", HTML).problem(404, "no_route");
}
