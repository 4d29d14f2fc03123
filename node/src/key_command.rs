//! Key files: making them and opening them.

use std::path::Path;

use meed_keys::limits::MAX_KEY_FILE_BYTES;
use meed_keys::{KeyFile, KeyName, KeyUse, SealCost, SealRandomness, SigningKey, seal};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::args::{KeyCommand, KeyNewArgs, KeyPurpose};
use crate::cli::console::{Console, passphrase, passphrase_of_terminal};
use crate::clock;
use crate::failure::{Failure, with_sources};
use crate::files::{self, Access};

/// What `key new` and `key show` answer.
#[derive(Serialize)]
struct KeyAnswer {
    name: String,
    r#use: String,
    vkey: String,
    sealed: bool,
    file: String,
}

/// Runs `meed key …`.
///
/// # Errors
/// Where a key file is taken, damaged, or not writable.
pub fn run(command: &KeyCommand, console: Console) -> Result<(), Failure> {
    match command {
        KeyCommand::New(args) => new(args, console),
        KeyCommand::Show { file } => {
            let key = read(file)?;
            answer(console, key.verifier_key(), key.key_use(), key.needs_passphrase(), file)
        }
    }
}

fn answer(
    console: Console,
    key: &meed_keys::VerifierKey,
    key_use: KeyUse,
    sealed: bool,
    file: &Path,
) -> Result<(), Failure> {
    let vkey = key.to_string();
    let file = file.display().to_string();
    let value = KeyAnswer { name: key.name().to_string(), r#use: key_use.to_string(), vkey, sealed, file };
    console.answer(&value, || value.vkey.clone())
}

fn new(args: &KeyNewArgs, console: Console) -> Result<(), Failure> {
    let name = KeyName::registrable(&args.name).map_err(|error| {
        Failure::usage(with_sources(&error), "choose a name of visible ASCII characters, without space and +")
    })?;
    // Asking for a passphrase first and refusing afterwards would waste the person's time.
    if std::fs::symlink_metadata(&args.out).is_ok() {
        return Err(Failure::exists(&args.out));
    }
    let key_use = match args.purpose {
        KeyPurpose::Approver => KeyUse::Approver,
        KeyPurpose::Witness => KeyUse::Witness,
        KeyPurpose::Log => KeyUse::Log,
    };
    let passphrase = new_passphrase(args)?;
    let key = generate(name, key_use)?;
    write(&key, passphrase.as_ref().map(|text| text.as_bytes()), &args.out)?;
    if passphrase.is_none() {
        console
            .notice(format!("warning: {} is not sealed: whoever can read it can sign", args.out.display()));
    }
    answer(console, key.verifier_key(), key_use, passphrase.is_some(), &args.out)
}

fn new_passphrase(args: &KeyNewArgs) -> Result<Option<Zeroizing<String>>, Failure> {
    if args.no_passphrase {
        return Ok(None);
    }
    if let Some(file) = &args.passphrase_file {
        return passphrase(Some(file), "").map(Some);
    }
    let first = passphrase_of_terminal("New passphrase: ")?;
    let second = passphrase_of_terminal("The same again: ")?;
    if first != second {
        let what = "expected the same passphrase twice, got two";
        return Err(Failure::refused("passphrase_differs", what, "run the command again"));
    }
    if first.is_empty() {
        let what = "expected a passphrase, got none";
        return Err(Failure::refused("passphrase_needed", what, "choose one, or give --no-passphrase"));
    }
    Ok(Some(first))
}

/// A new key from the system's randomness.
///
/// # Errors
/// When the system gives none.
pub fn generate(name: KeyName, key_use: KeyUse) -> Result<SigningKey, Failure> {
    let seed = Zeroizing::new(clock::random()?);
    Ok(SigningKey::from_seed(name, key_use, *seed))
}

/// Writes a new key file for its owner alone, sealed where there is a passphrase.
///
/// # Errors
/// `exists`, or what sealing or the system refuses.
pub fn write(key: &SigningKey, passphrase: Option<&[u8]>, path: &Path) -> Result<(), Failure> {
    let randomness = SealRandomness { salt: clock::random()?, nonce: clock::random()? };
    let text = seal(key, passphrase, &randomness, SealCost::RECOMMENDED)?;
    files::write_new(path, text.as_bytes(), Access::Owner)
}

/// Reads a key file; its secret stays closed.
///
/// # Errors
/// Where it cannot be read or is no key file.
pub fn read(path: &Path) -> Result<KeyFile, Failure> {
    let bytes = Zeroizing::new(files::read_bounded(path, MAX_KEY_FILE_BYTES)?);
    KeyFile::parse(&*bytes).map_err(|error| Failure::from(error).within(path.display()))
}

/// What to do about a log key that cannot be used: it was made with the ledger, and no other fits.
pub const LOG_KEY_REMEDY: &str = "put back the copy of log.key that was made with the ledger; without any log.key in \
    the folder the ledger can still be read";

/// Reads the key of a node's logs; its secret stays closed.
///
/// # Errors
/// Where it cannot be read or is no key file.
pub fn read_log_key(path: &Path) -> Result<KeyFile, Failure> {
    read(path).map_err(|failure| failure.with_remedy(LOG_KEY_REMEDY))
}

/// Opens a key, with the passphrase from a file or the terminal where it is sealed.
///
/// # Errors
/// A wrong passphrase, one where none is needed, or nobody to ask.
pub fn open(key: &KeyFile, passphrase_file: Option<&Path>) -> Result<SigningKey, Failure> {
    if !key.needs_passphrase() && passphrase_file.is_none() {
        return Ok(key.open(None)?);
    }
    let prompt = format!("Passphrase of {}: ", key.verifier_key().name());
    let passphrase = passphrase(passphrase_file, &prompt)?;
    Ok(key.open(Some(passphrase.as_bytes()))?)
}
