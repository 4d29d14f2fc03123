//! Signing in on the pages: a token becomes a session, whose cookie counts for pages alone.

use meed_keys::{KeyUse, SigningKey};

use crate::review::encoded;
use crate::support::{Answer, JSON, Node, bearer};

/// What a browser sends along with a form of the node's own page.
pub(crate) const OWN: &str =
    "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\n";

/// The cookie that an answer sets, as a browser sends it back.
#[track_caller]
fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie").unwrap_or_else(|| panic!("no cookie: {}", answer.head));
    format!("Cookie: {}\r\n", set.split(';').next().expect("a pair"))
}

/// Signs in with a token, and gives the cookie.
#[track_caller]
pub(crate) fn sign_in(node: &Node, token: &str) -> String {
    let answer = node.post("/sign-in", OWN, &format!("token={}", token.trim()));
    assert_eq!((answer.status, answer.header("location")), (303, Some("/me")), "{}", answer.text());
    let set = answer.header("set-cookie").expect("a cookie");
    for part in ["meed_session=meed_session_", "Path=/", "HttpOnly", "SameSite=Strict"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure") && !set.contains(token.trim()), "{set}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    cookie(&answer)
}

#[test]
fn a_token_signs_in_until_it_is_revoked() {
    let node = Node::start(&[]);
    let token = node.ok(&["token", "new", "ana", "--role", "operator"]);
    assert_eq!(node.get("/me", "").header("location"), Some("/sign-in"));
    let cookie = sign_in(&node, &token);
    let page = node.get("/me", &cookie);
    assert!(page.status == 200 && page.text().contains("ana"), "{}", page.text());
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert!(node.get("/sign-in", &cookie).text().contains("You are signed in"));
    node.ok(&["token", "revoke", "ana"]);
    assert_eq!(
        node.get("/me", &cookie).header("location"),
        Some("/sign-in"),
        "the session died with its token"
    );
    let again = node.post("/sign-in", OWN, &format!("token={}", token.trim()));
    assert_eq!((again.status, again.header("set-cookie")), (401, None), "{}", again.text());
    assert!(again.text().contains("token_invalid") && again.header("www-authenticate").is_some());
}

#[test]
fn signing_out_ends_the_session_and_not_only_the_cookie() {
    let node = Node::start(&[]);
    let token = node.ok(&["token", "new", "ana", "--role", "curator"]);
    let (first, second) = (sign_in(&node, &token), sign_in(&node, &token));
    let out = node.post("/sign-out", &format!("{OWN}{first}"), "");
    assert_eq!((out.status, out.header("location")), (303, Some("/")));
    assert!(out.header("set-cookie").is_some_and(|set| set.contains("Max-Age=0")));
    assert_eq!(node.get("/me", &first).status, 303);
    assert_eq!(node.get("/me", &second).status, 200);
    // Whoever signs in anew leaves the session that they had.
    let third = node.post("/sign-in", &format!("{OWN}{second}"), &format!("token={}", token.trim()));
    assert_eq!(node.get("/me", &second).status, 303);
    assert_eq!(node.get("/me", &self::cookie(&third)).status, 200);
    let (one, other) = (third.header("set-cookie").expect("a cookie"), second);
    assert_ne!(one.split(';').next(), other.trim().strip_prefix("Cookie: "));
}

#[test]
fn the_cookie_opens_pages_and_never_the_interface() {
    let node = Node::start(&[]);
    let token = node.ok(&["token", "new", "ana", "--role", "operator"]);
    let cookie = sign_in(&node, &token);
    let body = r#"{"key":"other"}"#;
    let headers = format!("{JSON}Sec-Fetch-Site: same-origin\r\n{cookie}");
    node.post("/api/v1/scopes", &headers, body).problem(401, "token_invalid");
    node.get("/api/v1/runs", &cookie).problem(401, "token_invalid");
    // The same secret in the header that scripts of other sites cannot send is as good as the token.
    let secret = cookie.trim().strip_prefix("Cookie: meed_session=").expect("the secret").to_owned();
    assert_eq!(node.get("/api/v1/runs", &bearer(&secret)).status, 200);
    node.ok(&["token", "revoke", "ana"]);
    node.get("/api/v1/runs", &bearer(&secret)).problem(401, "token_invalid");
}

#[test]
fn forms_of_other_sites_are_refused() {
    let node = Node::start(&[]);
    let token = node.ok(&["token", "new", "ana", "--role", "operator"]);
    let cookie = sign_in(&node, &token);
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    for origin in [
        "",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Origin: https://example.org\r\n",
        "Origin: null\r\n",
        "Sec-Fetch-Site: cross-site\r\nOrigin: http://node\r\n",
    ] {
        let signed_in = node.post("/sign-in", &format!("{form}{origin}"), &format!("token={}", token.trim()));
        assert_eq!((signed_in.status, signed_in.header("set-cookie")), (403, None), "{origin}");
        assert!(signed_in.text().contains("cross_origin"), "{}", signed_in.text());
        let out = node.post("/sign-out", &format!("{form}{origin}{cookie}"), "");
        assert_eq!(out.status, 403, "{origin}");
        assert_eq!(node.get("/me", &cookie).status, 200, "{origin}");
    }
    let own = node.post("/sign-out", &format!("{form}Origin: http://node\r\n{cookie}"), "");
    assert_eq!(own.status, 303, "{}", own.text());
}

#[test]
fn hostile_forms_and_cookies_are_refused_and_never_a_fault() {
    let node = Node::start(&[]);
    let token = node.ok(&["token", "new", "ana", "--role", "operator"]);
    let cookie = sign_in(&node, &token);
    let secret = cookie.trim().strip_prefix("Cookie: ").expect("a pair").to_owned();
    for cookie in [
        "meed_session=",
        "meed_session=meed_session_00",
        &format!("meed_session={}", "a".repeat(8_000)),
        &format!("{secret}; {secret}"),
        &secret.to_uppercase(),
        "\u{1}",
    ] {
        let answer = node.get("/me", &format!("Cookie: {cookie}\r\n"));
        assert!(answer.status == 303 || answer.status == 400, "{cookie}: {}", answer.status);
    }
    for (body, status) in [
        ("", 400),
        ("token", 401),
        ("token=%00", 401),
        ("token=%ff", 401),
        ("token=a&token=b", 400),
        ("token=a&colour=red", 400),
        (&format!("token={}", "a".repeat(2 << 20)), 413),
    ] {
        let answer = node.post("/sign-in", OWN, body);
        assert_eq!(answer.status, status, "{:.40}: {}", body, answer.text());
        assert_eq!(answer.header("set-cookie"), None);
    }
    let json =
        node.post("/sign-in", "Content-Type: application/json\r\nSec-Fetch-Site: same-origin\r\n", "{}");
    assert_eq!(json.status, 415);
    assert_eq!(node.get("/sign-out", "").status, 405);
    assert!(!node.get("/metrics", "").text().contains("status=\"500\""));
}

/// What stands between two texts of a page, without the escapes of HTML.
#[track_caller]
fn between(page: &str, before: &str, after: &str) -> String {
    let rest = page.split_once(before).unwrap_or_else(|| panic!("{before}: {page}")).1;
    let found = rest.split_once(after).unwrap_or_else(|| panic!("{after}: {page}")).0;
    found.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed("ana".parse().expect("a name"), KeyUse::Approver, [seed; 32])
}

/// Asks on a page for what a key is to sign, and gives the form that answers it, signed by `signer`.
#[track_caller]
fn answered(node: &Node, path: &str, cookie: &str, (asked, signer): (&SigningKey, &SigningKey)) -> String {
    let vkey = encoded(&asked.verifier_key().to_string());
    let page = node.post(path, &format!("{OWN}{cookie}"), &format!("key={vkey}"));
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let text = between(&page.text(), "<pre id=\"text\" class=\"signed\">", "</pre>");
    let nonce = between(&page.text(), "name=\"nonce\" value=\"", "\"");
    let signature = signer.sign_in(&text).expect("signed").to_string();
    format!("nonce={nonce}&signature={}", encoded(&signature))
}

#[test]
fn who_signs_with_another_key_finds_the_way_to_try_again() {
    let node = Node::start(&[("MEED_PUBLIC_URL", "http://node")]);
    let wrong = answered(&node, "/sign-in/challenge", "", (&key(1), &key(2)));
    let refused = node.post("/sign-in/answer", OWN, &wrong);
    assert!(refused.status == 422 && refused.text().contains("signature_invalid"), "{}", refused.text());
    let nonsense = node.post("/sign-in/challenge", OWN, "key=nonsense");
    let unknown = node.post("/sign-in/answer", OWN, "nonce=00&signature=00");
    let token = node.post("/sign-in", OWN, "token=nonsense");
    for refused in [refused, nonsense, unknown, token] {
        assert!(refused.text().contains("<a href=\"/sign-in\">Try again</a>"), "{}", refused.text());
    }
}

#[test]
fn who_revoked_the_account_they_signed_in_with_is_told_whose_it_was() {
    let node = Node::start(&[("MEED_PUBLIC_URL", "http://node")]);
    let answer = answered(&node, "/sign-in/challenge", "", (&key(1), &key(1)));
    let cookie = cookie(&node.post("/sign-in/answer", OWN, &answer));
    let form = |path: &str, body: &str| node.post(path, &format!("{OWN}{cookie}"), body);
    assert_eq!(form("/me/user", "name=Ana").status, 303);
    let shown = node.get("/me", &cookie).text();
    let user = format!("user:{}", &between(&shown, "user:", "<")[..36]);
    let own = between(&shown, "name=\"identity\" value=\"", "\"");
    let github = ["bind", "--provider", "github", "--external-id", "42", "--evidence", "{}", "--user"];
    node.ok(&[&github[..], &[&user["user:".len()..]]].concat());
    let answer = answered(&node, "/me/challenge", &cookie, (&key(2), &key(2)));
    assert_eq!(form("/me/bind", &answer).status, 303);
    assert_eq!(form("/me/revoke", &format!("identity={own}")).status, 303);
    let shown = node.get("/me", &cookie).text();
    for words in [user.as_str(), "2 other accounts are still", "another key or wallet", "meed rebind"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(!shown.contains("Become a person") && !shown.contains("action=\"/me/"), "{shown}");
    let refused = form("/me/user", "name=Ana");
    assert!(
        refused.status == 409 && refused.text().contains("sign in with another account"),
        "{}",
        refused.text()
    );
    assert!(!refused.text().contains("revoke the binding and rebind"), "{}", refused.text());
    // Where no key or wallet is left, nobody can sign in for the user.
    let second = key(2).public_key().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    node.ok(&["revoke", "--provider", "ed25519", "--external-id", &second, "--evidence", "{}"]);
    let shown = node.get("/me", &cookie).text();
    assert!(shown.contains("1 other account is still") && shown.contains("ask the operator"), "{shown}");
    assert!(!shown.contains("another key or wallet"), "{shown}");
}

#[test]
fn a_person_signs_in_joins_binds_and_revokes_without_a_script() {
    let node = Node::start(&[("MEED_PUBLIC_URL", "http://node")]);
    let ask = |path: &str, cookie: &str, key: &SigningKey| answered(&node, path, cookie, (key, key));
    let answer = ask("/sign-in/challenge", "", &key(1));
    let signed_in = node.post("/sign-in/answer", OWN, &answer);
    assert_eq!((signed_in.status, signed_in.header("location")), (303, Some("/me")), "{}", signed_in.text());
    let cookie = cookie(&signed_in);
    let replayed = node.post("/sign-in/answer", OWN, &answer);
    assert!(replayed.status == 422 && replayed.text().contains("challenge_invalid"), "{}", replayed.text());
    let page = |cookie: &str| node.get("/me", cookie).text();
    assert!(
        page(&cookie).contains("Become a person") && !page(&cookie).contains("Bind another"),
        "{}",
        page(&cookie)
    );
    let form = |path: &str, body: &str| node.post(path, &format!("{OWN}{cookie}"), body);
    assert_eq!(form("/me/user", "name=Ana").status, 303);
    assert!(page(&cookie).contains("As Ana") && page(&cookie).contains("Bind another account"));
    // A second time it is a new name for the same person.
    let first = between(&page(&cookie), "user:", "<");
    assert_eq!(form("/me/user", "name=Zoe").status, 303);
    assert!(page(&cookie).contains("As Zoe, since"), "{}", page(&cookie));
    assert_eq!(between(&page(&cookie), "user:", "<"), first);
    assert_eq!(form("/me/bind", &ask("/me/challenge", &cookie, &key(2))).status, 303);
    let shown = page(&cookie);
    assert_eq!(shown.matches("action=\"/me/revoke\"").count(), 2, "{shown}");
    let second = key(2).public_key().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert!(shown.contains(&second));
    // A form of another site, or of nobody, changes nothing.
    let revoke = format!("identity=identity:ed25519:{second}");
    let cross = node.post(
        "/me/revoke",
        &format!("Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: cross-site\r\n{cookie}"),
        &revoke,
    );
    assert!(cross.status == 403 && cross.text().contains("cross_origin"), "{}", cross.text());
    assert_eq!(node.post("/me/revoke", OWN, &revoke).status, 401);
    assert!(page(&cookie).contains(&second));
    assert_eq!(form("/me/revoke", &revoke).status, 303);
    assert!(!page(&cookie).contains(&second));
    let script = node.get("/sign-in/wallet.js", "");
    assert!(script.header("content-type").is_some_and(|kind| kind.starts_with("text/javascript")));
    // An operator has no accounts to bind.
    let token = node.ok(&["token", "new", "ana", "--role", "operator"]);
    let operator = sign_in(&node, &token);
    let refused = node.post("/me/user", &format!("{OWN}{operator}"), "name=Ana");
    assert!(refused.status == 403 && refused.text().contains("role_forbids"), "{}", refused.text());
}
