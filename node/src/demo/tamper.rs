//! Changing one digit of what a proof says is paid.

use meed_audit::proof::Proof;
use meed_audit::tlog_proof::TlogProof;

use crate::failure::Failure;

/// The proof with one digit changed in its leaf: of the credits of a payout, of the name of an absent claimant; with
/// both texts.
pub(super) fn change_a_digit(bytes: &[u8]) -> Result<(Vec<u8>, String, String), Failure> {
    match Proof::parse(bytes)? {
        Proof::Payout(mut proof) => {
            let payout =
                TlogProof::parse(&proof.payout).map_err(|error| Failure::internal(error.to_string()))?;
            let leaf = String::from_utf8_lossy(payout.extra().unwrap_or_default()).into_owned();
            let (from, to) = change_credits(&leaf)?;
            let forged = leaf.replacen(&from, &to, 1).into_bytes();
            let (path, note) = (payout.path().to_vec(), payout.note().to_owned());
            proof.payout = TlogProof::new(Some(forged), payout.index(), path, note)
                .map_err(|error| Failure::internal(error.to_string()))?
                .to_string();
            Ok((Proof::Payout(proof).to_file(), from, to))
        }
        Proof::Absence(mut proof) => {
            let from =
                proof.log.lines().find(|line| line.starts_with("index ")).unwrap_or("index 0").to_owned();
            let to = format!("{from}1");
            proof.log = proof.log.replacen(&from, &to, 1);
            Ok((Proof::Absence(proof).to_file(), from, to))
        }
    }
}

/// `"credits":"<digits>"`, and the same with another last digit.
fn change_credits(leaf: &str) -> Result<(String, String), Failure> {
    let start = leaf.find("\"credits\":\"").ok_or_else(|| Failure::internal("a leaf without credits"))?;
    let field: String = leaf.chars().skip(start).scan(0, take_field).collect();
    let mut digits: Vec<char> = field.chars().collect();
    let last = digits.iter().rposition(char::is_ascii_digit);
    let place = last.and_then(|position| digits.get_mut(position));
    let digit = place.ok_or_else(|| Failure::internal("credits without a digit"))?;
    *digit = if *digit == '9' { '8' } else { '9' };
    Ok((field, digits.into_iter().collect()))
}

/// Takes characters up to the fourth quotation mark.
fn take_field(quotes: &mut u32, character: char) -> Option<char> {
    if *quotes == 4 {
        return None;
    }
    *quotes += u32::from(character == '"');
    Some(character)
}

#[cfg(test)]
mod tests {
    use super::change_credits;

    #[test]
    fn one_digit_is_changed() {
        let leaf = r#"{"claimant":"user:1","credits":"120","epoch":"1"}"#;
        let (from, to) = change_credits(leaf).expect("changed");
        assert_eq!((from.as_str(), to.as_str()), (r#""credits":"120""#, r#""credits":"129""#));
        let (_, to) = change_credits(r#"{"credits":"9"}"#).expect("changed");
        assert_eq!(to, r#""credits":"8""#);
    }
}
