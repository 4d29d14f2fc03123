//! Errors of approver sets and quorums.

use thiserror::Error;

use crate::algorithm::Algorithm;
use crate::encoding::encode_hex;
use crate::error::{NameError, SignatureError, VerifierKeyError};
use crate::limits::KEY_ID_BYTES;
use crate::name::KeyName;

/// Why keys and a threshold are no approver set.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ApproverSetError {
    /// No member, or more than a set may have.
    #[error("an approver set has 1 to {limit} members, got {got}")]
    Size {
        /// The most members.
        limit: usize,
        /// The members that came.
        got: usize,
    },
    /// A threshold of 0, or above the number of members.
    #[error("the threshold of {members} approvers is 1 to {members}, got {got}")]
    Threshold {
        /// The members.
        members: usize,
        /// The threshold that came.
        got: usize,
    },
    /// A member that does not sign as approvers do.
    #[error("approver {name} has the wrong algorithm: expected {}, got {got}", Algorithm::CosignatureV1)]
    Algorithm {
        /// The member.
        name: KeyName,
        /// Its algorithm.
        got: Algorithm,
    },
    /// A member whose name may not be registered.
    #[error("approver {name:?} has a name that cannot be registered")]
    Name {
        /// The member.
        name: KeyName,
        /// What is wrong.
        source: NameError,
    },
    /// Two members with one name, or one member twice.
    #[error("two approvers are named {name}, expected distinct names")]
    DuplicateName {
        /// The name.
        name: KeyName,
    },
    /// One public key under two names, which would count twice.
    #[error("approvers {first} and {second} have the same public key, expected distinct keys")]
    DuplicateKey {
        /// The first name.
        first: KeyName,
        /// The second name.
        second: KeyName,
    },
    /// Two members with one key id.
    #[error(
        "approvers {first} and {second} have the same key id {}, expected distinct ids",
        encode_hex(key_id)
    )]
    DuplicateKeyId {
        /// The first name.
        first: KeyName,
        /// The second name.
        second: KeyName,
        /// The id.
        key_id: [u8; KEY_ID_BYTES],
    },
    /// The first line is not the threshold.
    #[error("the first line of an approver set is \"Threshold: k of n\", got {got:?}")]
    ThresholdLine {
        /// The line, or nothing.
        got: String,
    },
    /// A line is not an approver.
    #[error("line {number} of an approver set is \"Approver: name+id+key\", got {got:?}")]
    ApproverLine {
        /// Which line, from 1.
        number: usize,
        /// The line.
        got: String,
    },
    /// The key on a line cannot be read.
    #[error("the verifier key on line {number} of an approver set is not valid")]
    VerifierKey {
        /// Which line, from 1.
        number: usize,
        /// What is wrong.
        source: VerifierKeyError,
    },
    /// The members are not in order.
    #[error("approver {got} stands after {previous}, expected ascending names")]
    Order {
        /// The name on the line before.
        previous: KeyName,
        /// The name on this line.
        got: KeyName,
    },
    /// The n of the threshold line is not the number of members.
    #[error("the threshold line counts {expected} approvers, got {got} lines")]
    Count {
        /// The n of the line.
        expected: usize,
        /// The members that came.
        got: usize,
    },
}

/// Why signatures are no quorum of an approver set.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum QuorumError {
    /// A line by a key that is not in the set.
    #[error("{name}+{} is not in the approver set", encode_hex(key_id))]
    UnknownSigner {
        /// The name on the line.
        name: KeyName,
        /// The id on the line.
        key_id: [u8; KEY_ID_BYTES],
    },
    /// A member's line that does not verify.
    #[error("the approval of {name} is not valid")]
    Invalid {
        /// The member.
        name: KeyName,
        /// What is wrong.
        source: SignatureError,
    },
    /// A second line by the same member.
    #[error("{name} approved more than once: expected one line per approver")]
    Repeated {
        /// The member.
        name: KeyName,
    },
    /// Signed before the period in which approvals count.
    #[error(
        "{name} approved too early: expected a time after {after_ms} ms, got {got_seconds} s (since 1970)"
    )]
    TooEarly {
        /// The member.
        name: KeyName,
        /// The window's start, which does not count itself.
        after_ms: i64,
        /// The signed time.
        got_seconds: u64,
    },
    /// Signed after the period in which approvals count.
    #[error(
        "{name} approved too late: expected a time not after {until_ms} ms, got {got_seconds} s (since 1970)"
    )]
    TooLate {
        /// The member.
        name: KeyName,
        /// The window's last moment.
        until_ms: i64,
        /// The signed time.
        got_seconds: u64,
    },
    /// Every approval is good, but they are too few.
    #[error("too few approvals: expected {expected} of {members}, got {got}")]
    TooFew {
        /// The threshold.
        expected: usize,
        /// The members of the set.
        members: usize,
        /// The approvals that came.
        got: usize,
    },
}
