//! An epoch on the pages alone, from its opening to its final statement and an amendment, by an operator who clicks; only
//! approvers sign elsewhere, from the dossier that the page gives.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::driver::{self, Browser};
use crate::stage::Stage;

const REVIEW: &str = "/scopes/default/epochs/1/review";
/// What the page says.
const SAID: &str = "document.querySelector('main').innerText";
/// How long a download or a run may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser in which an operator is signed in.
struct Desk {
    stage: Stage,
    browser: Browser,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { stage: Stage::with_scope(), browser: Browser::start() };
        let downloads = desk.stage.world.path("downloads");
        std::fs::create_dir(&downloads).expect("a folder");
        desk.browser.keep_downloads(&downloads);
        desk.stage.enter(&desk.browser);
        desk
    }

    fn said(&self) -> String {
        self.browser.text(SAID)
    }

    /// Sends a form of the review by its button, and reads what the page says is done.
    #[track_caller]
    fn does(&self, form: &str, button: &str) -> String {
        self.browser.click_through(&format!("form[action$='/review/{form}'] {button}"));
        let notice = self.browser.text("document.querySelector('#notice')?.className ?? 'none'");
        assert_eq!(notice, "done", "{form}: {}", self.said());
        self.said()
    }

    #[track_caller]
    fn review(&self) {
        self.browser.open(&self.stage.url(REVIEW));
    }

    /// Decides on an event that is chosen in the list.
    #[track_caller]
    fn decides(&self, event: &str, choice: &str, typed: &[(&str, &str)]) -> String {
        self.review();
        self.browser.click_through(&format!("#events a[aria-label='Decide on {event}']"));
        assert_eq!(self.browser.text("document.querySelector('#curation-event').value"), event);
        self.browser.click(&format!("#curation-choose-{choice}"));
        for (field, text) in typed {
            self.browser.fill(&format!("#curation-{field}"), text);
        }
        self.browser.fill("#curation-reason", "as agreed");
        self.does("curation", "button")
    }

    #[track_caller]
    fn opens_and_imports(&self) {
        let at = self.stage.world.at.to_string();
        self.browser.open(&self.stage.url("/scopes/default"));
        self.browser.fill("#open-at", &at[..10]);
        self.browser.click_through("#open button");
        assert_eq!(self.browser.text("location.pathname"), REVIEW, "{}", self.said());
        assert!(self.said().contains("The epoch is open."), "{}", self.said());
        let line = |number: u64| self.stage.world.event_line(&format!("e{number}"), 1 + number % 3) + "\n";
        let lines: String = (1..=6).map(line).collect();
        self.stage.world.write("events.ndjson", &lines);
        let file = self.stage.world.path("events.ndjson");
        self.browser.type_into("#import-file", file.to_str().expect("UTF-8"));
        self.does("import", "button");
        assert_eq!(self.browser.eval("document.querySelectorAll('#events tbody tr').length"), json!(6));
    }

    /// Every kind of decision.
    #[track_caller]
    fn curates(&self) {
        let said = self.decides("github:pr:7:e1", "exclude", &[]);
        assert!(said.contains("left out: as agreed"), "{said}");
        self.decides("github:pr:7:e2", "weight", &[("weight", "2500")]);
        let shares = "identity:github:7=400000\nidentity:github:8=600000";
        self.decides("github:pr:7:e3", "shares", &[("shares", shares)]);
        self.decides("github:pr:7:e4", "exclude", &[]);
        self.decides("github:pr:7:e4", "reset", &[]);
        self.browser.fill("#allocation-claimant", "identity:github:9");
        self.browser.fill("#allocation-units", "1500");
        self.browser.fill("#allocation-reason", "on call");
        let said = self.does("allocation", "button[value='set']");
        assert!(said.contains("identity:github:9") && said.contains("+1.500"), "{said}");
        // Decisions read in words and units, as people say them.
        for words in ["2.500 units", "identity:github:8 60.0000 %", "1.500 units"] {
            assert!(said.contains(words), "{words}: {said}");
        }
        self.browser.fill("#pool-component", "bonus");
        self.browser.fill("#pool-amount", "50");
        self.browser.fill("#pool-evidence", "minutes of the meeting");
        self.browser.fill("#pool-algorithm", "minutes-v1");
        let said = self.does("pool", "button");
        assert!(said.contains("10000.50 EUR") && said.contains("0.50 EUR"), "{said}");
    }

    /// Downloads the dossier by its link on the page.
    #[track_caller]
    fn downloads_dossier(&self) -> PathBuf {
        let folder = self.stage.world.path("downloads");
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            std::fs::remove_file(entry.expect("an entry").path()).expect("removed");
        }
        self.browser.click("#signatures a.button");
        let began = Instant::now();
        loop {
            let entries =
                std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path());
            let whole = entries
                .filter(|path| path.extension().is_none_or(|kind| kind != "crdownload"))
                .collect::<Vec<_>>();
            if let [file] = whole.as_slice()
                && std::fs::metadata(file).is_ok_and(|known| known.len() > 0)
            {
                return file.clone();
            }
            assert!(began.elapsed() < PATIENCE, "expected one downloaded file, got {whole:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Two approvers sign the dossier on their own machines; one line is pasted, the other comes as a file.
    #[track_caller]
    fn collects_signatures(&self) {
        let dossier = self.downloads_dossier();
        let dossier = dossier.to_str().expect("UTF-8");
        let (first, second) =
            (self.stage.world.sign(dossier, "alice").ok(), self.stage.world.sign(dossier, "bob").ok());
        self.stage.world.write("bob.sig", &second);
        self.review();
        self.browser.fill("#signatures-text", &first);
        let said = self.does("signatures", "button");
        assert!(said.contains("signed by 1 of the 2"), "{said}");
        // One is not enough, and no run is begun that must fail.
        self.browser.click_through("form[action$='/review/finalize'] button");
        let refused = self.said();
        assert!(refused.contains("quorum_missing") && refused.contains("Missing are"), "{refused}");
        assert!(refused.contains("carol") && refused.contains("bob"), "who is missing: {refused}");
        self.review();
        let file = self.stage.world.path("bob.sig");
        self.browser.type_into("#signatures-file", file.to_str().expect("UTF-8"));
        let said = self.does("signatures", "button");
        assert!(said.contains("signed by 2 of the 2"), "{said}");
    }

    /// Finalizes, and follows the run until it has ended.
    #[track_caller]
    fn finalizes(&self) {
        self.browser.click_through("form[action$='/review/finalize'] button");
        assert_eq!(self.browser.text("location.pathname"), "/runs/finalize-default-1", "{}", self.said());
        let state = "document.querySelector('#run-state')?.innerText";
        self.browser.wait_for(&format!("['done', 'failed'].includes({state})"));
        assert_eq!(self.browser.text(state), "done", "{}", self.said());
    }

    #[track_caller]
    fn freezes(&self, revision: u64) {
        self.review();
        let said = self.does("draft", "button");
        assert!(said.contains(&format!("Revision {revision} is offered for signing")), "{said}");
    }

    /// What the node was asked for and did not give: refusals that a test meant are in it.
    fn no_complaints(&self) {
        let loud = self.browser.complaints().into_iter();
        let unmeant: Vec<String> = loud.filter(|line| !line.contains("/review/finalize")).collect();
        assert_eq!(unmeant, Vec::<String>::new());
    }
}

