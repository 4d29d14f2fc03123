//! Who is signed in: sessions, each found by the SHA-256 of its secret, in the memory of the node that runs.
//!
//! A session shows who somebody is for some hours, in place of what they signed in with. It is gone when the node ends,
//! when its holder ends it, and, where a token began it, when that token no longer holds.

mod store;

use std::sync::{Mutex, MutexGuard, PoisonError};

use meed_audit::Checked;
use meed_audit::hash::Hash;
use meed_audit::time::Timestamp;

use store::Store;

/// How long a session lasts, in milliseconds: a working day.
pub const SESSION_MS_MAX: i64 = 12 * 3_600_000;
/// Most sessions that tokens began; the oldest ends where there is no room.
const TOKEN_SESSIONS_MAX: usize = 4_096;
/// What every secret of a session begins with, so that one that leaked can be found by searching for it.
const SECRET_PREFIX: &str = "meed_session_";

/// What a session rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The token of this hash, which is looked up again at each use.
    Token(Hash),
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
}

impl Default for Sessions {
    fn default() -> Self {
        Self { by_token: Mutex::new(Store::new(TOKEN_SESSIONS_MAX)) }
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
        lock(&self.by_token).insert(Hash::of(secret.as_bytes()), basis, expires_at, now);
        Ok(Begun { secret, expires_at })
    }

    /// The session whose secret has this hash, if it holds at `now`.
    pub fn find(&self, hash: &Hash, now: Timestamp) -> Option<Session> {
        let found = lock(&self.by_token).find(hash, now);
        found.map(|(basis, expires_at)| Session { basis, expires_at })
    }

    /// Ends a session; whether there was one.
    pub fn end(&self, hash: &Hash) -> bool {
        lock(&self.by_token).remove(hash)
    }
}

/// A store is whole between any two steps of it: what another thread left behind when it failed can be used.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
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
