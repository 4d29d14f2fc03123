//! Values in another form than theirs, in a statement that everybody signed and in a leaf: refused before any hash is
//! looked at.

use meed_audit::leaf::Leaf;
use meed_audit::verify::Link;
use meed_tests::log::{cosign, node_line, note};
use meed_tests::world::{World, approver, signed_at_seconds};

use crate::support::{altered, verify};

/// The link at which the proof is refused of a world whose second statement has another text, signed by node and
/// approvers as if it were right; none where it is not refused.
fn link_of_statement(world: &World, text: &str) -> Option<Link> {
    let origin_line = text.split('\n').next().expect("a line");
    let mut lines = vec![node_line(&world.node_key, origin_line, text)];
    lines.extend(["alice", "carol"].map(|name| cosign(&approver(name), text, signed_at_seconds())));
    let world = world.clone().with_note(note(text, lines));
    verify(&world.payout_proof(3), &world.trust()).err().map(|error| error.link)
}

#[test]
fn a_statement_with_a_value_in_another_form_is_none() {
    let world = World::new();
    let text = world.full.closed.statement.to_string();
    assert_eq!(link_of_statement(&world, &text), None);
    let (scope, revision) = (world.name.id().to_string(), "Epoch: 2 revision 0");
    let start = world.full.closed.statement.period.start.to_string();
    let period = format!("Period: {start} {}", world.full.closed.statement.period.end);
    let hash = world.full.closed.statement.policy_hash.to_hex();
    for (from, to) in [
        ("meed payout statement v1", "meed payout statement v2"),
        ("/epoch/2/0\n", "/epoch/2/1\n"),
        ("/epoch/2/0\n", "/epoch/02/0\n"),
        ("\n8\n", "\n9\n"),
        ("\n8\n", "\n08\n"),
        ("\n8\n", "\n9223372036854775808\n"),
        (&scope, &scope.to_uppercase()),
        (&scope, "00000000-0000-4000-8000-000000000000"),
        (revision, "Epoch: 2 revision 4611686018427387905"),
        (revision, "Epoch: 2  revision 0"),
        (revision, "Epoch: 2 Revision 0"),
        (&period, &format!("Period: {start} {start}")),
        (&period, "Period: 2026-11-16T00:00:00.000Z 2026-11-09T00:00:00.000Z"),
        (&period, "Period: 2026-02-30T00:00:00.000Z 2026-11-16T00:00:00.000Z"),
        (&period, "Period: 2026-11-09T00:00:00Z 2026-11-16T00:00:00.000Z"),
        (&period, "Period: 2026-11-09T00:00:00.000Z 2026-11-15T24:00:00.000Z"),
        (&period, "Period: 1969-12-31T23:59:59.999Z 2026-11-16T00:00:00.000Z"),
        ("Unit: ", "Unit: a b "),
        ("Unit: ", "Unit: \u{e9}"),
        ("Policy: weight-sum-v1 ", "Policy: weight-sum-v2 "),
        (&hash, &hash.to_uppercase()),
        ("Events Log: ledger.example.org/events/1 ", "Events Log: ledger.example.net/events/1 "),
        ("Events Log: ledger.example.org/events/1 ", "Events Log: ledger.example.org/events/0 "),
        ("Events Log: ledger.example.org/events/1 ", "Events Log: ledger.example.org/events/1a "),
        (
            "Events Log: ledger.example.org/events/1 ",
            "Events Log: ledger.example.org/events/18446744073709551616 ",
        ),
        ("Activity: ", "Activity: 0"),
        ("Activity: ", "Activity: +"),
        ("Activity: ", "Activities: "),
        ("Distributed: ", "Distributed: -"),
        ("Distributed: 10007", "Distributed: 340282366920938463463374607431768211456"),
        ("Approvers: 2 of 3", "Approvers: 256 of 3"),
        ("Approvers: 2 of 3", "Approvers: 2 from 3"),
        ("version 1 ", "version 0 "),
        ("Supersedes: none\n", "Supersedes: None\n"),
        ("Supersedes: none\n", "Supersedes: none\nMore: none\n"),
        ("Supersedes: none\n", ""),
        ("Supersedes: none\n", "Supersedes: none \n"),
    ] {
        assert!(text.contains(from), "{from}");
        assert_eq!(
            link_of_statement(&world, &text.replacen(from, to, 1)),
            Some(Link::Scope),
            "{from} -> {to}"
        );
    }
    // In its form: then what it says is refused where it matters. The root stays, so that the leaves are under it.
    for (from, to, link) in [
        ("Approvers: 2 of 3", "Approvers: 255 of 3", Some(Link::Approvals)),
        ("Approvers: 2 of 3", "Approvers: 2 of 0", Some(Link::Approvals)),
        ("version 1 ", "version 4611686018427387904 ", Some(Link::ApproverSets)),
        ("Distributed: 10007", "Distributed: 340282366920938463463374607431768211455", None),
        ("Supersedes: none", &format!("Supersedes: {hash}"), None),
    ] {
        assert!(text.contains(from), "{from}");
        assert_eq!(link_of_statement(&world, &text.replacen(from, to, 1)), link, "{from} -> {to}");
    }
}

