//! Ids of the earlier system, which named repositories: brought into the form that goes by their numbers, so that an event
//! that was exported there and one that is collected here are the same, whichever comes first.

use std::collections::BTreeMap;
use std::str::FromStr;

use meed_audit::event::{EventFields, NewEvent};
use meed_audit::ids::{EventId, Identity};
use meed_audit::json::Value;
use meed_audit::time::Timestamp;
use meed_audit::{Checked, Rejection, RejectionCode};

use super::facts::{payload_hash, reverted_by, review_type, source_ref};
use super::rules::RepositoryName;

/// The numbers of repositories by their names, whose case does not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepositoryNumbers(BTreeMap<String, u64>);

impl FromStr for RepositoryNumbers {
    type Err = Rejection;

    /// Reads `OWNER/NAME=NUMBER`, several separated by commas.
    ///
    /// # Errors
    /// `invalid_identifier` for another form, and where a name has two numbers.
    fn from_str(text: &str) -> Checked<Self> {
        let mut numbers = BTreeMap::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let expected = "OWNER/NAME=NUMBER, each name once";
            let refuse = || Rejection::new(RejectionCode::InvalidIdentifier, "repositories", expected, part);
            let (name, number) = part.split_once('=').ok_or_else(refuse)?;
            let name = name.parse::<RepositoryName>()?.to_string().to_ascii_lowercase();
            let number: u64 = number.parse().ok().filter(|number| *number > 0).ok_or_else(refuse)?;
            if numbers.insert(name, number).is_some_and(|before| before != number) {
                return Err(refuse());
            }
        }
        Ok(Self(numbers))
    }
}

/// What an id of the earlier system says: `github:<kind>:<owner>/<name>:<rest>`.
struct Named<'a> {
    kind: &'a str,
    name: &'a str,
    rest: &'a str,
}

impl<'a> Named<'a> {
    /// Nothing where the id names no repository.
    fn read(id: &'a str) -> Option<Self> {
        let mut parts = id.strip_prefix("github:")?.splitn(3, ':');
        let (kind, name) = (parts.next()?, parts.next()?);
        name.contains('/').then(|| Self { kind, name, rest: parts.next().unwrap_or_default() })
    }
}

/// The event under the number of its repository; any event whose id names none as it is.
///
/// # Errors
/// `invalid_identifier` where the number is not known: stored under its name it would be paid once more when it is
/// collected.
pub(in crate::sources) fn translate(
    event: NewEvent,
    numbers: &RepositoryNumbers,
    now: Timestamp,
) -> Checked<NewEvent> {
    let id = event.id().clone();
    let Some(named) = Named::read(id.as_str()) else { return Ok(event) };
    let Some(number) = numbers.0.get(&named.name.to_ascii_lowercase()) else {
        let expected = format!(
            "the number of the repository {0} in place of its name: `meed import --repository {0}=NUMBER` puts it there",
            named.name
        );
        return Err(Rejection::new(RejectionCode::InvalidIdentifier, "id", expected, &id));
    };
    let mut fields = event.into_fields();
    fields.id = format!("github:{}:{number}:{}", named.kind, named.rest).parse()?;
    fields.source_ref = source_ref(*number);
    if let Some((event_type, decides)) = known_type(&named, &fields) {
        fields.event_type = event_type.parse()?;
        let authors: Vec<Identity> = fields.authors.iter().map(|(identity, _)| identity.clone()).collect();
        fields.payload_hash =
            payload_hash(&fields.id, event_type, fields.event_time, authors.iter(), &decides);
    }
    fields.metadata = with_earlier_id(fields.metadata, &id);
    NewEvent::new(fields, now)
}

/// The type of an event that is collected here too, with what else of it is hashed.
fn known_type(
    named: &Named<'_>,
    fields: &EventFields,
) -> Option<(&'static str, Vec<(&'static str, String)>)> {
    let text = |name: &str| fields.metadata.field(name).and_then(Value::as_str);
    let is_one = |parts: usize| named.rest.split(':').count() == parts;
    match (named.kind, fields.event_type.as_str()) {
        ("pr", "pr_merged") if is_one(1) => {
            let base = text("baseBranch").or_else(|| text("base"))?;
            let reverts = text("branch").and_then(reverted_by).is_some();
            let event_type = if reverts { "pr_revert_merged" } else { "pr_merged" };
            Some((event_type, vec![("base", base.to_owned())]))
        }
        ("review", "review_submitted") if is_one(2) => {
            Some((review_type(&text("state")?.to_ascii_uppercase()), Vec::new()))
        }
        ("issue", "issue_closed") if is_one(1) => Some(("issue_closed", Vec::new())),
        ("comment", "comment_created") if is_one(1) => Some(("comment_created", Vec::new())),
        _ => None,
    }
}

/// What is shown of the event, with the id that it had.
fn with_earlier_id(metadata: Value, id: &EventId) -> Value {
    let Value::Object(mut fields) = metadata else { return metadata };
    fields.retain(|(name, _)| name != "earlier_id");
    fields.push(("earlier_id".to_owned(), Value::String(id.to_string())));
    fields.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_given_by_name_and_each_name_has_one() {
        let numbers: RepositoryNumbers = "Octo/Repo=7,o/r=8,octo/repo=7".parse().expect("numbers");
        assert_eq!(
            numbers.0.into_iter().collect::<Vec<_>>(),
            [("o/r".to_owned(), 8), ("octo/repo".to_owned(), 7)]
        );
        assert_eq!("".parse::<RepositoryNumbers>().expect("none"), RepositoryNumbers::default());
        for text in ["o/r", "o/r=", "o/r=0", "o/r=x", "o=1", "=1", "o/r=1,O/R=2", "o/r=-1"] {
            assert!(text.parse::<RepositoryNumbers>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_ids_that_name_a_repository_are_of_the_earlier_system() {
        for id in
            ["github:pr:41986369:42", "git:commit:a/b", "github:pr", "discord:message:a/b:1", "github:x"]
        {
            assert!(Named::read(id).is_none(), "{id}");
        }
        let named = Named::read("github:review:o/r:42:555").expect("named");
        assert_eq!((named.kind, named.name, named.rest), ("review", "o/r", "42:555"));
    }
}
