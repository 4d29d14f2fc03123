//! Texts and signatures by which people sign in.

use std::str::FromStr;

use meed_audit::approvers::ApproverSetText;
use meed_audit::checkpoint::Checkpoint;
use meed_audit::sign_in::{
    Challenge, KeyText, Purpose, SIGN_IN_TEXT_BYTES_MAX, Signer, Site, WalletText, nonce_of,
};
use meed_audit::statement::Statement;
use meed_audit::time::Timestamp;
use meed_keys::{
    NoteText, SignInSignature, WalletAddress, WalletSignature, personal_message_hash, sign_in_message,
};

use crate::world::approver;

/// Where the seeds sign in.
fn challenge(signer: Signer) -> Challenge {
    let at = |text: &str| Timestamp::from_str(text).expect("a time");
    Challenge {
        site: Site::from_str("https://ledger.example.org:8443").expect("a site"),
        purpose: Purpose::SignIn,
        signer,
        nonce: "0123456789abcdef".repeat(2),
        issued_at: at("2026-11-10T12:00:00.000Z"),
        expires_at: at("2026-11-10T12:10:00.000Z"),
    }
}

/// A text for a key is written as it was read, names one nonce, and is nothing else that keys sign.
pub(super) fn key_text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    assert!(String::from_utf8_lossy(&sign_in_message(text)).parse::<NoteText>().is_err(), "never a note");
    let Ok(read) = text.parse::<KeyText>() else { return };
    assert_eq!(read.to_string(), text, "one text");
    assert_eq!(nonce_of(text).as_ref(), Ok(&read.nonce));
    assert!(text.parse::<WalletText>().is_err() && text.parse::<Statement>().is_err());
    assert!(text.parse::<Checkpoint>().is_err() && text.parse::<ApproverSetText>().is_err());
    // A signature over it shows its own key and no other.
    let alice = approver("alice");
    let signature = alice.sign_in(text).expect("signed");
    assert_eq!(alice.public_key().verify_sign_in(text, &signature), Ok(()));
    assert!(read.key == *alice.public_key() || read.key.verify_sign_in(text, &signature).is_err());
    assert_eq!(signature.to_string().parse::<SignInSignature>(), Ok(signature));
}

pub(super) fn key_text_seeds() -> Vec<Vec<u8>> {
    ["alice", "bob"]
        .map(|name| challenge(Signer::Key(*approver(name).public_key())).text().into_bytes())
        .to_vec()
}

/// A text of EIP-4361 is written as it was read, within its limit; whatever 65 bytes come before it, they are a signature
/// of one wallet at most, and of no other text.
pub(super) fn wallet_text(data: &[u8]) {
    let (signature, text) = match data.split_first_chunk::<65>() {
        Some((signature, text)) => (*signature, text),
        None => ([0; 65], data),
    };
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Ok(address) = WalletAddress::parse_edge(text) {
        assert_eq!(address.to_string().parse::<WalletAddress>(), Ok(address));
        assert_eq!(address.to_lower_hex(), text.to_ascii_lowercase());
    }
    let signature = WalletSignature::from_bytes(signature);
    assert_eq!(signature.to_string().parse::<WalletSignature>(), Ok(signature));
    let Ok(read) = text.parse::<WalletText>() else { return };
    assert!(text.len() <= SIGN_IN_TEXT_BYTES_MAX);
    assert_eq!(read.to_string(), text, "one text");
    assert_eq!(nonce_of(text).as_ref(), Ok(&read.nonce));
    assert!(text.parse::<KeyText>().is_err());
    let other = format!("{text} ");
    assert_ne!(personal_message_hash(text), personal_message_hash(&other));
    if read.address.verify_personal(text, &signature).is_ok() {
        assert!(read.address.verify_personal(&other, &signature).is_err());
    }
}

pub(super) fn wallet_text_seeds() -> Vec<Vec<u8>> {
    let text = challenge(Signer::Wallet(WalletAddress::from_bytes([0xab; 20]), 1)).text();
    // The example in the documentation of the crate siwe, with its signature.
    let signed = "localhost:4361 wants you to sign in with your Ethereum account:\n\
                  0x6Da01670d8fc844e736095918bbE11fE8D564163\n\nSIWE Notepad Example\n\nURI: http://localhost:4361\n\
                  Version: 1\nChain ID: 1\nNonce: kEWepMt9knR6lWJ6A\nIssued At: 2021-12-07T18:28:18.807Z";
    let hex = "6228b3ecd7bf2df018183aeab6b6f1db1e9f4e3cbe24560404112e25363540eb\
               679934908143224d746bbb5e1aa65ab435684081f4dbb74a0fec57f98f40f5051c";
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    let signature: Vec<u8> = (0..hex.len()).step_by(2).map(digits).collect();
    let whole =
        format!("{text}\nNot Before: 2026-11-10T12:00:00Z\nRequest ID: a:b\nResources:\n- did:key:z6Mk");
    vec![
        [signature, signed.as_bytes().to_vec()].concat(),
        [vec![0; 65], text.into_bytes()].concat(),
        [vec![27; 65], whole.into_bytes()].concat(),
        b"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".to_vec(),
    ]
}
