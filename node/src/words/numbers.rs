//! Numbers as people read them.

/// Credits with the decimals of their unit, as people see them: 1234567 with 6 decimals is `1.234567`.
pub(crate) fn amount(credits: u128, decimals: u8) -> String {
    let digits = credits.to_string();
    let places = usize::from(decimals);
    if places == 0 {
        return digits;
    }
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at(padded.len() - places);
    format!("{whole}.{fraction}")
}

/// A number with its noun: `1 event`, `2 events`.
pub(crate) fn counted(number: impl std::fmt::Display, noun: &str) -> String {
    let number = number.to_string();
    let plural = if number == "1" { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Milli-units as units with three decimals.
pub(crate) fn units(milli: u128) -> String {
    amount(milli, 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_show_their_decimals_exactly() {
        assert_eq!(amount(0, 0), "0");
        assert_eq!(amount(10_000, 0), "10000");
        assert_eq!(amount(5, 2), "0.05");
        assert_eq!(amount(1_234_567, 6), "1.234567");
        assert_eq!(amount(u128::MAX, 36).len(), 40);
        assert_eq!(units(1_500), "1.500");
    }
}
