//! Each page on each screen, by keyboard too, and the table of an epoch.

use serde_json::{Value, json};
use thirtyfour::Key;

use crate::driver::{self, Browser};
use crate::stage::Stage;

const PHONE: u32 = 360;
const DESK: u32 = 1280;

/// Texts of too little contrast with what is behind them (WCAG 2.2, 1.4.3: 4.5 to 1), and the ratio.
const FAINT: &str = r"(() => {
    const parts = (text) => (text.match(/[\d.]+/g) ?? []).map(Number);
    const light = (color) => {
        const [red, green, blue] = parts(color).map((part) => part / 255)
            .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const behind = (element) => {
        for (let each = element; each !== null; each = each.parentElement) {
            const color = getComputedStyle(each).backgroundColor;
            if (parts(color)[3] !== 0) return color;
        }
        return 'rgb(255, 255, 255)';
    };
    return Array.from(document.querySelectorAll('body *'))
        .filter((element) => element.checkVisibility() && !(element instanceof SVGElement))
        .filter((element) => Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.data.trim()))
        .map((element) => {
            const [one, other] = [light(getComputedStyle(element).color), light(behind(element))];
            const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
            return { ratio, text: `${element.tagName} ${element.textContent.trim().slice(0, 40)} ${ratio}` };
        })
        .filter(({ ratio }) => ratio < 4.5).map(({ text }) => text);
})()";

/// What would stop a person who listens to a page rather than sees it.
const UNNAMED: &str = r"Array.from(document.querySelectorAll('a, button, input, select, textarea, img, svg, [role=region]'))
    .filter((element) => element.checkVisibility() && element.getAttribute('aria-hidden') !== 'true')
    .filter((element) => !(element.getAttribute('aria-label') || element.getAttribute('aria-labelledby')
        || element.textContent.trim() || element.labels?.length > 0 || element.querySelector?.('title')))
    .map((element) => element.outerHTML.slice(0, 200))";

/// What came from anywhere else.
const FOREIGN: &str = "performance.getEntriesByType('resource').map((entry) => entry.name)
    .filter((name) => !name.startsWith(location.origin) && !name.startsWith('data:'))";

/// Tables whose rows are cards where there is little room, and that are wider than their place nevertheless.
const CUT: &str = "Array.from(document.querySelectorAll('table.cards'))
    .filter((table) => table.scrollWidth > table.parentElement.clientWidth).map((table) => table.scrollWidth)";

fn paths(stage: &Stage) -> Vec<(&'static str, String)> {
    let claimant = stage.claimants().first().expect("a claimant").replace(':', "%3A");
    vec![
        ("overview", "/".to_owned()),
        ("scope", "/scopes/default".to_owned()),
        ("epoch", "/scopes/default/epochs/1".to_owned()),
        ("claimant", format!("/claimants/{claimant}")),
        ("verify", "/verify".to_owned()),
        ("guide", "/guide".to_owned()),
        ("sign-in", "/sign-in".to_owned()),
        ("api", "/api".to_owned()),
        ("problems", "/problems".to_owned()),
        ("problem", "/problems/scope_not_found".to_owned()),
    ]
}

/// How the pages are looked at: the name of the look, the width of the screen, the scheme.
const LOOKS: [(&str, u32, &str); 3] =
    [("light", DESK, "light"), ("dark", DESK, "dark"), ("phone", PHONE, "light")];

/// Opens a page and looks whether it is whole and breaks no rule.
#[track_caller]
fn check_page(stage: &Stage, browser: &Browser, (name, path): (&str, &str), (look, width): (&str, u32)) {
    browser.open(&stage.url(path));
    let place = format!("{path}, {look}");
    assert_eq!(browser.complaints(), Vec::<String>::new(), "{place}");
    assert_eq!(browser.eval("document.querySelectorAll('h1').length"), json!(1), "{place}");
    assert_eq!(browser.text("document.documentElement.lang"), "en", "{place}");
    let wide = browser.eval("document.documentElement.scrollWidth").as_u64().expect("a width");
    assert!(wide <= u64::from(width), "{place}: {wide} pixels wide");
    let checks = [("faint", FAINT), ("unnamed", UNNAMED), ("foreign", FOREIGN), ("cut", CUT)];
    for (what, found) in checks {
        assert_eq!(browser.eval(found), json!([]), "{place}: {what}");
    }
    keep_picture(browser, name, look);
}

