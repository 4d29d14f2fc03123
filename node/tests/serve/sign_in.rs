//! Signing in with keys and wallets: once for each challenge, for their own accounts, and nothing of others.

use k256::ecdsa::SigningKey as WalletKey;
use serde_json::{Value, json};

use crate::signers::{address, key, key_sign, personal_sign, wallet};
use crate::support::{Answer, JSON, Node, bearer, meed};

const SITE: (&str, &str) = ("MEED_PUBLIC_URL", "http://node");

impl Node {
    fn send_json(&self, path: &str, headers: &str, body: &Value) -> Answer {
        self.post(&format!("/api/v1{path}"), &format!("{JSON}{headers}"), &body.to_string())
    }

    #[track_caller]
    fn challenge(&self, path: &str, headers: &str, who: &Value) -> String {
        let answer = self.send_json(path, headers, who);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["text"].as_str().expect("a text").to_owned()
    }

    fn answer(&self, text: &str, signature: &str) -> Answer {
        self.send_json("/sign-in", "", &json!({ "text": text, "signature": signature }))
    }

    /// Signs in, and gives the header that shows it.
    #[track_caller]
    fn session(&self, text: &str, signature: &str) -> String {
        let answer = self.answer(text, signature);
        assert_eq!(answer.status, 200, "{}", answer.text());
        bearer(answer.json()["secret"].as_str().expect("a secret"))
    }

    #[track_caller]
    fn with_key(&self, seed: u8) -> String {
        let text = self.challenge("/sign-in/challenges", "", &of_key(seed));
        self.session(&text, &key_sign(seed, &text))
    }

    fn delete(&self, path: &str, headers: &str) -> Answer {
        self.send(&format!(
            "DELETE /api/v1{path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n{headers}\r\n"
        ))
    }

    fn me(&self, session: &str) -> Answer {
        self.get("/api/v1/me", session)
    }

    /// Binds another account of whoever has the session.
    fn bind(&self, session: &str, who: &Value, sign: impl Fn(&str) -> String) -> Answer {
        let text = self.challenge("/me/challenges", session, who);
        let signature = sign(&text);
        self.send_json("/me/identities", session, &json!({ "text": text, "signature": signature }))
    }
}

fn of_key(seed: u8) -> Value {
    json!({ "key": key(seed).verifier_key().to_string() })
}

fn of_wallet(wallet: &WalletKey) -> Value {
    json!({ "address": address(wallet), "chain_id": 1 })
}

#[test]
fn a_key_signs_in_once_for_each_challenge() {
    let node = Node::start(&[SITE]);
    let text = node.challenge("/sign-in/challenges", "", &of_key(1));
    assert!(text.starts_with("meed sign-in v1\nDomain: node\nPurpose: sign in\nKey: "), "{text}");
    node.answer(&text, &key_sign(2, &text)).problem(422, "signature_invalid");
    node.answer(&text, "").problem(422, "signature_invalid");
    // What is wrong with a signature is said once, with what to do here.
    for signature in ["", &key_sign(2, &text)] {
        let problem = node.answer(&text, signature).json();
        let (detail, remedy) = (problem["detail"].as_str(), problem["remedy"].as_str());
        assert!(detail.is_some_and(|detail| detail.matches("expected").count() == 1), "{problem}");
        assert!(remedy.is_some_and(|remedy| remedy.contains("meed sign-in --text")), "{problem}");
    }
    let session = node.session(&text, &key_sign(1, &text));
    node.answer(&text, &key_sign(1, &text)).problem(422, "challenge_invalid");
    let me = node.me(&session).json();
    let claimant = me["claimant"].as_str().expect("a claimant").to_owned();
    assert!(claimant.starts_with("identity:ed25519:"), "{me}");
    assert_eq!(
        (&me["standing"], &me["actor"], &me["user"]),
        (&json!("contributor"), &json!(claimant), &Value::Null)
    );
    node.send_json("/scopes", &session, &json!({ "key": "other" })).problem(403, "role_forbids");
    node.get("/api/v1/users", &session).problem(403, "role_forbids");
    assert_eq!(node.delete("/sign-in", &session).json()["actor"], json!(claimant));
    node.me(&session).problem(401, "token_invalid");
    node.me("").problem(401, "token_invalid");
}

