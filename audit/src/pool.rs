//! The pool: the immutable parts of an epoch's budget.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::amount::Credits;
use crate::hash::Hash;
use crate::ids::ComponentId;
use crate::leaf::version_tag;
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::text::{FreeText, check_visible};

/// The component that every epoch needs.
pub const BASE_ISSUANCE: &str = "base_issuance";
/// Longest name of a computation, in bytes.
const ALGORITHM_BYTES_MAX: usize = 128;
/// Most components of one epoch.
pub const COMPONENTS_MAX: usize = 1_024;

/// One part of an epoch's budget; its canonical bytes are the leaf `meed/pool/v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolComponent {
    /// How the amount was computed.
    pub algorithm_version: String,
    /// How much, at least 1.
    pub amount: Credits,
    /// What it is, unique in the epoch.
    pub component: ComponentId,
    /// Where the evidence is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evidence_ref: Option<FreeText>,
    /// SHA-256 of the canonical inputs of the computation; of `{}` where there are none.
    pub inputs_hash: Hash,
    /// `meed/pool/v1`.
    pub v: PoolV1,
}

version_tag! {
    /// The format of pool leaves.
    PoolV1, PoolComponent, "meed/pool/v1", PoolComponent::check_values
}

impl PoolComponent {
    /// A checked component.
    ///
    /// # Errors
    /// `pool_not_positive`, `number_too_large`, or the refusal of the version's text.
    pub fn new(
        component: ComponentId,
        amount: Credits,
        algorithm_version: &str,
        inputs_hash: Hash,
        evidence_ref: Option<FreeText>,
    ) -> Checked<Self> {
        let algorithm_version = algorithm_version.to_owned();
        let part = Self { algorithm_version, amount, component, evidence_ref, inputs_hash, v: PoolV1 };
        part.check_values()?;
        Ok(part)
    }

    /// What the fields' types do not say: of a component that is made here, and of one that is read.
    fn check_values(&self) -> Checked<()> {
        check_visible("algorithm_version", &self.algorithm_version, ALGORITHM_BYTES_MAX)?;
        if self.amount == Credits::ZERO {
            let subject = format!("pool component {}", self.component);
            return Err(Rejection::new(
                RejectionCode::PoolNotPositive,
                subject,
                "an amount of at least 1",
                0,
            ));
        }
        Credits::single(self.amount.value()).map(|_| ())
    }
}

/// The components of an epoch, by id, and their sum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    components: BTreeMap<ComponentId, PoolComponent>,
    total: Credits,
}

impl Pool {
    /// Adds a component. True when it is new, false when the same stands there already.
    ///
    /// # Errors
    /// `pool_conflict` when another stands there; `number_too_large` when the sum would exceed 2^96 - 1.
    pub fn add(&mut self, component: PoolComponent) -> Checked<bool> {
        component.check_values()?;
        if let Some(existing) = self.components.get(&component.component) {
            if *existing == component {
                return Ok(false);
            }
            let (expected, got) = difference(existing, &component);
            let subject = format!("pool component {}", component.component);
            return Err(Rejection::new(RejectionCode::PoolConflict, subject, expected, got));
        }
        if self.components.len() >= COMPONENTS_MAX {
            let expected = format!("at most {COMPONENTS_MAX} components");
            return Err(Rejection::new(RejectionCode::TooMany, "pool", expected, "one more"));
        }
        let total = self.total.plus(component.amount)?;
        self.total = Credits::single(total.value()).map_err(|rejection| rejection.within("pool total"))?;
        self.components.insert(component.component.clone(), component);
        Ok(true)
    }

    /// The pool of `components`, each of which is there once.
    ///
    /// # Errors
    /// As [`Pool::add`], and `duplicate_field` for a component that is there twice.
    pub fn from_components(components: impl IntoIterator<Item = PoolComponent>) -> Checked<Self> {
        let mut pool = Self::default();
        for component in components {
            let name = component.component.clone();
            if !pool.add(component)? {
                return Err(Rejection::new(
                    RejectionCode::DuplicateField,
                    name.as_str(),
                    "the component once",
                    "it twice",
                ));
            }
        }
        Ok(pool)
    }

