//! Approver sets: who may approve a scope's statements, and how many of them must.

use crate::algorithm::Algorithm;
use crate::error::ApproverSetError;
use crate::limits::MAX_APPROVERS;
use crate::name::KeyName;
use crate::signature_line::SignatureLine;
use crate::verifier_key::VerifierKey;

const THRESHOLD_LINE_START: &str = "Threshold: ";
const APPROVER_LINE_START: &str = "Approver: ";

/// k of n approvers, 1 <= k <= n <= [`MAX_APPROVERS`]: distinct names, distinct public keys, every one of type
/// 0x04 with a name that can be registered; sorted by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ApproverSet {
    threshold: u8,
    approvers: Vec<VerifierKey>,
}

impl ApproverSet {
    /// A set of `threshold` of `keys`, which may come in any order.
    ///
    /// # Errors
    /// Refuses a set that breaks one of the rules above, and names the rule and the members.
    pub fn new(threshold: u8, keys: Vec<VerifierKey>) -> Result<ApproverSet, ApproverSetError> {
        let members = keys.len();
        if members == 0 || members > MAX_APPROVERS {
            return Err(ApproverSetError::Size { limit: MAX_APPROVERS, got: members });
        }
        let got = usize::from(threshold);
        if got == 0 || got > members {
            return Err(ApproverSetError::Threshold { members, got });
        }
        keys.iter().try_for_each(check_member)?;
        let mut approvers = keys;
        approvers.sort();
        check_distinct(&approvers)?;
        Ok(ApproverSet { threshold, approvers })
    }

    /// k: how many of the approvers must sign.
    pub fn threshold(&self) -> u8 {
        self.threshold
    }

    /// The approvers, sorted by name.
    pub fn approvers(&self) -> &[VerifierKey] {
        &self.approvers
    }

    /// n: how many approvers there are; never 0.
    #[expect(clippy::len_without_is_empty, reason = "a set is never empty")]
    pub fn len(&self) -> usize {
        self.approvers.len()
    }

    /// The approver that a signature line names, by name and key id.
    pub fn find_signer(&self, line: &SignatureLine) -> Option<&VerifierKey> {
        self.approvers.iter().find(|key| key.is_named_by(line))
    }

    /// Whether half of the approvers or fewer can approve (2k <= n), so that two disjoint groups could approve two
    /// different texts. Allowed, but worth a warning.
    pub fn is_weak_majority(&self) -> bool {
        usize::from(self.threshold) * 2 <= self.approvers.len()
    }

    /// The set as lines of text: `Threshold: k of n`, then `Approver: <verifier key>` for each, by name.
    pub fn to_lines(&self) -> Vec<String> {
        let threshold = format!("{THRESHOLD_LINE_START}{} of {}", self.threshold, self.approvers.len());
        let approvers = self.approvers.iter().map(|key| format!("{APPROVER_LINE_START}{key}"));
        std::iter::once(threshold).chain(approvers).collect()
    }

    /// Reads exactly the lines that [`ApproverSet::to_lines`] writes.
    ///
    /// # Errors
    /// Names the first line that is wrong, then the rule that the set breaks.
    pub fn from_lines(lines: &[&str]) -> Result<ApproverSet, ApproverSetError> {
        let (first, rest) =
            lines.split_first().ok_or(ApproverSetError::ThresholdLine { got: String::new() })?;
        let (threshold, expected) = parse_threshold(first)?;
        if rest.len() > MAX_APPROVERS {
            return Err(ApproverSetError::Size { limit: MAX_APPROVERS, got: rest.len() });
        }
        let keys = (2..)
            .zip(rest)
            .map(|(number, line)| parse_approver(number, line))
            .collect::<Result<Vec<_>, _>>()?;
        if keys.len() != usize::from(expected) {
            return Err(ApproverSetError::Count { expected: usize::from(expected), got: keys.len() });
        }
        check_order(&keys)?;
        ApproverSet::new(threshold, keys)
    }
}

fn check_member(key: &VerifierKey) -> Result<(), ApproverSetError> {
    let name = key.name().clone();
    if key.algorithm() != Algorithm::CosignatureV1 {
        return Err(ApproverSetError::Algorithm { name, got: key.algorithm() });
    }
    match KeyName::registrable(name.as_str()) {
        Ok(_) => Ok(()),
        Err(source) => Err(ApproverSetError::Name { name, source }),
    }
}

fn check_distinct(approvers: &[VerifierKey]) -> Result<(), ApproverSetError> {
    for (index, second) in approvers.iter().enumerate() {
        for first in approvers.iter().take(index) {
            let names = || (first.name().clone(), second.name().clone());
            if first.name() == second.name() {
                return Err(ApproverSetError::DuplicateName { name: second.name().clone() });
            }
            if first.public_key() == second.public_key() {
                let (first, second) = names();
                return Err(ApproverSetError::DuplicateKey { first, second });
            }
            if first.key_id() == second.key_id() {
                let key_id = first.key_id();
                let (first, second) = names();
                return Err(ApproverSetError::DuplicateKeyId { first, second, key_id });
            }
        }
    }
    Ok(())
}

fn check_order(keys: &[VerifierKey]) -> Result<(), ApproverSetError> {
    let after = keys.iter().skip(1);
    match keys.iter().zip(after).find(|(previous, next)| previous.name() > next.name()) {
        None => Ok(()),
        Some((previous, next)) => {
            Err(ApproverSetError::Order { previous: previous.name().clone(), got: next.name().clone() })
        }
    }
}

fn parse_threshold(line: &str) -> Result<(u8, u8), ApproverSetError> {
    line.strip_prefix(THRESHOLD_LINE_START)
        .and_then(|rest| rest.split_once(" of "))
        .and_then(|(threshold, members)| Some((parse_count(threshold)?, parse_count(members)?)))
        .ok_or_else(|| ApproverSetError::ThresholdLine { got: line.to_owned() })
}

/// A decimal number as it is written: no sign, no leading zero.
fn parse_count(text: &str) -> Option<u8> {
    text.parse::<u8>().ok().filter(|number| number.to_string() == text)
}

fn parse_approver(number: usize, line: &str) -> Result<VerifierKey, ApproverSetError> {
    let key = line
        .strip_prefix(APPROVER_LINE_START)
        .ok_or_else(|| ApproverSetError::ApproverLine { number, got: line.to_owned() })?;
    key.parse().map_err(|source| ApproverSetError::VerifierKey { number, source })
}
