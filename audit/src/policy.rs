//! The policy of a scope: what events weigh, in which unit is paid, and what happens to who is not known.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::amount::{Units, parse_count};
use crate::hash::Hash;
use crate::ids::{EventType, ScopeId, Source};
use crate::json::Value;
use crate::leaf::{Leaf, version_tag};
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::window::WindowDays;

/// Most weights of one policy.
pub const WEIGHTS_MAX: usize = 256;
/// Most decimals of a unit.
pub const DECIMALS_MAX: u8 = 36;
/// The one algorithm there is.
pub const ALGORITHM: &str = "weight-sum-v1";

/// The weights that a scope gets when it names none, in milli-units.
pub const DEFAULT_WEIGHTS: [(&str, u128); 8] = [
    ("discord:message_sent", 50),
    ("git:commit", 1_000),
    ("git:merge", 250),
    ("git:review", 500),
    ("github:comment_created", 100),
    ("github:issue_closed", 300),
    ("github:pr_merged", 1_000),
    ("github:review_submitted", 500),
];

/// What a scope pays in: `credits 0`, `USDC 6`. Fixed when the scope is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    symbol: String,
    decimals: u8,
}

impl Unit {
    /// A unit with its number of decimals (0 to 36).
    ///
    /// # Errors
    /// `invalid_identifier` for another symbol than `[A-Za-z0-9._:/-]{1,64}`, `number_too_large` for decimals.
    pub fn new(symbol: &str, decimals: u8) -> Checked<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
        if !(1..=64).contains(&symbol.len()) || !symbol.bytes().all(allowed) {
            let expected = "1 to 64 of A-Z, a-z, 0-9, . _ : / -";
            return Err(Rejection::new(RejectionCode::InvalidIdentifier, "unit", expected, symbol));
        }
        if decimals > DECIMALS_MAX {
            let expected = format!("at most {DECIMALS_MAX}");
            return Err(Rejection::new(RejectionCode::NumberTooLarge, "decimals", expected, decimals));
        }
        Ok(Self { symbol: symbol.to_owned(), decimals })
    }

    /// The symbol.
    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    /// How many decimals people see; one credit is the smallest unit.
    pub fn decimals(&self) -> u8 {
        self.decimals
    }
}

impl Default for Unit {
    fn default() -> Self {
        Self { symbol: "credits".to_owned(), decimals: 0 }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.symbol, self.decimals)
    }
}

impl FromStr for Unit {
    type Err = Rejection;

    fn from_str(text: &str) -> Checked<Self> {
        let refuse =
            || Rejection::new(RejectionCode::Malformed, "unit", "a symbol, a space and decimals", text);
        let (symbol, decimals) = text.split_once(' ').ok_or_else(refuse)?;
        let decimals = parse_count("decimals", decimals)?;
        Self::new(symbol, u8::try_from(decimals).unwrap_or(u8::MAX))
    }
}

/// What happens to the units of identities that nobody has bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unlinked {
    /// They earn as identity claimants.
    #[default]
    Claim,
    /// They are left out until bound; their units go to nobody.
    Exclude,
}

impl FromStr for Unlinked {
    type Err = Rejection;

    fn from_str(text: &str) -> Checked<Self> {
        match text {
            "claim" => Ok(Self::Claim),
            "exclude" => Ok(Self::Exclude),
            _ => Err(Rejection::new(RejectionCode::Malformed, "unlinked", "claim or exclude", text)),
        }
    }
}

/// How a weight is written.
const WEIGHT_FORM: &str = "a whole number, written as an integer or a decimal string";

/// What each type of event weighs, by `<source>:<event_type>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights(Vec<(String, Units)>);

impl Weights {
    /// The documented defaults.
    ///
    /// # Errors
    /// None in practice: the table is tested.
    pub fn defaults() -> Checked<Self> {
        DEFAULT_WEIGHTS
            .iter()
            .map(|(key, units)| Ok(((*key).to_owned(), Units::single(*units)?)))
            .collect::<Checked<_>>()
            .map(Self::of)
    }

