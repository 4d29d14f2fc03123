//! Units of work and credits of pay: integers with limits that no sum can overflow.

use std::fmt;
use std::str::FromStr;

use ethnum::U256;

use crate::rejection::{Checked, Rejection, RejectionCode};

/// Largest single amount: one event, one override, one pool. 2^96 - 1.
pub const AMOUNT_MAX: u128 = (1 << 96) - 1;
/// Most events, and most claimants, of one epoch: 2^31, so that sums of single amounts stay below 2^128.
pub const EPOCH_ITEMS_MAX: u64 = 1 << 31;
const _: () = assert!(AMOUNT_MAX <= u128::MAX / (EPOCH_ITEMS_MAX as u128));

/// Parts per million in a whole.
pub const SHARE_WHOLE: u32 = 1_000_000;

macro_rules! amount {
    ($(#[$doc:meta])* $name:ident, $word:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);

            /// A single amount, at most 2^96 - 1.
            ///
            /// # Errors
            /// `number_too_large` above the limit.
            pub fn single(value: u128) -> Checked<Self> {
                if value <= AMOUNT_MAX { return Ok(Self(value)); }
                Err(too_large($word, value))
            }

            /// Parses a single amount in decimal, without sign or leading zero.
            ///
            /// # Errors
            /// `invalid_number` or `number_too_large`, naming `field`.
            pub fn parse_single(field: &str, text: &str) -> Checked<Self> {
                let value = parse_decimal(field, text)?;
                Self::single(value).map_err(|rejection| rejection.within(field))
            }

            /// The number.
            pub const fn value(self) -> u128 { self.0 }

            /// The sum.
            ///
            /// # Errors
            /// `arithmetic_overflow` above 2^128 - 1, which the limits make impossible.
            pub fn plus(self, other: Self) -> Checked<Self> {
                self.0.checked_add(other.0).map(Self).ok_or_else(|| overflow($word))
            }

            /// The difference.
            ///
            /// # Errors
            /// `arithmetic_overflow` below zero.
            pub fn minus(self, other: Self) -> Checked<Self> {
                self.0.checked_sub(other.0).map(Self).ok_or_else(|| overflow($word))
            }

            /// A sum that was computed elsewhere and is known to be in range.
            pub(crate) const fn sum_of(value: u128) -> Self { Self(value) }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }

        impl FromStr for $name {
            type Err = Rejection;

            /// Parses a sum in decimal: canonical, up to 2^128 - 1.
            fn from_str(text: &str) -> Checked<Self> { parse_decimal($word, text).map(Self) }
        }
    };
}

amount! {
    /// Milli-units of work: what an event weighs, what a claimant earned.
    Units, "units"
}
amount! {
    /// The smallest unit of what is paid.
    Credits, "credits"
}

/// Parses a canonical decimal: digits, no sign, no leading zero, at most 2^128 - 1.
///
/// # Errors
/// `invalid_number` for another form, `number_too_large` beyond 128 bits.
pub fn parse_decimal(field: &str, text: &str) -> Checked<u128> {
    let canonical = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'));
    if !canonical {
        let expected = "a whole number in decimal without sign or leading zero";
        return Err(Rejection::new(RejectionCode::InvalidNumber, field, expected, text));
    }
    text.parse().map_err(|_| too_large(field, text))
}

/// Parses a canonical decimal that fits 64 bits: counts, sizes, indexes.
///
/// # Errors
/// As [`parse_decimal`].
pub fn parse_count(field: &str, text: &str) -> Checked<u64> {
    let value = parse_decimal(field, text)?;
    u64::try_from(value).map_err(|_| {
        Rejection::new(RejectionCode::NumberTooLarge, field, "at most 18446744073709551615", text)
    })
}

/// Quotient and remainder of `a * b / divisor` through 256 bits.
///
/// # Errors
/// `arithmetic_overflow` when the divisor is zero or the quotient exceeds 128 bits.
pub fn multiply_divide(a: u128, b: u128, divisor: u128) -> Checked<(u128, u128)> {
    if divisor == 0 {
        return Err(overflow("quotient"));
    }
    if let Some(product) = a.checked_mul(b) {
        // One division: a second one for the remainder would cost as much again.
        let quotient = product / divisor;
        return Ok((quotient, product - quotient * divisor));
    }
    let (product, divisor) = (U256::from(a) * U256::from(b), U256::from(divisor));
    let quotient = u128::try_from(product / divisor).map_err(|_| overflow("quotient"))?;
    let remainder = u128::try_from(product % divisor).map_err(|_| overflow("remainder"))?;
    Ok((quotient, remainder))
}

fn too_large(field: &str, got: impl fmt::Display) -> Rejection {
    Rejection::new(RejectionCode::NumberTooLarge, field, format!("at most {AMOUNT_MAX}"), got)
}

fn overflow(field: &str) -> Rejection {
    Rejection::new(RejectionCode::ArithmeticOverflow, field, "a result within 128 bits", "an overflow")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_math_integer() {
        assert_eq!(multiply_divide(u128::MAX, u128::MAX, u128::MAX).expect("fits"), (u128::MAX, 0));
        assert_eq!(multiply_divide(7, 10, 3).expect("fits"), (23, 1));
        assert!(multiply_divide(u128::MAX, 2, 1).is_err());
        assert!(multiply_divide(1, 1, 0).is_err());
        assert!(Units::sum_of(u128::MAX).plus(Units::sum_of(1)).is_err());
        assert!(Credits::ZERO.minus(Credits::sum_of(1)).is_err());
    }

    #[test]
    fn amounts_have_one_form_and_a_limit() {
        assert_eq!(
            Units::parse_single("units", "79228162514264337593543950335").expect("max").value(),
            AMOUNT_MAX
        );
        let over = Units::parse_single("units", "79228162514264337593543950336").expect_err("max + 1");
        assert_eq!(over.code, RejectionCode::NumberTooLarge);
        for text in ["", "-1", "+1", "01", "1.0", "1e3", " 1", "1 ", "0x2a", "١"] {
            assert_eq!(
                Units::parse_single("units", text).expect_err(text).code,
                RejectionCode::InvalidNumber
            );
        }
    }
}
