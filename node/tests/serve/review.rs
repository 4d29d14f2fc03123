//! The review of an epoch on the pages alone, as a browser without scripts would do it.

use std::time::Instant;

use meed_keys::{KeyUse, NoteText, SigningKey};

use crate::pages::{OWN, sign_in};
use crate::support::{Answer, Node, PATIENCE, event_line};

pub(crate) const REVIEW: &str = "/scopes/default/epochs/1/review";

pub(crate) fn approvers() -> [SigningKey; 3] {
    [("ana.example.org", 1), ("ben.example.org", 2), ("cleo.example.org", 3)]
        .map(|(name, seed)| SigningKey::from_seed(name.parse().expect("name"), KeyUse::Approver, [seed; 32]))
}

/// Percent-encodes everything that could mean something.
pub(crate) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The value of an attribute in a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
    Some(value.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

/// A node with an open epoch of the week from 2026-11-09, and a person who is signed in.
pub(crate) struct Desk {
    pub(crate) node: Node,
    pub(crate) cookie: String,
}

impl Desk {
    pub(crate) fn new(role: &str) -> Self {
        let node = Node::start(&[]);
        let keys = approvers().map(|key| key.verifier_key().to_string());
        let mut set = vec!["scope", "approvers", "default", "--threshold", "2"];
        set.extend(keys.iter().flat_map(|key| ["--key", key]));
        node.ok(&set);
        node.ok(&["epoch", "open", "--scope", "default", "--at", "2026-11-10T00:00:00Z"]);
        let token = node.ok(&["token", "new", "ana", "--role", role]);
        let cookie = sign_in(&node, &token);
        Self { node, cookie }
    }

    #[track_caller]
    pub(crate) fn page(&self, path: &str) -> String {
        let answer = self.node.get(path, &self.cookie);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        answer.text()
    }

    /// The fields that a page's form sends without anybody's doing.
    #[track_caller]
    fn hidden(page: &str, form: &str) -> Vec<(String, String)> {
        let start =
            page.find(&format!("/review/{form}\"")).unwrap_or_else(|| panic!("no form {form}: {page}"));
        let end = page[start..].find("</form>").expect("its end") + start;
        let inputs =
            page[start..end].split("<input ").skip(1).filter(|tag| tag.starts_with("type=\"hidden\""));
        let pair = |tag: &str| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()));
        inputs.filter_map(|tag| pair(&format!(" {tag}"))).collect()
    }

    /// Fills in a form of a page and sends it.
    #[track_caller]
    pub(crate) fn fill(&self, page: &str, form: &str, typed: &[(&str, &str)]) -> Answer {
        let mut fields = Self::hidden(page, form);
        fields.extend(typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        self.node.post(&format!("{REVIEW}/{form}"), &format!("{OWN}{}", self.cookie), &body.join("&"))
    }

    /// Sends a form that carries a file.
    #[track_caller]
    pub(crate) fn fill_with_file(
        &self,
        page: &str,
        form: &str,
        typed: &[(&str, &str)],
        file: &str,
    ) -> Answer {
        let mut fields = Self::hidden(page, form);
        fields.extend(typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let part = |(name, value): &(String, String)| {
            format!("--x7\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let mut body: String = fields.iter().map(part).collect();
        body.push_str("--x7\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n");
        body.push_str(&format!("Content-Type: application/octet-stream\r\n\r\n{file}\r\n--x7--\r\n"));
        let headers = format!(
            "Content-Type: multipart/form-data; boundary=x7\r\nSec-Fetch-Site: same-origin\r\n{}",
            self.cookie
        );
        self.node.post(&format!("{REVIEW}/{form}"), &headers, &body)
    }

    /// Sends a form and follows it to the page that says it is done.
    #[track_caller]
    pub(crate) fn does(&self, form: &str, typed: &[(&str, &str)]) -> String {
        let answer = self.fill(&self.page(REVIEW), form, typed);
        self.follow(&answer, form)
    }

    #[track_caller]
    pub(crate) fn follow(&self, answer: &Answer, form: &str) -> String {
        let place = answer.header("location").unwrap_or_default().to_owned();
        assert_eq!(answer.status, 303, "{form}: {}", answer.text());
        assert!(place.starts_with(REVIEW) && place.ends_with(&format!("done={form}")), "{form}: {place}");
        let page = self.page(&place);
        assert!(page.contains("id=\"notice\" class=\"done\" role=\"status\""), "{form}: {page}");
        page
    }

    /// Sends a form that is refused: the page with why at its top.
    #[track_caller]
    pub(crate) fn refused(&self, form: &str, typed: &[(&str, &str)], status: u16, code: &str) -> String {
        let answer = self.fill(&self.page(REVIEW), form, typed);
        Self::check_refused(&answer, status, code)
    }

    #[track_caller]
    pub(crate) fn check_refused(answer: &Answer, status: u16, code: &str) -> String {
        let page = answer.text();
        assert_eq!(answer.status, status, "{page}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let notice = page.split("id=\"notice\" class=\"refused\" role=\"alert\"").nth(1).unwrap_or_default();
        assert!(notice.contains(&format!("/problems/{code}\"")), "{code}: {page}");
        page
    }

    pub(crate) fn import(&self, numbers: std::ops::RangeInclusive<u32>) {
        let lines: Vec<String> = numbers.map(event_line).collect();
        self.takes_in(&[], &lines.join("\n"));
    }

    /// Imports a file, and gives what the page says came of it.
    #[track_caller]
    pub(crate) fn takes_in(&self, typed: &[(&str, &str)], file: &str) -> String {
        let answer = self.fill_with_file(&self.page(REVIEW), "import", typed, file);
        let page = answer.text();
        assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")), "{page}");
        let notice = page.split("<div id=\"notice\" class=\"done\" role=\"status\"").nth(1);
        let notice = notice.unwrap_or_else(|| panic!("no notice: {page}"));
        notice.split("</div>").next().expect("its end").to_owned()
    }

    /// The signature of an approver over the draft that the page shows.
    pub(crate) fn signature(&self, key: &SigningKey) -> String {
        let note = self.node.get("/api/v1/scopes/default/epochs/1/statement", "").text();
        let text = format!("{}\n", note.split("\n\n").next().expect("a text"));
        let seconds = meed_node::clock::now().expect("clock").as_seconds();
        key.cosign(&NoteText::new(text).expect("a text"), seconds).expect("signed").to_string()
    }

    pub(crate) fn base_issuance(&self) -> String {
        let fields = [
            ("component", "base_issuance"),
            ("amount", "10000"),
            ("evidence", "minutes"),
            ("algorithm", "v1"),
        ];
        self.does("pool", &fields)
    }

    /// Decides on an event, with one reason for all.
    pub(crate) fn decides(&self, event: &str, typed: &[(&str, &str)]) -> String {
        let mut fields = vec![("event", event), ("reason", "as agreed")];
        fields.extend(typed);
        self.does("curation", &fields)
    }

    /// The page of a run that has ended, which is looked at as often as it asks for.
    pub(crate) fn ended_run(&self, path: &str) -> String {
        let began = Instant::now();
        loop {
            let answer = self.node.get(path, &self.cookie);
            assert_eq!(answer.status, 200, "{}", answer.text());
            if answer.header("refresh").is_none() {
                return answer.text();
            }
            assert!(began.elapsed() < PATIENCE, "{}", answer.text());
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }
}

/// Every kind of decision about events and claimants, and the taking back of two.
fn decide_on_all(desk: &Desk) {
    let decide = |event, typed: &[(&str, &str)]| desk.decides(event, typed);
    assert!(decide("chat:m:1", &[("change", "exclude")]).contains("left out: as agreed"));
    decide("chat:m:2", &[("change", "weight"), ("weight", "2500")]);
    let shares = "identity:github:7=400000\r\nidentity:github:8=600000";
    decide("chat:m:2", &[("change", "shares"), ("shares", shares)]);
    decide("chat:m:3", &[("change", "weight"), ("weight", "7")]);
    decide("chat:m:3", &[("change", "reset")]);
    let units =
        [("claimant", "identity:github:9"), ("units", "1000"), ("reason", "on call"), ("change", "set")];
    let page = desk.does("allocation", &units);
    assert!(
        page.contains("identity:github:9") && page.contains("on call") && page.contains("+1.000"),
        "{page}"
    );
    let row = page.split("<tr>").find(|row| row.contains("chat:m:2")).expect("the event that was shared");
    assert!(row.contains("1.000 to ") && row.contains("1.500 to "), "{row}");
    assert!(row.contains("identity:github:7") && row.contains("identity:github:8"), "{row}");
    let unearned = "no event of epoch 1 gives anything to identity:github:9";
    assert!(page.contains(unearned), "{page}");
    let known =
        [("claimant", "identity:github:7"), ("units", "9000"), ("reason", "on call"), ("change", "set")];
    assert!(!desk.does("allocation", &known).contains("gives anything to"));
    let back = [("claimant", "identity:github:9"), ("reason", "a mistake"), ("change", "withdraw")];
    assert!(!desk.does("allocation", &back).contains("+1.000"));
}

/// A label finds its field by its id.
fn check_ids(page: &str) {
    let mut ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "each is there once: {ids:?}");
}

#[test]
fn an_epoch_lives_on_the_pages_alone() {
    let desk = Desk::new("operator");
    desk.import(1..=4);
    let page = desk.page(&format!("{REVIEW}?event=chat%3Am%3A1"));
    assert!(page.contains("value=\"chat:m:1\"") && page.contains("Decide on an event"));
    check_ids(&page);
    decide_on_all(&desk);
    assert!(desk.base_issuance().contains("10000 credits"));
    let page = desk.does("close", &[]);
    assert!(page.contains("class=\"phase review\"") && page.contains("Closing has fixed it."), "{page}");

    let preview = desk.page(&format!("{REVIEW}?preview=1"));
    assert!(
        preview.contains("meed payout statement v1") && preview.contains("No draft is offered"),
        "{preview}"
    );
    let page = desk.does("draft", &[("days", "7")]);
    assert!(page.contains("Revision 0 is offered") && page.matches("missing").count() >= 3, "{page}");
    let outdated = desk.decides("chat:m:4", &[("change", "exclude")]);
    assert!(
        outdated.contains("1 decision made after it") && outdated.contains("freeze the next draft"),
        "{outdated}"
    );
    let public = desk.page("/scopes/default/epochs/1");
    assert!(
        public.contains("the draft, revision 0")
            && (public.contains("1 decision</strong> came after the draft")
                || public.contains("1 decision came after the draft")),
        "{public}"
    );
    let preview = desk.page(&format!("{REVIEW}?preview=1"));
    assert!(
        preview.contains("of the statement would change") && preview.contains("Epoch: 1 revision 1"),
        "{preview}"
    );
    assert!(desk.does("draft", &[]).contains("Revision 1 is offered"));

    let [ana, ben, _] = approvers();
    let page = desk.page(REVIEW);
    assert!(page.contains("/api/v1/scopes/default/epochs/1/dossier"));
    let first = desk.signature(&ana);
    let page =
        desk.follow(&desk.fill_with_file(&page, "signatures", &[("signatures", &first)], ""), "signatures");
    assert!(page.contains("signed by 1 of the 2"), "{page}");
    let second = desk.signature(&ben);
    let page = desk.follow(&desk.fill_with_file(&page, "signatures", &[], &second), "signatures");
    assert!(page.contains("signed by 2 of the 2"), "{page}");
    // What comes after the draft is left out only by who says so.
    assert!(!page.contains("leave_out_later"), "{page}");
    let page = desk.decides("chat:m:3", &[("change", "exclude")]);
    let refused = Desk::check_refused(&desk.fill(&page, "finalize", &[]), 409, "decisions_after_draft");
    assert!(
        refused.contains("tick under Finalize") && refused.contains("name=\"leave_out_later\""),
        "{refused}"
    );
    let answer = desk.fill(&page, "finalize", &[("leave_out_later", "1")]);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/runs/finalize-default-1")));
    let run = desk.ended_run("/runs/finalize-default-1");
    assert!(run.contains("id=\"run-state\" role=\"status\">done"), "{run}");
    assert!(run.contains("Back to the review of epoch 1"));
    let page = desk.page(REVIEW);
    assert!(
        page.contains("class=\"phase finalized\"")
            && !page.contains("Freeze a draft")
            && !page.contains("Record the decision")
    );
    begins_an_amendment_and_gives_it_up(&desk);
    let decisions = desk.node.get("/api/v1/scopes/default/decisions", "").json();
    for decision in decisions["items"].as_array().expect("decisions") {
        assert_eq!(decision["actor"], "ana", "{decision}");
    }
}

fn begins_an_amendment_and_gives_it_up(desk: &Desk) {
    let page = desk.does("amendment", &[("reason", "somebody was left out")]);
    assert!(page.contains("finalized, being amended") && page.contains("Record the decision"), "{page}");
    let page = desk.does("abandon", &[("reason", "nobody was")]);
    assert!(!page.contains("being amended") && page.contains("Begin an amendment"), "{page}");
}

#[test]
fn a_refusal_is_told_at_the_top_and_keeps_what_was_typed() {
    let desk = Desk::new("operator");
    desk.import(1..=2);
    let typed =
        [("event", "chat:m:1"), ("change", "weight"), ("weight", "a \"lot\""), ("reason", "why <not>")];
    let page = desk.refused("curation", &typed, 400, "invalid_number");
    for kept in ["value=\"chat:m:1\"", "value=\"a &quot;lot&quot;\"", "value=\"why &lt;not&gt;\""] {
        assert!(page.contains(kept), "{kept}: {page}");
    }
    assert_eq!(page.matches("why &lt;not&gt;").count(), 1, "in its own form alone: {page}");
    assert!(
        page.contains("id=\"curation-weight\"") && page.contains("value=\"weight\" required checked"),
        "{page}"
    );
    desk.refused(
        "curation",
        &[("event", "chat:m:9"), ("change", "exclude"), ("reason", "why")],
        404,
        "event_not_found",
    );
    desk.refused("curation", &[("event", "chat:m:1"), ("change", "exclude")], 400, "text_length");
    desk.refused("curation", &[("event", "chat:m:1"), ("reason", "why")], 400, "missing_field");
    desk.refused(
        "curation",
        &[("event", "chat:m:1"), ("change", "include"), ("reason", "why")],
        409,
        "nothing_to_change",
    );
    let half =
        [("event", "chat:m:1"), ("change", "shares"), ("shares", "identity:github:7=1"), ("reason", "why")];
    desk.refused("curation", &half, 400, "invalid_shares");
    desk.refused(
        "allocation",
        &[("claimant", "somebody"), ("units", "1"), ("reason", "why")],
        400,
        "invalid_claimant",
    );
    desk.refused(
        "pool",
        &[("component", "bonus"), ("amount", "0"), ("evidence", "e"), ("algorithm", "v1")],
        400,
        "pool_not_positive",
    );
    let page = desk.refused("close", &[("early", "")], 409, "base_issuance_missing");
    assert!(page.contains("Close the epoch"), "the page is still there");
    desk.base_issuance();
    desk.does("close", &[]);
    desk.refused("draft", &[("days", "0")], 400, "number_too_small");
    desk.refused("draft", &[("days", "soon")], 400, "invalid_number");
    desk.does("draft", &[]);
    let page = desk.page(REVIEW);
    Desk::check_refused(
        &desk.fill_with_file(&page, "signatures", &[("signatures", "nonsense")], ""),
        422,
        "signature_invalid",
    );
    Desk::check_refused(&desk.fill_with_file(&page, "signatures", &[], ""), 400, "missing_field");
    let lone = approvers().first().map(|key| desk.signature(key)).expect("a key");
    desk.follow(&desk.fill_with_file(&page, "signatures", &[("signatures", &lone)], ""), "signatures");
    assert!(!page.contains("/review/import\""), "a closed epoch takes no events");
}

#[test]
fn lines_that_are_refused_are_named() {
    let desk = Desk::new("operator");
    let page = desk.page(REVIEW);
    let lines = format!("{}\nnonsense\n{{}}", event_line(1));
    let answer = desk.fill_with_file(&page, "import", &[], &lines);
    let page = Desk::check_refused(&answer, 422, "lines_refused");
    assert!(page.contains("line 2: ") && page.contains("line 3: "), "{page}");
    assert!(desk.page(REVIEW).contains("<dt>events</dt><dd>0</dd>"), "nothing was stored");
    assert!(page.contains("tick under Import") && !page.contains("--keep-good"), "{page}");
    let said = desk.takes_in(&[("keep-good", "1"), ("lines", &lines)], "");
    for words in ["1 stored, 0 there already, 2 bad lines left out", "line 2: ", "line 3: "] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(desk.page(REVIEW).contains("<dt>events</dt><dd>1</dd>"));
    // A file and pasted lines at once: neither is left out in silence.
    let both = desk.fill_with_file(&page, "import", &[("lines", &event_line(2))], &event_line(3));
    let page = Desk::check_refused(&both, 400, "too_many");
    assert!(page.contains("expected a file or lines of events, got both"), "{page}");
    assert!(desk.page(REVIEW).contains("<dt>events</dt><dd>1</dd>"));
}

#[test]
fn what_became_of_an_import_is_said_in_full() {
    let desk = Desk::new("operator");
    assert!(desk.takes_in(&[], &event_line(1)).contains("were taken in: 1 stored, 0 there already."));
    let said = desk.takes_in(&[], &event_line(1));
    assert!(said.contains("Nothing new was stored: 0 stored, 1 there already."), "{said}");
    let other = event_line(1).replace("12:00:00Z\",\"retrieved", "11:00:00Z\",\"retrieved");
    let early = event_line(2).replace("2026-11-10", "2026-11-01");
    let unknown = event_line(3).replace("\"message\"", "\"wave\"");
    let said = desk.takes_in(&[], &[other, early, unknown].join("\n")).replace("&#39;", "'");
    for words in [
        "2 stored, 0 there already, 1 in conflict and kept out",
        "gives no weight to chat:wave (1)",
        "1 new event happened before the scope's first epoch",
        "1 event came with another content",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn a_form_of_another_site_does_nothing() {
    let desk = Desk::new("operator");
    desk.import(1..=1);
    let page = desk.page(REVIEW);
    let fields = Desk::hidden(&page, "curation");
    let mut body: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    body.push("event=chat%3Am%3A1&change=exclude&reason=spam".to_owned());
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    for origin in ["Sec-Fetch-Site: cross-site\r\n", "Origin: http://evil.example\r\n", ""] {
        let headers = format!("{form}{origin}{}", desk.cookie);
        let answer = desk.node.post(&format!("{REVIEW}/curation"), &headers, &body.join("&"));
        assert_eq!(answer.status, 403, "{origin}: {}", answer.text());
        assert!(
            answer.text().contains("cross_origin") || answer.text().contains("cross origin"),
            "{}",
            answer.text()
        );
    }
    assert!(!desk.page(REVIEW).contains("spam"));
    let headers = format!("{OWN}{}", desk.cookie);
    assert_eq!(desk.node.post(&format!("{REVIEW}/curation"), &headers, &body.join("&")).status, 303);
    assert_eq!(desk.node.post(&format!("{REVIEW}/nothing"), &headers, "").status, 404);
}

#[test]
fn who_may_not_is_told_who_may() {
    let desk = Desk::new("curator");
    // Strangers see nothing of it but the way to sign in.
    let stranger = desk.node.get(REVIEW, "");
    assert_eq!((stranger.status, stranger.header("www-authenticate")), (401, Some("Bearer")));
    assert!(
        stranger.text().contains("href=\"/sign-in\"") && !stranger.text().contains("<form"),
        "{}",
        stranger.text()
    );
    assert!(!desk.node.get("/scopes/default/epochs/1", "").text().contains("/review"));
    assert!(desk.page("/scopes/default/epochs/1").contains(REVIEW), "who may review finds the way");
    let token = desk.node.ok(&["token", "new", "import", "--role", "importer"]);
    let importer = desk.node.get(REVIEW, &sign_in(&desk.node, &token));
    assert_eq!(importer.status, 403);
    assert!(importer.text().contains("Curators decide on events") && importer.text().contains("importer"));
    // A curator decides, and does not close.
    let page = desk.page(REVIEW);
    assert!(page.contains("Record the decision") && !page.contains("Close the epoch"));
    assert!(page.contains("This takes the right of <strong>operator</strong>"), "{page}");
    let stand = Desk::hidden(&page, "curation");
    let body: Vec<String> =
        stand.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    for form in ["close", "draft", "finalize", "pool", "amendment", "collect", "import"] {
        let headers = format!("{OWN}{}", desk.cookie);
        let answer = desk.node.post(&format!("{REVIEW}/{form}"), &headers, &body.join("&"));
        let page = Desk::check_refused(&answer, 403, "role_forbids");
        assert!(page.contains("got curator"), "{form}: {page}");
        let answer = desk.node.post(&format!("{REVIEW}/{form}"), OWN, &body.join("&"));
        assert_eq!(answer.status, 401, "{form}: {}", answer.text());
    }
    assert!(desk.page(REVIEW).contains("<dd><span class=\"phase open\">"), "still open");
}

#[test]
fn a_page_that_is_out_of_date_decides_nothing() {
    let desk = Desk::new("operator");
    desk.import(1..=2);
    let (other, chosen) = (desk.page(REVIEW), desk.page(&format!("{REVIEW}?event=chat%3Am%3A1")));
    desk.does("curation", &[("event", "chat:m:1"), ("change", "exclude"), ("reason", "spam")]);
    // Somebody else decided on the same event meanwhile.
    let typed = [("event", "chat:m:1"), ("change", "weight"), ("weight", "9000"), ("reason", "great")];
    let page = Desk::check_refused(&desk.fill(&chosen, "curation", &typed), 409, "page_outdated");
    assert!(page.contains("value=\"great\"") && page.contains("left out, weight"), "{page}");
    // So do units that two people set at once; of whom the page said nothing, nobody can be wrong.
    let chosen = desk.page(&format!("{REVIEW}?claimant=identity%3Agithub%3A1"));
    let units = [("claimant", "identity:github:1"), ("units", "2000"), ("reason", "A"), ("change", "set")];
    desk.follow(&desk.fill(&chosen, "allocation", &units), "allocation");
    let typed = [("claimant", "identity:github:1"), ("units", "3000"), ("reason", "B"), ("change", "set")];
    let page = Desk::check_refused(&desk.fill(&chosen, "allocation", &typed), 409, "page_outdated");
    assert!(page.contains("So far a person set 2.000: A"), "{page}");
    desk.follow(&desk.fill(&desk.page(REVIEW), "allocation", &typed), "allocation");
    let none = [("claimant", "identity:github:1"), ("units", ""), ("reason", "C"), ("change", "set")];
    let page = Desk::check_refused(&desk.fill(&desk.page(REVIEW), "allocation", &none), 400, "missing_field");
    assert!(page.contains("expected the final units"), "{page}");
    desk.base_issuance();
    desk.does("close", &[]);
    // The epoch was closed meanwhile: nothing on a page from before counts.
    let typed = [("event", "chat:m:2"), ("change", "exclude"), ("reason", "late")];
    let page = Desk::check_refused(&desk.fill(&other, "curation", &typed), 409, "page_outdated");
    assert!(page.contains("value=\"late\""), "{page}");
    desk.does("draft", &[]);
    let stale = desk.page(REVIEW);
    desk.does("draft", &[("again", "1")]);
    Desk::check_refused(&desk.fill(&stale, "finalize", &[]), 409, "page_outdated");
    let before = desk.page(REVIEW);
    assert!(!before.contains("finalizing leaves"), "{before}");
    desk.follow(&desk.fill(&desk.page(REVIEW), "curation", &typed), "curation");
    // A draft holds nothing of what was decided after it: who finalizes must have seen that.
    let page = Desk::check_refused(&desk.fill(&before, "finalize", &[]), 409, "page_outdated");
    assert!(page.contains("1 decision came after the draft, and finalizing leaves it out"), "{page}");
    assert!(
        page.contains("expected a form made while it is review, draft 1, final none, 1 decision after"),
        "{page}"
    );
}
