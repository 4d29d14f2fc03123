//! Checking a proof in a browser: by the node's own page, and by the file that needs no node.

use std::path::Path;

use serde_json::{Value, json};

use crate::driver::{self, Browser};
use crate::stage::Stage;

const VERDICT: &str = "document.querySelector('#verifier-verdict').textContent";
const USED: &str = "document.querySelector('#verifier-used').textContent";
/// Each link that was checked, with its state.
const LINKS: &str = "Array.from(document.querySelectorAll('#verifier-links li'), (item) =>
    `${item.querySelector('.state').textContent} ${item.querySelector('code').textContent}`)";

/// What `meed verify` says of a proof file.
fn report(stage: &Stage, proof: &Path, code: i32) -> Value {
    let (proof, trust) = (proof.to_str().expect("UTF-8"), stage.file("trust"));
    let trust = trust.to_str().expect("UTF-8");
    let ran = stage.world.run(&["verify", proof, "--trust", trust, "--json"]);
    assert_eq!(ran.code, code, "{ran:?}");
    serde_json::from_str(&ran.out).expect("JSON")
}

/// The links of a report, as the page shows them.
fn links(report: &Value) -> Value {
    let links = report["links"].as_array().expect("links").iter();
    let show = |link: &Value| {
        let state = if link["ok"] == json!(true) { "ok" } else { "FAILED" };
        format!("{state} {}", link["link"].as_str().expect("a name"))
    };
    links.map(show).collect()
}

/// Chooses both files and waits for the verdict.
fn check(browser: &Browser, proof: &Path, trust: &Path) -> String {
    browser.type_into("#verifier-proof", proof.to_str().expect("UTF-8"));
    browser.type_into("#verifier-trust", trust.to_str().expect("UTF-8"));
    browser.wait_for(&format!("/erified/.test({VERDICT})"));
    browser.text(VERDICT)
}

#[test]
fn a_contributor_comes_from_their_payouts_to_a_verdict() {
    if !driver::is_there() {
        return;
    }
    let (stage, browser) = (Stage::set(), Browser::start());
    let good = report(&stage, &stage.file("proof"), 0);
    let claimant = good["payout"]["claimant"].as_str().expect("a claimant");
    browser.open(&stage.url("/scopes/default/epochs/1"));
    browser.follow(claimant);
    browser.wait_for("location.pathname.startsWith('/claimants/')");
    browser.follow("verify here");
    browser.wait_for(&format!("location.pathname === '/verify' && /erified/.test({VERDICT})"));
    let verdict = browser.text(VERDICT);
    assert!(verdict.starts_with(&format!("Verified: {claimant} gets ")), "{verdict}");
    assert_eq!(browser.eval(LINKS), links(&good));
    let used = browser.text(USED);
    let trust =
        format!("Trust file: {}, from where this page came", stage.url("/api/v1/scopes/default/trust"));
    assert!(used.contains(&trust), "{used}");
    assert!(used.contains(good["trust_fingerprint"].as_str().expect("a fingerprint")), "{used}");
    let origin = browser.text("document.querySelector('#verifier-origin').innerText");
    assert!(origin.contains("proves nothing against that node"), "{origin}");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_changed_digit_shows_the_link_that_fails() {
    if !driver::is_there() {
        return;
    }
    let (stage, browser) = (Stage::set(), Browser::start());
    let (good, bad) = (stage.file("proof"), stage.tampered());
    browser.open(&stage.url("/verify"));
    assert!(check(&browser, &good, &stage.file("trust")).starts_with("Verified: "));
    browser.type_into("#verifier-proof", bad.to_str().expect("UTF-8"));
    browser.wait_for(&format!("{VERDICT}.startsWith('Not verified')"));
    let refused = report(&stage, &bad, 1);
    let link = refused["links"].as_array().and_then(|links| links.last()).expect("a link")["link"].clone();
    let verdict = browser.text(VERDICT);
    let expected = format!("Not verified: the link {} fails.", link.as_str().expect("a name"));
    assert!(verdict.starts_with(&expected), "{verdict}");
    assert_eq!(browser.eval(LINKS), links(&refused), "nothing of the earlier check is left");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_verifier_as_one_file_needs_no_node() {
    if !driver::is_there() {
        return;
    }
    let (mut stage, browser) = (Stage::set(), Browser::start());
    stage.world.run(&["verifier", "--out", "verifier.html"]).ok();
    let (good, bad, trust) = (stage.file("proof"), stage.tampered(), stage.file("trust"));
    // The node is gone: what the file says, it says by itself.
    let page = stage.world.path("verifier.html");
    stage.stop();
    for (proof, begins) in [(&good, "Verified: "), (&bad, "Not verified: the link ")] {
        browser.open(&format!("file://{}", page.display()));
        let verdict = check(&browser, proof, &trust);
        assert!(verdict.starts_with(begins), "{verdict}");
        assert_eq!(browser.eval("document.querySelector('#verifier-origin').hidden"), json!(true));
        assert_eq!(browser.complaints(), Vec::<String>::new());
    }
}
