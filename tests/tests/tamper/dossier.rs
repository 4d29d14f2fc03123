//! Every byte of a dossier: what an approver recomputes is what the statement says, or it is refused.

use std::collections::BTreeMap;

use meed_audit::Checked;
use meed_audit::close::ClosedEpoch;
use meed_audit::dossier::Dossier;
use meed_tests::world::World;

fn recompute(mut file: &[u8]) -> Checked<ClosedEpoch> {
    Dossier::read(&mut file)?.recompute()
}

/// The kind of a line.
fn kind(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    let kind = line.split("\"kind\":\"").nth(1).and_then(|rest| rest.split('"').next());
    kind.unwrap_or_default().to_owned()
}

/// The lines of the dossier of a world with two approver sets and two epochs.
fn lines() -> Vec<Vec<u8>> {
    let mut file = Vec::new();
    World::with_changed_approvers().dossier().write(&mut file).expect("writes");
    file.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

#[test]
fn no_byte_of_a_dossier_changes_what_is_signed() {
    let lines = lines();
    let statement = recompute(&lines.concat()).expect("recomputes").statement;
    let mut accepted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (number, line) in lines.iter().enumerate() {
        for position in 0..line.len() {
            // One bit flipped, or another digit or letter, turn by turn.
            let digit = if line[position] == b'0' { b'1' } else { b'0' };
            let flipped = line[position] ^ (1 << (position / 2 % 7));
            let mut file = lines.clone();
            file[number][position] = if position % 2 == 0 { digit } else { flipped };
            if let Ok(closed) = recompute(&file.concat()) {
                assert_eq!(closed.statement, statement, "line {number}, byte {position}");
                let around = &file[number][position.saturating_sub(20)..(position + 20).min(line.len())];
                accepted.entry(kind(line)).or_default().push(String::from_utf8_lossy(around).into_owned());
            }
        }
    }
    assert!(accepted.is_empty(), "accepted changes by line: {accepted:#?}");
}

#[test]
fn no_line_of_a_dossier_can_be_left_out_doubled_or_moved() {
    let lines = lines();
    let statement = recompute(&lines.concat()).expect("recomputes").statement;
    let (body, _) = lines.split_at(lines.len() - 1);
    let with_end = |body: &[Vec<u8>]| {
        let end = format!("{{\"kind\":\"end\",\"lines\":\"{}\"}}\n", body.len());
        [body.concat(), end.into_bytes()].concat()
    };
    assert_eq!(with_end(body), lines.concat());
    for number in 0..body.len() {
        let next = (number + 1) % body.len();
        // Lines of two kinds may change places, and so may events and components, whose trees have orders of their own.
        let free = kind(&body[number]) != kind(&body[next])
            || ["event", "pool"].contains(&kind(&body[number]).as_str());
        let mut removed = body.to_vec();
        removed.remove(number);
        let mut doubled = body.to_vec();
        doubled.insert(number, body[number].clone());
        let mut moved = body.to_vec();
        moved.swap(number, next);
        for (what, body) in [("left out", removed), ("doubled", doubled), ("moved", moved)] {
            if let Ok(closed) = recompute(&with_end(&body)) {
                assert_eq!(closed.statement, statement, "line {number}");
                assert!(what == "moved" && free, "line {number} {what}: {}", kind(&body[number]));
            }
        }
    }
}
