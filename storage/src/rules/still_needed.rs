//! Whose cosignatures a proposed approver set still needs, in words.

use meed_audit::approvers::ApproverSetText;
use meed_keys::{SignatureLine, VerifierKey};

/// Which members of the set in force have signed and which have not, where they are too few, and who joins and has not
/// signed. Empty where nobody is missing.
pub(crate) fn still_needed(
    current: &ApproverSetText,
    next: &ApproverSetText,
    lines: &[SignatureLine],
) -> String {
    let has_signed = |key: &VerifierKey| {
        lines.iter().any(|line| line.name() == key.name() && line.key_id() == key.key_id())
    };
    let members = current.set.approvers();
    let (signed, unsigned): (Vec<_>, Vec<_>) = members.iter().partition(|key| has_signed(key));
    let joining = next.set.approvers().iter().filter(|key| !members.contains(key));
    let joining: Vec<_> = joining.filter(|key| !has_signed(key)).collect();
    let mut needed = Vec::new();
    if signed.len() < usize::from(current.set.threshold()) {
        needed.push(format!(
            "{} of the {} of version {}, the set in force: signed by {}, not by {}",
            current.set.threshold(),
            members.len(),
            current.version,
            names(&signed),
            names(&unsigned)
        ));
    }
    if !joining.is_empty() {
        needed.push(format!(
            "each who joins with version {}: not signed by {}",
            next.version,
            names(&joining)
        ));
    }
    needed.join("; and ")
}

fn names(keys: &[&VerifierKey]) -> String {
    let names: Vec<&str> = keys.iter().map(|key| key.name().as_str()).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}
