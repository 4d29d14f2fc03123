//! The bytes of an event's activity leaf, written into a room that the next one takes over.

use crate::activity::{AuthorEntry, Earnings, EpochEntry, ExternalId, Weighed};
use crate::amount::Units;
use crate::canonical;
use crate::hash::Hash;
use crate::rejection::{Checked, Rejection, RejectionCode};

/// Where an event's leaf is written, with its claimants.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    leaf: Vec<u8>,
    pub(super) claims: Vec<(Claim, Units)>,
}

/// Who gets units of an event.
#[derive(Clone, Copy, Debug)]
pub(super) enum Claim {
    /// The sole author, as the identity that it is.
    Author,
    /// The claimant of this row.
    Row(usize),
}

impl Room {
    /// The hash of the activity leaf, whose bytes are those of [`Activity`](crate::activity::Activity): a test compares
    /// them.
    pub(super) fn leaf_hash(
        &mut self,
        entry: &EpochEntry<'_>,
        late: bool,
        weighed: &Weighed<'_>,
        earned: &Earnings,
    ) -> Checked<Hash> {
        let Self { leaf, claims } = self;
        leaf.clear();
        // The prefix of leaves (RFC 6962 section 2.1).
        leaf.extend_from_slice(b"\0{\"claimants\":[");
        for (number, (claim, units)) in claims.iter().enumerate() {
            leaf.extend_from_slice(if number == 0 { b"{\"key\":\"" } else { b",{\"key\":\"" });
            match claim {
                Claim::Author => {
                    weighed.sole_author(entry).into_iter().for_each(|author| push_author(leaf, author))
                }
                Claim::Row(place) => {
                    let text = earned.claimant_at(*place).map(ToString::to_string);
                    leaf.extend_from_slice(text.unwrap_or_default().as_bytes());
                }
            }
            push_number(leaf, "\",\"units\":\"", units.value());
            leaf.extend_from_slice(b"\"}");
        }
        leaf.extend_from_slice(b"],\"event\":");
        push_text(leaf, entry.id)?;
        leaf.extend_from_slice(b",\"event_hash\":\"");
        entry.event_hash.push_hex(leaf);
        push_flag(leaf, "\",\"included\":", weighed.included);
        push_number(leaf, ",\"index\":\"", entry.index);
        push_flag(leaf, "\",\"late\":", late);
        if let Some(reason) = weighed.reason {
            leaf.extend_from_slice(b",\"reason\":");
            push_text(leaf, reason.as_str())?;
        }
        push_number(leaf, ",\"units\":\"", weighed.units.value());
        push_number(leaf, "\",\"v\":\"meed/activity/v1\",\"weight\":\"", weighed.weight.value());
        leaf.extend_from_slice(b"\"}");
        Ok(Hash::of(leaf))
    }
}

/// The key of an author who earns unbound. Nothing in keys is to be escaped.
fn push_author(leaf: &mut Vec<u8>, author: &AuthorEntry<'_>) {
    for part in ["identity:", author.provider.as_str(), ":"] {
        leaf.extend_from_slice(part.as_bytes());
    }
    match author.external_id {
        ExternalId::Text(text) => leaf.extend_from_slice(text.as_bytes()),
        ExternalId::Hash(hash) => hash.push_hex(leaf),
    }
}

fn push_number(leaf: &mut Vec<u8>, before: &str, number: impl itoa::Integer) {
    leaf.extend_from_slice(before.as_bytes());
    leaf.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn push_flag(leaf: &mut Vec<u8>, before: &str, flag: bool) {
    leaf.extend_from_slice(before.as_bytes());
    leaf.extend_from_slice(if flag { b"true" } else { b"false" });
}

fn push_text(leaf: &mut Vec<u8>, text: &str) -> Checked<()> {
    canonical::append_text(leaf, text)
        .map_err(|_| Rejection::new(RejectionCode::Malformed, "leaf", "a text", "one that cannot be written"))
}
