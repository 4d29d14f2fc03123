//! A browser without a screen, by as much of WebDriver (<https://www.w3.org/TR/webdriver2/>) as the tests need. The
//! client is a few lines over a socket: the crates for this bring two dozen others.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// The member by which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// How often a script is asked again before the test gives up, and how long the browser waits between two of them.
const TRIES: usize = 200;
const PAUSE: Duration = Duration::from_millis(50);

/// The tabulator and the enter key, as WebDriver writes them.
pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";

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
    driver: Child,
    port: u16,
    session: String,
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
            line.split_once(" started successfully on port ")?.1.trim_end_matches('.').parse().ok()
        });
        let mut browser = Self { driver, port: port.expect("its port"), session: String::new() };
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
        ];
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let made = browser.ask("POST", "/session", &capabilities);
        browser.session = format!("/session/{}", made["sessionId"].as_str().expect("a session"));
        browser
    }

    /// Asks the driver, and gives the value of its answer.
    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.exchange(method, path, body);
        let value = &answer["value"];
        assert!(value["error"].is_null(), "{method} {path} {body}: {} {}", value["error"], value["message"]);
        value.clone()
    }

    fn exchange(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the driver answers");
        let text = if method == "GET" { String::new() } else { body.to_string() };
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        )
        .expect("sent");
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a head");
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut bytes = vec![0; length];
        reader.read_exact(&mut bytes).expect("a body");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", &format!("{}{path}", self.session), body)
    }

    /// Opens a page and waits until it has loaded.
    #[track_caller]
    pub(crate) fn open(&self, url: &str) {
        self.post("/url", &json!({"url": url}));
    }

    /// What an expression of JavaScript gives in the page.
    #[track_caller]
    pub(crate) fn eval(&self, expression: &str) -> Value {
        self.post("/execute/sync", &json!({"script": format!("return ({expression});"), "args": []}))
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
    fn element(&self, by: &str, what: &str) -> String {
        let found = self.post("/element", &json!({"using": by, "value": what}));
        format!("/element/{}", found[ELEMENT].as_str().expect("an element"))
    }

    /// Types into an element, or chooses a file in it.
    #[track_caller]
    pub(crate) fn type_into(&self, css: &str, text: &str) {
        let element = self.element("css selector", css);
        self.post(&format!("{element}/value"), &json!({"text": text}));
    }

    #[track_caller]
    pub(crate) fn click(&self, css: &str) {
        let element = self.element("css selector", css);
        self.post(&format!("{element}/click"), &json!({}));
    }

    /// Follows the first link with this text.
    #[track_caller]
    pub(crate) fn follow(&self, text: &str) {
        let element = self.element("link text", text);
        self.post(&format!("{element}/click"), &json!({}));
    }

    /// Presses a key, wherever the focus is.
    #[track_caller]
    pub(crate) fn press(&self, key: &str) {
        let actions = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        self.post("/actions", &json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}));
    }

    /// The width of the screen in CSS pixels, and `light` or `dark`, for pages that are opened from now on.
    #[track_caller]
    pub(crate) fn look(&self, width: u32, scheme: &str) {
        let command = |name: &str, parameters: Value| {
            self.post("/goog/cdp/execute", &json!({"cmd": name, "params": parameters}));
        };
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600});
        command("Emulation.setDeviceMetricsOverride", size);
        let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        command("Emulation.setEmulatedMedia", scheme);
    }

    /// A picture of what is seen, as PNG in base64.
    pub(crate) fn screenshot(&self) -> String {
        self.ask("GET", &format!("{}/screenshot", self.session), &Value::Null)
            .as_str()
            .expect("base64")
            .to_owned()
    }

    /// What the browser complained about since it was last asked: errors of scripts, of the network, of the policy.
    #[track_caller]
    pub(crate) fn complaints(&self) -> Vec<String> {
        let entries = self.post("/se/log", &json!({"type": "browser"}));
        let entries = entries.as_array().expect("entries").iter();
        entries
            .filter(|entry| entry["level"] != "INFO" && entry["level"] != "DEBUG")
            .map(Value::to_string)
            .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser before itself. Where it does not answer, there is no browser either.
        let asked = TcpStream::connect(("127.0.0.1", self.port)).and_then(|mut stream| {
            stream.write_all(b"GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        });
        if asked.is_err() {
            let _ = self.driver.kill();
        }
        let _ = self.driver.wait();
    }
}
