//! Random actions against an independent model in memory, which predicts every reply and every payout with plain
//! arithmetic of its own. A failing run prints its seed.

use std::collections::{BTreeMap, BTreeSet};

use meed_audit::RejectionCode as Code;
use meed_audit::decision::Change;
use meed_audit::ids::{Claimant, EpochNumber, ScopeId};
use meed_storage::{AppendOutcome, FinalizeTerms, LedgerError, OpenTerms, Which};

use crate::support::world::*;

/// A generator of its own (splitmix64), so that a seed gives the same run on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.roll(u64::try_from(list.len()).unwrap())).unwrap()]
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Open,
    Review,
    Final,
}

/// What the model knows of an event as one scope has it.
#[derive(Clone, Debug)]
struct Fact {
    author: u64,
    week: usize,
    index: u64,
}

#[derive(Clone, Debug, Default)]
struct Decided {
    excluded: BTreeSet<String>,
    weights: BTreeMap<String, u128>,
    overrides: BTreeMap<Claimant, u128>,
    /// How many decisions were made before each override.
    made_after: BTreeMap<Claimant, u64>,
}

#[derive(Clone, Debug)]
struct ModelEpoch {
    week: usize,
    state: State,
    pinned: Option<u64>,
    decided: Decided,
    /// The decisions and bindings that the current draft froze, and how many have signed it.
    draft: Option<(Decided, BTreeMap<u64, u8>, BTreeSet<usize>)>,
    /// Whether anything was decided since that the draft does not hold.
    later: bool,
    paid: Option<BTreeMap<Claimant, u128>>,
}

#[derive(Default)]
struct Model {
    events: BTreeMap<String, Fact>,
    log: u64,
    bindings: BTreeMap<u64, u8>,
    last_owner: BTreeMap<u64, u8>,
    epochs: Vec<ModelEpoch>,
    /// How many decisions were made that say whose an account is, or what a claimant gets.
    decided: u64,
    /// How many of them were made before the last one on the accounts of each claimant.
    changed_after: BTreeMap<Claimant, u64>,
}

const WEEKS: [&str; 4] = [WEEK_1, WEEK_2, WEEK_3, WEEK_4];

impl Model {
    /// The rule `EPOCH_BY_EVENT_TIME`, said once more.
    fn epoch_of(&self, fact: &Fact) -> Option<usize> {
        if fact.week < self.epochs.first()?.week {
            return None;
        }
        self.epochs.iter().position(|e| fact.week <= e.week && e.pinned.is_none_or(|size| fact.index < size))
    }

    fn claimant(bindings: &BTreeMap<u64, u8>, author: u64) -> Claimant {
        bindings
            .get(&author)
            .map_or_else(|| unbound(&author.to_string()), |number| Claimant::User(user(*number)))
    }

    /// Units by claimant, then a pool of 10,000 by largest remainder.
    fn payouts(
        &self,
        epoch: usize,
        decided: &Decided,
        bindings: &BTreeMap<u64, u8>,
    ) -> BTreeMap<Claimant, u128> {
        let mut units: BTreeMap<Claimant, u128> = BTreeMap::new();
        for (name, fact) in &self.events {
            if self.epoch_of(fact) != Some(epoch) || decided.excluded.contains(name) {
                continue;
            }
            let weight = decided.weights.get(name).copied().unwrap_or(1_000);
            *units.entry(Self::claimant(bindings, fact.author)).or_default() += weight;
        }
        for (claimant, set) in &decided.overrides {
            units.insert(claimant.clone(), *set);
        }
        let sum: u128 = units.values().sum();
        if sum == 0 {
            return units.keys().map(|claimant| (claimant.clone(), 0)).collect();
        }
        let mut paid: BTreeMap<Claimant, u128> =
            units.iter().map(|(claimant, own)| (claimant.clone(), own * 10_000 / sum)).collect();
        let mut rest: Vec<_> =
            units.iter().map(|(claimant, own)| (own * 10_000 % sum, claimant.clone())).collect();
        rest.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.to_string().cmp(&y.to_string())));
        let left = usize::try_from(10_000 - paid.values().sum::<u128>()).unwrap();
        for (_, claimant) in rest.iter().take(left) {
            *paid.get_mut(claimant).unwrap() += 1;
        }
        paid
    }

    fn is_moved(&self, decided: &Decided) -> bool {
        decided.overrides.keys().any(|claimant| {
            let is_bound = self.bindings.keys().any(|author| *claimant == unbound(&author.to_string()));
            is_bound || self.changed_after.get(claimant).is_some_and(|at| *at > decided.made_after[claimant])
        })
    }

    fn change(&mut self, author: u64, owner: u8) {
        for place in 0..self.epochs.len() {
            let claimants = [unbound(&author.to_string()), Claimant::User(user(owner))];
            let is_active =
                self.events.values().any(|f| f.author == author && self.epoch_of(f) == Some(place));
            let epoch = &mut self.epochs[place];
            epoch.later |= is_active || claimants.iter().any(|who| epoch.decided.overrides.contains_key(who));
        }
        for claimant in [unbound(&author.to_string()), Claimant::User(user(owner))] {
            self.changed_after.insert(claimant, self.decided);
        }
        self.decided += 1;
    }
}

