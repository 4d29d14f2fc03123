//! A browser without a screen, through chromedriver. The crate's client of WebDriver is asynchronous and the tests are
//! not: each question is asked, and its answer waited for, here.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use thirtyfour::error::WebDriverResult;
use thirtyfour::{
    By, ChromeCapabilities, ChromiumLikeCapabilities, DesiredCapabilities, Key, LoggingPrefsLogLevel,
    WebDriver, WebElement,
};
use tokio::runtime::{Builder, Runtime};

/// How often a condition is looked at before the test gives up, and how long it waits between two looks.
const TRIES: usize = 200;
const PAUSE: Duration = Duration::from_millis(50);
/// The most places that the focus is moved to on one page.
const TABS_MAX: usize = 200;
/// How a browser runs where there is no screen, no other user, and nothing to fetch from its maker.
const ARGUMENTS: [&str; 7] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
];

/// Whether there is a browser. Where there is none, the test says that it skips, which in CI is a failure.
pub(crate) fn is_there() -> bool {
    let missing = ["chromium", "chromedriver"].into_iter().find(|program| {
        let asked =
            Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        !asked.is_ok_and(|status| status.success())
    });
    let Some(program) = missing else { return true };
    let what = format!("expected the program {program}, got none that runs");
    assert!(std::env::var_os("MEED_CI").is_none(), "{what}");
    println!("SKIPPED: {what}");
    false
}

/// One session of a browser; both programs end with it.
pub(crate) struct Browser {
    runtime: Runtime,
    /// None only once it has ended.
    session: Option<WebDriver>,
    driver: Child,
}

