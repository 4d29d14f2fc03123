//! Dossiers: read as they are written, and what recomputes is what the statement says.

use std::sync::LazyLock;

use meed_audit::dossier::Dossier;
use meed_keys::Note;

use super::Bytes;
use super::decisions::check_closed;
use crate::world::World;

/// The dossiers of both worlds, line by line.
static DOSSIERS: LazyLock<Vec<Vec<Vec<u8>>>> = LazyLock::new(|| {
    [World::new(), World::with_changed_approvers()]
        .iter()
        .map(|world| {
            let mut file = Vec::new();
            world.dossier().write(&mut file).expect("writes");
            file.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
        })
        .collect()
});

/// Most edits of one dossier.
const EDITS_MAX: usize = 8;

/// A dossier as it comes.
pub(super) fn dossier(data: &[u8]) {
    check(data);
}

fn check(file: &[u8]) {
    let mut reader = file;
    let Ok(dossier) = Dossier::read(&mut reader) else { return };
    let mut written = Vec::new();
    dossier.write(&mut written).expect("writes");
    let again = Dossier::read(&mut written.as_slice()).expect("what was written is read");
    let mut twice = Vec::new();
    again.write(&mut twice).expect("writes");
    assert_eq!(twice, written);
    let recomputed = dossier.recompute();
    assert_eq!(recomputed.is_ok(), again.recompute().is_ok());
    let Ok(closed) = recomputed else { return };
    check_closed(&closed);
    let note = Note::parse(&dossier.note).expect("recomputing has read it");
    assert_eq!(note.text().as_str(), closed.statement.to_string());
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    DOSSIERS.iter().map(|lines| lines.concat()).collect()
}

/// A valid dossier with edits that the bytes choose: lines moved, doubled, left out, taken from the other one, and any
/// of their bytes changed. The count at its end is made right again.
pub(super) fn edited(data: &[u8]) {
    let mut bytes = Bytes(data);
    let Some(mut lines) = bytes.pick(&DOSSIERS) else { return };
    let _ = lines.pop();
    for _ in 0..EDITS_MAX {
        if bytes.is_empty() || lines.is_empty() {
            break;
        }
        let (place, other) = (bytes.below(lines.len()), bytes.below(lines.len()));
        match bytes.byte() % 8 {
            0 => drop(lines.remove(place)),
            1 => lines.insert(place, lines[other].clone()),
            2 => lines.swap(place, other),
            3 => {
                let foreign = &DOSSIERS[bytes.below(DOSSIERS.len())];
                lines[place] = foreign[bytes.below(foreign.len())].clone();
            }
            _ => {
                let line = &mut lines[place];
                let start = bytes.below(line.len());
                let end = (start + usize::from(bytes.byte() % 4)).min(line.len());
                let count = usize::from(bytes.byte() % 5);
                line.splice(start..end, bytes.take(count).to_vec());
            }
        }
    }
    let count = lines.len();
    lines.push(format!("{{\"kind\":\"end\",\"lines\":\"{count}\"}}\n").into_bytes());
    check(&lines.concat());
}

pub(super) fn edit_seeds() -> Vec<Vec<u8>> {
    let edit = |dossier: u8, line: u8| vec![0, dossier, 0, line, 0, 1, 7, 0, 9, 1, 1, b'0'];
    (0..40).flat_map(|line| [edit(0, line), edit(1, line)]).collect()
}