    /// Refuses a pool without `base_issuance` (rule `POOL_REQUIRES_BASE`).
    ///
    /// # Errors
    /// `base_issuance_missing`.
    pub fn require_base(&self) -> Checked<()> {
        if self.components.keys().any(|component| component.as_str() == BASE_ISSUANCE) {
            return Ok(());
        }
        let got = format!("{} components without it", self.components.len());
        Err(Rejection::new(RejectionCode::BaseIssuanceMissing, "pool", "the component base_issuance", got))
    }

    /// The components in the order of their tree.
    pub fn components(&self) -> impl ExactSizeIterator<Item = &PoolComponent> {
        self.components.values()
    }

    /// The sum of all amounts.
    pub fn total(&self) -> Credits {
        self.total
    }
}

/// In what another component of the same name differs from the stored one: the stored parts, and those that came.
fn difference(stored: &PoolComponent, given: &PoolComponent) -> (String, String) {
    let evidence = |component: &PoolComponent| match &component.evidence_ref {
        Some(evidence) => format!("evidence {:?}", evidence.as_str()),
        None => "no evidence".to_owned(),
    };
    let parts = |component: &PoolComponent| {
        [
            format!("amount {}", component.amount),
            evidence(component),
            format!("inputs of SHA-256 {}", component.inputs_hash),
            format!("computed by {}", component.algorithm_version),
        ]
    };
    let differing: Vec<(String, String)> =
        parts(stored).into_iter().zip(parts(given)).filter(|(stored, given)| stored != given).collect();
    let (stored, given): (Vec<String>, Vec<String>) = differing.into_iter().unzip();
    (format!("the stored component, with {}", stored.join(", ")), given.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaf::Leaf as _;

    fn component(id: &str, amount: u128) -> PoolComponent {
        let amount = Credits::single(amount).expect("amount");
        PoolComponent {
            algorithm_version: "v1".to_owned(),
            amount,
            component: id.parse().expect("id"),
            evidence_ref: None,
            inputs_hash: Hash::of(b"{}"),
            v: PoolV1,
        }
    }

    #[test]
    fn components_are_unique_positive_and_never_edited() {
        let mut pool = Pool::default();
        assert_eq!(pool.require_base().expect_err("empty").code, RejectionCode::BaseIssuanceMissing);
        assert!(pool.add(component("base_issuance", 10_000)).expect("new"));
        assert!(!pool.add(component("base_issuance", 10_000)).expect("the same again is nothing"));
        let conflict = pool.add(component("base_issuance", 10_001)).expect_err("another amount");
        assert_eq!(conflict.code, RejectionCode::PoolConflict);
        assert_eq!(pool.add(component("bonus", 0)).expect_err("zero").code, RejectionCode::PoolNotPositive);
        let rest = crate::amount::AMOUNT_MAX - 10_000;
        assert!(pool.add(component("bonus", rest)).expect("up to the limit"));
        assert_eq!(pool.add(component("more", 1)).expect_err("beyond").code, RejectionCode::NumberTooLarge);
        assert_eq!(pool.total().value(), crate::amount::AMOUNT_MAX);
        assert!(pool.require_base().is_ok());
    }

    #[test]
    fn a_leaf_that_is_read_keeps_the_limits_of_one_that_is_made() {
        let good = component("base_issuance", 1);
        assert_eq!(PoolComponent::decode(&good.encode()).expect("decodes"), good);
        for version in ["", "v\u{202e}1", "v\n1", &"v".repeat(ALGORITHM_BYTES_MAX + 1)] {
            let bad = PoolComponent { algorithm_version: version.to_owned(), ..good.clone() };
            assert!(PoolComponent::decode(&bad.encode()).is_err(), "{version:?}");
            assert!(Pool::from_components([bad]).is_err(), "{version:?}");
        }
        let nothing = PoolComponent { amount: Credits::ZERO, ..good };
        let refusal = PoolComponent::decode(&nothing.encode()).expect_err("nothing");
        assert_eq!(refusal.code, RejectionCode::PoolNotPositive);
    }
}
