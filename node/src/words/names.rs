//! The names that people see beside claimants: those that a source or the operator gave. Nothing rests on them.

use std::collections::BTreeMap;

use crate::api::documents::{ActivityItem, UserView};

/// Names by the text of the claimant.
pub(crate) struct Names(BTreeMap<String, String>);

impl Names {
    /// The names in events, and those of people; somebody without one has that of an account of theirs.
    pub(crate) fn of(items: &[ActivityItem], users: &[UserView]) -> Self {
        let authors = items.iter().flat_map(|item| &item.authors);
        let mut names: BTreeMap<String, String> =
            authors.filter_map(|author| Some((author.identity.clone(), author.name.clone()?))).collect();
        for user in users {
            let of_account = user.identities.iter().find_map(|account| names.get(account)).cloned();
            let name = user.name.as_ref().map(ToString::to_string).or(of_account);
            names.extend(name.map(|name| (format!("user:{}", user.id), name)));
        }
        Self(names)
    }

    /// The name of a claimant, where there is one.
    pub(crate) fn of_claimant(&self, claimant: &str) -> Option<&str> {
        self.0.get(claimant).map(String::as_str)
    }
}
