//! Tokens by which people and programs may write over HTTP; only their hashes are kept.

use meed_audit::hash::Hash;
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_audit::{Rejection, RejectionCode};
use serde::{Deserialize, Serialize};

use crate::codec::Record;
use crate::key::{All, KeyText};
use crate::ledger::Ledger;
use crate::rules::pool::Added;
use crate::rules::record::{By, LedgerResult, refuse};
use crate::snapshot::Snapshot;
use crate::table::{Reader, Table};

/// Tokens by name; a name is never used again.
const TOKENS: Table<KeyText, TokenRecord> = Table::new("tokens");
/// Names by the SHA-256 of the token.
const TOKEN_HASHES: Table<Hash, TokenName> = Table::new("token_hashes");

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Everything.
    Operator,
    /// Curation, overrides and bindings.
    Curator,
    /// Importing events.
    Importer,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Operator, Self::Curator, Self::Importer];

    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Curator => "curator",
            Self::Importer => "importer",
        }
    }
}

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Whose it is: the actor in decisions.
    pub name: FreeText,
    /// What it allows.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: FreeText,
    /// The first moment at which it no longer holds.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct TokenRecord {
    name: FreeText,
    role: Role,
    hash: Hash,
    created_at: Timestamp,
    created_by: FreeText,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

impl Record for TokenRecord {}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct TokenName {
    name: FreeText,
}

impl Record for TokenName {}

impl Ledger {
    /// Adds a token by its SHA-256. The same again changes nothing.
    ///
    /// # Errors
    /// `record_exists` where the name or the hash is taken.
    pub fn add_token(
        &self,
        name: FreeText,
        role: Role,
        hash: Hash,
        expires_at: Option<Timestamp>,
        by: By,
    ) -> LedgerResult<Added> {
        self.run(move |tx| {
            let key = key_of(&name)?;
            let owner = tx.get(TOKEN_HASHES, &hash)?.map(|owner| owner.name);
            match (tx.get(TOKENS, &key)?, owner) {
                (None, None) => {}
                (Some(record), Some(_)) if record.hash == hash && record.role == role => {
                    return Ok(Added::Same);
                }
                _ => {
                    let expected = "a name and a token that are not taken";
                    return refuse(Rejection::new(RejectionCode::RecordExists, "token", expected, &name));
                }
            }
            tx.insert(TOKEN_HASHES, &hash, &TokenName { name: name.clone() })?;
            let (created_at, created_by) = (by.at, by.actor);
            let record =
                TokenRecord { name, role, hash, created_at, created_by, expires_at, revoked_at: None };
            tx.insert(TOKENS, &key, &record)?;
            Ok(Added::New)
        })
    }

    /// Revokes a token. One that is revoked already stays so.
    ///
    /// # Errors
    /// `record_not_found`.
    pub fn revoke_token(&self, name: FreeText, now: Timestamp) -> LedgerResult<Token> {
        self.run(move |tx| {
            let key = key_of(&name)?;
            let Some(mut record) = tx.get(TOKENS, &key)? else {
                return refuse(Rejection::new(
                    RejectionCode::RecordNotFound,
                    "token",
                    "a token of this node",
                    &name,
                ));
            };
            if record.revoked_at.is_none() {
                record.revoked_at = Some(now);
                tx.insert(TOKENS, &key, &record)?;
            }
            Ok(view(record))
        })
    }
}

impl Snapshot {
    /// The token with this SHA-256, if it holds at `now`.
    ///
    /// # Errors
    /// `token_invalid`, which does not say why.
    pub fn find_token(&self, hash: &Hash, now: Timestamp) -> LedgerResult<Token> {
        let record = match self.get(TOKEN_HASHES, hash)? {
            Some(owner) => self.get(TOKENS, &key_of(&owner.name)?)?,
            None => None,
        };
        let holds = |record: &TokenRecord| {
            record.hash == *hash
                && record.revoked_at.is_none()
                && record.expires_at.is_none_or(|end| now < end)
        };
        match record.filter(holds) {
            Some(record) => Ok(view(record)),
            None => {
                let expected = "a token that holds now";
                refuse(Rejection::new(RejectionCode::TokenInvalid, "token", expected, "another"))
            }
        }
    }

    /// All tokens, by name.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn tokens(&self) -> LedgerResult<Vec<Token>> {
        Ok(self.with_prefix(TOKENS, &All)?.into_iter().map(|(_, record)| view(record)).collect())
    }
}

fn key_of(name: &FreeText) -> LedgerResult<KeyText> {
    Ok(name.as_str().parse()?)
}

fn view(record: TokenRecord) -> Token {
    let TokenRecord { name, role, created_at, created_by, expires_at, revoked_at, .. } = record;
    Token { name, role, created_at, created_by, expires_at, revoked_at }
}
