//! People in a history: how they are written, what the mailmap makes of them, and the identity that stands for them.

use std::collections::HashMap;
use std::io::Write;

use meed_audit::hash::Hash;
use meed_audit::ids::{Identity, NodeId, Provider};
use meed_audit::text::is_deceptive;

use super::super::SourceError;
use super::super::ndjson::read_until;
use super::process::Running;
use super::repository::Repository;

/// Longest e-mail address (RFC 5321 section 4.5.3.1.3: a path of 256 with its brackets).
const EMAIL_BYTES_MAX: usize = 254;
/// Longest line that the mailmap may answer.
const ANSWER_BYTES_MAX: usize = 65_536;
/// How many answers of the mailmap are kept.
const CACHE_MAX: usize = 10_000;

/// A person as a commit names one: bytes, since neither part need be UTF-8. It has no `Debug`, because an address
/// must not get into a log.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Contact {
    /// The name, perhaps empty.
    pub(super) name: Vec<u8>,
    /// The e-mail address, perhaps empty or no address at all.
    pub(super) email: Vec<u8>,
}

impl Contact {
    /// Reads the value of a trailer: `Name <address>` and perhaps a remark, or an address alone. Nothing where it is
    /// not clear who is meant, as with two addresses.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let brackets = value.iter().filter(|&&byte| matches!(byte, b'<' | b'>')).count();
        if brackets == 0 {
            let email = value.trim_ascii().to_vec();
            return Some(Self { name: Vec::new(), email });
        }
        let open = value.iter().position(|&byte| byte == b'<')?;
        let close = value.iter().position(|&byte| byte == b'>')?;
        let (name, email) = (value.get(..open)?, value.get(open.checked_add(1)?..close)?);
        (brackets == 2).then(|| Self { name: name.trim_ascii().to_vec(), email: email.trim_ascii().to_vec() })
    }

    /// The identity of whoever reads this address, in this node; nothing where it is not an address.
    ///
    /// The external id is the hex SHA-256 of `meed/git-email/v1\n<node id>\n<address>`, where the letters A to Z of
    /// the address are in lower case.
    pub(super) fn identity(&self, node: &NodeId) -> Option<Identity> {
        let address = address(&self.email)?;
        let hash = Hash::of(format!("meed/git-email/v1\n{node}\n{address}").as_bytes());
        Identity::new(Provider::Git, &hash.to_hex()).ok()
    }
}

/// The one form of an address: something before and after its last at sign, at most 254 bytes of visible UTF-8.
fn address(email: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(email.trim_ascii()).ok()?;
    let (local, domain) = text.rsplit_once('@')?;
    let allowed =
        |c: char| !c.is_whitespace() && !c.is_control() && !is_deceptive(c) && !matches!(c, '<' | '>');
    let valid =
        !local.is_empty() && !domain.is_empty() && text.len() <= EMAIL_BYTES_MAX && text.chars().all(allowed);
    valid.then(|| text.to_ascii_lowercase())
}

/// The mailmap of a commit, as `git check-mailmap` applies it: one process that answers line by line.
pub(super) struct Mailmap<'a> {
    repository: &'a Repository,
    running: Option<(Running, std::process::ChildStdin)>,
    known: HashMap<Contact, Contact>,
}

impl<'a> Mailmap<'a> {
    pub(super) fn new(repository: &'a Repository) -> Self {
        Self { repository, running: None, known: HashMap::new() }
    }

    /// Who `contact` is by the mailmap.
    pub(super) fn resolve(&mut self, contact: Contact) -> Result<Contact, SourceError> {
        if !self.repository.has_mailmap() || contact.email.is_empty() {
            return Ok(contact);
        }
        if let Some(known) = self.known.get(&contact) {
            return Ok(known.clone());
        }
        let resolved = self.ask(&contact)?;
        if self.known.len() >= CACHE_MAX {
            self.known.clear();
        }
        self.known.insert(contact, resolved.clone());
        Ok(resolved)
    }