struct Run {
    world: World,
    scope: ScopeId,
    model: Model,
    dice: Dice,
}

fn reply<T: std::fmt::Debug>(answer: Result<T, LedgerError>) -> Result<(), Code> {
    match answer {
        Ok(_) => Ok(()),
        Err(LedgerError::Rejected(rejection)) => Err(rejection.code),
        Err(error) => panic!("{error}"),
    }
}

fn number(place: usize) -> EpochNumber {
    EpochNumber::new(u64::try_from(place).unwrap() + 1).unwrap()
}

impl Run {
    fn new(seed: u64) -> Self {
        let world = World::new();
        let scope = world.scope("default");
        for user_number in 1..=3 {
            world.ledger.add_user(user(user_number), None, by(WEEK_1)).unwrap();
        }
        Self { world, scope, model: Model::default(), dice: Dice(seed) }
    }

    fn step(&mut self) {
        match self.dice.roll(14) {
            0 => self.open(),
            1 => self.close(),
            2 => self.freeze(),
            3..=5 => self.sign(),
            6..=7 => self.finalize(),
            8 => self.bind(),
            9 => self.revoke(),
            10..=11 => self.decide(),
            _ => self.append(),
        }
    }

    /// Half the time the epoch whose turn it is, so that runs get somewhere.
    fn any_epoch(&mut self) -> usize {
        if self.dice.roll(2) == 0 {
            let next = self.model.epochs.iter().position(|epoch| epoch.state != State::Final);
            return next.unwrap_or(self.model.epochs.len());
        }
        let count = u64::try_from(self.model.epochs.len()).unwrap() + 1;
        usize::try_from(self.dice.roll(count)).unwrap()
    }

    fn append(&mut self) {
        let name = format!("e{}", self.dice.roll(40));
        let (author, week) = (101 + self.dice.roll(4), usize::try_from(self.dice.roll(4)).unwrap());
        let outcome = self.world.commit(self.scope, &name, &author.to_string(), WEEKS[week]);
        let index = self.model.log;
        match self.model.events.get(&name) {
            None => {
                assert_eq!(outcome, AppendOutcome::Stored { index });
                self.model.events.insert(name, Fact { author, week, index });
                self.model.log += 1;
            }
            Some(fact) if (fact.author, fact.week) == (author, week) => {
                assert_eq!(outcome, AppendOutcome::Duplicate { index: fact.index, routes: vec![] });
            }
            Some(fact) => assert_eq!(outcome, AppendOutcome::Conflict { index: fact.index }),
        }
    }

    fn open(&mut self) {
        let week = usize::try_from(self.dice.roll(4)).unwrap();
        let last = self.model.epochs.last();
        // A first epoch leaves out the windows from that of the earliest event on.
        let waits = self.model.events.values().map(|fact| fact.week).min().unwrap_or(week);
        let skipped = week.saturating_sub(last.map_or(waits, |last| last.week + 1));
        let terms = OpenTerms { skipped: u64::try_from(skipped).unwrap(), ahead: false };
        let opened = self.world.ledger.open_epoch_on(self.scope, time(WEEKS[week]), terms, by(WEEKS[week]));
        let got = reply(opened);
        let expected = match last {
            Some(last) if last.state == State::Open && last.week == week => Ok(false),
            Some(last) if last.state == State::Open => Err(Code::EpochAlreadyOpen),
            Some(last) if week <= last.week => Err(Code::WindowOverlaps),
            _ => Ok(true),
        };
        assert_eq!(got, expected.map(|_| ()));
        if expected == Ok(true) {
            let decided = Decided::default();
            let epoch = ModelEpoch {
                week,
                state: State::Open,
                pinned: None,
                decided,
                draft: None,
                later: false,
                paid: None,
            };
            self.model.epochs.push(epoch);
        }
    }

