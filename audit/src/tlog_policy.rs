//! C2SP tlog-policy: which logs are trusted, which witnesses there are, and how many of them must have cosigned.
//!
//! Lines of words: `log <vkey> [url]`, `witness <name> <vkey> [url]`, `group <name> <k|any|all> <member>…`,
//! `quorum <name|none>`; empty lines and lines that begin with `#` mean nothing. A group names witnesses and groups
//! that stand before it, so that there are no cycles, and none that another group names, so that a witness counts in
//! one way only.

use std::collections::{BTreeMap, BTreeSet};

use meed_keys::{Algorithm, PublicKey, VerifierKey};

use crate::approve::{node_verifier, parse_key};
use crate::approvers::ApproverSetText;
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::statement::Statement;

/// Longest policy, in bytes.
pub const POLICY_BYTES_MAX: usize = 65_536;
const NONE: &str = "none";

/// A parsed policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlogPolicy {
    logs: Vec<VerifierKey>,
    members: BTreeMap<String, Member>,
    /// The names that a group has as its members.
    grouped: BTreeSet<String>,
    quorum: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Member {
    Witness(VerifierKey),
    Group { threshold: usize, members: Vec<String> },
}

impl TlogPolicy {
    /// Parses a policy.
    ///
    /// # Errors
    /// Names the line that is malformed, defines a name again or uses one that is not defined before it.
    pub fn parse(text: &str) -> Checked<Self> {
        if text.len() > POLICY_BYTES_MAX {
            let expected = format!("at most {POLICY_BYTES_MAX} bytes");
            return Err(Rejection::new(
                RejectionCode::InputTooLarge,
                "policy",
                expected,
                format!("{} bytes", text.len()),
            ));
        }
        let mut policy = Self::default();
        let mut quorum_seen = false;
        for (number, line) in (1..).zip(text.split('\n')) {
            if let Some(control) = line.chars().find(|it| it.is_ascii_control() && *it != '\t') {
                let expected = format!("line {number} without control characters");
                return Err(refuse(&expected, &control.escape_unicode().to_string()));
            }
            let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            if words.first().is_none_or(|word| word.starts_with('#')) {
                continue;
            }
            policy
                .read_line(&words, &mut quorum_seen)
                .map_err(|r| r.within(format!("policy line {number}")))?;
        }
        if quorum_seen && !policy.logs.is_empty() {
            return Ok(policy);
        }
        Err(refuse(
            "at least one log line and one quorum line",
            if quorum_seen { "no log" } else { "no quorum" },
        ))
    }

    fn read_line(&mut self, words: &[&str], quorum_seen: &mut bool) -> Checked<()> {
        match words {
            ["log", vkey] | ["log", vkey, _] => {
                let key = parse_key("policy key", vkey, Algorithm::Ed25519)?;
                if self.logs.iter().any(|known| known.public_key() == key.public_key()) {
                    return Err(refuse("each log key once", vkey));
                }
                self.logs.push(key);
            }
            ["witness", name, vkey] | ["witness", name, vkey, _] => {
                let key = parse_key("policy key", vkey, Algorithm::CosignatureV1)?;
                if self.witnesses().any(|known| known.public_key() == key.public_key()) {
                    return Err(refuse("each witness key once", vkey));
                }
                self.define(name, Member::Witness(key))?;
            }
            ["group", name, threshold, members @ ..] => {
                let group = self.read_group(threshold, members)?;
                self.define(name, group)?;
            }
            ["quorum", name] if !*quorum_seen => {
                *quorum_seen = true;
                if *name != NONE && !self.members.contains_key(*name) {
                    return Err(refuse("a name that is defined before, or none", name));
                }
                self.quorum = (*name != NONE).then(|| (*name).to_owned());
            }
            _ => {
                return Err(refuse(
                    "log, witness, group or (once) quorum, with their words",
                    &words.join(" "),
                ));
            }
        }
        Ok(())
    }

    fn define(&mut self, name: &str, member: Member) -> Checked<()> {
        if name == NONE || self.members.insert(name.to_owned(), member).is_some() {
            return Err(refuse("a name that is not defined yet", name));
        }
        Ok(())
    }

