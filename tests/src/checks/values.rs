//! Small values: each has one text, and arithmetic is exact.

use std::fmt::Display;
use std::str::FromStr;

use meed_audit::amount::{AMOUNT_MAX, Credits, Units, multiply_divide, parse_count, parse_decimal};
use meed_audit::apportion::apportion;
use meed_audit::decision::read_shares;
use meed_audit::hash::Hash;
use meed_audit::ids::{
    Claimant, ComponentId, EpochNumber, EventId, EventType, Identity, NodeId, Origin, Provider, Revision,
    ScopeId, ScopeKey, SetVersion, Source, UserId,
};
use meed_audit::policy::Unit;
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_audit::window::WindowDays;

use super::Bytes;
use crate::facts;

/// Every kind of value that has a text, and a division by weights that the bytes choose.
pub(super) fn values(data: &[u8]) {
    division(Bytes(data));
    let Ok(text) = std::str::from_utf8(data) else { return };
    same::<Claimant>(text);
    same::<ComponentId>(text);
    same::<Credits>(text);
    same::<EpochNumber>(text);
    same::<EventId>(text);
    same::<EventType>(text);
    same::<FreeText>(text);
    same::<Identity>(text);
    same::<NodeId>(text);
    same::<Origin>(text);
    same::<Provider>(text);
    same::<Revision>(text);
    same::<ScopeId>(text);
    same::<ScopeKey>(text);
    same::<SetVersion>(text);
    same::<Source>(text);
    same::<Timestamp>(text);
    same::<Unit>(text);
    same::<Units>(text);
    same::<UserId>(text);
    hashes_and_numbers(text);
    if let Ok(time) = Timestamp::parse_edge("time", text) {
        assert_eq!(time.to_string().parse(), Ok(time));
        if let Ok(window) = WindowDays::WEEK.window_at(time) {
            assert!(window.contains(time));
        }
    }
    if let Ok(shares) = read_shares(text) {
        assert_eq!(shares.values().map(|share| u64::from(*share)).sum::<u64>(), 1_000_000);
    }
}

fn same<T: FromStr + Display>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string(), text, "{} has one text", std::any::type_name::<T>());
    }
}

fn hashes_and_numbers(text: &str) {
    if let Ok(hash) = Hash::from_hex(text) {
        assert_eq!(hash.to_hex(), text);
    }
    if let Ok(hash) = Hash::from_base64(text) {
        assert_eq!(hash.to_base64(), text);
    }
    if let Ok(number) = parse_decimal("number", text) {
        assert_eq!(number.to_string(), text);
    }
    if let Ok(number) = parse_count("number", text) {
        assert_eq!(number.to_string(), text);
    }
}

/// A whole divided by weights: nothing is lost, and each part is its quota, rounded down or up.
fn division(mut bytes: Bytes<'_>) {
    let mut amount = |bits: u32| {
        let number = u128::from(bytes.number()) << 64 | u128::from(bytes.number());
        number >> (128 - bits)
    };
    let total = amount(96);
    let count = amount(5);
    let bits = 1 + u32::try_from(amount(7)).unwrap_or_default() % 122;
    let weights: Vec<u128> = (0..count).map(|_| amount(bits)).collect();
    let sum: u128 = weights.iter().sum();
    assert!(total <= AMOUNT_MAX);
    let parts = apportion(total, &weights, sum).expect("weights within their limits");
    assert_eq!(parts.iter().sum::<u128>(), if sum == 0 { 0 } else { total });
    for (part, weight) in parts.iter().zip(&weights) {
        let quota = multiply_divide(*weight, total, sum.max(1)).expect("a quota below the total");
        assert!(*part == quota.0 || (*part == quota.0 + 1 && quota.1 > 0), "{part} of {weight}");
    }
}

pub(super) fn value_seeds() -> Vec<Vec<u8>> {
    let texts = [
        "2026-11-10T12:00:00.000Z",
        "2026-11-10T12:00:00+01:30",
        "9999-12-31T23:59:59.999Z",
        "4ff8eac1-4eba-4ed0-931b-b1fe4f64713d",
        "user:4ff8eac1-4eba-4ed0-931b-b1fe4f64713d",
        "identity:github:1001",
        "identity:wallet:0x00000000219ab540356cbb839cbb05303d7705fa",
        "identity:git:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "identity:github:1=250000 user:4ff8eac1-4eba-4ed0-931b-b1fe4f64713d=750000",
        "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
        "ledger.example.org",
        "base_issuance",
        "github:pr:1:42",
        "USDC 6",
        "340282366920938463463374607431768211455",
        "agreed in the call of Monday, ü",
    ];
    let mut seeds: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    seeds.push(vec![0xff; 200]);
    seeds.push((0..=255).collect());
    seeds.push(facts::ORIGIN.as_bytes().to_vec());
    seeds
}
