//! One byte of a finished node's file is another, or its end is missing. It is opened, checked and read in a process of
//! its own: the outcome is an error with its remedy, a check that names the record, or the same answers as before.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use meed_storage::testing::FaultyDisk;
use meed_storage::{FsckReport, Ledger, StorageError};

use crate::child::{Running, command, orders, say};
use crate::kill::random;
use crate::life::{STEPS, options};
use crate::reading::{Depth, first_difference, read};
use crate::support::{genesis, scratch};

const PAGE_BYTES: usize = 4_096;
/// The part of the file's head that redb uses: each of its bytes is flipped.
const HEAD_BYTES: usize = 320;
/// Flips in every page, besides its first and last byte.
const FLIPS_A_PAGE: u64 = 6;
/// One image in so many is read with all proofs.
const PROOFS_EVERY: usize = 3;
/// Lengths to which the file is cut.
const CUTS: usize = 40;
/// One image takes well under a second; this long is a hang.
const HANG_SECONDS: u64 = 60;
/// A child's test.
const CHILD: &str = "damage::damaged_images_are_examined";

/// What is done to the file.
#[derive(Clone, Copy, Debug)]
enum Damage {
    None,
    Flip { offset: usize, mask: u8 },
    Cut { length: usize },
}

impl Damage {
    fn of(self, image: &[u8]) -> Vec<u8> {
        let mut bytes = image.to_vec();
        match self {
            Self::None => {}
            Self::Flip { offset, mask } => bytes[offset] ^= mask,
            Self::Cut { length } => bytes.truncate(length),
        }
        bytes
    }
}

/// All damages of an image, the same in parent and child.
fn damages(image: &[u8]) -> Vec<Damage> {
    let mut all = vec![Damage::None];
    for offset in 0..HEAD_BYTES {
        // Single bits and whole bytes by turns.
        all.push(Damage::Flip { offset, mask: if offset % 2 == 0 { 1 << (offset / 2 % 8) } else { 0xff } });
    }
    for (page, bytes) in image.chunks(PAGE_BYTES).enumerate() {
        let seed = u64::try_from(page).unwrap();
        // By turns any byte, and one that is not zero: more of those mean something.
        let used: Vec<usize> = (0..bytes.len()).filter(|place| bytes[*place] != 0).collect();
        let any: Vec<usize> = (0..bytes.len()).collect();
        let places = (0..FLIPS_A_PAGE).map(|number| {
            let chosen = random(seed, number);
            let from = if number % 2 == 0 || used.is_empty() { &any } else { &used };
            (from[usize::try_from(chosen).unwrap() % from.len()], u8::try_from(chosen >> 56).unwrap().max(1))
        });
        let places = places.chain([(0, 0x01), (bytes.len() - 1, 0x80)]);
        all.extend(places.map(|(place, mask)| Damage::Flip { offset: page * PAGE_BYTES + place, mask }));
    }
    let length = image.len();
    all.extend((0..CUTS).map(|number| Damage::Cut { length: length * number / CUTS + number % 2 * 77 }));
    all
}

/// How the process ended that wrote the file.
#[derive(Clone, Copy, Debug)]
enum End {
    /// It closed the file.
    Closed,
    /// It was killed, so that opening begins with a repair.
    Killed,
}

/// The file of a finished life.
fn finished_image(end: End) -> Vec<u8> {
    let disk = FaultyDisk::new();
    let ledger = Ledger::create_with_backend(disk.clone(), &genesis(), options()).unwrap();
    for (name, step) in STEPS {
        step(&ledger).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let killed = disk.bytes();
    drop(ledger);
    match end {
        End::Closed => disk.bytes(),
        End::Killed => killed,
    }
}

/// What an image says when it is opened, checked and read; the first word is the outcome. Those in capitals are wrong.
fn examine(image: Vec<u8>, expected: &Expected, depth: Depth) -> String {
    let expected = expected.of(depth);
    let ledger = match Ledger::open_with_backend(FaultyDisk::with_bytes(image), options()) {
        Ok(ledger) => ledger,
        Err(error) => return format!("refused {}", told(&error)),
    };
    let snapshot = match ledger.snapshot() {
        Ok(snapshot) => snapshot,
        Err(error) => return format!("refused {}", told(&error)),
    };
    let FsckReport { problems, .. } = snapshot.fsck(&mut drop);
    let text = read(&snapshot, depth);
    drop(snapshot);
    if let Some(line) = text.iter().flat_map(|text| false_proofs(text, expected)).next() {
        return format!("FALSE {line}");
    }
    match (problems.first(), text) {
        (None, Ok(text)) if text == expected => "same".to_owned(),
        (None, Ok(text)) => format!("WRONG {}", first_difference(expected, &text).replace('\n', " / ")),
        // What nobody reads in a check is an error all the same.
        (None, Err(error)) => format!("UNNAMED {}", told(&error)),
        (Some(problem), Ok(text)) if text == expected => format!("named-same {problem}"),
        (Some(problem), Ok(text)) => {
            format!("named-quiet {problem}; {}", first_difference(expected, &text).replace('\n', " / "))
        }
        (Some(problem), Err(_)) => format!("named {problem}"),
    }
}

/// Proofs that verify and that the undamaged ledger did not give.
fn false_proofs<'a>(text: &'a str, expected: &str) -> Vec<&'a str> {
    let proofs = text.lines().filter(|line| line.starts_with("proof: ") && line.contains("Ok(\""));
    proofs.filter(|line| !expected.lines().any(|other| other == *line)).collect()
}

