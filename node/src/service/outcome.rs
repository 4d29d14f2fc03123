//! Small things that the answers of several topics share.

/// The part of a list from `from` on, and where the next one begins.
pub(super) fn page<T>(all: Vec<T>, from: u64, limit: u64) -> (Vec<T>, Option<u64>) {
    let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
    let skip = usize::try_from(from).unwrap_or(usize::MAX);
    let take = usize::try_from(limit).unwrap_or(usize::MAX);
    let after = from.saturating_add(limit);
    (all.into_iter().skip(skip).take(take).collect(), (after < total).then_some(after))
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn pages_cover_a_list_once() {
        for total in 0..20_u64 {
            for limit in 1..8 {
                let (mut seen, mut from) = (Vec::new(), Some(0));
                while let Some(at) = from {
                    let (items, next) = page((0..total).collect(), at, limit);
                    seen.extend(items);
                    from = next;
                }
                assert_eq!(seen, (0..total).collect::<Vec<_>>());
            }
        }
    }
}