impl Browser {
    pub(crate) fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .args(["--port=0", "--log-level=WARNING"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver runs");
        let mut lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
        let port = lines.find_map(|line| {
            let line = line.expect("text");
            line.split_once(" started successfully on port ")?.1.trim_end_matches('.').parse::<u16>().ok()
        });
        let address = format!("http://127.0.0.1:{}", port.expect("its port"));
        // The crate asks over plain HTTP, yet makes a client that could speak TLS, by the provider of the tree.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let session = runtime.block_on(WebDriver::new(address, capabilities())).expect("a session");
        Self { runtime, session: Some(session), driver }
    }

    fn session(&self) -> &WebDriver {
        self.session.as_ref().expect("a session")
    }

    #[track_caller]
    fn wait<T>(&self, answer: impl Future<Output = WebDriverResult<T>>) -> T {
        match self.runtime.block_on(answer) {
            Ok(value) => value,
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens a page and waits until it is seen: before that the browser drops what is typed.
    #[track_caller]
    pub(crate) fn open(&self, url: &str) {
        self.wait(self.session().goto(url));
        self.wait_for("performance.getEntriesByType('paint').length > 0");
    }

    /// What an expression of JavaScript gives in the page.
    #[track_caller]
    pub(crate) fn eval(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.wait(self.session().execute(script, Vec::new())).json().clone()
    }

    /// As [`Browser::eval`], as text.
    #[track_caller]
    pub(crate) fn text(&self, expression: &str) -> String {
        self.eval(expression).as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub(crate) fn wait_for(&self, condition: &str) {
        for _ in 0..TRIES {
            if self.eval(&format!("Boolean({condition})")) == json!(true) {
                return;
            }
            std::thread::sleep(PAUSE);
        }
        let page = self.text("document.body.innerText");
        panic!("expected {condition}, got {page}");
    }

    #[track_caller]
    fn element(&self, by: By) -> WebElement {
        self.wait(self.session().find(by))
    }

    /// Types into an element, or chooses a file in it.
    #[track_caller]
    pub(crate) fn type_into(&self, css: &str, text: &str) {
        self.wait(self.element(By::Css(css)).send_keys(text));
    }

    #[track_caller]
    pub(crate) fn click(&self, css: &str) {
        self.wait(self.element(By::Css(css)).click());
    }

    /// Sends a form by its button, or follows a link, and waits until the page is another one.
    #[track_caller]
    pub(crate) fn click_through(&self, css: &str) {
        self.eval("(() => { window.isOld = true })()");
        self.click(css);
        let is_seen = "performance.getEntriesByType('paint').length > 0";
        self.wait_for(&format!(
            "window.isOld === undefined && document.readyState === 'complete' && {is_seen}"
        ));
    }

    /// Writes into a field in place of what it holds.
    #[track_caller]
    pub(crate) fn fill(&self, css: &str, text: &str) {
        let field = self.element(By::Css(css));
        self.wait(field.clear());
        self.wait(field.send_keys(text));
    }

    /// Files that are downloaded from now on are kept in this folder.
    #[track_caller]
    pub(crate) fn keep_downloads(&self, folder: &Path) {
        let folder = folder.to_str().expect("UTF-8");
        self.command("Browser.setDownloadBehavior", json!({"behavior": "allow", "downloadPath": folder}));
    }

    /// Follows the first link with this text.
    #[track_caller]
    pub(crate) fn follow(&self, text: &str) {
        self.wait(self.element(By::LinkText(text)).click());
    }

    /// Presses a key, wherever the focus is.
    #[track_caller]
    pub(crate) fn press(&self, key: Key) {
        self.wait(self.session().action_chain().key_down(key.clone()).key_up(key).perform());
    }

    /// Presses the tabulator until the focus is on this element, as somebody without a mouse would.
    #[track_caller]
    pub(crate) fn tab_to(&self, css: &str) {
        let reached = format!("document.activeElement.matches({})", json!(css));
        for _ in 0..TABS_MAX {
            self.press(Key::Tab);
            if self.eval(&reached) == json!(true) {
                return;
            }
        }
        panic!("expected the tabulator to reach {css}, got {}", self.text("document.body.innerText"));
    }

    /// Types wherever the focus is.
    #[track_caller]
    pub(crate) fn type_keys(&self, text: &str) {
        self.wait(self.session().action_chain().send_keys(text).perform());
    }

    /// The width of the screen in CSS pixels, and `light` or `dark`, for pages that are opened from now on.
    #[track_caller]
    pub(crate) fn look(&self, width: u32, scheme: &str) {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600});
        self.command("Emulation.setDeviceMetricsOverride", size);
        let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.command("Emulation.setEmulatedMedia", scheme);
    }

    /// Pages that are opened from now on run no script; what the tests ask is still answered.
    #[track_caller]
    pub(crate) fn without_scripts(&self) {
        self.command("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    }

    #[track_caller]
    fn command(&self, name: &str, parameters: Value) {
        self.wait(self.session().cdp().send_raw(name, parameters));
    }

    /// A picture of what is seen, as PNG.
    #[track_caller]
    pub(crate) fn screenshot(&self) -> Vec<u8> {
        self.wait(self.session().screenshot_as_png())
    }

    /// What the browser complained about since it was last asked: errors of scripts, of the network, of the policy.
    #[track_caller]
    pub(crate) fn complaints(&self) -> Vec<String> {
        let entries = self.wait(self.session().browser_log()).into_iter();
        let loud = entries.filter(|entry| entry.level != "INFO" && entry.level != "DEBUG");
        loud.map(|entry| format!("{}: {}", entry.level, entry.message)).collect()
    }
}

fn capabilities() -> ChromeCapabilities {
    let mut capabilities = DesiredCapabilities::chrome();
    for argument in ARGUMENTS {
        capabilities.add_arg(argument).expect("an argument");
    }
    capabilities.set_browser_log_level(LoggingPrefsLogLevel::All).expect("a level");
    capabilities
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Where the driver does not answer any more, its browser has gone with it.
        if let Some(session) = self.session.take() {
            let _ = self.runtime.block_on(session.quit());
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
