//! Signing in with a key: the text, the challenge, and that neither is ever anything else that is signed.

#![expect(clippy::expect_used, reason = "helpers of tests may fail a test")]

use meed_audit::RejectionCode as Code;
use meed_audit::approvers::ApproverSetText;
use meed_audit::checkpoint::Checkpoint;
use meed_audit::ids::UserId;
use meed_audit::sign_in::{Challenge, KeyText, Purpose, Signer, Site, WalletText, nonce_of, read_key};
use meed_audit::statement::Statement;
use meed_audit::time::Timestamp;
use meed_keys::{KeyUse, NoteText, SigningKey, WalletAddress, sign_in_message};

const TEXT: &str = "meed sign-in v1
Domain: ledger.example.org
Purpose: sign in
Key: 8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c
Nonce: 00112233445566778899aabbccddeeff
Issued At: 2026-11-10T12:00:00.000Z
Expiration Time: 2026-11-10T12:10:00.000Z";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed("alice.example".parse().expect("a name"), KeyUse::Approver, [seed; 32])
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn challenge(signer: Signer, purpose: Purpose) -> Challenge {
    Challenge {
        site: "https://ledger.example.org".parse().expect("a site"),
        purpose,
        signer,
        nonce: "00112233445566778899aabbccddeeff".to_owned(),
        issued_at: at("2026-11-10T12:00:00.000Z"),
        expires_at: at("2026-11-10T12:10:00.000Z"),
    }
}

fn of_key(seed: u8) -> Challenge {
    challenge(Signer::Key(*key(seed).public_key()), Purpose::SignIn)
}

#[test]
fn the_text_says_where_what_for_who_and_until_when() {
    assert_eq!(of_key(1).text(), TEXT);
    let read: KeyText = TEXT.parse().expect("read");
    assert_eq!(read.to_string(), TEXT);
    assert_eq!((read.domain.as_str(), read.purpose), ("ledger.example.org", Purpose::SignIn));
    assert_eq!(read.key, *key(1).public_key());
    assert_eq!(nonce_of(TEXT).expect("read"), read.nonce);
    let user = UserId::from_random([7; 16]);
    let bound = challenge(Signer::Key(*key(1).public_key()), Purpose::Bind(user)).text();
    assert!(bound.contains(&format!("Purpose: bind to user:{user}\n")), "{bound}");
    assert_eq!(bound.parse::<KeyText>().expect("read").purpose, Purpose::Bind(user));
}

#[test]
fn other_spellings_of_the_text_are_refused() {
    let with = |from: &str, to: &str| {
        assert!(TEXT.contains(from), "{from}");
        TEXT.replacen(from, to, 1)
    };
    for text in [
        String::new(),
        format!("{TEXT}\n"),
        format!("{TEXT}\nColour: red"),
        format!(" {TEXT}"),
        TEXT.replace('\n', "\r\n"),
        with("v1\n", "v2\n"),
        with("v1\n", "v1 \n"),
        with("Domain: ledger", "Domain: Ledger"),
        with("Domain: ledger.example.org", "Domain: https://ledger.example.org"),
        with("Domain: ledger.example.org", "Domain: "),
        with("Purpose: sign in", "Purpose: sign out"),
        with("Purpose: sign in", "Purpose: bind to user:7"),
        with("Key: 8a88", "Key: 8A88"),
        with("Key: 8a88", "Key: "),
        with(
            "Key: 8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
            &format!("Key: {}", "0".repeat(64)),
        ),
        with("aabbccddeeff", "aabbccddeef"),
        with("aabbccddeeff", "AABBCCDDEEFF"),
        with("12:00:00.000Z", "12:00:00Z"),
        with("12:10:00.000Z", "12:10:00.000+00:00"),
        with("Issued At", "Issued at"),
        with("Domain: ledger.example.org\nPurpose: sign in", "Purpose: sign in\nDomain: ledger.example.org"),
        with("Domain: l", &format!("Domain: {}", "l".repeat(2_000))),
    ] {
        assert!(text.parse::<KeyText>().is_err(), "{text}");
        assert!(nonce_of(&text).is_err(), "{text}");
    }
}

