//! Texts of Sign-In with Ethereum: ours against the crate `siwe`, which is another implementation of EIP-4361.
//!
//! Whatever ours reads, `siwe` reads the same and writes the same; what only `siwe` reads is listed by the reason for
//! which ours is stricter.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests may fail a test"
)]

use k256::ecdsa::SigningKey;
use meed_audit::sign_in::{WALLET_TEXT_BYTES_MAX, WalletText};
use meed_keys::{WalletSignature, personal_message_hash};
use proptest::prelude::*;

/// The example of EIP-4361.
const EXAMPLE: &str = "example.com wants you to sign in with your Ethereum account:
0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2

I accept the ExampleOrg Terms of Service: https://example.com/tos

URI: https://example.com/login
Version: 1
Chain ID: 1
Nonce: 32891756
Issued At: 2021-09-30T16:25:24Z
Resources:
- ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/
- https://example.com/my-web2-claim.json";

/// Every field that the grammar has.
const WHOLE: &str = "ledger.example.org:8443 wants you to sign in with your Ethereum account:
0x6Da01670d8fc844e736095918bbE11fE8D564163

Sign in.

URI: https://ledger.example.org:8443/sign-in
Version: 1
Chain ID: 10
Nonce: kEWepMt9knR6lWJ6A
Issued At: 2026-11-10T12:00:00.000Z
Expiration Time: 2026-11-10T14:00:00.5+01:00
Not Before: 2026-11-10T11:59:00Z
Request ID: a:b@c
Resources:
- did:key:z6Mk";

/// Without statement and anything optional.
const LEAST: &str = "localhost wants you to sign in with your Ethereum account:
0x6Da01670d8fc844e736095918bbE11fE8D564163


URI: http://localhost
Version: 1
Chain ID: 1
Nonce: 12345678
Issued At: 2026-11-10T12:00:00.000Z";

fn ours(text: &str) -> Option<WalletText> {
    text.parse().ok()
}

fn theirs(text: &str) -> Option<siwe::Message> {
    text.parse().ok()
}

/// Whatever ours reads is read and written by both alike.
#[track_caller]
fn check_agreement(text: &str) {
    let Some(read) = ours(text) else { return };
    assert_eq!(read.to_string(), text);
    let other = theirs(text).unwrap_or_else(|| panic!("siwe refuses {text:?}"));
    assert_eq!(other.to_string(), text);
    assert_eq!(other.domain.as_str(), read.domain);
    assert_eq!(&other.address, read.address.as_bytes());
    assert_eq!(other.statement, read.statement);
    assert_eq!(other.uri.as_str(), read.uri);
    assert_eq!((other.chain_id, &other.nonce), (read.chain_id, &read.nonce));
    assert_eq!(other.issued_at.to_string(), read.issued_at.to_string());
    let ms = |time: &siwe::TimeStamp| time.as_ref().unix_timestamp_nanos() / 1_000_000;
    assert_eq!(ms(&other.issued_at), i128::from(read.issued_at.at().as_ms()));
    for (other, own) in [(&other.expiration_time, &read.expires_at), (&other.not_before, &read.not_before)] {
        assert_eq!(other.as_ref().map(ms), own.as_ref().map(|time| i128::from(time.at().as_ms())));
    }
    assert_eq!(other.request_id, read.request_id);
    let resources: Vec<&str> = other.resources.iter().map(|uri| uri.as_str()).collect();
    assert_eq!(resources, read.resources);
    assert_eq!(other.eip191_hash().expect("a hash"), personal_message_hash(text));
}

#[test]
fn good_texts_are_read_by_both() {
    for text in [EXAMPLE, WHOLE, LEAST] {
        assert!(ours(text).is_some(), "{:?}", text.parse::<WalletText>());
        check_agreement(text);
    }
    let whole = ours(WHOLE).expect("read");
    assert_eq!(whole.expires_at.expect("a time").at().to_string(), "2026-11-10T13:00:00.500Z");
    assert_eq!(ours(LEAST).expect("read").statement, None);
}

/// The text with one part of it replaced.
#[track_caller]
fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?}");
    text.replacen(from, to, 1)
}

