//! What an operator does on the pages, by keyboard alone and without any script.

use serde_json::json;
use thirtyfour::Key;

use crate::driver::{self, Browser};
use crate::stage::Stage;

/// What the page says.
const SAID: &str = "document.querySelector('main').innerText";

#[test]
fn an_operator_signs_in_and_out_by_keyboard_without_scripts() {
    if !driver::is_there() {
        return;
    }
    let (stage, browser) = (Stage::set(), Browser::start());
    let token = stage.token();
    browser.without_scripts();
    browser.open(&stage.url("/me"));
    assert_eq!(browser.text("location.pathname"), "/sign-in", "nobody is signed in yet");

    stage.sign_in(&browser, "meed_00");
    browser.wait_for("document.querySelector('.refused') !== null");
    assert!(browser.text(SAID).contains("What to do:"), "{}", browser.text(SAID));

    stage.sign_in(&browser, &token);
    browser.wait_for("location.pathname === '/me'");
    let said = browser.text(SAID);
    assert!(said.contains("signed in as ana") && said.contains("operator"), "{said}");
    // No script of any page may read what the browser shows the node.
    assert_eq!(browser.eval("document.cookie"), json!(""));

    browser.tab_to("form[action='/sign-out'] button");
    browser.press(Key::Enter);
    browser.wait_for("location.pathname === '/'");
    browser.open(&stage.url("/me"));
    assert_eq!(browser.text("location.pathname"), "/sign-in", "nobody is signed in any more");
}