#[test]
fn a_signature_counts_for_its_own_challenge_alone() {
    let mine = of_key(1);
    let text = mine.text();
    let signature = key(1).sign_in(&text).expect("signed").to_string();
    let signed = mine.check(&text, &signature).expect("checked");
    assert_eq!((signed.method, &signed.text, &signed.signature), ("ed25519", &text, &signature));
    let refused = |challenge: &Challenge, text: &str, signature: &str| {
        challenge.check(text, signature).expect_err("refused")
    };
    let others = [
        (of_key(2), "text line 4"),
        (Challenge { nonce: "f".repeat(32), ..mine.clone() }, "text line 5"),
        (Challenge { site: "https://example.org".parse().expect("a site"), ..mine.clone() }, "text line 2"),
        (Challenge { purpose: Purpose::Bind(UserId::from_random([1; 16])), ..mine.clone() }, "text line 3"),
        (Challenge { expires_at: at("2027-01-01T00:00:00.000Z"), ..mine.clone() }, "text line 7"),
    ];
    for (other, line) in others {
        let rejection = refused(&other, &text, &signature);
        assert_eq!((rejection.code, rejection.subject.as_str()), (Code::SignInMismatch, line));
        // Its own text with this signature is no better.
        assert_eq!(refused(&other, &other.text(), &signature).code, Code::SignatureInvalid);
    }
    assert_eq!(refused(&mine, &format!("{text}\n"), &signature).code, Code::SignInMismatch);
    assert_eq!(refused(&mine, "", &signature).code, Code::SignInMismatch);
    let by_other = key(2).sign_in(&text).expect("signed").to_string();
    for wrong in ["", "AAAA", &by_other, &"A".repeat(5_000), &format!("0x{}", "0".repeat(130))] {
        assert_eq!(refused(&mine, &text, wrong).code, Code::SignatureInvalid, "{wrong:.40}");
    }
}

#[test]
fn a_wallet_reads_what_it_signs_for() {
    let wallet = Signer::Wallet(WalletAddress::from_bytes([0xab; 20]), 10);
    let text = challenge(wallet, Purpose::SignIn).text();
    let read: WalletText = text.parse().expect("read");
    assert_eq!((read.domain.as_str(), read.chain_id), ("ledger.example.org", 10));
    assert_eq!(read.uri, "https://ledger.example.org/sign-in");
    assert_eq!(nonce_of(&text).expect("read").len(), 32);
    let user = UserId::from_random([7; 16]);
    let bound = challenge(wallet, Purpose::Bind(user)).text().parse::<WalletText>().expect("read");
    assert!(bound.statement.is_some_and(|statement| statement.contains(&format!("user:{user}"))));
    let identity = wallet.identity().expect("an identity").to_string();
    assert_eq!(identity, format!("identity:wallet:0x{}", "ab".repeat(20)));
    let other = challenge(Signer::Wallet(WalletAddress::from_bytes([0xab; 20]), 1), Purpose::SignIn);
    let rejection = other.check(&text, "0x00").expect_err("another chain");
    assert_eq!((rejection.code, rejection.expected.as_str()), (Code::SignInMismatch, "Chain ID: 1"));
}

#[test]
fn what_signs_in_is_read_as_nothing_else() {
    let texts = [
        of_key(1).text(),
        challenge(Signer::Wallet(WalletAddress::from_bytes([1; 20]), 1), Purpose::SignIn).text(),
    ];
    for text in texts {
        for text in [text.clone(), format!("{text}\n")] {
            assert!(text.parse::<Statement>().is_err());
            assert!(text.parse::<ApproverSetText>().is_err());
            assert!(text.parse::<Checkpoint>().is_err());
        }
        // What is really signed has a byte that no note has.
        let message = String::from_utf8(sign_in_message(&text)).expect("UTF-8");
        assert!(message.contains('\0') && message.parse::<NoteText>().is_err());
    }
}

#[test]
fn keys_are_read_in_one_form_and_weak_ones_refused() {
    let hex = "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c";
    assert_eq!(read_key(hex).expect("a key"), *key(1).public_key());
    for text in ["", &hex.to_uppercase(), &hex[1..], &"0".repeat(64), &"f".repeat(64)] {
        assert_eq!(read_key(text).expect_err(text).code, Code::KeyInvalid);
    }
    assert!(
        Site::of_host(false, "Ledger.Example.org:8080")
            .is_some_and(|site| site.domain() == "ledger.example.org:8080")
    );
}