/// What the undamaged image says.
struct Expected {
    records: String,
    proofs: String,
}

impl Expected {
    fn from_image(image: &[u8]) -> Self {
        let ledger = Ledger::open_with_backend(FaultyDisk::with_bytes(image.to_vec()), options()).unwrap();
        let snapshot = ledger.snapshot().unwrap();
        let [records, proofs] = [Depth::Records, Depth::Proofs].map(|depth| read(&snapshot, depth).unwrap());
        assert!(proofs.contains("Ok(\"verified\")") && proofs.contains("Ok(\"absent\")"));
        Self { records, proofs }
    }

    fn of(&self, depth: Depth) -> &str {
        match depth {
            Depth::Records => &self.records,
            Depth::Proofs => &self.proofs,
        }
    }
}

fn told(error: &StorageError) -> String {
    format!("{error} ({})", error.remedy()).replace('\n', " ")
}

/// The child: as orders, the image's path and the cases from one to before another. Without orders it examines the
/// undamaged image, in which everything is the same.
#[test]
fn damaged_images_are_examined() {
    let Some(orders) = orders() else {
        let image = finished_image(End::Closed);
        let expected = Expected::from_image(&image);
        assert_eq!(examine(Damage::None.of(&image), &expected, Depth::Proofs), "same");
        let cut = examine(Damage::Cut { length: 1_000 }.of(&image), &expected, Depth::Records);
        assert!(cut.starts_with("refused "), "{cut}");
        return;
    };
    let words: Vec<&str> = orders.splitn(3, ' ').collect();
    let [from, to, path] = words.as_slice() else { panic!("three orders, got {words:?}") };
    let image = fs::read(path).unwrap();
    let expected = Expected::from_image(&image);
    let case = Arc::new(AtomicU64::new(0));
    watch(Arc::clone(&case));
    std::panic::set_hook(Box::new(|_| {}));
    let all = damages(&image);
    let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
    for (number, damage) in all.iter().enumerate().take(to).skip(from) {
        case.fetch_add(1, Ordering::Relaxed);
        let damaged = damage.of(&image);
        let depth = if number.is_multiple_of(PROOFS_EVERY) { Depth::Proofs } else { Depth::Records };
        let outcome =
            catch_unwind(AssertUnwindSafe(|| examine(damaged, &expected, depth))).unwrap_or_else(|payload| {
                let text = payload.downcast_ref::<String>().cloned();
                format!("PANIC {}", text.unwrap_or_default().replace('\n', " "))
            });
        say(&format!("{number} {outcome}"));
    }
}

/// Ends this process when one case does not end.
fn watch(case: Arc<AtomicU64>) {
    std::thread::spawn(move || {
        let mut before = 0;
        loop {
            std::thread::sleep(Duration::from_secs(HANG_SECONDS));
            let now = case.load(Ordering::Relaxed);
            if now == before {
                std::process::exit(77);
            }
            before = now;
        }
    });
}

/// The outcomes of some cases, in as many processes as it takes: one that dies has its say as `DIED`.
fn outcomes(path: &str, from: usize, to: usize) -> Vec<String> {
    let mut found = Vec::new();
    while from + found.len() < to {
        let orders = format!("{} {to} {path}", from + found.len());
        let mut running = Running::start(command(None, CHILD, &orders));
        while let Some(line) = running.line() {
            let (number, outcome) = line.split_once(' ').unwrap();
            assert_eq!(number, (from + found.len()).to_string());
            found.push(outcome.to_owned());
        }
        let status = running.process.wait().unwrap();
        if from + found.len() < to {
            found.push(format!("DIED {status}"));
        }
    }
    found
}

#[test]
fn one_damaged_byte_in_any_page_is_refused_named_or_free() {
    examine_all(End::Closed, &["refused", "named", "same"]);
}

#[test]
fn one_damaged_byte_before_a_repair_is_refused_named_or_free() {
    // The repair reads every page and checks it, so that a check has nothing left to name.
    examine_all(End::Killed, &["refused", "same"]);
}

/// Damages a file in all ways, and demands that the outcomes are good, and that these are among them.
fn examine_all(end: End, demanded: &[&str]) {
    let (_folder, path) = scratch();
    let image = finished_image(end);
    fs::write(&path, &image).unwrap();
    let all = damages(&image);
    let (path, half) = (path.to_str().unwrap(), all.len() / 2);
    let outcomes: Vec<String> = std::thread::scope(|threads| {
        let parts = [(0, half), (half, all.len())];
        let parts = parts.map(|(from, to)| threads.spawn(move || outcomes(path, from, to)));
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    let (mut counts, mut wrong) = (BTreeMap::<&str, u64>::new(), Vec::new());
    for (damage, outcome) in all.iter().zip(&outcomes) {
        let word = outcome.split(' ').next().unwrap();
        *counts.entry(word).or_default() += 1;
        if word != word.to_lowercase() {
            wrong.push(format!("{damage:?}: {outcome}"));
        }
    }
    println!("{end:?}: {} damages: {counts:?}", all.len());
    assert_eq!(outcomes[0], "same");
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
    for word in demanded {
        assert!(counts.contains_key(word), "no damage was {word}: {counts:?}");
    }
}
