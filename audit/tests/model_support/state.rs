//! The model of decisions: which of them may be made, their leaves, and what they add up to.

use std::collections::{BTreeMap, BTreeSet};

use super::{SCOPE, USERS, Who, Wish, World, identity};

#[derive(Default)]
pub(crate) struct EpochState {
    pub(crate) excluded: BTreeSet<String>,
    pub(crate) weights: BTreeMap<String, u128>,
    pub(crate) shares: BTreeMap<String, BTreeMap<String, u32>>,
    pub(crate) reasons: BTreeMap<String, String>,
    pub(crate) overrides: BTreeMap<String, (u128, String)>,
    /// How many decisions were made before each override.
    made_after: BTreeMap<String, usize>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) bound: BTreeMap<String, String>,
    last_bound: BTreeMap<String, String>,
    /// How many decisions were made before the last one on the accounts of each claimant.
    changed_after: BTreeMap<String, usize>,
    pub(crate) epochs: BTreeMap<usize, EpochState>,
    pub(crate) leaves: Vec<String>,
}

pub(crate) fn shares_text(shares: &[(Who, u32)]) -> String {
    let mut entries: Vec<(String, u32)> = shares.iter().map(|(who, share)| (who.key(), *share)).collect();
    entries.sort();
    entries.iter().map(|(key, share)| format!("{key}={share}")).collect::<Vec<_>>().join(" ")
}

impl State {
    /// Who earns for a key now.
    pub(crate) fn resolve(&self, key: &str) -> String {
        self.bound.get(key).cloned().unwrap_or_else(|| key.to_owned())
    }

    /// Whether an override of an epoch is for a claimant as it no longer is.
    pub(crate) fn has_moved(&self, own: &EpochState) -> bool {
        own.overrides.keys().any(|key| {
            let changed = self.changed_after.get(key);
            self.resolve(key) != *key || changed.is_some_and(|changed| *changed > own.made_after[key])
        })
    }

    /// Makes the decision where it may be made; says whether it was.
    pub(crate) fn decide(&mut self, world: &World, epoch: usize, wish: &Wish, reason: &str) -> bool {
        match wish {
            Wish::Bind(person, user) => {
                let (key, user) = (identity(*person), format!("user:{}", USERS[*user]));
                let before = self.bound.get(&key).cloned();
                if before.is_some() || self.last_bound.get(&key).is_some_and(|owner| *owner != user) {
                    return false;
                }
                self.bind("bind", &key, None, user, reason);
            }
            Wish::Rebind(person, user) => {
                let (key, user) = (identity(*person), format!("user:{}", USERS[*user]));
                let Some(before) = self.last_bound.get(&key).cloned() else { return false };
                if before == user {
                    return false;
                }
                self.bind("rebind", &key, Some(before), user, reason);
            }
            Wish::Revoke(person) => {
                let key = identity(*person);
                let Some(before) = self.bound.remove(&key) else { return false };
                self.change([&key, &before]);
                self.record("revoke", None, &key, Some(&before), None, reason);
            }
            Wish::Override(who, units) => self.set_override(epoch, &who.key(), *units, reason),
            _ => return self.curate(world, epoch, wish, reason),
        }
        true
    }

    /// Records a component of the pool.
    pub(crate) fn add_to_pool(&mut self, epoch: usize, component: &str, amount: u128) {
        self.record("pool", Some(epoch), component, None, Some(&amount.to_string()), "pool");
    }

    fn bind(&mut self, action: &str, key: &str, before: Option<String>, user: String, reason: &str) {
        if let Some(until_now) = self.bound.get(key).cloned() {
            self.change([&until_now]);
        }
        self.change([key, &user]);
        self.record(action, None, key, before.as_deref(), Some(&user), reason);
        self.bound.insert(key.to_owned(), user.clone());
        self.last_bound.insert(key.to_owned(), user);
    }

    fn change<const N: usize>(&mut self, claimants: [&str; N]) {
        let made = self.leaves.len();
        self.changed_after.extend(claimants.map(|claimant| (claimant.to_owned(), made)));
    }

    fn set_override(&mut self, epoch: usize, key: &str, units: u128, reason: &str) {
        let made = self.leaves.len();
        let own = self.epochs.entry(epoch).or_default();
        let before = own.overrides.get(key).map(|(units, _)| units.to_string());
        for (identity, user) in &self.bound {
            if user == key {
                own.overrides.remove(identity);
            }
        }
        own.overrides.insert(key.to_owned(), (units, reason.to_owned()));
        own.made_after.insert(key.to_owned(), made);
        self.record("override", Some(epoch), key, before.as_deref(), Some(&units.to_string()), reason);
    }

    fn curate(&mut self, world: &World, epoch: usize, wish: &Wish, reason: &str) -> bool {
        let (Wish::Exclude(number)
        | Wish::Include(number)
        | Wish::Weight(number, _)
        | Wish::Shares(number, _)) = wish
        else {
            return false;
        };
        let Some(event) = world.event_for(epoch, *number).map(|fact| fact.id.clone()) else { return false };
        let own = self.epochs.entry(epoch).or_default();
        let word = |excluded: bool| if excluded { "excluded" } else { "included" }.to_owned();
        let (action, before, after) = match wish {
            Wish::Exclude(_) => ("exclude", Some(word(own.excluded.contains(&event))), word(true)),
            Wish::Include(_) => ("include", Some(word(own.excluded.contains(&event))), word(false)),
            Wish::Weight(_, units) => {
                ("weight", own.weights.get(&event).map(ToString::to_string), units.to_string())
            }
            Wish::Shares(_, shares) => {
                let text = |shares: &BTreeMap<String, u32>| {
                    shares.iter().map(|(key, share)| format!("{key}={share}")).collect::<Vec<_>>().join(" ")
                };
                ("shares", own.shares.get(&event).map(text), shares_text(shares))
            }
            _ => return false,
        };
        if before.as_ref() == Some(&after) {
            return false;
        }
        match wish {
            Wish::Exclude(_) => drop(own.excluded.insert(event.clone())),
            Wish::Include(_) => drop(own.excluded.remove(&event)),
            Wish::Weight(_, units) => drop(own.weights.insert(event.clone(), *units)),
            Wish::Shares(_, shares) => {
                let shares = shares.iter().map(|(who, share)| (who.key(), *share)).collect();
                drop(own.shares.insert(event.clone(), shares));
            }
            _ => {}
        }
        own.reasons.insert(event.clone(), reason.to_owned());
        self.record(action, Some(epoch), &event, before.as_deref(), Some(&after), reason);
        true
    }

    fn record(
        &mut self,
        action: &str,
        epoch: Option<usize>,
        subject: &str,
        before: Option<&str>,
        after: Option<&str>,
        reason: &str,
    ) {
        let field = |name: &str, value: Option<&str>| {
            value.map(|value| format!(r#","{name}":"{value}""#)).unwrap_or_default()
        };
        let epoch = epoch.map(|epoch| epoch.to_string());
        self.leaves.push(format!(
            r#"{{"action":"{action}","actor":"olivia"{},"at":"2026-12-01T09:00:00.000Z"{}{},"reason":"{reason}","scope":"{SCOPE}","subject":"{subject}","v":"meed/decision/v1"}}"#,
            field("after", after),
            field("before", before),
            field("epoch", epoch.as_deref()),
        ));
    }
}
