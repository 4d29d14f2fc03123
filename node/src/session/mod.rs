//! Who is signed in: sessions, each found by the SHA-256 of its secret, in the memory of the node that runs.
//!
//! A session shows who somebody is for some hours, in place of what they signed in with: a token, or a challenge that
//! their key or wallet signed. It is gone when the node ends, when its holder ends it, and, where a token began it, when
//! that token no longer holds. A challenge counts once.

mod site;
mod store;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use meed_audit::hash::Hash;
use meed_audit::ids::Identity;
use meed_audit::sign_in::{Challenge, Purpose, SignedText, Signer, Site, nonce_of};
use meed_audit::time::Timestamp;
use meed_audit::{Checked, Rejection, RejectionCode};

pub(crate) use site::site_of;

use store::Store;

/// How long a session lasts, in milliseconds: a working day.
pub const SESSION_MS_MAX: i64 = 12 * 3_600_000;
/// How long a challenge can be answered, in milliseconds: the key may be on another machine.
pub const CHALLENGE_MS_MAX: i64 = 600_000;
/// Most sessions that tokens began; the oldest ends where there is no room.
const TOKEN_SESSIONS_MAX: usize = 4_096;
/// Most sessions of people, whom nobody has to admit: they take no room from those of tokens.
const PERSON_SESSIONS_MAX: usize = 16_384;
/// Most challenges. One client at the usual rate (50 a second) cannot ask for so many before the first one expires, and
/// so cannot push out anybody else's.
const CHALLENGES_MAX: usize = 32_768;
/// What every secret of a session begins with, so that one that leaked can be found by searching for it.
const SECRET_PREFIX: &str = "meed_session_";

/// What a session rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The token of this hash, which is looked up again at each use.
    Token(Hash),
    /// What somebody signed.
    Person(Arc<Person>),
}

/// Somebody who has shown that an account is theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The account.
    pub identity: Identity,
    /// What they signed to show it.
    pub signed: SignedText,
}

/// A challenge that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// What was signed for.
    pub purpose: Purpose,
    /// Who signed, and what.
    pub person: Person,
}

/// A session without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// What it rests on.
    pub basis: Basis,
    /// The first moment at which it no longer holds.
    pub expires_at: Timestamp,
}

/// A new session, the one time that its secret is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// What its holder shows from now on.
    pub secret: String,
    /// The first moment at which it no longer holds.
    pub expires_at: Timestamp,
}

/// The sessions of a node.
#[derive(Debug)]
pub struct Sessions {
    by_token: Mutex<Store<Basis>>,
    by_person: Mutex<Store<Basis>>,
    /// By the hash of their nonce.
    challenges: Mutex<Store<Challenge>>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            by_token: Mutex::new(Store::new(TOKEN_SESSIONS_MAX)),
            by_person: Mutex::new(Store::new(PERSON_SESSIONS_MAX)),
            challenges: Mutex::new(Store::new(CHALLENGES_MAX)),
        }
    }
}

impl Sessions {
    /// Begins a session, which ends after [`SESSION_MS_MAX`] or at `until`, whichever comes first. Its secret is made
    /// of `random`.
    ///
    /// # Errors
    /// `invalid_time` beyond the year 9999.
    pub fn begin(
        &self,
        basis: Basis,
        until: Option<Timestamp>,
        now: Timestamp,
        random: [u8; 32],
    ) -> Checked<Begun> {
        let longest = now.plus_ms(SESSION_MS_MAX)?;
        let expires_at = until.map_or(longest, |until| until.min(longest));
        let secret = format!("{SECRET_PREFIX}{}", Hash::from_bytes(random).to_hex());
        let sessions = match &basis {
            Basis::Token(_) => &self.by_token,
            Basis::Person(_) => &self.by_person,
        };
        lock(sessions).insert(Hash::of(secret.as_bytes()), basis, expires_at, now);
        Ok(Begun { secret, expires_at })
    }

    /// The session whose secret has this hash, if it holds at `now`.
    pub fn find(&self, hash: &Hash, now: Timestamp) -> Option<Session> {
        let found = lock(&self.by_token).find(hash, now);
        let found = found.or_else(|| lock(&self.by_person).find(hash, now));
        found.map(|(basis, expires_at)| Session { basis, expires_at })
    }