#[test]
fn every_page_is_whole_on_every_screen_and_breaks_no_rule() {
    if !driver::is_there() {
        return;
    }
    let (stage, browser) = (Stage::set(), Browser::start());
    let mut papers = Vec::new();
    for (look, width, scheme) in LOOKS {
        browser.look(width, scheme);
        for (name, path) in paths(&stage) {
            check_page(&stage, &browser, (name, &path), (look, width));
        }
        papers.push(browser.text("getComputedStyle(document.body).backgroundColor"));
    }
    assert_ne!(papers[0], papers[1], "the dark page is dark");
    assert_eq!(papers[0], papers[2]);
}

#[test]
fn the_pages_of_an_operator_are_whole_in_every_state_of_an_epoch() {
    if !driver::is_there() {
        return;
    }
    let (stage, browser) = (Stage::with_scope(), Browser::start());
    stage.enter(&browser);
    let look_at = |pages: &[(&str, &str)]| {
        for (look, width, scheme) in LOOKS {
            browser.look(width, scheme);
            for page in pages {
                check_page(&stage, &browser, *page, (look, width));
            }
        }
    };
    let (epoch, review) = ("/scopes/default/epochs/1", "/scopes/default/epochs/1/review");
    look_at(&[("me", "/me"), ("sign-in-known", "/sign-in"), ("opening", "/scopes/default")]);
    stage.opens_with_events();
    let deciding = format!("{review}?event=github%3Apr%3A7%3Ae1&claimant=identity%3Agithub%3A1");
    look_at(&[("review-open", &deciding), ("epoch-open", epoch)]);
    stage.world.epoch(&["close"]).ok();
    stage.world.freeze("one.dossier");
    stage.leaves_out("e1");
    look_at(&[
        ("review-draft", &format!("{review}?preview=1")),
        ("epoch-draft", epoch),
        ("epoch-now", &format!("{epoch}?revision=now")),
    ]);
    stage.world.freeze("two.dossier");
    stage.world.sign_and_finalize("two.dossier");
    stage.amends();
    look_at(&[
        ("run", "/runs/finalize-default-1"),
        ("review-finalized", review),
        ("epoch-amended", epoch),
        ("epoch-superseded", &format!("{epoch}?revision=1")),
        ("claimant-amended", "/claimants/identity%3Agithub%3A1"),
    ]);
}

/// Pictures for `docs/screenshots`, where the variable MEED_SCREENSHOTS names a folder.
fn keep_picture(browser: &Browser, name: &str, look: &str) {
    let Some(folder) = std::env::var_os("MEED_SCREENSHOTS") else { return };
    let path = std::path::Path::new(&folder).join(format!("{name}-{look}.png"));
    std::fs::write(path, browser.screenshot()).expect("written");
}

#[test]
fn the_keyboard_reaches_the_content_and_the_main_links() {
    if !driver::is_there() {
        return;
    }
    let (stage, browser) = (Stage::set(), Browser::start());
    browser.look(DESK, "light");
    for (_, path) in paths(&stage) {
        browser.open(&stage.url(&path));
        let mut reached = Vec::new();
        for _ in 0..7 {
            browser.press(Key::Tab);
            reached.push(browser.text("document.activeElement.getAttribute('href')"));
            let seen = "(() => { const place = document.activeElement.getBoundingClientRect();
                return place.left >= 0 && place.top >= 0 && place.width > 0 })()";
            assert_eq!(browser.eval(seen), json!(true), "{path}: the focus is seen at {reached:?}");
            let outline = browser.text("getComputedStyle(document.activeElement).outlineStyle");
            assert_ne!(outline, "none", "{path}: {reached:?}");
        }
        assert_eq!(reached, ["#content", "/", "/", "/verify", "/guide", "/api", "/me"], "{path}");
        browser.open(&stage.url(&path));
        browser.press(Key::Tab);
        browser.press(Key::Enter);
        assert_eq!(browser.text("location.hash"), "#content", "{path}");
        browser.press(Key::Tab);
        let inside = "document.activeElement.closest('main') !== null || document.activeElement.closest('footer') !== null
            || document.activeElement === document.body";
        assert_eq!(browser.eval(inside), json!(true), "{path}: the way around was skipped");
    }
}

