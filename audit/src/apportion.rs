//! Largest remainder: the one way in which a whole is divided among parts, for payouts and for shares of an event.

use crate::amount::multiply_divide;
use crate::rejection::Checked;

/// Divides `total` in proportion to `weights`, exactly: each part gets the floor of its quota, and what is left goes
/// one each to the largest remainders, ties to the part that stands first. All zero weights get nothing.
///
/// The parts sum to `total` unless all weights are zero. `weight_sum` is the sum of `weights`.
///
/// # Errors
/// `arithmetic_overflow` when the arguments contradict each other.
pub fn apportion(total: u128, weights: &[u128], weight_sum: u128) -> Checked<Vec<u128>> {
    if weight_sum == 0 || total == 0 {
        return Ok(vec![0; weights.len()]);
    }
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders: Vec<(u128, usize)> = Vec::with_capacity(weights.len());
    let mut left_over = total;
    for (position, &weight) in weights.iter().enumerate() {
        let (floor, remainder) = multiply_divide(weight, total, weight_sum)?;
        left_over = left_over.checked_sub(floor).ok_or_else(contradiction)?;
        parts.push(floor);
        remainders.push((remainder, position));
    }
    let count = usize::try_from(left_over)
        .ok()
        .filter(|&count| count <= remainders.len())
        .ok_or_else(contradiction)?;
    if count > 0 && count < remainders.len() {
        remainders
            .select_nth_unstable_by(count - 1, |(a, first), (b, second)| b.cmp(a).then(first.cmp(second)));
    }
    for &(_, position) in remainders.iter().take(count) {
        if let Some(part) = parts.get_mut(position) {
            *part += 1;
        }
    }
    Ok(parts)
}

fn contradiction() -> crate::Rejection {
    crate::Rejection::new(
        crate::RejectionCode::ArithmeticOverflow,
        "apportionment",
        "weights that sum to the given sum",
        "others",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same rule, written the slow way: hand out one credit at a time to the part with the largest remainder.
    fn slow(total: u128, weights: &[u128]) -> Vec<u128> {
        let sum: u128 = weights.iter().sum();
        if sum == 0 {
            return vec![0; weights.len()];
        }
        let mut parts: Vec<u128> = weights.iter().map(|weight| weight * total / sum).collect();
        let mut given = vec![false; weights.len()];
        while parts.iter().sum::<u128>() < total {
            let best = (0..weights.len())
                .filter(|&i| !given[i])
                .max_by(|&a, &b| (weights[a] * total % sum).cmp(&(weights[b] * total % sum)).then(b.cmp(&a)))
                .expect("fewer credits are left than parts");
            parts[best] += 1;
            given[best] = true;
        }
        parts
    }

    #[test]
    fn every_small_division_is_exact() {
        for total in 0..=12 {
            for code in 0..6_usize.pow(4) {
                let weights: Vec<u128> =
                    (0..4).map(|digit| (code / 6_usize.pow(digit) % 6) as u128).collect();
                let parts = apportion(total, &weights, weights.iter().sum()).expect("divides");
                assert_eq!(parts, slow(total, &weights), "{total} by {weights:?}");
                let paid: u128 = parts.iter().sum();
                assert_eq!(paid, if weights.iter().all(|w| *w == 0) { 0 } else { total });
                assert!(parts.iter().zip(&weights).all(|(part, weight)| *weight != 0 || *part == 0));
            }
        }
    }

    #[test]
    fn the_largest_numbers_divide() {
        let weight = crate::amount::AMOUNT_MAX * (1 << 31);
        let parts = apportion(crate::amount::AMOUNT_MAX, &[weight], weight).expect("divides");
        assert_eq!(parts, [crate::amount::AMOUNT_MAX]);
        assert!(apportion(5, &[1, 1], 1).is_err(), "a wrong sum is found out");
    }
}
