//! Shares of an event as people write them.

use std::collections::BTreeMap;

use meed_audit::RejectionCode;

use crate::failure::{Failure, reject};

/// Parts per million by claimant, from texts `CLAIMANT=PPM`.
///
/// # Errors
/// `invalid_shares` for a text of another form, or a claimant that stands twice.
pub(crate) fn read_shares(shares: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let refuse = |expected: &str, got: &str| reject(RejectionCode::InvalidShares, "share", expected, got);
    let mut by_claimant = BTreeMap::new();
    for share in shares {
        let (claimant, ppm) = share.rsplit_once('=').ok_or_else(|| refuse("CLAIMANT=PPM", share))?;
        if by_claimant.insert(claimant.to_owned(), ppm.to_owned()).is_some() {
            return Err(refuse("each claimant once", claimant));
        }
    }
    Ok(by_claimant)
}