#[test]
fn bad_texts_are_refused_by_both() {
    let bad = [
        String::new(),
        "\n".to_owned(),
        with(LEAST, " wants you", " wants  you"),
        with(LEAST, "account:", "account"),
        with(LEAST, "localhost ", " "),
        with(LEAST, "localhost ", "local host "),
        // The checksum of the address.
        with(LEAST, "0x6Da0", "0x6da0"),
        with(
            LEAST,
            "0x6Da01670d8fc844e736095918bbE11fE8D564163",
            "0x6DA01670D8FC844E736095918BBE11FE8D564163",
        ),
        with(LEAST, "0x6Da0", "6Da0"),
        with(LEAST, "564163", "56416"),
        // The order of the fields, and each of them once.
        with(LEAST, "URI: http://localhost\nVersion: 1", "Version: 1\nURI: http://localhost"),
        with(LEAST, "Chain ID: 1\nNonce: 12345678", "Nonce: 12345678\nChain ID: 1"),
        with(LEAST, "Version: 1\n", "Version: 1\nVersion: 1\n"),
        with(LEAST, "Version: 1\n", ""),
        with(
            WHOLE,
            "Not Before: 2026-11-10T11:59:00Z\nRequest ID: a:b@c",
            "Request ID: a:b@c\nNot Before: 2026-11-10T11:59:00Z",
        ),
        with(WHOLE, "Issued At: 2026-11-10T12:00:00.000Z\n", ""),
        // Values.
        with(LEAST, "Version: 1", "Version: 2"),
        with(LEAST, "Chain ID: 1", "Chain ID: x"),
        with(LEAST, "Chain ID: 1", "Chain ID: -1"),
        with(LEAST, "Chain ID: 1", "Chain ID: 18446744073709551616"),
        with(LEAST, "12345678", "1234567"),
        with(LEAST, "URI: http://localhost", "URI: localhost"),
        with(LEAST, "URI: http://localhost", "URI: http://local host"),
        with(LEAST, "2026-11-10T", "2026-11-31T"),
        with(LEAST, "12:00:00.000Z", "12:00:00.000"),
        with(LEAST, "12:00:00.000Z", "24:00:00.000Z"),
        with(WHOLE, "- did:key:z6Mk", "did:key:z6Mk"),
        with(WHOLE, "- did:key:z6Mk", "- not a uri"),
        // Ends and spellings.
        format!("{LEAST}\n"),
        format!("{LEAST}\nColour: red"),
        format!(" {LEAST}"),
        LEAST.replace('\n', "\r\n"),
        with(LEAST, "\n\n\nURI", "\nURI"),
        with(LEAST, "URI: ", "Uri: "),
        with(LEAST, "Nonce: ", "Nonce:"),
    ];
    for text in bad {
        assert_eq!((ours(&text), theirs(&text)), (None, None), "{text}");
    }
}

#[test]
fn what_only_the_other_implementation_reads_is_what_ours_is_stricter_in() {
    let stricter = [
        ("capitals in the domain", with(LEAST, "localhost wants", "LocalHost wants")),
        ("a user in the domain", with(LEAST, "localhost wants", "ana@localhost wants")),
        ("a port with zeros", with(LEAST, "localhost wants", "localhost:080 wants")),
        ("a character that no URI has, in the statement", with(WHOLE, "Sign in.", "Sign \"in\".")),
        ("a letter beyond ASCII in the statement", with(WHOLE, "Sign in.", "S\u{ed}")),
        ("anything where the grammar has an empty line", with(WHOLE, "4163\n\n", "4163\nanything\n")),
        ("anything after the statement", with(WHOLE, "Sign in.\n\n", "Sign in.\nanything\n")),
        ("a user in a URI", with(LEAST, "URI: http://localhost", "URI: http://ana@localhost")),
        ("leading zeros of the chain", with(LEAST, "Chain ID: 1", "Chain ID: 01")),
        ("a plus sign before the chain", with(LEAST, "Chain ID: 1", "Chain ID: +1")),
        ("the chain 0", with(LEAST, "Chain ID: 1", "Chain ID: 0")),
        ("a nonce of other characters", with(LEAST, "12345678", "1234-5678")),
        ("more than milliseconds", with(LEAST, "12:00:00.000Z", "12:00:00.000001Z")),
        ("a request id of other characters", with(WHOLE, "a:b@c", "a b")),
        ("resources without any", with(WHOLE, "Resources:\n- did:key:z6Mk", "Resources:")),
        ("a very long text", with(WHOLE, "Sign in.", &"a".repeat(WALLET_TEXT_BYTES_MAX))),
    ];
    for (what, text) in stricter {
        assert!(ours(&text).is_none(), "{what}: ours reads it");
        assert!(theirs(&text).is_some(), "{what}: siwe refuses it too, which belongs into the other list");
    }
}