    fn close(&mut self) {
        let place = self.any_epoch();
        let got = reply(self.world.ledger.close_epoch(self.scope, number(place), None, by(LATER)));
        let log = self.model.log;
        match self.model.epochs.get_mut(place) {
            None => assert_eq!(got, Err(Code::EpochNotFound)),
            Some(epoch) => {
                assert_eq!(got, Ok(()));
                if epoch.state == State::Open {
                    (epoch.state, epoch.pinned) = (State::Review, Some(log));
                }
            }
        }
    }

    fn freeze(&mut self) {
        let place = self.any_epoch();
        let got = reply(self.world.ledger.freeze_again(self.scope, number(place), 14, by(LATER)));
        let expected = match self.model.epochs.get(place) {
            None => Err(Code::EpochNotFound),
            Some(epoch) if epoch.state == State::Open => Err(Code::EpochNotInReview),
            Some(epoch) if epoch.state == State::Final => Err(Code::EpochFinalized),
            Some(_) if place > 0 && self.model.epochs[place - 1].state != State::Final => {
                Err(Code::EarlierEpochUnfinished)
            }
            Some(epoch) if self.model.is_moved(&epoch.decided) => Err(Code::OverrideClaimantMoved),
            Some(_) => Ok(()),
        };
        assert_eq!(got, expected);
        if got.is_ok() {
            let bindings = self.model.bindings.clone();
            let epoch = &mut self.model.epochs[place];
            epoch.draft = Some((epoch.decided.clone(), bindings, BTreeSet::new()));
            epoch.later = false;
        }
    }

    fn sign(&mut self) {
        let place = self.any_epoch();
        let approver = usize::try_from(self.dice.roll(4)).unwrap();
        let Some((_, _, signed)) = self.model.epochs.get_mut(place).and_then(|epoch| epoch.draft.as_mut())
        else {
            return;
        };
        let draft = self.world.snapshot().draft(self.scope, number(place), Which::Draft).unwrap();
        let line = self.world.sign(&draft, approver);
        let got = reply(self.world.ledger.add_signature(self.scope, number(place), line, draft.at));
        if approver == 3 {
            assert_eq!(got, Err(Code::SignerUnknown));
        } else {
            assert_eq!(got, Ok(()));
            signed.insert(approver);
        }
    }

    fn finalize(&mut self) {
        let place = self.any_epoch();
        let terms = FinalizeTerms { leave_out_later: self.dice.roll(3) == 0 };
        let got = reply(self.world.ledger.finalize_on(self.scope, number(place), terms, by(LATER)));
        let Some(epoch) = self.model.epochs.get(place) else {
            return assert_eq!(got, Err(Code::EpochNotFound));
        };
        match (&epoch.draft, epoch.state) {
            (None, State::Final) => assert_eq!(got, Ok(())),
            (None, _) => assert_eq!(got, Err(Code::DraftNotFound)),
            (Some((_, _, signed)), _) if signed.len() < 2 => assert_eq!(got, Err(Code::QuorumMissing)),
            _ if epoch.later && !terms.leave_out_later => assert_eq!(got, Err(Code::DecisionsAfterDraft)),
            (Some((decided, bindings, _)), _) => {
                assert_eq!(got, Ok(()));
                let paid = self.model.payouts(place, decided, bindings);
                let epoch = &mut self.model.epochs[place];
                (epoch.state, epoch.draft, epoch.paid) = (State::Final, None, Some(paid));
            }
        }
    }

    fn bind(&mut self) {
        let (author, owner) = (101 + self.dice.roll(4), self.dice.pick(&[1_u8, 2, 3]));
        let identity = github(&author.to_string());
        let got = reply(self.world.ledger.bind(identity, user(owner), evidence("x"), by(LATER)));
        let expected = match self.model.last_owner.get(&author) {
            Some(last) if *last != owner => Err(Code::IdentityBoundToOther),
            _ => Ok(()),
        };
        assert_eq!(got, expected);
        if got.is_ok() {
            if !self.model.bindings.contains_key(&author) {
                self.model.change(author, owner);
            }
            self.model.bindings.insert(author, owner);
            self.model.last_owner.insert(author, owner);
        }
    }

