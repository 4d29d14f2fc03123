//! Notes and keys: what is read is written again byte for byte, and no signature verifies that was not made.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use meed_audit::hash::Hash;
use meed_keys::{
    ApproverSet, KeyFile, KeyName, KeyUse, Note, NoteText, SealCost, SealRandomness, SignatureLine,
    SigningKey, VerifierKey, limits, seal,
};

use crate::log::{key, key_name, split_note};
use crate::world::{World, approver};

/// Every signed note of both worlds.
static NOTES: LazyLock<Vec<String>> = LazyLock::new(|| {
    [World::new(), World::with_changed_approvers()]
        .into_iter()
        .flat_map(|world| {
            [world.set_notes, vec![world.empty.note, world.full.note, world.log.checkpoint()]].concat()
        })
        .collect()
});

/// Every text that was signed.
static TEXTS: LazyLock<BTreeSet<String>> =
    LazyLock::new(|| NOTES.iter().map(|note| split_note(note).0).collect());

/// Every key that signed one of them, under each of its names.
static KEYS: LazyLock<Vec<VerifierKey>> = LazyLock::new(|| {
    let world = World::with_changed_approvers();
    let names = TEXTS.iter().filter_map(|text| text.lines().next());
    let node = names.map(|name| world.node_key.renamed(key_name(name)).verifier_key().clone());
    let approvers = ["alice", "bob", "carol", "dave"].map(|name| approver(name).verifier_key().clone());
    let witnesses = world.witness_keys.iter().map(|key| key.verifier_key().clone());
    node.chain(approvers).chain(witnesses).collect::<BTreeSet<_>>().into_iter().collect()
});

/// A note is written as it was read, and only the texts that were signed have signatures that verify.
pub(super) fn note(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data).unwrap_or_default().parse::<NoteText>() {
        assert_eq!(text.as_str().as_bytes(), data);
    }
    let Ok(note) = Note::parse(data) else { return };
    assert_eq!(note.to_string().as_bytes(), data, "a note is written as it was read");
    let (text, lines) = note.clone().into_parts();
    assert_eq!(Note::new(text.clone(), lines).as_ref(), Ok(&note));
    for line in note.signatures() {
        assert_eq!(line.to_string().parse::<SignatureLine>().as_ref(), Ok(line));
    }
    if let Ok(verified) = note.verify_known(&KEYS, limits::MAX_SIGNATURES) {
        assert!(!verified.is_empty());
        assert!(TEXTS.contains(text.as_str()), "nobody signed {text}");
        let distinct: BTreeSet<_> = verified.iter().map(|signature| signature.key().public_key()).collect();
        assert_eq!(distinct.len(), verified.len(), "each key once");
    }
    if let Ok(verified) = note.verify_all(&KEYS) {
        assert_eq!(verified.len(), note.signatures().len());
    }
}

pub(super) fn note_seeds() -> Vec<Vec<u8>> {
    NOTES.iter().map(|note| note.clone().into_bytes()).collect()
}

/// Keys, names, signature lines, approver sets and key files are written as they were read.
pub(super) fn keys(data: &[u8]) {
    key_file(data);
    // With a right checksum, which no fuzzer finds by itself.
    let above = [data.strip_suffix(b"\n").unwrap_or(data), b"\n"].concat();
    key_file(&[above.as_slice(), format!("checksum: {}\n", Hash::of(&above)).as_bytes()].concat());
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(line) = text.parse::<SignatureLine>() {
        assert_eq!(line.to_string(), text);
    }
    if let Ok(name) = text.parse::<KeyName>() {
        assert_eq!(name.as_str(), text);
    }
    if let Ok(key_use) = text.parse::<KeyUse>() {
        assert_eq!(key_use.to_string(), text);
    }
    let lines: Vec<&str> = text.lines().collect();
    if let Ok(set) = ApproverSet::from_lines(&lines) {
        assert_eq!(set.to_lines(), lines);
        assert!((1..=15).contains(&set.len()) && (1..=set.len()).contains(&usize::from(set.threshold())));
    }
}

/// A plain key file that opens is the one text of its key.
fn key_file(data: &[u8]) {
    let Ok(file) = KeyFile::parse(data) else { return };
    if file.needs_passphrase() {
        // Opening would cost what the file asks for: up to 256 MiB.
        return;
    }
    let Ok(key) = file.open(None) else { return };
    let (cost, randomness) = seal_terms();
    let text = seal(&key, None, &randomness, cost).expect("a plain key file");
    assert_eq!(text.as_bytes(), data);
}

fn seal_terms() -> (SealCost, SealRandomness) {
    (SealCost::new(8, 1, 1).expect("a low cost"), SealRandomness { salt: [1; 16], nonce: [2; 24] })
}

pub(super) fn key_seeds() -> Vec<Vec<u8>> {
    let world = World::new();
    let (cost, randomness) = seal_terms();
    let file = |key: SigningKey, passphrase: Option<&[u8]>| {
        seal(&key, passphrase, &randomness, cost).expect("a key file").as_bytes().to_vec()
    };
    let plain = file(approver("alice"), None);
    // Without its checksum, which the check adds.
    let above = plain.rsplitn(3, |byte| *byte == b'\n').last().unwrap_or_default().to_vec();
    let sealed = file(key("log.example", KeyUse::Log), Some(b"a passphrase"));
    let sealed_above = sealed.rsplitn(3, |byte| *byte == b'\n').last().unwrap_or_default().to_vec();
    let (_, lines) = split_note(&world.full.note);
    let mut seeds = vec![plain, above, sealed, sealed_above];
    seeds.extend(KEYS.iter().map(|key| key.to_string().into_bytes()));
    seeds.extend(lines.iter().map(|line| line.to_string().into_bytes()));
    seeds.extend(world.sets.iter().map(|set| set.set.to_lines().join("\n").into_bytes()));
    seeds
}