#[test]
fn what_was_signed_must_be_the_challenge_of_this_place() {
    let node = Node::start(&[SITE]);
    let text = node.challenge("/sign-in/challenges", "", &of_key(1));
    let other = node.challenge("/sign-in/challenges", "", &of_key(2));
    let line = |text: &str, number: usize| text.lines().nth(number).expect("a line").to_owned();
    let forged = [
        ("domain", text.replace("Domain: node", "Domain: example.org")),
        (
            "purpose",
            text.replace(
                "Purpose: sign in",
                &format!("Purpose: bind to user:{}", "00000000-0000-4000-8000-000000000001"),
            ),
        ),
        ("key", text.replace(&line(&text, 3), &line(&other, 3))),
        ("nonce", text.replace(&line(&text, 4), &line(&other, 4))),
        ("expiry", text.replace(&line(&text, 6), "Expiration Time: 2099-01-01T00:00:00.000Z")),
    ];
    for (what, forged) in forged {
        assert_ne!(forged, text, "{what}");
        node.answer(&forged, &key_sign(1, &forged)).problem(422, "sign_in_mismatch");
    }
    let unknown = text.replace(&line(&text, 4), &format!("Nonce: {}", "0".repeat(32)));
    node.answer(&unknown, &key_sign(1, &unknown)).problem(422, "challenge_invalid");
    // None of this used the challenge up.
    node.session(&text, &key_sign(1, &text));
}

#[test]
fn a_node_that_has_no_name_signs_in_its_own_machine_alone() {
    let node = Node::start(&[]);
    node.send_json("/sign-in/challenges", "", &of_key(1)).problem(409, "domain_unknown");
    let send = |path: &str, host: &str, body: &Value| {
        let body = body.to_string();
        let length = body.len();
        node.send(&format!(
            "POST /api/v1{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{JSON}\r\n{body}"
        ))
    };
    let text = send("/sign-in/challenges", "localhost:1", &of_key(1)).json()["text"]
        .as_str()
        .expect("a text")
        .to_owned();
    assert!(text.contains("Domain: localhost:1\n"), "{text}");
    let signed = json!({ "text": text, "signature": key_sign(1, &text) });
    send("/sign-in", "127.0.0.1:1", &signed).problem(422, "sign_in_mismatch");
    send("/sign-in", "node", &signed).problem(409, "domain_unknown");
    assert_eq!(send("/sign-in", "LOCALHOST:1", &signed).status, 200);
}

#[test]
fn a_wallet_signs_in_with_the_text_of_eip_4361() {
    let node = Node::start(&[SITE]);
    let (own, other) = (wallet(1), wallet(2));
    let ask = || node.challenge("/sign-in/challenges", "", &of_wallet(&own));
    let text = ask();
    assert!(text.starts_with("node wants you to sign in with your Ethereum account:\n0x"), "{text}");
    assert!(text.contains("\nURI: http://node/sign-in\nVersion: 1\nChain ID: 1\nNonce: "), "{text}");
    let theirs = node.challenge("/sign-in/challenges", "", &of_wallet(&other));
    node.answer(&text, &personal_sign(&other, &text)).problem(422, "signature_invalid");
    let line = |text: &str, number: usize| text.lines().nth(number).expect("a line").to_owned();
    for forged in [
        text.replace("Chain ID: 1", "Chain ID: 10"),
        text.replace(&line(&text, 1), &line(&theirs, 1)),
        text.replacen("node wants", "example.org wants", 1),
        text.replace("http://node/", "http://example.org/"),
    ] {
        assert_ne!(forged, text);
        node.answer(&forged, &personal_sign(&own, &forged)).problem(422, "sign_in_mismatch");
    }
    for malformed in [text.replace("Version: 1", "Version: 2"), format!("{text}\n"), text.replace("0x", "0X")]
    {
        node.answer(&malformed, &personal_sign(&own, &malformed)).problem(400, "malformed");
    }
    // A key's signature is no wallet's.
    node.answer(&text, &key_sign(1, &text)).problem(422, "signature_invalid");
    let session = node.session(&text, &personal_sign(&own, &text));
    let identity = format!("identity:wallet:{}", address(&own));
    assert_eq!(node.me(&session).json()["identity"], json!(identity));
    node.answer(&text, &personal_sign(&own, &text)).problem(422, "challenge_invalid");
}