#[test]
fn an_operator_takes_an_epoch_from_its_opening_to_an_amendment() {
    if !driver::is_there() {
        return;
    }
    let desk = Desk::new();
    desk.opens_and_imports();
    desk.curates();
    let said = desk.does("close", "button");
    assert!(said.contains("review") && said.contains("Closing has fixed it."), "{said}");
    desk.freezes(0);
    // A decision after the freeze is shown by the preview, as who would get how much more or less.
    desk.decides("github:pr:7:e5", "exclude", &[]);
    desk.review();
    desk.browser.click_through("#preview a");
    let said = desk.browser.text("document.querySelector('#preview').innerText");
    assert!(said.contains("Compared with the draft, revision 0") && said.contains("in EUR"), "{said}");
    assert!(said.contains('\u{2212}') && said.contains('+'), "{said}");
    desk.freezes(1);
    desk.collects_signatures();
    desk.finalizes();

    desk.review();
    assert!(desk.said().contains("finalized"), "{}", desk.said());
    desk.browser.fill("#amendment-reason", "somebody was left out");
    let said = desk.does("amendment", "button");
    assert!(said.contains("finalized, being amended"), "{said}");
    desk.decides("github:pr:7:e5", "include", &[]);
    desk.freezes(2);
    desk.collects_signatures();
    desk.finalizes();
    desk.browser.open(&desk.stage.url("/scopes/default/epochs/1"));
    let said = desk.browser.text("document.querySelector('#revisions').innerText");
    assert!(said.contains("amended: revision 2 replaces revision 1"), "{said}");
    desk.no_complaints();
}
