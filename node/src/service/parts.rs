//! Parts of lists: which one a request wants, and how it is answered.

use meed_audit::{Checked, Rejection, RejectionCode};
use meed_storage::Part;

use crate::api::documents::Page;
use crate::failure::Failure;

/// Which part of a list a request wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    from: Option<String>,
    limit: usize,
}

impl Wanted {
    /// The part that begins at `from`, the `next` of the part before it, with at most `limit` items.
    ///
    /// # Errors
    /// `number_too_small` for no items, `number_too_large` for more than `limit_max`.
    pub fn new(from: Option<String>, limit: u64, limit_max: u64) -> Checked<Self> {
        let code = match limit {
            0 => RejectionCode::NumberTooSmall,
            more if more > limit_max => RejectionCode::NumberTooLarge,
            _ => return Ok(Self { from, limit: usize::try_from(limit).unwrap_or(usize::MAX) }),
        };
        Err(Rejection::new(code, "limit", format!("1 to {limit_max}"), limit))
    }

    /// The first `limit` items.
    pub fn first(limit: usize) -> Self {
        Self { from: None, limit: limit.max(1) }
    }

    /// The part that begins at `from`, where it says so.
    pub(crate) fn at(from: &str, limit: usize) -> Self {
        let from = (!from.is_empty()).then(|| from.to_owned());
        Self { from, ..Self::first(limit) }
    }

    /// Most items of the part.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Where it begins, as it came.
    pub(crate) fn text(&self) -> Option<&str> {
        self.from.as_deref()
    }

    /// Where it begins.
    ///
    /// # Errors
    /// `malformed` for what no part of this list has as its `next`.
    pub(crate) fn from<K>(&self, read: impl FnOnce(&str) -> Option<K>) -> Checked<Option<K>> {
        let Some(text) = self.text() else { return Ok(None) };
        let expected = "the `next` of the part before";
        let refuse = || Rejection::new(RejectionCode::Malformed, "from", expected, text);
        read(text).ok_or_else(refuse).map(Some)
    }

    /// Where it begins in a list whose items are numbered.
    ///
    /// # Errors
    /// As [`Wanted::from`].
    pub(crate) fn start_number(&self) -> Checked<u64> {
        Ok(self.from(|text| text.parse().ok())?.unwrap_or(0))
    }
}

/// A part as it is answered.
pub(super) fn page<T, K, U>(
    part: Part<T, K>,
    cursor: impl FnOnce(K) -> String,
    view: impl FnMut(T) -> Result<U, Failure>,
) -> Result<Page<U>, Failure> {
    let items = part.items.into_iter().map(view).collect::<Result<_, _>>()?;
    Ok(Page { items, next: part.next.map(cursor) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_refused_and_not_bent() {
        let limit = |limit| Wanted::new(None, limit, 10).map(|wanted| wanted.limit());
        assert_eq!((limit(1), limit(10)), (Ok(1), Ok(10)));
        for (asked, code) in [(0, RejectionCode::NumberTooSmall), (11, RejectionCode::NumberTooLarge)] {
            let refusal = limit(asked).expect_err("refused");
            assert_eq!(refusal.code, code);
            assert!(refusal.to_string().ends_with(&format!("limit: expected 1 to 10, got {asked}")));
        }
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let wanted = Wanted::new(Some("identity:git:ab".to_owned()), 1, 10).expect("wanted");
        assert_eq!(wanted.start_number().expect_err("refused").code, RejectionCode::Malformed);
        assert_eq!(Wanted::first(1).start_number(), Ok(0));
        assert_eq!(Wanted::at("7", 1).start_number(), Ok(7));
        assert_eq!(Wanted::at("", 1).text(), None);
    }
}
