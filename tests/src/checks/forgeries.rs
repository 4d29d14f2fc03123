//! Forged proofs: the parts of valid ones exchanged, altered, left out and put together again as the bytes choose.

use std::fmt::Write as _;
use std::sync::LazyLock;

use meed_audit::hash::Hash;
use meed_audit::leaf::Leaf;
use meed_audit::proof::Proof;
use meed_audit::tlog_proof::TlogProof;
use meed_keys::SignatureLine;

use super::Bytes;
use super::proofs::{JUDGES, show, strangers, trusts};
use crate::facts::claimant;
use crate::log::split_note;

/// Most steps of one forgery.
const STEPS_MAX: usize = 16;

/// What forgers have at hand: everything of both worlds that was published.
struct Stock {
    proofs: Vec<Proof>,
    tlog_proofs: Vec<String>,
    notes: Vec<String>,
    lines: Vec<SignatureLine>,
    extras: Vec<Vec<u8>>,
    hashes: Vec<Hash>,
}

static STOCK: LazyLock<Stock> = LazyLock::new(|| {
    let mut stock = Stock {
        proofs: JUDGES.iter().flat_map(|judge| judge.proofs()).collect(),
        tlog_proofs: Vec::new(),
        notes: Vec::new(),
        lines: Vec::new(),
        extras: Vec::new(),
        hashes: Vec::new(),
    };
    for judge in JUDGES.iter() {
        let world = &judge.world;
        for epoch in [&world.full, &world.empty] {
            stock.notes.push(epoch.note.clone());
            stock.extras.push(epoch.closed.statement.leaf_zero());
            stock.extras.extend(epoch.closed.allocations.iter().map(Leaf::encode));
            stock.hashes.extend(&epoch.closed.allocation_hashes);
            for index in 0..=epoch.closed.allocations.len() {
                stock.tlog_proofs.push(world.leaf_proof(epoch, index).to_string());
            }
            stock.tlog_proofs.push(world.logged(&epoch.note, false).to_string());
        }
        stock.notes.extend(world.set_notes.clone());
        stock.notes.push(world.log.checkpoint());
        stock.tlog_proofs.extend(world.set_notes.iter().map(|note| world.logged(note, true).to_string()));
    }
    stock.extras.extend(stock.notes.iter().map(|note| note.clone().into_bytes()));
    stock.lines = stock.notes.iter().flat_map(|note| split_note(note).1).collect();
    let paths = stock.tlog_proofs.iter().filter_map(|text| TlogProof::parse(text).ok());
    let paths: Vec<Hash> = paths.flat_map(|proof| proof.path().to_vec()).collect();
    stock.hashes.extend(paths);
    stock
});

/// However a proof is forged of published parts, it shows only what is so.
pub(super) fn forgeries(data: &[u8]) {
    let mut bytes = Bytes(data);
    let Some(mut proof) = bytes.pick(&STOCK.proofs) else { return };
    let steps = bytes.below(STEPS_MAX);
    for _ in 0..steps {
        if bytes.is_empty() {
            break;
        }
        forge(&mut proof, &mut bytes);
    }
    let file = proof.to_file();
    // One trust file is enough for one forgery, and five times as fast as all of them.
    if let Some(trust) = bytes.pick(&trusts()) {
        show(&proof, trust);
    }
    if let Ok(read) = Proof::parse(&file) {
        assert_eq!(read.to_file(), file);
    }
}

/// One step: a change of one of the proof's texts, or of which texts it has.
fn forge(proof: &mut Proof, bytes: &mut Bytes<'_>) {
    let (sets, mut texts) = match proof {
        Proof::Payout(proof) => (&mut proof.approver_sets, vec![&mut proof.payout, &mut proof.log]),
        Proof::Absence(proof) => {
            match bytes.byte() % 10 {
                0 => std::mem::swap(&mut proof.left, &mut proof.right),
                1 => proof.left = bytes.pick(&STOCK.tlog_proofs),
                2 => proof.right = bytes.pick(&STOCK.tlog_proofs),
                3 => proof.left = None,
                4 => proof.right = None,
                5 => proof.claimant = claimant(strangers()[bytes.below(3)]),
                6 => {
                    let allocations = &JUDGES[bytes.below(JUDGES.len())].world.full.closed.allocations;
                    proof.claimant = allocations[bytes.below(allocations.len())].claimant.clone();
                }
                _ => {}
            }
            let neighbours = [&mut proof.left, &mut proof.right].into_iter().flatten();
            (&mut proof.approver_sets, neighbours.chain([&mut proof.log]).collect())
        }
    };
    match bytes.byte() % 16 {
        0 => sets.clear(),
        1 => sets.extend(bytes.pick(&STOCK.tlog_proofs)),
        2 if !sets.is_empty() => drop(sets.remove(bytes.below(sets.len()))),
        3 => {
            texts.extend(sets.iter_mut());
            let chosen = bytes.below(texts.len());
            *texts[chosen] = bytes.pick(&STOCK.tlog_proofs).unwrap_or_default();
        }
        4..=9 => {
            texts.extend(sets.iter_mut());
            let chosen = bytes.below(texts.len());
            let forged = forge_text(texts[chosen], bytes);
            *texts[chosen] = forged;
        }
        _ => {}
    }
}