#[test]
fn people_bind_and_revoke_their_own_accounts_with_evidence() {
    let node = Node::start(&[SITE]);
    let (ana, bob) = (node.with_key(1), node.with_key(2));
    // Nobody becomes anybody without asking.
    assert_eq!(node.ok(&["--json", "user", "list"]).trim(), "[]");
    node.send_json("/me/challenges", &ana, &of_key(3)).problem(404, "identity_not_bound");
    let joined = node.send_json("/me/user", &ana, &json!({ "name": "Ana" }));
    let user = joined.json()["id"].as_str().expect("an id").to_owned();
    let again = node.send_json("/me/user", &ana, &json!({}));
    assert_eq!(again.json(), joined.json(), "asked twice, the same person");
    let me = node.me(&ana).json();
    assert_eq!((&me["claimant"], &me["user"]["name"]), (&json!(format!("user:{user}")), &json!("Ana")));
    // A wallet joins the key.
    let own = wallet(1);
    let bound = node.bind(&ana, &of_wallet(&own), |text| {
        assert!(text.contains(&format!("user:{user}")), "{text}");
        personal_sign(&own, text)
    });
    assert_eq!((bound.status, &bound.json()["changed"]), (200, &json!(true)), "{}", bound.text());
    let text = node.challenge("/sign-in/challenges", "", &of_wallet(&own));
    let by_wallet = node.session(&text, &personal_sign(&own, &text));
    assert_eq!(node.me(&by_wallet).json()["user"]["id"], json!(user));
    // Bob's account stays Bob's, and Ana learns nothing of it.
    node.send_json("/me/user", &bob, &json!({ "name": "Bob" }));
    node.bind(&ana, &of_key(2), |text| key_sign(2, text)).problem(409, "identity_bound_to_other");
    let bobs = node.me(&bob).json()["identity"].as_str().expect("an identity").to_owned();
    let unknown = "identity:github:7";
    for identity in [bobs.as_str(), unknown] {
        node.delete(&format!("/me/identities/{identity}"), &ana).problem(404, "identity_not_bound");
    }
    node.delete("/me/identities/nonsense", &ana).problem(400, "invalid_claimant");
    // The wallet revokes the key: the key's session decides nothing any more, nor does it become somebody else.
    let key_identity = me["identity"].as_str().expect("an identity").to_owned();
    let revoked = node.delete(&format!("/me/identities/{key_identity}"), &by_wallet);
    assert_eq!(revoked.status, 200, "{}", revoked.text());
    node.delete(&format!("/me/identities/identity:wallet:{}", address(&own)), &ana)
        .problem(404, "identity_not_bound");
    node.send_json("/me/user", &ana, &json!({})).problem(409, "identity_bound_to_other");
    assert_eq!(node.bind(&by_wallet, &of_key(1), |text| key_sign(1, text)).status, 200);
    // Each of it is a decision in the name of the account that asked, and holds what was signed.
    let decisions = node.get("/api/v1/scopes/default/decisions", "").json();
    let all: Vec<(&Value, &Value)> = decisions["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (&one["action"], &one["actor"]))
        .collect();
    let wallet_identity = json!(format!("identity:wallet:{}", address(&own)));
    let key_actor = json!(key_identity);
    let expected = [
        (&json!("bind"), &key_actor),
        (&json!("bind"), &key_actor),
        (&json!("bind"), &json!(bobs)),
        (&json!("revoke"), &wallet_identity),
        (&json!("bind"), &wallet_identity),
    ];
    assert_eq!(all, expected);
    assert!(node.ok(&["fsck"]).starts_with("sound"));
}

#[test]
fn a_text_for_one_purpose_serves_no_other() {
    let node = Node::start(&[SITE]);
    let ana = node.with_key(1);
    node.send_json("/me/user", &ana, &json!({}));
    let sign_in = node.challenge("/sign-in/challenges", "", &of_key(3));
    let signed = json!({ "text": sign_in, "signature": key_sign(3, &sign_in) });
    node.send_json("/me/identities", &ana, &signed).problem(422, "sign_in_mismatch");
    let bind = node.challenge("/me/challenges", &ana, &of_key(3));
    node.answer(&bind, &key_sign(3, &bind)).problem(422, "sign_in_mismatch");
    // What a user's text binds is that user's: another one's session cannot use it.
    let bob = node.with_key(2);
    node.send_json("/me/user", &bob, &json!({}));
    let bind = node.challenge("/me/challenges", &ana, &of_key(3));
    let signed = json!({ "text": bind, "signature": key_sign(3, &bind) });
    node.send_json("/me/identities", &bob, &signed).problem(404, "identity_not_bound");
    let me = node.me(&bob).json();
    assert_eq!(me["user"]["identities"].as_array().map(Vec::len), Some(1), "{me}");
}

#[test]
fn hostile_bodies_are_refused_and_never_a_fault() {
    let node = Node::start(&[SITE]);
    let ana = node.with_key(1);
    let weak = "0".repeat(64);
    let long = "a".repeat(100_000);
    for body in [
        json!({}),
        json!([]),
        json!({ "key": 7 }),
        json!({ "key": "" }),
        json!({ "key": weak }),
        json!({ "key": long }),
        json!({ "key": "ana+00000000+AAAA" }),
        json!({ "key": weak, "colour": "red" }),
        json!({ "address": "0x00", "chain_id": 1 }),
        json!({ "address": address(&wallet(1)) }),
        json!({ "address": address(&wallet(1)), "chain_id": 0 }),
        json!({ "address": address(&wallet(1)), "chain_id": -1 }),
        json!({ "address": address(&wallet(1)), "chain_id": 1.5 }),
        json!({ "address": address(&wallet(1)), "chain_id": 1, "key": weak }),
    ] {
        for (path, headers) in [("/sign-in/challenges", ""), ("/me/challenges", ana.as_str())] {
            let answer = node.send_json(path, headers, &body);
            // Who is nobody yet is told that first.
            assert!([400, 404].contains(&answer.status), "{path} {body}: {}", answer.text());
        }
    }
    for body in [
        json!({}),
        json!({ "text": "", "signature": "" }),
        json!({ "text": long, "signature": "" }),
        json!({ "text": "meed sign-in v1", "signature": long }),
        json!({ "text": "\u{0}", "signature": "\u{0}" }),
        json!({ "text": null, "signature": null }),
    ] {
        for (path, headers) in [("/sign-in", ""), ("/me/identities", ana.as_str())] {
            let answer = node.send_json(path, headers, &body);
            assert!([400, 413].contains(&answer.status), "{path} {body:.80}: {}", answer.text());
        }
    }
    for name in ["\u{202e}", " ", &"a".repeat(2_000)] {
        assert_eq!(node.send_json("/me/user", &ana, &json!({ "name": name })).status, 400, "{name:.20}");
    }
    assert!(!node.get("/metrics", "").text().contains("status=\"500\""));
    assert_eq!(node.ok(&["--json", "user", "list"]).trim(), "[]");
}

#[test]
fn the_command_line_signs_in_at_a_node_and_for_a_page() {
    let node = Node::start(&[]);
    let folder = tempfile::tempdir().expect("folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let (key_file, text_file) = (path("ana.key"), path("text"));
    let run = |arguments: &[&str]| meed(folder.path(), arguments);
    let (made, vkey, err) = run(&["key", "new", "ana", "--out", &key_file, "--no-passphrase"]);
    assert!(made, "{err}");
    let address = format!("http://{}", node.address);
    let (done, secret, err) = run(&["sign-in", "--node", &address, "--key", &key_file, "--yes"]);
    assert!(done && secret.starts_with("meed_session_"), "{err}");
    assert!(err.contains("Purpose: sign in") && err.contains("signed in as identity:ed25519:"), "{err}");
    let me = node.me(&bearer(&secret));
    assert_eq!(me.json()["standing"], "contributor", "{}", me.text());
    // Nobody at a terminal says yes.
    let (done, _, err) = run(&["sign-in", "--node", &address, "--key", &key_file]);
    assert!(!done && err.contains("not_confirmed") || err.contains("expected somebody"), "{err}");
    let (done, _, err) = run(&["sign-in", "--key", &key_file]);
    assert!(!done && err.contains("--node or --text"), "{err}");
    // A page on another machine shows a text; its signature is pasted there.
    let body = json!({ "key": vkey.trim() }).to_string();
    let ask = |path: &str, body: &str| {
        let length = body.len();
        node.send(&format!(
            "POST /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{JSON}\r\n{body}"
        ))
    };
    let text = ask("/sign-in/challenges", &body).json()["text"].as_str().expect("a text").to_owned();
    std::fs::write(&text_file, format!("{text}\n")).expect("written");
    let (done, signature, err) = run(&["sign-in", "--text", &text_file, "--key", &key_file, "--yes"]);
    assert!(done && err.contains("Domain: localhost"), "{err}");
    let answer = json!({ "text": text, "signature": signature.trim() }).to_string();
    assert_eq!(ask("/sign-in", &answer).status, 200);
    // Other keys, old texts and statements are not signed.
    let other_key = path("bob.key");
    run(&["key", "new", "bob", "--out", &other_key, "--no-passphrase"]);
    let (done, _, err) = run(&["sign-in", "--text", &text_file, "--key", &other_key, "--yes"]);
    assert!(!done && err.contains("expected the key") && err.contains("remedy:"), "{err}");
    for (wrong, what) in [
        (text.replace("Expiration Time: 20", "Expiration Time: 19"), "1970"),
        (text.replace(&text[text.len() - 24..], "2001-01-01T00:00:00.000Z"), "still holds"),
        ("ledger.example.org/default/epoch/1/0\n2\nAAAA\n".to_owned(), "meed sign-in v1"),
    ] {
        std::fs::write(&text_file, wrong).expect("written");
        let (done, out, err) = run(&["sign-in", "--text", &text_file, "--key", &key_file, "--yes"]);
        assert!(!done && out.is_empty() && err.contains(what), "{what}: {err}");
    }
}