#[test]
fn a_leaf_with_a_value_in_another_form_is_none() {
    let world = World::new();
    let allocations = &world.full.closed.allocations;
    let position = allocations.iter().position(|leaf| leaf.override_reason.is_some()).expect("an override");
    let allocation = &allocations[position];
    let leaf = String::from_utf8(allocation.encode()).expect("UTF-8");
    let link_of = |leaf: String| {
        let mut proof = world.payout_proof(position + 1);
        proof.payout = altered(&proof.payout, |parts| parts.extra = Some(leaf.into_bytes()));
        verify(&proof, &world.trust()).err().map(|error| error.link)
    };
    assert_eq!(link_of(leaf.clone()), None);
    let value = |name: &str| {
        let (_, rest) = leaf.split_once(&format!("\"{name}\":\"")).expect("a field");
        // A value may hold quotation marks, which are escaped; none of the values holds one that is followed by these.
        let (value, _) = rest.split_once("\",\"").or_else(|| rest.split_once("\"}")).expect("its end");
        format!("\"{name}\":\"{value}\"")
    };
    let long = "x".repeat(1_025);
    for (name, other) in [
        ("credits", "01"),
        ("credits", "+1"),
        ("credits", "1e3"),
        ("credits", ""),
        ("credits", "340282366920938463463374607431768211456"),
        ("final_units", "-0"),
        ("events", "18446744073709551616"),
        ("epoch", "0"),
        ("epoch", "\u{662}"),
        ("revision", "4611686018427387905"),
        ("scope", "A28A8B1E-1F9D-5CD5-9329-569E4819FEDA"),
        ("v", "meed/allocation/v2"),
        ("claimant", "user:x"),
        ("claimant", "identity:github:042"),
        ("claimant", "identity:google:42"),
        ("claimant", "identity:wallet:0xAA000000000000000000000000000000000000aa"),
        ("override_reason", ""),
        ("override_reason", " \u{a0}\u{3000}"),
        ("override_reason", &long),
        ("override_reason", "e\u{301}"),
        ("override_reason", "a\u{202e}b"),
        ("override_reason", "a\u{7f}b"),
        ("override_reason", "a\u{fffe}b"),
        ("override_reason", "a\u{10ffff}b"),
        ("override_reason", "a\\u000bb"),
        ("override_reason", "a\\/b"),
        ("override_reason", "\\u0061"),
        ("override_reason", "\\ud800"),
    ] {
        let changed = leaf.replace(&value(name), &format!("\"{name}\":\"{other}\""));
        assert_eq!(link_of(changed), Some(Link::Leaf), "{name} {other}");
    }
    for (from, to) in [
        (value("credits"), "\"credits\":1".to_owned()),
        (value("credits"), "\"credits\":null".to_owned()),
        (value("credits"), format!("{0},{0}", value("credits"))),
        (format!(",{}", value("credits")), String::new()),
        (value("v"), format!("{},\"w\":\"\"", value("v"))),
        (",".to_owned(), ", ".to_owned()),
    ] {
        assert_eq!(link_of(leaf.replacen(&from, &to, 1)), Some(Link::Leaf), "{from} -> {to}");
    }
    // In their form, these are other leaves.
    for (name, other) in [
        ("credits", "340282366920938463463374607431768211455"),
        ("events", "18446744073709551615"),
        ("override_reason", "\u{e9} \\\" \\\\ \u{1f600}"),
        ("override_reason", &long[1..]),
        ("claimant", "identity:github:18446744073709551616"),
    ] {
        let changed = leaf.replace(&value(name), &format!("\"{name}\":\"{other}\""));
        assert_eq!(link_of(changed), Some(Link::Inclusion), "{name} {other}");
    }
}