    /// Reads a weights file: one JSON object from `<source>:<event_type>` to an integer or a decimal string.
    ///
    /// # Errors
    /// Names the key whose name or number is refused (rule `WEIGHTS_INTEGER_ONLY`).
    pub fn parse(bytes: &[u8]) -> Checked<Self> {
        let value = Value::parse_edge(bytes).map_err(|mut rejection| {
            if rejection.code == RejectionCode::NumberLosesPrecision {
                WEIGHT_FORM.clone_into(&mut rejection.expected);
            }
            rejection
        })?;
        let kind = value.kind();
        let Value::Object(fields) = value else {
            return Err(Rejection::new(RejectionCode::WrongType, "weights", "a JSON object", kind));
        };
        check_weights_count(fields.len())?;
        let mut weights = BTreeMap::new();
        for (key, value) in fields {
            check_weight_key(&key)?;
            let text = value
                .as_str()
                .ok_or_else(|| Rejection::new(RejectionCode::WrongType, &key, WEIGHT_FORM, value.kind()))?;
            weights.insert(key.clone(), Units::parse_single(&key, text)?);
        }
        Ok(Self::of(weights))
    }

    /// Sorted, because a map is.
    fn of(weights: BTreeMap<String, Units>) -> Self {
        Self(weights.into_iter().collect())
    }

    /// The weight of a type of event; 0 where none is given.
    pub fn units_of(&self, source: &str, event_type: &str) -> Units {
        let place = self.0.binary_search_by(|(key, _)| compare_key(key, source, event_type));
        place.ok().and_then(|place| self.0.get(place)).map_or(Units::ZERO, |(_, units)| *units)
    }

    /// All weights, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Units)> {
        self.0.iter().map(|(key, units)| (key.as_str(), *units))
    }
}

/// Orders a key and the key `<source>:<event_type>`, which is not written for that: every event asks.
fn compare_key(key: &str, source: &str, event_type: &str) -> Ordering {
    let (key, source) = (key.as_bytes(), source.as_bytes());
    let Some((beginning, rest)) = key.split_at_checked(source.len()) else {
        // A key shorter than the source, and so than what is asked for.
        return key.cmp(source);
    };
    beginning.cmp(source).then_with(|| match rest.split_first() {
        None => Ordering::Less,
        Some((sign, rest)) => sign.cmp(&b':').then_with(|| rest.cmp(event_type.as_bytes())),
    })
}

fn check_weight_key(key: &str) -> Checked<()> {
    let (source, event_type) = key.split_once(':').ok_or_else(|| {
        Rejection::new(RejectionCode::InvalidIdentifier, "weights", "<source>:<event_type>", key)
    })?;
    source.parse::<Source>().and(event_type.parse::<EventType>().map(|_| ())).map_err(|r| r.within("weights"))
}

/// The policy document of a scope, pinned when an epoch opens; its canonical bytes are `meed/policy/v1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The scope.
    pub scope: ScopeId,
    /// What is paid.
    pub unit: Unit,
    /// What happens to who is not known.
    pub unlinked: Unlinked,
    /// Length of an epoch.
    pub window_days: WindowDays,
    /// What events weigh.
    pub weights: Weights,
}

