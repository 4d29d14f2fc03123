//! Authors of an event, and how its units are shared among them.

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};

use super::AUTHORS_MAX;
use crate::amount::{SHARE_WHOLE, parse_decimal};
use crate::ids::{Identity, Provider};
use crate::rejection::{Checked, Rejection, RejectionCode};

/// Who did it, and which part of the event's units is theirs, in parts per million.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "AuthorFields")]
pub struct Author {
    /// The account.
    pub identity: Identity,
    /// Parts per million, 1 to 1,000,000; the shares of an event sum to 1,000,000.
    pub share: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthorFields {
    id: String,
    provider: Provider,
    share: String,
}

impl Serialize for Author {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The same fields as where it is read, without making texts of them first.
        let mut fields = serializer.serialize_struct("AuthorFields", 3)?;
        fields.serialize_field("id", self.identity.external_id())?;
        fields.serialize_field("provider", &self.identity.provider())?;
        fields.serialize_field("share", itoa::Buffer::new().format(self.share))?;
        fields.end()
    }
}

impl TryFrom<AuthorFields> for Author {
    type Error = Rejection;

    fn try_from(fields: AuthorFields) -> Checked<Self> {
        let identity = Identity::new(fields.provider, &fields.id)?;
        Ok(Self { identity, share: parse_share("share", &fields.share)? })
    }
}

/// Parses a share in parts per million, 1 to 1,000,000.
///
/// # Errors
/// `invalid_number`, or `invalid_shares` when it is zero or above the whole.
pub fn parse_share(field: &str, text: &str) -> Checked<u32> {
    let share = parse_decimal(field, text)?;
    match u32::try_from(share) {
        Ok(share @ 1..=SHARE_WHOLE) => Ok(share),
        _ => Err(Rejection::new(RejectionCode::InvalidShares, field, format!("1 to {SHARE_WHOLE}"), text)),
    }
}

/// Equal shares for `count` owners: floor(1,000,000 / count) each, one more to the first ones until they sum up.
pub fn equal_shares(count: usize) -> Vec<u32> {
    let count = u32::try_from(count).unwrap_or(u32::MAX).clamp(1, SHARE_WHOLE);
    let (floor, extra) = (SHARE_WHOLE / count, SHARE_WHOLE % count);
    (0..count).map(|position| floor + u32::from(position < extra)).collect()
}

/// Sorts authors by provider and id, fills in equal shares, and checks that they are distinct and sum to a whole.
pub(super) fn check_authors(mut authors: Vec<(Identity, Option<u32>)>) -> Checked<Vec<Author>> {
    if !(1..=AUTHORS_MAX).contains(&authors.len()) {
        let expected = format!("1 to {AUTHORS_MAX} authors");
        return Err(Rejection::new(RejectionCode::TooMany, "authors", expected, authors.len()));
    }
    authors.sort();
    let refuse = |got: String| {
        let expected = "distinct authors, all with shares that sum to 1000000 or all without";
        Rejection::new(RejectionCode::InvalidShares, "authors", expected, got)
    };
    if let Some(twice) = authors.windows(2).find_map(|pair| match pair {
        [(a, _), (b, _)] if a == b => Some(a),
        _ => None,
    }) {
        return Err(refuse(format!("{twice} twice")));
    }
    if authors.iter().all(|(_, share)| share.is_none()) {
        let shares = equal_shares(authors.len());
        return Ok(authors
            .into_iter()
            .zip(shares)
            .map(|((identity, _), share)| Author { identity, share })
            .collect());
    }
    let mut sum = 0_u64;
    let mut checked = Vec::with_capacity(authors.len());
    for (identity, share) in authors {
        let share = share.ok_or_else(|| refuse(format!("{identity} without a share")))?;
        sum += u64::from(share);
        checked.push(Author { identity, share });
    }
    if sum == u64::from(SHARE_WHOLE) && checked.iter().all(|author| author.share > 0) {
        return Ok(checked);
    }
    Err(refuse(format!("a sum of {sum}")))
}