    fn read_group(&mut self, threshold: &str, members: &[&str]) -> Checked<Member> {
        if members.is_empty() {
            return Err(refuse("a group with members", "none"));
        }
        if let Some(again) = members.iter().find(|name| !self.grouped.insert((**name).to_owned())) {
            return Err(refuse("each name as a member once", again));
        }
        if let Some(unknown) = members.iter().find(|name| !self.members.contains_key(**name)) {
            return Err(refuse("members that are defined before", unknown));
        }
        let threshold = match threshold {
            "any" => 1,
            "all" => members.len(),
            number => usize::try_from(crate::amount::parse_count("threshold", number)?).unwrap_or(usize::MAX),
        };
        if !(1..=members.len()).contains(&threshold) {
            return Err(refuse("a threshold from 1 to the number of members", &threshold.to_string()));
        }
        Ok(Member::Group { threshold, members: members.iter().map(|name| (*name).to_owned()).collect() })
    }

    /// The logs' keys.
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// The witnesses' keys.
    pub fn witnesses(&self) -> impl Iterator<Item = &VerifierKey> {
        self.members.values().filter_map(|member| match member {
            Member::Witness(key) => Some(key),
            Member::Group { .. } => None,
        })
    }

    /// Whether any witness must have cosigned.
    pub fn wants_witnesses(&self) -> bool {
        self.quorum.is_some()
    }

    /// Whether these keys' valid cosignatures satisfy the quorum.
    pub fn is_satisfied_by(&self, cosigners: &BTreeSet<PublicKey>) -> bool {
        self.quorum.as_ref().is_none_or(|name| self.holds(name, cosigners))
    }

    /// Groups name only what stands before them, so that this ends.
    fn holds(&self, name: &str, cosigners: &BTreeSet<PublicKey>) -> bool {
        match self.members.get(name) {
            Some(Member::Witness(key)) => cosigners.contains(key.public_key()),
            Some(Member::Group { threshold, members }) => {
                members.iter().filter(|member| self.holds(member, cosigners)).count() >= *threshold
            }
            None => false,
        }
    }
}

/// The policy with which a stock C2SP tool checks the signatures of `statement`: its node as the log, its approvers
/// as witnesses, k of n as the quorum. What the lines mean takes meed.
///
/// # Errors
/// `key_invalid` when the origin line cannot be a key's name.
pub fn statement_policy(
    statement: &Statement,
    set: &ApproverSetText,
    node_key: &PublicKey,
) -> Checked<String> {
    let log = node_verifier(&statement.origin_line(), node_key)?;
    let mut text = format!("log {log}\n");
    let mut names = String::new();
    for (number, key) in (1..).zip(set.set.approvers()) {
        text.push_str(&format!("witness approver-{number} {key}\n"));
        names.push_str(&format!(" approver-{number}"));
    }
    text.push_str(&format!("group approvers {}{names}\nquorum approvers\n", set.set.threshold()));
    Ok(text)
}

fn refuse(expected: &str, got: &str) -> Rejection {
    Rejection::new(RejectionCode::Malformed, "policy", expected, got)
}

#[cfg(test)]
mod tests {
    use super::*;
    use meed_keys::{KeyUse, SigningKey};

    /// One key under a name.
    fn log(name: &str) -> String {
        let name = name.parse().expect("a name");
        SigningKey::from_seed(name, KeyUse::Log, [7; 32]).verifier_key().to_string()
    }

    #[test]
    fn a_log_key_stands_once_whatever_its_names_are() {
        let line = |name: &str| format!("log {}\n", log(name));
        let once = format!("{}quorum none\n", line("one.example"));
        assert_eq!(TlogPolicy::parse(&once).expect("a policy").logs().len(), 1);
        for second in ["one.example", "two.example"] {
            let refusal = TlogPolicy::parse(&format!("{}{once}", line(second))).expect_err("the key again");
            assert_eq!(
                (refusal.code, refusal.expected.as_str()),
                (RejectionCode::Malformed, "each log key once")
            );
            assert_eq!(refusal.subject, "policy line 2: policy");
        }
    }
}