/// One change of a tlog-proof's parts, or of any byte of its text.
fn forge_text(text: &str, bytes: &mut Bytes<'_>) -> String {
    let Ok(proof) = TlogProof::parse(text) else { return text.to_owned() };
    let mut extra = proof.extra().map(<[u8]>::to_vec);
    let (mut index, mut path, mut note) = (proof.index(), proof.path().to_vec(), proof.note().to_owned());
    match bytes.byte() % 12 {
        0 => index = u64::from(bytes.byte()),
        1 => index = bytes.number() >> (bytes.byte() % 64),
        2 => path.extend(bytes.pick(&STOCK.hashes)),
        3 if !path.is_empty() => drop(path.remove(bytes.below(path.len()))),
        4 if !path.is_empty() => {
            let place = bytes.below(path.len());
            path[place] = bytes.pick(&STOCK.hashes).unwrap_or(path[place]);
        }
        5 if !path.is_empty() => {
            let (a, b) = (bytes.below(path.len()), bytes.below(path.len()));
            path.swap(a, b);
        }
        6 => extra = bytes.pick(&STOCK.extras),
        7 => extra = None,
        8 => {
            if let Some(extra) = &mut extra {
                splice(extra, bytes);
            }
        }
        9 => note = bytes.pick(&STOCK.notes).unwrap_or_default(),
        10 => note = forge_note(&note, bytes),
        _ => {
            let mut raw = text.as_bytes().to_vec();
            splice(&mut raw, bytes);
            return String::from_utf8_lossy(&raw).into_owned();
        }
    }
    match TlogProof::new(extra, index, path, note) {
        Ok(proof) => proof.to_string(),
        Err(_) => text.to_owned(),
    }
}

/// One change of a note's lines, or of any byte of it.
fn forge_note(note: &str, bytes: &mut Bytes<'_>) -> String {
    let Some((text, lines)) = note.rsplit_once("\n\n") else { return note.to_owned() };
    let mut lines: Vec<String> = lines.lines().map(str::to_owned).collect();
    let place = bytes.below(lines.len());
    match bytes.byte() % 6 {
        0 if !lines.is_empty() => drop(lines.remove(place)),
        1 if !lines.is_empty() => lines.push(lines[place].clone()),
        2 => lines.extend(bytes.pick(&STOCK.lines).map(|line| line.to_string())),
        3 if !lines.is_empty() => lines.rotate_left(place),
        4 => {
            let other = bytes.pick(&STOCK.notes).unwrap_or_default();
            return format!("{}\n{}\n", split_note(&other).0, lines.join("\n"));
        }
        _ => {
            let mut raw = note.as_bytes().to_vec();
            splice(&mut raw, bytes);
            return String::from_utf8_lossy(&raw).into_owned();
        }
    }
    let mut forged = format!("{text}\n\n");
    lines.iter().for_each(|line| writeln!(forged, "{line}").expect("writes"));
    forged
}

/// Puts some bytes in the place of some others.
fn splice(target: &mut Vec<u8>, bytes: &mut Bytes<'_>) {
    let start = bytes.below(target.len() + 1);
    let end = (start + usize::from(bytes.byte() % 4)).min(target.len());
    let count = usize::from(bytes.byte() % 5);
    let inserted = bytes.take(count).to_vec();
    target.splice(start..end, inserted);
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let count = u8::try_from(STOCK.proofs.len()).expect("few proofs");
    (0..count)
        .flat_map(|proof| (0..12).map(move |step| vec![0, proof, 0, 1, 7, 4, 0, 0, step, 0, 1, 0, 2]))
        .collect()
}