/// The keys and credits of the rows that the page shows.
fn rows(browser: &Browser) -> Vec<(String, u64)> {
    let rows = browser.eval(
        "Array.from(document.querySelectorAll('#allocations tbody tr'), (row) =>
            [row.cells[0].querySelector('.key').textContent, row.cells[1].textContent.replace(/[^0-9]/g, '')])",
    );
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let rows = rows.as_array().expect("rows").iter();
    rows.map(|row| (text(&row[0]), text(&row[1]).parse().expect("a number"))).collect()
}

#[test]
fn the_keyboard_reaches_every_action_of_a_review() {
    if !driver::is_there() {
        return;
    }
    let (stage, browser) = (Stage::with_scope(), Browser::start());
    browser.look(DESK, "light");
    stage.opens_with_events();
    stage.enter(&browser);
    browser.open(&stage.url("/scopes/default/epochs/1/review"));
    let seen = "(() => {
        const place = document.activeElement.getBoundingClientRect();
        const isInView = place.bottom > 0 && place.top < innerHeight && place.width > 0;
        return isInView && getComputedStyle(document.activeElement).outlineStyle !== 'none';
    })()";
    let form = "document.activeElement.form?.getAttribute('action')?.split('/').pop()";
    let mut reached: Vec<String> = Vec::new();
    browser.press(Key::Tab);
    let is_first = "document.activeElement.matches('body, .skip')";
    assert_eq!(browser.eval(is_first), json!(true), "it begins with the way past the links");
    browser.press(Key::Tab);
    while browser.eval(is_first) == json!(false) {
        assert_eq!(browser.eval(seen), json!(true), "the focus is seen after {reached:?}");
        if browser.eval("document.activeElement.type === 'submit'") == json!(true) {
            reached.push(browser.text(form));
        }
        assert!(reached.len() < 20, "the focus goes round: {reached:?}");
        browser.press(Key::Tab);
    }
    let forms =
        ["review#claimants", "allocation", "allocation", "curation", "pool", "collect", "import", "close"];
    assert_eq!(reached, forms, "in the order in which they stand");
    // And the last of them does its work without a mouse.
    browser.tab_to("#close-early");
    browser.type_keys("everybody agreed");
    browser.press(Key::Enter);
    browser.wait_for("document.querySelector('#notice.done, #notice.refused') !== null");
    let said = browser.text("document.querySelector('#notice').innerText");
    assert!(said.contains("The epoch is closed"), "{said}");
}

#[test]
fn the_table_of_an_epoch_is_searched_and_sorted() {
    if !driver::is_there() {
        return;
    }
    let (stage, browser) = (Stage::set(), Browser::start());
    let claimants = stage.claimants();
    browser.open(&stage.url("/scopes/default/epochs/1"));
    let all = rows(&browser);
    assert_eq!(all.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(), claimants);
    assert!(all.len() > 1 && all.is_sorted_by_key(|(key, _)| key.clone()));

    browser.eval("(() => { document.querySelector('#sort').value = 'credits' })()");
    browser.click("#allocations form button");
    browser.wait_for("location.search.includes('sort=credits')");
    let sorted = rows(&browser);
    assert!(sorted.is_sorted_by(|one, next| one.1 >= next.1), "{sorted:?}");
    assert_eq!(sorted.len(), all.len());

    let wanted = &claimants[1];
    browser.type_into("#search", wanted);
    browser.press(Key::Enter);
    browser.wait_for("location.search.includes('search=i') || location.search.includes('search=u')");
    let found = rows(&browser);
    assert_eq!(found.iter().map(|(key, _)| key).collect::<Vec<_>>(), [wanted]);
    assert_eq!(
        browser.text("document.querySelector('#search').value"),
        *wanted,
        "the page says what it shows"
    );
    let caption = browser.text("document.querySelector('#allocations caption').textContent");
    assert_eq!(caption, format!("1 of {} claimants", all.len()));
    assert_eq!(browser.text("document.querySelector('#sort').value"), "credits", "and how it sorts");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