impl Policy {
    /// The document's canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        PolicyDocument::from(self).encode()
    }

    /// SHA-256 of the document.
    pub fn hash(&self) -> Hash {
        Hash::of(&self.encode())
    }

    /// Reads the canonical document.
    ///
    /// # Errors
    /// As [`Leaf::decode`], and for values out of range.
    pub fn decode(bytes: &[u8]) -> Checked<Self> {
        PolicyDocument::decode(bytes)?.try_into()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyDocument {
    algorithm: String,
    decimals: String,
    epoch_days: String,
    scope: ScopeId,
    unit: String,
    unlinked: Unlinked,
    v: PolicyV1,
    weights: Vec<WeightEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WeightEntry {
    r#type: String,
    units: Units,
}

version_tag! {
    /// The format of policy documents.
    PolicyV1, PolicyDocument, "meed/policy/v1"
}

impl From<&Policy> for PolicyDocument {
    fn from(policy: &Policy) -> Self {
        let entry = |(key, units): (&str, Units)| WeightEntry { r#type: key.to_owned(), units };
        Self {
            algorithm: ALGORITHM.to_owned(),
            decimals: policy.unit.decimals.to_string(),
            epoch_days: policy.window_days.get().to_string(),
            scope: policy.scope,
            unit: policy.unit.symbol.clone(),
            unlinked: policy.unlinked,
            v: PolicyV1,
            weights: policy.weights.iter().map(entry).collect(),
        }
    }
}

fn check_weights_count(count: usize) -> Checked<()> {
    if count <= WEIGHTS_MAX {
        return Ok(());
    }
    let expected = format!("at most {WEIGHTS_MAX} weights");
    Err(Rejection::new(RejectionCode::TooMany, "weights", expected, count))
}

impl TryFrom<PolicyDocument> for Policy {
    type Error = Rejection;

    fn try_from(document: PolicyDocument) -> Checked<Self> {
        if document.algorithm != ALGORITHM {
            return Err(Rejection::new(RejectionCode::Mismatch, "algorithm", ALGORITHM, document.algorithm));
        }
        check_weights_count(document.weights.len())?;
        let mut weights = BTreeMap::new();
        let mut last: Option<&str> = None;
        for entry in &document.weights {
            check_weight_key(&entry.r#type)?;
            if last.is_some_and(|last| last >= entry.r#type.as_str()) {
                let expected = "types in strictly ascending order";
                return Err(Rejection::new(RejectionCode::NotCanonical, "weights", expected, &entry.r#type));
            }
            last = Some(&entry.r#type);
            weights.insert(entry.r#type.clone(), Units::single(entry.units.value())?);
        }
        let days = parse_count("epoch_days", &document.epoch_days)?;
        let decimals = parse_count("decimals", &document.decimals)?;
        Ok(Self {
            scope: document.scope,
            unit: Unit::new(&document.unit, u8::try_from(decimals).unwrap_or(u8::MAX))?,
            unlinked: document.unlinked,
            window_days: WindowDays::new(u32::try_from(days).unwrap_or(u32::MAX))?,
            weights: Weights::of(weights),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_integer_only() {
        let weights = Weights::parse(br#"{"git:commit":8000,"git:review":"2000"}"#).expect("weights");
        assert_eq!(weights.units_of("git", "review").value(), 2_000);
        assert_eq!(weights.units_of("git", "merge"), Units::ZERO);
        for (text, code) in [
            (r#"{"git:commit":-1}"#, RejectionCode::InvalidNumber),
            (r#"{"git:commit":1.5}"#, RejectionCode::NumberLosesPrecision),
            (r#"{"git:commit":1e3}"#, RejectionCode::NumberLosesPrecision),
            (r#"{"git:commit":9007199254740993}"#, RejectionCode::NumberLosesPrecision),
            (r#"{"git:commit":"79228162514264337593543950336"}"#, RejectionCode::NumberTooLarge),
            (r#"{"git:commit":true}"#, RejectionCode::WrongType),
            (r#"{"git:commit":null}"#, RejectionCode::NullNotAllowed),
            (r#"{"commit":1}"#, RejectionCode::InvalidIdentifier),
            (r#"{"git:commit":1,"git:commit":2}"#, RejectionCode::DuplicateField),
            ("[]", RejectionCode::WrongType),
        ] {
            assert_eq!(Weights::parse(text.as_bytes()).expect_err(text).code, code, "{text}");
        }
    }

    #[test]
    fn keys_are_ordered_as_their_texts_are() {
        let parts = ["", "a", "a-", "a-b", "a:", "ab", "b"];
        for key in ["", "a", "a-", "a-:", "a:", "a:a", "a:a-b", "a:b", "ab:a", "b:", "z"] {
            for (source, event_type) in parts.iter().flat_map(|s| parts.iter().map(move |t| (s, t))) {
                let written = format!("{source}:{event_type}");
                assert_eq!(compare_key(key, source, event_type), key.cmp(&written), "{key} {written}");
            }
        }
    }

    #[test]
    fn policy_documents_round_trip() {
        let policy = Policy {
            scope: "a28a8b1e-1f9d-5cd5-9329-569e4819feda".parse().expect("scope"),
            unit: Unit::default(),
            unlinked: Unlinked::Claim,
            window_days: WindowDays::WEEK,
            weights: Weights::defaults().expect("defaults"),
        };
        let text = String::from_utf8(policy.encode()).expect("text");
        assert!(text.starts_with(r#"{"algorithm":"weight-sum-v1","decimals":"0","epoch_days":"7","scope":"#));
        assert_eq!(Policy::decode(text.as_bytes()).expect("decodes"), policy);
        assert!(Policy::decode(text.replace("\"7\"", "\"8\"").as_bytes()).is_err());
        assert!(Policy::decode(text.replace(":\"claim\"", ":\"keep\"").as_bytes()).is_err());
        for (count, fits) in [(WEIGHTS_MAX, true), (WEIGHTS_MAX + 1, false)] {
            let weights = (0..count).map(|number| (format!("git:t{number}"), Units::ZERO)).collect();
            let many = Policy { weights: Weights::of(weights), ..policy.clone() };
            assert_eq!(Policy::decode(&many.encode()).is_ok(), fits, "{count}");
        }
    }
}
