//! A node with the ledger of the demo, for a browser to look at.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command};

use meed_audit::proof::Proof;
use meed_audit::tlog_proof::TlogProof;
use serde_json::Value;
use thirtyfour::Key;

use crate::driver::Browser;
use crate::support::{World, program};

/// A node that serves; it ends with this.
pub(crate) struct Stage {
    pub(crate) world: World,
    node: Option<Child>,
    /// Where the node is: `http://127.0.0.1:<port>`.
    pub(crate) address: String,
    /// What the demo did.
    pub(crate) played: Value,
}

impl Stage {
    /// A node with the ledger of the demo.
    pub(crate) fn set() -> Self {
        let world = World::empty();
        let played = world.json(&["demo", "--data", "ledger"]);
        Self::serving(world, played)
    }

    /// A node with a scope whose approvers are Alice, Bob and Carol, two of whom must sign; no epoch was opened yet.
    pub(crate) fn with_scope() -> Self {
        let world = World::empty();
        world.run(&["init", "--origin", "ledger.example.org"]).ok();
        world
            .run(&[
                "scope",
                "add",
                "default",
                "--base-issuance",
                "1000000",
                "--unit",
                "EUR",
                "--decimals",
                "2",
            ])
            .ok();
        world.set_approvers(&["alice", "bob", "carol"], 2).ok();
        Self::serving(world, Value::Null)
    }

    fn serving(world: World, played: Value) -> Self {
        let mut command = program(&world.path("."));
        command.args(["--data", "ledger", "serve", "--listen", "127.0.0.1:0"]);
        let mut node = command.env("MEED_REQUESTS_PER_SECOND", "0").spawn().expect("meed serves");
        let mut lines = BufReader::new(node.stderr.take().expect("its notices")).lines();
        let address = lines.find_map(|line| {
            let line = line.expect("text");
            Some(line.strip_prefix("serving ")?.split("/ until").next()?.to_owned())
        });
        // The rest is read as well, so that the node never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { world, node: Some(node), address: address.expect("an address"), played }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// A token for the operator.
    pub(crate) fn token(&self) -> String {
        self.world.run(&["token", "new", "ana", "--role", "operator"]).ok().trim().to_owned()
    }

    /// Opens an epoch of the last finished week, with events of three people.
    pub(crate) fn opens_with_events(&self) {
        self.world.run(&["epoch", "open", "--scope", "default", "--at", &self.world.at.to_string()]).ok();
        let line = |number: u64| self.world.event_line(&format!("e{number}"), 1 + number % 3) + "\n";
        self.world.write("events.ndjson", &(1..=6).map(line).collect::<String>());
        self.world.run(&["import", "--scope", "default", "events.ndjson"]).ok();
    }

    /// Decides that an event does not count.
    pub(crate) fn leaves_out(&self, event: &str) {
        let id = format!("github:pr:7:{event}");
        let place = ["curate", "--scope", "default", "--epoch", "1", "--event", &id];
        self.world.run(&[place.as_slice(), &["--exclude", "--reason", "made twice"]].concat()).ok();
    }

    /// Amends the final epoch: an event less counts, and two approvers sign that.
    pub(crate) fn amends(&self) {
        self.world.epoch(&["amend", "--reason", "made twice"]).ok();
        self.leaves_out("e2");
        self.world.freeze("amended.dossier");
        self.world.sign_and_finalize("amended.dossier");
    }

    /// Signs the operator in, by keyboard alone.
    pub(crate) fn sign_in(&self, browser: &Browser, token: &str) {
        browser.open(&self.url("/sign-in"));
        browser.tab_to("#token-secret");
        browser.type_keys(token);
        browser.press(Key::Enter);
    }

    /// Signs an operator in who has a new token.
    pub(crate) fn enter(&self, browser: &Browser) {
        self.sign_in(browser, &self.token());
        browser.wait_for("location.pathname === '/me'");
    }

    /// The claimants that the demo paid.
    pub(crate) fn claimants(&self) -> Vec<String> {
        let paid = self.played["allocations"].as_array().expect("allocations").iter();
        paid.map(|item| item["claimant"].as_str().expect("a claimant").to_owned()).collect()
    }

    /// A file that the demo named, as a whole path.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.world.path(self.played[name].as_str().expect("a file"))
    }

    /// The demo's proof with another last digit in what it pays.
    pub(crate) fn tampered(&self) -> PathBuf {
        let bytes = std::fs::read(self.file("proof")).expect("a proof file");
        let Proof::Payout(mut proof) = Proof::parse(&bytes).expect("a proof") else { panic!("a payout") };
        let payout = TlogProof::parse(&proof.payout).expect("a tlog-proof");
        let leaf = String::from_utf8(payout.extra().expect("a leaf").to_vec()).expect("UTF-8");
        let (before, rest) = leaf.split_once("\"credits\":\"").expect("credits");
        let (credits, after) = rest.split_once('"').expect("credits");
        let forged = credits.parse::<u128>().expect("a number") + 1;
        let leaf = format!("{before}\"credits\":\"{forged}\"{after}");
        let (path, note) = (payout.path().to_vec(), payout.note().to_owned());
        proof.payout = TlogProof::new(Some(leaf.into_bytes()), payout.index(), path, note)
            .expect("a tlog-proof")
            .to_string();
        let file = self.world.path("tampered.payout.json");
        std::fs::write(&file, Proof::Payout(proof).to_file()).expect("written");
        file
    }

    /// Ends the node, by the signal that operators send; the files stay.
    pub(crate) fn stop(&mut self) {
        let Some(mut node) = self.node.take() else { return };
        let asked = Command::new("kill").arg(node.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = node.kill();
        }
        let _ = node.wait();
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop();
    }
}