    fn ask(&mut self, contact: &Contact) -> Result<Contact, SourceError> {
        let (running, input) = match &mut self.running {
            Some(running) => running,
            none => none.insert(start(self.repository)?),
        };
        // A contact was parsed out of one line and by its only brackets, so that it is one line again here.
        let mut line = contact.name.clone();
        if !line.is_empty() {
            line.push(b' ');
        }
        line.extend_from_slice(b"<");
        line.extend_from_slice(&contact.email);
        line.extend_from_slice(b">\n");
        let mut answer = Vec::new();
        let asked = input
            .write_all(&line)
            .and_then(|()| input.flush())
            .and_then(|()| read_until(&mut running.output, b'\n', ANSWER_BYTES_MAX, &mut answer));
        match asked {
            Ok(Some(_)) => parse_answer(&answer).ok_or_else(|| SourceError::GitAnswer {
                command: "check-mailmap".to_owned(),
                detail: "expected `Name <address>`".to_owned(),
            }),
            other => {
                let error = other.err().unwrap_or_else(|| std::io::ErrorKind::UnexpectedEof.into());
                let Some((running, _)) = self.running.take() else {
                    return Err(super::process::failed("check-mailmap", error.to_string().as_bytes()));
                };
                Err(running.broken(&error))
            }
        }
    }
}

/// Reads `Name <address>` as git writes it: a name of the mailmap holds no `<`, but may hold `>`.
fn parse_answer(line: &[u8]) -> Option<Contact> {
    let open = line.iter().position(|&byte| byte == b'<')?;
    let (name, email) = (line.get(..open)?, line.get(open.checked_add(1)?..)?.strip_suffix(b">")?);
    Some(Contact { name: name.trim_ascii().to_vec(), email: email.to_vec() })
}

fn start(repository: &Repository) -> Result<(Running, std::process::ChildStdin), SourceError> {
    let mut command = repository.command();
    command.stdin(std::process::Stdio::piped()).args(["check-mailmap", "--stdin"]);
    let mut running = Running::start("check-mailmap", command)?;
    let input = running.input()?;
    Ok((running, input))
}

#[cfg(test)]
mod tests {
    use super::{Contact, address};

    fn parsed(value: &[u8]) -> Option<(String, String)> {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Contact::parse(value).map(|contact| (text(contact.name), text(contact.email)))
    }

    #[test]
    fn trailers_name_one_person_or_nobody() {
        let both = |name: &str, email: &str| Some((name.to_owned(), email.to_owned()));
        assert_eq!(parsed(b"Bob Smith <bob@example.org>"), both("Bob Smith", "bob@example.org"));
        assert_eq!(parsed(b" Bob  < Bob@example.org > # for the parser"), both("Bob", "Bob@example.org"));
        assert_eq!(parsed(b"<bob@example.org>"), both("", "bob@example.org"));
        assert_eq!(parsed(b"bob@example.org"), both("", "bob@example.org"));
        assert_eq!(parsed(b"Bob <>"), both("Bob", ""));
        for value in ["A <a@x.org>, B <b@x.org>", "A <a@x.org", "A a@x.org>", "A >a@x.org<", "A <<a@x.org>>"]
        {
            assert_eq!(parsed(value.as_bytes()), None, "{value}");
        }
    }

    #[test]
    fn addresses_have_one_form() {
        assert_eq!(address(b" Alice@Example.ORG ").as_deref(), Some("alice@example.org"));
        assert_eq!(address(b"a@b@c").as_deref(), Some("a@b@c"));
        assert_eq!(address("jos\u{e9}@example.org".as_bytes()).as_deref(), Some("josé@example.org"));
        let longest = format!("{}@x", "a".repeat(252));
        assert!(address(longest.as_bytes()).is_some());
        for email in [
            "",
            "alice",
            "@",
            "a@",
            "@b",
            "a b@c",
            "a\u{200b}@b",
            "a\u{202e}@b",
            "a\x01@b",
            &format!("a{longest}"),
        ] {
            assert_eq!(address(email.as_bytes()), None, "{email:?}");
        }
        assert_eq!(address(b"\xff@example.org"), None);
    }

    #[test]
    fn identities_are_what_the_design_says() {
        // printf 'meed/git-email/v1\n4ff8eac1-4eba-4ed0-931b-b1fe4f64713d\nalice@example.org' | sha256sum
        let expected = "9765e62c71daf3498868ff9c7d7d905c740f2fbe9c48d9bdec8896dee0100358";
        let node = "4ff8eac1-4eba-4ed0-931b-b1fe4f64713d".parse().expect("node");
        for email in ["alice@example.org", "ALICE@example.ORG"] {
            let contact = Contact { name: b"Alice".to_vec(), email: email.as_bytes().to_vec() };
            let identity = contact.identity(&node).expect("identity");
            assert_eq!(identity.to_string(), format!("identity:git:{expected}"));
        }
    }
}
