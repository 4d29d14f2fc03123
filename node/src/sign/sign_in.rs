//! `meed sign-in`: shows somebody by their key, at a node or for a page on another machine.

use std::io::Read as _;
use std::path::Path;

use meed_audit::hash::Hash;
use meed_audit::sign_in::{KeyText, Purpose, SIGN_IN_TEXT_BYTES_MAX, Site};
use meed_audit::time::Timestamp;
use meed_keys::KeyFile;
use reqwest::Url;
use serde::Serialize;

use super::read_approver_key;
use crate::api::documents::{ChallengeRequest, ChallengeView, SessionView, SignInRequest};
use crate::cli::args::{Cli, SignInArgs};
use crate::cli::console::Console;
use crate::cli::session::Session;
use crate::failure::{Failure, with_sources};
use crate::{clock, files, key_command};

/// What `--text --json` prints.
#[derive(Debug, Serialize)]
struct SignatureAnswer {
    /// The text that was signed.
    text: String,
    /// Its signature, in base64.
    signature: String,
}

/// Runs `meed sign-in`.
///
/// # Errors
/// Where the text is not what it must be, nobody says yes, or the node refuses.
pub fn run(args: &SignInArgs, cli: &Cli, console: Console) -> Result<(), Failure> {
    let key = read_approver_key(&args.key)?;
    match (&args.text, &cli.node) {
        (Some(path), _) => {
            let text = read(path)?;
            let signature = sign(args, &key, &text, console)?;
            let answer = SignatureAnswer { text, signature };
            console.answer(&answer, || answer.signature.clone())
        }
        (None, Some(address)) => {
            let view = at_node(args, cli, &key, address, console)?;
            console.notice(format!("notice: signed in as {}{}", view.me.actor, until(view.me.expires_at)));
            console.answer(&view, || view.secret.clone())
        }
        (None, None) => Err(Failure::usage(
            "expected --node or --text, got neither",
            "give the address of the node to sign in at, or the file with the text of its page",
        )),
    }
}

fn until(time: Option<Timestamp>) -> String {
    time.map(|time| format!(" until {time}")).unwrap_or_default()
}

fn at_node(
    args: &SignInArgs,
    cli: &Cli,
    key: &KeyFile,
    address: &str,
    console: Console,
) -> Result<SessionView, Failure> {
    let session = Session::open(cli, console)?;
    let request =
        ChallengeRequest { key: Some(key.verifier_key().to_string()), ..ChallengeRequest::default() };
    let challenge: ChallengeView = session.client.post("/sign-in/challenges", &request)?;
    let text: KeyText = challenge.text.parse()?;
    // A node that hands on the text of another one would sign in there in this key's name.
    let domain = domain_of(address).unwrap_or_default();
    if text.domain != domain {
        let what = format!("the text to sign: expected one for {domain}, got one for {}", text.domain);
        let remedy = "reach the node by the address that its text names, if that is the one you mean";
        return Err(Failure::refused("other_domain", what, remedy));
    }
    if text.purpose != Purpose::SignIn {
        let what = format!("the text to sign: expected one to sign in, got one to {}", text.purpose);
        return Err(Failure::refused("other_purpose", what, "do not sign; ask the operator of that node"));
    }
    let signature = sign(args, key, &challenge.text, console)?;
    session.client.post("/sign-in", &SignInRequest { text: challenge.text, signature })
}

/// The host of an address as the node sees it, with its port where that is not the usual one.
fn domain_of(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let site = Site::of_host(url.scheme() == "https", &format!("{}{port}", url.host_str()?))?;
    Some(site.domain().to_owned())
}

/// Shows the text, asks, and signs.
fn sign(args: &SignInArgs, key: &KeyFile, text: &str, console: Console) -> Result<String, Failure> {
    let read: KeyText = text.parse()?;
    let own = key.verifier_key().public_key();
    if read.key != *own {
        let hex = |key: &meed_keys::PublicKey| Hash::from_bytes(*key.as_bytes()).to_hex();
        let what = format!("the text to sign: expected the key {}, got {}", hex(own), hex(&read.key));
        return Err(Failure::refused("other_key", what, "give the key file whose public key the text names"));
    }
    check_time(&read)?;
    console.notice(text);
    let question = format!("Sign this as {}, for {}?", key.verifier_key().name(), read.domain);
    if !args.yes && !console.confirm(&question)? {
        return Err(Failure::refused("not_confirmed", "not signed", "run it again and answer y"));
    }
    let key = key_command::open(key, args.passphrase_file.as_deref())?;
    // The question and the passphrase may have taken their time.
    check_time(&read)?;
    let signature = key.sign_in(text).map_err(|error| Failure::internal(with_sources(&error)))?;
    Ok(signature.to_string())
}

fn check_time(text: &KeyText) -> Result<(), Failure> {
    let now = clock::now()?;
    if now < text.expires_at {
        return Ok(());
    }
    let what = format!(
        "the text to sign: expected one that still holds at {now}, got one until {}",
        text.expires_at
    );
    Err(Failure::refused("expired", what, "ask for a new text, and check the clocks of both machines"))
}

/// The text of a file; programs that write files like to end them with a newline, which is no part of it.
fn read(path: &Path) -> Result<String, Failure> {
    let bytes_max = SIGN_IN_TEXT_BYTES_MAX.saturating_add(2);
    let text = if path == Path::new("-") {
        let mut text = String::new();
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
        let read = std::io::stdin().lock().take(limit).read_to_string(&mut text);
        read.map_err(|error| Failure::unreadable(Path::new("standard input"), &error))?;
        text
    } else {
        files::read_text(path, bytes_max)?
    };
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).replace("\r\n", "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_of_an_address_is_what_its_node_is_asked_as() {
        for (address, domain) in [
            ("https://ledger.example.org", "ledger.example.org"),
            ("https://Ledger.example.org:443/", "ledger.example.org"),
            ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
            ("http://[::1]:8080", "[::1]:8080"),
            ("http://localhost:80", "localhost"),
        ] {
            assert_eq!(domain_of(address).as_deref(), Some(domain), "{address}");
        }
        assert_eq!(domain_of("nonsense"), None);
    }

    #[test]
    fn a_newline_that_an_editor_added_is_no_part_of_the_text() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("text");
        for written in ["a\nb", "a\nb\n", "a\r\nb\r\n"] {
            std::fs::write(&path, written).expect("written");
            assert_eq!(read(&path).expect("read"), "a\nb");
        }
        std::fs::write(&path, "a\n\n").expect("written");
        assert_eq!(read(&path).expect("read"), "a\n", "one newline, not several");
    }
}