    /// Ends a session; whether there was one.
    pub fn end(&self, hash: &Hash) -> bool {
        lock(&self.by_token).remove(hash) || lock(&self.by_person).remove(hash)
    }

    /// Makes a challenge for a signer, which holds for [`CHALLENGE_MS_MAX`]. Its nonce is made of `random`.
    ///
    /// # Errors
    /// `invalid_time` beyond the year 9999.
    pub fn challenge(
        &self,
        site: Site,
        purpose: Purpose,
        signer: Signer,
        now: Timestamp,
        random: [u8; 16],
    ) -> Checked<Challenge> {
        let expires_at = now.plus_ms(CHALLENGE_MS_MAX)?;
        let nonce = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let challenge = Challenge { site, purpose, signer, nonce, issued_at: now, expires_at };
        let hash = Hash::of(challenge.nonce.as_bytes());
        lock(&self.challenges).insert(hash, challenge.clone(), expires_at, now);
        Ok(challenge)
    }

    /// The challenge of a nonce that was not answered yet, if it holds at `now`.
    ///
    /// # Errors
    /// `challenge_invalid`, which does not say whether it was used, has expired or never was.
    pub fn open_challenge(&self, nonce: &str, now: Timestamp) -> Checked<Challenge> {
        let found = lock(&self.challenges).find(&Hash::of(nonce.as_bytes()), now);
        found.map(|(challenge, _)| challenge).ok_or_else(|| refuse_challenge(nonce))
    }

    /// Takes the answer to a challenge that was made at this site: its text and a signature. It counts once; a wrong
    /// answer leaves it open.
    ///
    /// # Errors
    /// What the text refuses; `challenge_invalid`; `sign_in_mismatch` for another text or site; `signature_invalid`.
    pub fn answer(&self, text: &str, signature: &str, site: &Site, now: Timestamp) -> Checked<Answered> {
        let challenge = self.open_challenge(&nonce_of(text)?, now)?;
        if challenge.site != *site {
            let expected = challenge.site.to_string();
            return Err(Rejection::new(RejectionCode::SignInMismatch, "domain", expected, site));
        }
        let signed = challenge.check(text, signature)?;
        let identity = challenge.signer.identity()?;
        // Of several who answer at once one finds it here.
        if !lock(&self.challenges).remove(&Hash::of(challenge.nonce.as_bytes())) {
            return Err(refuse_challenge(&challenge.nonce));
        }
        Ok(Answered { purpose: challenge.purpose, person: Person { identity, signed } })
    }
}

fn refuse_challenge(nonce: &str) -> Rejection {
    let expected = "a challenge of this node that is open";
    Rejection::new(RejectionCode::ChallengeInvalid, "nonce", expected, nonce)
}

