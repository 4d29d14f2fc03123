//! The closed list of reasons for which meed refuses something, each with who must act and the remedy.
//!
//! Codes are numbered and never reused. Their order is the one in which a step asks: whether the input can be read,
//! then its values, then who may, what is there, and what state it is in; idempotence is decided before any of them.

use std::fmt;

/// Result of a check that may refuse.
pub type Checked<T> = Result<T, Rejection>;

/// Who has to act so that the same request can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Whoever sent the request: it can never succeed as it is.
    Caller,
    /// The operator of the node: configuration, state or time must change first.
    Operator,
    /// The makers of meed: this should not have been possible.
    Makers,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Caller => "caller",
            Self::Operator => "operator",
            Self::Makers => "makers of meed",
        })
    }
}

macro_rules! rejections {
    ($($(#[$doc:meta])* $number:literal $variant:ident $name:literal $actor:ident $remedy:literal;)*) => {
        /// The reasons, in order of precedence.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum RejectionCode { $($(#[$doc])* $variant = $number,)* }

        impl RejectionCode {
            /// Every code, in order of precedence.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable `snake_case` name that problem documents and errors print.
            pub fn name(self) -> &'static str { match self { $(Self::$variant => $name,)* } }

            /// The stable number.
            pub fn number(self) -> u16 { match self { $(Self::$variant => $number,)* } }

            /// Who must act.
            pub fn actor(self) -> Actor { match self { $(Self::$variant => Actor::$actor,)* } }

            /// What to do about it, one sentence without a full stop.
            pub fn remedy(self) -> &'static str { match self { $(Self::$variant => $remedy,)* } }
        }
    };
}

rejections! {
    // Input that cannot be read at all.
    /// The input is longer than its limit.
    1 InputTooLarge "input_too_large" Caller "send less at once, within the limit that the message names";
    /// The bytes are not UTF-8.
    2 NotUtf8 "not_utf8" Caller "send the text as UTF-8";
    /// The text is not the JSON, TOML or line format it should be.
    3 Malformed "malformed" Caller "correct the text at the place that the message names";
    /// A field stands twice in one object.
    4 DuplicateField "duplicate_field" Caller "give each field once";
    /// A field that the format does not have.
    5 UnknownField "unknown_field" Caller "remove the field, or check its spelling";
    /// A field that the format requires is absent.
    6 MissingField "missing_field" Caller "add the field";
    /// The field holds another JSON type.
    7 WrongType "wrong_type" Caller "give the field the type that the message names";
    /// The text is valid but is not in its one canonical form.
    8 NotCanonical "not_canonical" Caller "write the value in its canonical form, as audit/SPEC.md says";
    // Values that are out of their range.
    /// Control, bidirectional or separator characters, or text that is not NFC.
    10 InvalidText "invalid_text" Caller "remove control and bidirectional characters and normalise the text to NFC";
    /// Free text or a name is too long or empty.
    11 TextLength "text_length" Caller "write a text of the length that the message names";
    /// An identifier does not have the form of its kind.
    12 InvalidIdentifier "invalid_identifier" Caller "use the form that the message names";
    /// A claimant key is not in its one form.
    13 InvalidClaimant "invalid_claimant" Caller "write it as user:<uuid> or identity:<provider>:<external id>, in lower case";
    /// A time is not RFC 3339, or out of range.
    14 InvalidTime "invalid_time" Caller "write the time as RFC 3339 in UTC with at most milliseconds, from 1970 to 9999";
    /// An event happened more than ten minutes after it was retrieved, or was retrieved in the future.
    15 TimeInFuture "time_in_future" Caller "correct the clock of the source, or the time in the event";
    /// A number has a sign, a fraction, an exponent or a leading zero.
    16 InvalidNumber "invalid_number" Caller "write a whole number in decimal, as an integer or a string";
    /// A number is beyond its limit.
    17 NumberTooLarge "number_too_large" Caller "keep the number within the limit that the message names";
    /// A JSON number cannot be kept exactly.
    18 NumberLosesPrecision "number_loses_precision" Caller "write whole numbers, as integers or decimal strings; fractions and exponents are refused, except as text in metadata";
    /// JSON null where absence is meant.
    19 NullNotAllowed "null_not_allowed" Caller "leave the field out instead";
    /// Shares are zero, duplicated, or do not sum to 1,000,000.
    20 InvalidShares "invalid_shares" Caller "give each author once, with shares from 1 that sum to 1000000 parts per million";
    /// Too many items in one list.
    21 TooMany "too_many" Caller "give as many as the message names";
    /// The days of a window are not a multiple of seven.
    22 InvalidWindowDays "invalid_window_days" Caller "choose a multiple of 7 days, from 7 to 364";
    /// A number is below its limit.
    23 NumberTooSmall "number_too_small" Caller "give a number from the lowest that the message names";
    // Keys and authority.
    /// A key is malformed, weak, or of the wrong kind.
    30 KeyInvalid "key_invalid" Caller "give the whole line that `meed key show` prints of the key file; make another key with `meed key new` where that is refused too";
    /// A key is registered for another use already.
    31 KeyInUse "key_in_use" Caller "use one key for one purpose: make another with `meed key new`";
    /// An approver set breaks its rules.
    32 ApproverSetInvalid "approver_set_invalid" Caller "give 1 to 15 distinct approver keys and a threshold between 1 and their number";
    /// A token is unknown, expired or revoked.
    33 TokenInvalid "token_invalid" Caller "sign in again, or ask the operator for a new token";
    /// The token's role does not allow this.
    34 RoleForbids "role_forbids" Caller "ask the operator, or use a token whose role allows this";
    /// A challenge for signing in is unknown, was used, or has expired.
    35 ChallengeInvalid "challenge_invalid" Caller "ask for a new challenge and sign its text before it expires";
    /// What was signed to sign in is not the text of the challenge, or another key or wallet signed it.
    36 SignInMismatch "sign_in_mismatch" Caller "sign the text exactly as the node gave it, with the key or wallet that it names";
    /// A form was sent from a page of another site.
    37 CrossOrigin "cross_origin" Caller "open the node's own page and send the form from there";
    /// The node does not know under which address people reach it.
    38 DomainUnknown "domain_unknown" Operator "set `public_url` in meed.toml to the address at which people reach the node";
    // Things that are not there.
    /// No such scope.
    40 ScopeNotFound "scope_not_found" Caller "list the scopes with `meed scope list`, or add it with `meed scope add`";
    /// No such epoch in this scope.
    41 EpochNotFound "epoch_not_found" Caller "list the epochs with `meed epoch list`";
    /// No such event in this epoch of this scope.
    42 EventNotFound "event_not_found" Caller "list the epoch's activity with `meed activity`, and use an id from it";
    /// No such user.
    43 UserNotFound "user_not_found" Caller "make the user first with `meed user add`";
    /// The identity is not bound.
    44 IdentityNotBound "identity_not_bound" Caller "bind the identity first with `meed bind`";
    /// No draft has been frozen.
    45 DraftNotFound "draft_not_found" Operator "freeze a draft first with `meed epoch freeze`";
    /// The epoch has no final statement yet.
    46 StatementNotFound "statement_not_found" Operator "finalize the epoch first, or ask for the preview";
    /// No such token or run.
    47 RecordNotFound "record_not_found" Caller "list what there is, and use an id from it";
    /// A log entry or tile beyond the log's size.
    48 BeyondLog "beyond_log" Caller "ask for an index below the size of the checkpoint";
    // Things that are there already, but otherwise.
    /// The scope exists with other terms.
    50 ScopeExists "scope_exists" Caller "choose another key: a scope's terms are fixed when it is made";
    /// The epoch's window is not after the scope's last window.
    51 WindowOverlaps "window_overlaps" Caller "open a window that begins at or after the end of the last one";
    /// Another epoch of the scope is open.
    52 EpochAlreadyOpen "epoch_already_open" Operator "close the open epoch first";
    /// Another content is stored under the same event id.
    53 EventConflict "event_conflict" Caller "the first content stays; look at both with `meed conflicts` and correct the source";
    /// The pool component exists with another amount.
    54 PoolConflict "pool_conflict" Caller "components are never edited: add another component under a new id";
    /// The identity is bound to somebody else.
    55 IdentityBoundToOther "identity_bound_to_other" Operator "revoke the binding and rebind by a decision that names both users, or leave it";
    /// A different approver set is being proposed already, or the version is taken.
    56 ApproverSetPending "approver_set_pending" Operator "complete or withdraw the pending set first";
    /// The name or id is taken.
    57 RecordExists "record_exists" Caller "choose another name or id";
    // States that do not allow it.
    /// The epoch is not open any more.
    60 EpochNotOpen "epoch_not_open" Operator "do this in an open epoch: the pool and the activity of a closed one are pinned";
    /// The epoch is not in review.
    61 EpochNotInReview "epoch_not_in_review" Operator "close the epoch first with `meed epoch close`";
    /// The epoch is final.
    62 EpochFinalized "epoch_finalized" Operator "a final epoch is corrected by an amendment only";
    /// The window has not ended.
    63 WindowNotEnded "window_not_ended" Operator "wait for the window's end, or close with --early and a reason";
    /// The scope has no approvers.
    64 ApproversMissing "approvers_missing" Operator "set them with `meed scope approvers`";
    /// The epoch has no base_issuance component.
    65 BaseIssuanceMissing "base_issuance_missing" Operator "add it with `meed pool add --component base_issuance`";
    /// An amount of a pool component is zero.
    66 PoolNotPositive "pool_not_positive" Caller "give an amount of at least 1";
    /// An override's claimant has become another since.
    67 OverrideClaimantMoved "override_claimant_moved" Operator "restate the override with `meed allocate` for the claimant that the message names";
    /// An earlier epoch of the scope has no final statement yet.
    68 EarlierEpochUnfinished "earlier_epoch_unfinished" Operator "finalize first what the message names: a scope's statements are one chain";
    /// The signature or text is of a draft that is no longer the current one.
    69 DraftNotCurrent "draft_not_current" Caller "sign the current draft: fetch the dossier again";
    /// The scope was ended by a decision.
    70 ScopeEnded "scope_ended" Operator "begin a new scope";
    /// An amendment of the scope is under way.
    71 AmendmentOpen "amendment_open" Operator "finish the amendment that is under way first";
    /// Nothing would change.
    72 NothingToChange "nothing_to_change" Caller "nothing is left to do: what was asked for is so already";
    /// A restored ledger does not sign before the operator confirms what was published.
    73 LedgerRestored "ledger_restored" Operator "confirm the last published sizes with `meed resume`";
    /// Sizes that the operator confirms exceed what the ledger holds.
    74 LedgerBehind "ledger_behind" Operator "restore a newer backup: this one lacks entries that were published";
    /// The window of the epoch begins after now.
    75 WindowAhead "window_ahead" Operator "wait until it has begun; opening it before can be meant, with --ahead";
    /// Windows between the last epoch's and this one would be left out.
    76 WindowsSkipped "windows_skipped" Operator "open the window that the message expects, or say with --skip how many are left out";
    /// A source has more of the epoch's window than was collected, or could not be asked.
    77 CollectionGap "collection_gap" Operator "repair what the message names and collect again with `meed schedule run`, or close with --accept-gap and a reason";
    /// A run for the same is at work, with another request.
    78 RunActive "run_active" Caller "wait until it has ended (`meed run show`), then ask again";
    /// Decisions that can touch the epoch came after the draft, which does not hold them.
    79 DecisionsAfterDraft "decisions_after_draft" Operator "freeze the next draft with `meed epoch freeze` and have it signed, or finalize this one without them by --leave-out-later";
    // Signatures.
    /// A signature does not verify, or its line is malformed.
    80 SignatureInvalid "signature_invalid" Caller "sign the exact text again, and hand on the whole signature as it was written";
    /// A signature by a key that is not known here.
    81 SignerUnknown "signer_unknown" Caller "sign with a key of the approver set that the text names";
    /// Two signature lines of one key.
    82 SignerTwice "signer_twice" Caller "give one signature line for each key";
    /// A signature time before the period began or after Sign By.
    83 SignatureOutOfTime "signature_out_of_time" Caller "sign between the period's start and the Sign By time; after that a new draft is needed";
    /// Fewer approvals than the threshold.
    84 QuorumMissing "quorum_missing" Operator "collect signatures of more approvers";
    /// The statement's Sign By has passed.
    85 SignByPassed "sign_by_passed" Operator "freeze a new draft with `meed epoch freeze`";
    /// A key has signed another text of this origin, or a higher revision.
    86 SignedOther "signed_other" Caller "do not sign: one text an origin, ever; ask the operator for a new draft with a new revision";
    // Verification and recomputation.
    /// A name, id, origin or hash is not the one that it must equal.
    90 Mismatch "mismatch" Caller "do not trust this file; fetch it again, and ask the node's operator";
    /// A Merkle path does not lead from the leaf to the root.
    91 InclusionInvalid "inclusion_invalid" Caller "do not trust this file; fetch it again, and ask the node's operator";
    /// A log does not extend what was seen before.
    92 ConsistencyInvalid "consistency_invalid" Caller "keep both checkpoints: they show that the log was rewritten";
    /// The recomputed bytes differ from those offered.
    93 RecomputationDiffers "recomputation_differs" Operator "do not sign; compare the dossier with the ledger by `meed fsck`";
    /// The input does not hold what the rules demand.
    94 InputIncomplete "input_incomplete" Operator "fetch the dossier again; if it stays so, run `meed fsck`";
    /// A sum or product exceeds 128 bits although every part was in its range.
    95 ArithmeticOverflow "arithmetic_overflow" Makers "report this with the dossier: limits should make it impossible";
}

/// One refusal: the reason, what it is about, what was expected there and what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The reason.
    pub code: RejectionCode,
    /// The field, record or line that it is about.
    pub subject: String,
    /// What would have been accepted.
    pub expected: String,
    /// What came instead, shortened and made printable.
    pub got: String,
}

impl Rejection {
    /// A refusal of `subject`, with the expected and the actual value.
    pub fn new(
        code: RejectionCode,
        subject: impl Into<String>,
        expected: impl Into<String>,
        got: impl fmt::Display,
    ) -> Self {
        let got = match shorten(&got.to_string()) {
            empty if empty.is_empty() => "an empty text".to_owned(),
            got => got,
        };
        Self { code, subject: subject.into(), expected: expected.into(), got }
    }

    /// A refusal of `subject` for what reading or checking it ended with. Where that says itself what it expected and got,
    /// it is said in its words, and else after those of `expected`.
    pub fn of_error(
        code: RejectionCode,
        subject: impl Into<String>,
        expected: impl Into<String>,
        error: impl fmt::Display,
    ) -> Self {
        let error = error.to_string();
        match error.strip_prefix("expected ").and_then(|rest| rest.split_once(", got ")) {
            Some((expected, got)) => Self::new(code, subject, expected, got),
            None => Self::new(code, subject, expected, format!("one that is not: {error}")),
        }
    }

    /// The same refusal, with its subject placed inside `outer` (`authors` becomes `line 3: authors`).
    #[must_use]
    pub fn within(mut self, outer: impl fmt::Display) -> Self {
        self.subject =
            if self.subject.is_empty() { outer.to_string() } else { format!("{outer}: {}", self.subject) };
        self
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        self.code.remedy()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: expected {}, got {}", self.code.name(), self.subject, self.expected, self.got)
    }
}

impl std::error::Error for Rejection {}

/// Longest part of a refused value that a message repeats, in characters.
const GOT_CHARACTERS_MAX: usize = 200;

/// Makes a refused value safe to print: one line, no control or bidirectional characters, bounded.
fn shorten(text: &str) -> String {
    let mut out = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == GOT_CHARACTERS_MAX {
            out.push('…');
            break;
        }
        if character.is_control() || crate::text::is_deceptive(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_ascend_and_names_are_unique() {
        let numbers: Vec<u16> = RejectionCode::ALL.iter().map(|code| code.number()).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
        let names: BTreeSet<&str> = RejectionCode::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), RejectionCode::ALL.len());
        for code in RejectionCode::ALL {
            assert!(code.name().bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit()));
            assert!(!code.remedy().is_empty() && !code.remedy().ends_with('.'));
        }
    }

    #[test]
    fn hostile_values_are_printed_harmlessly() {
        let rejection = Rejection::new(RejectionCode::InvalidText, "reason", "plain text", "a\u{202e}b\n");
        assert_eq!(rejection.got, "a\\u{202e}b\\u{a}");
        let long =
            Rejection::new(RejectionCode::TextLength, "reason", "at most 1024 bytes", "x".repeat(5_000));
        assert!(long.got.len() < 300);
    }

    #[test]
    fn what_an_error_expected_is_not_said_twice() {
        let of =
            |error: &str| Rejection::of_error(RejectionCode::KeyInvalid, "key", "a key", error).to_string();
        assert_eq!(of("expected 64 digits, got 3"), "key_invalid: key: expected 64 digits, got 3");
        assert_eq!(of("it is weak"), "key_invalid: key: expected a key, got one that is not: it is weak");
    }

    #[test]
    fn an_empty_value_is_named() {
        let rejection = Rejection::new(RejectionCode::InvalidIdentifier, "id", "1 to 512 characters", "");
        assert!(rejection.to_string().ends_with("got an empty text"), "{rejection}");
    }
}
