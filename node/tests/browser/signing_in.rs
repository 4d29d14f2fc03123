//! People sign in on the page with what they have: an Ed25519 key, or a wallet. Nothing of it leaves their machine but the
//! signature of the text that the page shows.

use crate::driver::{self, Browser};
use crate::signers::{address, key, key_sign, personal_sign, wallet};
use crate::stage::Stage;

/// What the page says.
const SAID: &str = "document.querySelector('main').innerText";
/// The text that the page asks to be signed.
const TEXT: &str = "document.querySelector('#text').textContent";

/// Signs the text that the page shows, and sends the signature.
#[track_caller]
fn answer(browser: &Browser, sign: impl Fn(&str) -> String) -> String {
    let text = browser.text(TEXT);
    browser.type_into("#signature", &sign(&text));
    browser.click_through(
        "form[action$='/answer'] button[type=submit], form[action$='/bind'] button[type=submit]",
    );
    text
}

#[test]
fn a_key_signs_in_and_its_holder_sees_and_binds_their_own_accounts() {
    if !driver::is_there() {
        return;
    }
    let (stage, browser) = (Stage::set(), Browser::start());
    browser.open(&stage.url("/sign-in"));
    browser.type_into("#key-text", &key(7).verifier_key().to_string());
    browser.click_through("#key button");
    // Another key's signature is not this one's.
    answer(&browser, |text| key_sign(8, text));
    assert!(browser.text(SAID).contains("signature_invalid"), "{}", browser.text(SAID));
    let _ = browser.complaints();

    browser.open(&stage.url("/sign-in"));
    browser.type_into("#key-text", &key(7).verifier_key().to_string());
    browser.click_through("#key button");
    let text = answer(&browser, |text| key_sign(7, text));
    assert!(text.starts_with("meed sign-in v1\n") && text.contains("127.0.0.1"), "{text}");
    assert_eq!(browser.text("location.pathname"), "/me");
    let own: String = key(7).public_key().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let said = browser.text(SAID);
    assert!(said.contains(&format!("identity:ed25519:{own}")) && said.contains("contributor"), "{said}");

    browser.type_into("#name", "Ana");
    browser.click_through("#join button");
    let accounts = "document.querySelector('#accounts').innerText";
    assert!(
        browser.text(accounts).contains(&own) && browser.text(accounts).contains("Ana"),
        "{}",
        browser.text(accounts)
    );
    // A wallet joins the key, by the form below.
    let other = wallet(3);
    browser.type_into("#wallet-address", &address(&other));
    browser.click_through("#wallet button[type=submit]");
    answer(&browser, |text| personal_sign(&other, text));
    let said = browser.text(accounts);
    assert!(said.contains(&address(&other)) && said.contains(&own), "{said}");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_wallet_signs_in_by_the_text_that_the_page_shows() {
    if !driver::is_there() {
        return;
    }
    let (stage, browser) = (Stage::set(), Browser::start());
    let own = wallet(5);
    browser.open(&stage.url("/sign-in"));
    browser.type_into("#wallet-address", &address(&own));
    browser.fill("#wallet-chain", "10");
    browser.click_through("#wallet button[type=submit]");
    let text = answer(&browser, |text| personal_sign(&own, text));
    assert!(text.contains(" wants you to sign in with your Ethereum account:\n"), "{text}");
    assert!(text.contains("Chain ID: 10"), "{text}");
    assert_eq!(browser.text("location.pathname"), "/me", "{}", browser.text(SAID));
    let said = browser.text(SAID);
    assert!(said.contains(&format!("identity:wallet:{}", address(&own))), "{said}");
    // No script of any page may read what the browser shows the node.
    assert_eq!(browser.text("document.cookie"), "");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