/// A store is whole between any two steps of it: what another thread left behind when it failed can be used.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use meed_keys::{KeyUse, SigningKey};

    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms).expect("time")
    }

    #[test]
    fn a_session_ends_with_its_time_and_never_after_its_token() {
        let sessions = Sessions::default();
        let basis = Basis::Token(Hash::of(b"token"));
        let long = sessions.begin(basis.clone(), None, at(0), [1; 32]).expect("begun");
        let short = sessions.begin(basis.clone(), Some(at(50)), at(0), [2; 32]).expect("begun");
        assert_eq!((long.expires_at, short.expires_at), (at(SESSION_MS_MAX), at(50)));
        let find = |begun: &Begun, ms| sessions.find(&Hash::of(begun.secret.as_bytes()), at(ms));
        assert_eq!(find(&short, 49), Some(Session { basis: basis.clone(), expires_at: at(50) }));
        assert_eq!(find(&short, 50), None);
        assert_eq!(find(&long, SESSION_MS_MAX - 1).map(|session| session.basis), Some(basis));
        assert_eq!(find(&long, SESSION_MS_MAX), None);
    }

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed("ana".parse().expect("a name"), KeyUse::Approver, [seed; 32])
    }

    #[test]
    fn a_challenge_counts_once_for_its_signer_until_it_expires() {
        let sessions = Sessions::default();
        let site: Site = "https://ledger.example.org".parse().expect("a site");
        let ask = |seed: u8, random: u8| {
            let signer = Signer::Key(*key(seed).public_key());
            let challenge = sessions.challenge(site.clone(), Purpose::SignIn, signer, at(0), [random; 16]);
            challenge.expect("a challenge").text()
        };
        let sign = |seed: u8, text: &str| key(seed).sign_in(text).expect("signed").to_string();
        let refused = |text: &str, signature: &str, site: &Site, ms| {
            sessions.answer(text, signature, site, at(ms)).expect_err("refused").code
        };
        let (text, others) = (ask(1, 7), ask(2, 8));
        assert!(text.contains(&"07".repeat(16)), "{text}");
        let good = sign(1, &text);
        // What is wrong leaves the challenge open for what is right.
        assert_eq!(refused(&text, &sign(2, &text), &site, 1), RejectionCode::SignatureInvalid);
        let elsewhere = "https://example.org".parse().expect("a site");
        assert_eq!(refused(&text, &good, &elsewhere, 1), RejectionCode::SignInMismatch);
        let mixed = text.replace(&"07".repeat(16), &"08".repeat(16));
        assert_eq!(refused(&mixed, &sign(1, &mixed), &site, 1), RejectionCode::SignInMismatch);
        let unknown = text.replace(&"07".repeat(16), &"09".repeat(16));
        assert_eq!(refused(&unknown, &sign(1, &unknown), &site, 1), RejectionCode::ChallengeInvalid);
        assert_eq!(refused(&text, &good, &site, CHALLENGE_MS_MAX), RejectionCode::ChallengeInvalid);
        let answered = sessions.answer(&text, &good, &site, at(CHALLENGE_MS_MAX - 1)).expect("answered");
        assert_eq!((answered.purpose, &answered.person.signed.text), (Purpose::SignIn, &text));
        assert_eq!(refused(&text, &good, &site, 1), RejectionCode::ChallengeInvalid, "a replay");
        assert!(sessions.answer(&others, &sign(2, &others), &site, at(1)).is_ok());
    }

    #[test]
    fn of_many_who_answer_at_once_one_is_let_in() {
        let sessions = Sessions::default();
        let site: Site = "https://ledger.example.org".parse().expect("a site");
        let signer = Signer::Key(*key(1).public_key());
        let text =
            sessions.challenge(site.clone(), Purpose::SignIn, signer, at(0), [7; 16]).expect("made").text();
        let signature = key(1).sign_in(&text).expect("signed").to_string();
        let let_in = std::thread::scope(|threads| {
            let answer = || sessions.answer(&text, &signature, &site, at(1)).is_ok();
            let all: Vec<_> = (0..8).map(|_| threads.spawn(answer)).collect();
            all.into_iter().map(|one| one.join().expect("joined")).filter(|in_| *in_).count()
        });
        assert_eq!(let_in, 1);
    }

    #[test]
    fn people_take_no_room_from_tokens() {
        let sessions = Sessions::default();
        let begun = sessions.begin(Basis::Token(Hash::of(b"token")), None, at(0), [7; 32]).expect("begun");
        let identity = Signer::Key(*key(1).public_key()).identity().expect("an identity");
        let signed = SignedText { method: "ed25519", text: String::new(), signature: String::new() };
        let person = Basis::Person(Arc::new(Person { identity, signed }));
        for number in 0..PERSON_SESSIONS_MAX + 10 {
            let random = Hash::of(&number.to_be_bytes()).to_bytes();
            sessions.begin(person.clone(), None, at(0), random).expect("begun");
        }
        assert!(sessions.find(&Hash::of(begun.secret.as_bytes()), at(1)).is_some());
    }

    #[test]
    fn what_is_kept_is_no_secret_and_an_ended_session_is_gone() {
        let sessions = Sessions::default();
        let begun = sessions.begin(Basis::Token(Hash::of(b"token")), None, at(0), [7; 32]).expect("begun");
        assert!(begun.secret.starts_with(SECRET_PREFIX) && begun.secret.len() == SECRET_PREFIX.len() + 64);
        let hex = begun.secret.trim_start_matches(SECRET_PREFIX);
        assert!(!format!("{sessions:?}").contains(hex));
        let hash = Hash::of(begun.secret.as_bytes());
        assert!(sessions.end(&hash) && !sessions.end(&hash));
        assert_eq!(sessions.find(&hash, at(0)), None);
    }
}