    fn revoke(&mut self) {
        let author = 101 + self.dice.roll(4);
        let got = reply(self.world.ledger.revoke(github(&author.to_string()), evidence("y"), by(LATER)));
        let owner = self.model.bindings.remove(&author);
        if let Some(owner) = owner {
            self.model.change(author, owner);
        }
        let expected = owner.map(|_| ()).ok_or(Code::IdentityNotBound);
        assert_eq!(got, expected);
    }

    fn decide(&mut self) {
        let place = self.any_epoch();
        let (name, kind) = (format!("e{}", self.dice.roll(40)), self.dice.roll(4));
        let weight = u128::from(self.dice.roll(3)) * 500;
        let author = 101 + self.dice.roll(5);
        let claimant = Model::claimant(&self.model.bindings, author);
        let change = match kind {
            0 => Change::Exclude(event_id(&name)),
            1 => Change::Include(event_id(&name)),
            2 => Change::Weight(event_id(&name), units(weight)),
            _ => Change::Override(claimant.clone(), units(weight)),
        };
        let got = reply(self.world.ledger.decide(self.scope, number(place), change, text("dice"), by(LATER)));
        let is_there = self.model.events.get(&name).and_then(|fact| self.model.epoch_of(fact)) == Some(place);
        let (bindings, made) = (self.model.bindings.clone(), self.model.decided);
        let Some(epoch) = self.model.epochs.get_mut(place) else {
            return assert_eq!(got, Err(Code::EpochNotFound));
        };
        if kind < 3 && !is_there {
            return assert_eq!(got, Err(Code::EventNotFound));
        }
        if epoch.state == State::Final {
            return assert_eq!(got, Err(Code::EpochFinalized));
        }
        let decided = &mut epoch.decided;
        let changed = match kind {
            0 => decided.excluded.insert(name),
            1 => decided.excluded.remove(&name),
            2 => decided.weights.insert(name, weight) != Some(weight),
            _ => {
                // Stating an override withdraws those of the identities that are the claimant's by now.
                decided.overrides.retain(|known, _| {
                    !bindings.iter().any(|(author, owner)| {
                        *known == unbound(&author.to_string()) && claimant == Claimant::User(user(*owner))
                    })
                });
                decided.made_after.insert(claimant.clone(), made);
                decided.overrides.insert(claimant, weight);
                self.model.decided += 1;
                true
            }
        };
        epoch.later |= changed;
        assert_eq!(got, if changed { Ok(()) } else { Err(Code::NothingToChange) });
    }

    /// Compares every epoch with the model, and what is final with the model's payouts, claimant by claimant.
    fn compare(&self) {
        let snapshot = self.world.snapshot();
        let epochs = snapshot.epochs(self.scope).unwrap();
        assert_eq!(epochs.len(), self.model.epochs.len());
        for (place, expected) in self.model.epochs.iter().enumerate() {
            let count =
                self.model.events.values().filter(|fact| self.model.epoch_of(fact) == Some(place)).count();
            let got = snapshot.epoch_events_count(self.scope, number(place)).unwrap();
            assert_eq!(usize::try_from(got).unwrap(), count);
            let Some(paid) = &expected.paid else { continue };
            let rows =
                snapshot.allocations(self.scope, number(place), Which::Final, None, usize::MAX).unwrap();
            let got: BTreeMap<_, _> =
                rows.into_iter().map(|row| (row.claimant, row.credits.value())).collect();
            assert_eq!(got, *paid, "epoch {place}");
        }
    }
}

fn play(seed: u64, steps: usize) -> usize {
    let mut run = Run::new(seed);
    for step in 0..steps {
        run.step();
        if step % 50 == 49 {
            run.compare();
        }
    }
    run.compare();
    let report = run.world.snapshot().fsck(&mut |_| {});
    assert_eq!(report.problems, []);
    run.model.epochs.iter().filter(|epoch| epoch.state == State::Final).count()
}

#[test]
fn random_actions_match_an_independent_model() {
    let mut finals = 0;
    for seed in 0..12 {
        let played = std::panic::catch_unwind(|| play(seed, 250));
        finals += played
            .unwrap_or_else(|_| panic!("the run with seed {seed} fails; `play({seed}, 250)` repeats it"));
    }
    assert!(finals >= 12, "the dice must finish epochs, got {finals}");
}
