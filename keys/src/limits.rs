//! Every limit of this room, in one place.

/// Bytes of a whole signed note: text, blank line and signature lines. An entry of a log is a signed note, and
/// entries carry a 16-bit length ([C2SP tlog-tiles](https://c2sp.org/tlog-tiles)).
pub const MAX_NOTE_BYTES: usize = 65_535;

/// Signature lines a note may carry; the number of Go's `sumdb/note`.
pub const MAX_SIGNATURES: usize = 100;

/// Bytes of one signature after its key id. Foreign algorithms have long signatures (ML-DSA-87 takes 4,627).
pub const MAX_SIGNATURE_BYTES: usize = 8_192;

/// Signatures by unknown keys that a log checkpoint may carry, unless the caller wants fewer.
pub const MAX_UNKNOWN_SIGNATURES: usize = 16;

/// Bytes of a key name.
pub const MAX_KEY_NAME_BYTES: usize = 255;

/// Bytes of a public key, and of the seed of a signing key ([RFC 8032](https://www.rfc-editor.org/rfc/rfc8032)).
pub const KEY_BYTES: usize = 32;

/// Bytes of an Ed25519 signature.
pub const ED25519_SIGNATURE_BYTES: usize = 64;

/// Bytes of the address of a wallet.
pub const WALLET_ADDRESS_BYTES: usize = 20;

/// Bytes of a wallet's signature: two numbers of 32 bytes, and one that says which key made it.
pub const WALLET_SIGNATURE_BYTES: usize = 65;

/// Bytes of the time in front of a cosignature: seconds as an unsigned big-endian number.
pub const COSIGNATURE_TIME_BYTES: usize = 8;

/// Bytes of a cosignature: its time and an Ed25519 signature.
pub const COSIGNATURE_BYTES: usize = COSIGNATURE_TIME_BYTES + ED25519_SIGNATURE_BYTES;

/// Bytes of a key id.
pub const KEY_ID_BYTES: usize = 4;

/// Bytes of a verifier key as text: name, `+`, 8 hex digits, `+`, base64 of 33 bytes.
pub const MAX_VERIFIER_KEY_BYTES: usize = MAX_KEY_NAME_BYTES + 1 + 8 + 1 + 44;

/// Members of an approver set.
pub const MAX_APPROVERS: usize = 15;

/// Bytes of a key file.
pub const MAX_KEY_FILE_BYTES: usize = 4_096;

/// Bytes of a passphrase.
pub const MAX_PASSPHRASE_BYTES: usize = 1_024;

/// Memory that a key file may ask for to be opened, in KiB (256 MiB): a hostile file must not exhaust a machine.
pub const MAX_SEAL_MEMORY_KIB: u32 = 262_144;

/// Least memory that argon2 takes for one lane, in KiB.
pub const MIN_SEAL_MEMORY_KIB: u32 = 8;

/// Passes over the memory that a key file may ask for.
pub const MAX_SEAL_PASSES: u32 = 16;

/// Lanes that a key file may ask for.
pub const MAX_SEAL_LANES: u32 = 4;

/// Bytes of the salt of a sealed key file.
pub const SEAL_SALT_BYTES: usize = 16;

/// Bytes of the nonce of a sealed key file (XChaCha20).
pub const SEAL_NONCE_BYTES: usize = 24;

/// Bytes of the authentication tag of a sealed key file (Poly1305).
pub const SEAL_TAG_BYTES: usize = 16;

const _: () = assert!(COSIGNATURE_BYTES <= MAX_SIGNATURE_BYTES);
const _: () = assert!(MAX_SIGNATURE_BYTES.div_ceil(3) * 4 < MAX_NOTE_BYTES);
const _: () = assert!(MAX_APPROVERS < MAX_SIGNATURES);
const _: () = assert!(MAX_UNKNOWN_SIGNATURES < MAX_SIGNATURES);
const _: () = assert!(MAX_VERIFIER_KEY_BYTES * 2 < MAX_KEY_FILE_BYTES);
const _: () = assert!(MIN_SEAL_MEMORY_KIB * MAX_SEAL_LANES <= MAX_SEAL_MEMORY_KIB);
// A full set of approvers with the longest names, and the node beside them, leaves three quarters for the text.
const _: () =
    assert!((MAX_APPROVERS + 1) * (3 + 1 + MAX_KEY_NAME_BYTES + 1 + 104 + 1) < MAX_NOTE_BYTES / 4 * 3);
