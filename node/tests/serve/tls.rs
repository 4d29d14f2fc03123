//! A port with a certificate: who trusts it, and how it changes while the node runs.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::support::{Node, bearer, meed};

/// Certificates for this machine, each its own authority, and the two files that a node reads.
struct Certificates {
    folder: TempDir,
}

impl Certificates {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    /// Puts a new certificate where the node looks, and a copy where clients do.
    fn put(&self, copy: &str) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]);
        let made = made.expect("a certificate");
        for (name, text) in [
            ("chain.pem", made.cert.pem()),
            (copy, made.cert.pem()),
            ("key.pem", made.signing_key.serialize_pem()),
        ] {
            std::fs::write(self.path(name), text).expect("written");
        }
    }

    fn serve(&self) -> Node {
        let (chain, key) = (self.text("chain.pem"), self.text("key.pem"));
        Node::start(&[("MEED_TLS_CERTIFICATE", &chain), ("MEED_TLS_KEY", &key)])
    }

    /// What `meed scope list` says from elsewhere, trusting this certificate.
    fn list(&self, node: &Node, root: Option<&str>) -> Result<String, String> {
        let elsewhere = tempfile::tempdir().expect("folder");
        let address = format!("https://{}", node.address);
        let root = root.map(|name| self.text(name));
        let mut arguments = vec!["--node", &address];
        if let Some(root) = &root {
            arguments.extend(["--node-root", root]);
        }
        arguments.extend(["scope", "list"]);
        let (done, out, err) = meed(elsewhere.path(), &arguments);
        if done { Ok(out) } else { Err(err) }
    }
}

#[test]
fn a_node_with_a_certificate_is_reached_by_those_who_trust_it() {
    let certificates = Certificates::new();
    certificates.put("root.pem");
    let node = certificates.serve();
    let listed = certificates.list(&node, Some("root.pem")).expect("trusted");
    assert!(listed.contains("default"), "{listed}");
    let refused = certificates.list(&node, None).expect_err("nobody vouches for it");
    assert!(refused.contains("did not answer") && refused.contains("--node-root"), "{refused}");
    // Writing goes the same way, with a token.
    let token = node.ok(&["token", "new", "ana", "--role", "operator"]);
    let (address, root) = (format!("https://{}", node.address), certificates.text("root.pem"));
    let words = ["--node", &address, "--node-root", &root, "--token", token.trim(), "scope", "add", "other"];
    let (done, _, err) = meed(certificates.folder.path(), &words);
    assert!(done, "{err}");
    assert!(node.ok(&["scope", "list"]).contains("other"));
    // Without encryption nobody is answered, and least of all somebody who shows a token.
    let plain = node.get("/api/v1/scopes", &bearer(&token));
    assert!(plain.status == 0 && !plain.head.contains("HTTP"), "{}", plain.head);
    assert!(certificates.list(&node, Some("root.pem")).is_ok());
}

#[test]
fn a_certificate_is_read_again_while_the_node_runs() {
    let certificates = Certificates::new();
    certificates.put("first.pem");
    let node = certificates.serve();
    assert!(certificates.list(&node, Some("first.pem")).is_ok());
    certificates.put("second.pem");
    node.signal("HUP");
    node.wait_for_line("the certificate was read again");
    assert!(certificates.list(&node, Some("second.pem")).is_ok());
    assert!(certificates.list(&node, Some("first.pem")).is_err());
    // A file that is no certificate, or a key of another one, changes nothing: the node goes on with what it has.
    for (name, text) in [("chain.pem", "no certificate".to_owned()), ("key.pem", String::new())] {
        let before = std::fs::read(certificates.path(name)).expect("a file");
        std::fs::write(certificates.path(name), text).expect("written");
        node.signal("HUP");
        node.wait_for_line("the certificate stays as it was");
        assert!(certificates.list(&node, Some("second.pem")).is_ok(), "{name}");
        std::fs::write(certificates.path(name), before).expect("written");
    }
}

#[test]
fn a_node_does_not_begin_with_a_certificate_that_it_cannot_use() {
    let certificates = Certificates::new();
    certificates.put("root.pem");
    let other = Certificates::new();
    other.put("root.pem");
    let (chain, key) = (certificates.text("chain.pem"), other.text("key.pem"));
    let folder = tempfile::tempdir().expect("folder");
    let data = folder.path().join("ledger");
    assert!(meed(&data, &["init"]).0);
    let settings = format!("listen = \"127.0.0.1:0\"\ntls_certificate = {chain:?}\ntls_key = {key:?}\n");
    std::fs::write(data.join("meed.toml"), settings).expect("written");
    let (done, _, err) = meed(&data, &["serve"]);
    assert!(!done && err.contains("chain.pem") && err.contains("remedy:"), "{err}");
}