fn sign(key: &SigningKey, text: &str) -> [u8; 65] {
    let (signature, id) = key.sign_prehash_recoverable(&personal_message_hash(text));
    let mut bytes = [0; 65];
    bytes[..64].copy_from_slice(&signature.to_bytes());
    bytes[64] = 27 + id.to_byte();
    bytes
}

/// A text of a wallet whose key is the seed's.
fn text_of(key: &SigningKey) -> String {
    // The address is what the first signature says it is: no second way to compute it is needed here.
    let any = ours(LEAST).expect("read");
    let probe = theirs(LEAST).expect("read");
    assert!(probe.verify_eip191(&sign(key, LEAST)).is_err(), "not the wallet of the example");
    let point = key.verifying_key().to_sec1_point(false);
    let bytes = <[u8; 32]>::from(<sha3::Keccak256 as sha3::Digest>::digest(&point.as_bytes()[1..]));
    let address = meed_keys::WalletAddress::from_bytes(*bytes.last_chunk().expect("20 bytes"));
    WalletText { address, ..any }.to_string()
}

#[test]
fn both_take_and_refuse_the_same_signatures() {
    for seed in 1..=30_u8 {
        let key = SigningKey::from_slice(&[seed; 32]).expect("a key");
        let text = text_of(&key);
        let (own, other) = (ours(&text).expect("read"), theirs(&text).expect("read"));
        let good = sign(&key, &text);
        let elsewhere = sign(&key, LEAST);
        let mut cases = vec![good, elsewhere, [0; 65], [255; 65]];
        for place in [0, 17, 32, 50, 63] {
            let mut changed = good;
            changed[place] ^= 1;
            cases.push(changed);
        }
        for last in 0..=255 {
            let mut changed = good;
            changed[64] = last;
            cases.push(changed);
        }
        for bytes in cases {
            let ours = own.address.verify_personal(&text, &WalletSignature::from_bytes(bytes)).is_ok();
            let theirs = other.verify_eip191(&bytes).is_ok();
            // The other one takes the last byte modulo 27; ours knows the four that wallets write.
            let is_known = [0, 1, 27, 28].contains(&bytes[64]);
            assert_eq!(ours, theirs && is_known, "{bytes:?}");
        }
        assert!(own.address.verify_personal(&text, &WalletSignature::from_bytes(good)).is_ok());
    }
}

proptest! {
    #[test]
    fn whatever_ours_reads_the_other_reads_alike(
        start in prop::sample::select(vec![EXAMPLE, WHOLE, LEAST]),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..4, any::<prop::sample::Index>()), 0..4),
    ) {
        // Lines are dropped, doubled, swapped, and characters replaced.
        let mut lines: Vec<String> = start.split('\n').map(str::to_owned).collect();
        for (place, kind, other) in edits {
            let (at, with) = (place.index(lines.len()), other.index(lines.len()));
            match kind {
                0 => lines.swap(at, with),
                1 if lines.len() > 1 => { lines.remove(at); }
                2 => lines.insert(at, lines[with].clone()),
                _ => {
                    let signs = [" ", ":", "0", "a", "Z", "-", "%", "\u{e9}", "/", "\t", "@"];
                    let sign = signs[other.index(signs.len())];
                    let line = &mut lines[at];
                    let within = place.index(line.len() + 1);
                    if line.is_char_boundary(within) { line.insert_str(within, sign); }
                }
            }
        }
        check_agreement(&lines.join("\n"));
    }
}
