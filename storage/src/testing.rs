//! A disk that fails, and the bytes of blocks, for tests (feature `testing`).
//!
//! [`FaultyDisk`] keeps what was synced apart from what was only written, as a disk with a cache does. It can fail at
//! the n-th change, before or after that took effect, and everything after it; and it gives the images that a crash at
//! that moment can leave: all unsynced writes there, none, or any of them, whole or torn at a sector.

pub mod blocks;

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use redb::StorageBackend;

/// Bytes that a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;

/// Bytes that a disk with little room gives at a time.
const BLOCK_BYTES: usize = 4_096;

/// When a change fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The change does not reach the disk.
    Before,
    /// The change reaches the disk, and the error comes all the same.
    After,
}

/// How a disk fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which change fails, counted from 0; all later ones fail too and do nothing.
    pub at: u64,
    /// Whether the change itself takes effect.
    pub when: When,
    /// What the error says: [`io::ErrorKind::StorageFull`] for a full disk.
    pub kind: io::ErrorKind,
}

/// What a crash leaves of the writes after the last sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All of them: the process died, the machine lives.
    Nothing,
    /// None of them.
    Everything,
    /// Some of them, some torn; which ones follows from the seed.
    Some(u64),
}

/// A disk in memory. Clones are the same disk.
#[derive(Clone, Default)]
pub struct FaultyDisk {
    state: Arc<Mutex<Disk>>,
}

#[derive(Default)]
struct Disk {
    current: Vec<u8>,
    synced: Vec<u8>,
    unsynced: Vec<Change>,
    changes: u64,
    fault: Option<Fault>,
    /// Whether the fault is over once it has struck.
    once: bool,
    /// Blocks that were ever written, and how many there may be.
    blocks: BTreeSet<usize>,
    blocks_max: Option<usize>,
}

enum Change {
    Write { offset: usize, data: Vec<u8> },
    Length(usize),
}

impl FaultyDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// A disk that holds these bytes, all of them synced.
    pub fn with_bytes(bytes: Vec<u8>) -> Self {
        let blocks = blocks_of(0, bytes.len()).collect();
        let disk = Disk { current: bytes.clone(), synced: bytes, blocks, ..Disk::default() };
        Self { state: Arc::new(Mutex::new(disk)) }
    }

    /// Changes so far: writes, syncs and changes of the length.
    pub fn changes(&self) -> u64 {
        self.disk().changes
    }

    /// Lets the disk fail, and everything after that change too.
    pub fn fail(&self, fault: Fault) {
        let mut disk = self.disk();
        (disk.fault, disk.once) = (Some(fault), false);
    }

    /// Lets one change fail; those after it succeed again, as after a fault of the cable.
    pub fn fail_once(&self, fault: Fault) {
        let mut disk = self.disk();
        (disk.fault, disk.once) = (Some(fault), true);
    }

    /// Gives the disk room for this many blocks of 4,096 bytes more than it holds now; none takes the limit away. As on
    /// a real disk, a longer file needs no room before it is written.
    pub fn leave_room(&self, blocks: Option<usize>) {
        let mut disk = self.disk();
        disk.blocks_max = blocks.map(|blocks| disk.blocks.len().saturating_add(blocks));
    }

    /// Everything that was written.
    pub fn bytes(&self) -> Vec<u8> {
        self.disk().current.clone()
    }

    /// What a crash now leaves on the disk.
    pub fn after_crash(&self, loss: Loss) -> Vec<u8> {
        let disk = self.disk();
        let mut bytes = disk.synced.clone();
        match loss {
            Loss::Nothing => return disk.current.clone(),
            Loss::Everything => {}
            Loss::Some(seed) => {
                let mut random = Random(seed);
                for change in &disk.unsynced {
                    change.apply_partly(&mut bytes, &mut random);
                }
            }
        }
        bytes
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for FaultyDisk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FaultyDisk").field("changes", &self.changes()).finish_non_exhaustive()
    }
}

/// A small generator of numbers that look random (splitmix64).
struct Random(u64);

impl Random {
    fn coin(&mut self) -> bool {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) & 1 == 1
    }
}

/// The blocks that some bytes stand in.
fn blocks_of(offset: usize, length: usize) -> std::ops::Range<usize> {
    offset / BLOCK_BYTES..offset.saturating_add(length).div_ceil(BLOCK_BYTES)
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(*length, 0),
            Self::Write { offset, data } => write_at(bytes, *offset, data),
        }
    }

    /// Applies the whole change, parts of it in sectors, or nothing.
    fn apply_partly(&self, bytes: &mut Vec<u8>, random: &mut Random) {
        match self {
            // A longer file only shows as zeros; that it became shorter may be lost.
            Self::Length(length) if *length >= bytes.len() || random.coin() => bytes.resize(*length, 0),
            Self::Length(_) => {}
            Self::Write { offset, data } => {
                let whole = random.coin();
                for (number, sector) in data.chunks(SECTOR_BYTES).enumerate() {
                    if whole || random.coin() {
                        write_at(bytes, offset.saturating_add(number * SECTOR_BYTES), sector);
                    }
                }
            }
        }
    }
}

fn write_at(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset.saturating_add(data.len());
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    if let Some(place) = bytes.get_mut(offset..end) {
        place.copy_from_slice(data);
    }
}

impl Disk {
    /// Counts a change, and lets it take effect where the fault allows that.
    fn change(&mut self, effect: impl FnOnce(&mut Self)) -> Result<(), io::Error> {
        let number = self.changes;
        self.changes += 1;
        let strikes = |fault: &Fault| if self.once { number == fault.at } else { number >= fault.at };
        let Some(fault) = self.fault.filter(strikes) else {
            effect(self);
            return Ok(());
        };
        if number == fault.at && fault.when == When::After {
            effect(self);
        }
        Err(io::Error::new(fault.kind, format!("made to fail at change {number}")))
    }

    /// Takes the blocks of a write, where there is room for those that are new.
    fn take_blocks(&mut self, offset: usize, length: usize) -> Result<(), io::Error> {
        let needed = blocks_of(offset, length);
        let new: Vec<usize> = needed.filter(|block| !self.blocks.contains(block)).collect();
        if self.blocks_max.is_some_and(|max| self.blocks.len().saturating_add(new.len()) > max) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.blocks.extend(new);
        Ok(())
    }

    fn write(&mut self, change: Change) {
        change.apply(&mut self.current);
        self.unsynced.push(change);
    }
}

impl StorageBackend for FaultyDisk {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(u64::try_from(self.disk().current.len()).unwrap_or(u64::MAX))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let disk = self.disk();
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let found = disk.current.get(start..start.saturating_add(out.len()));
        let found = found.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        out.copy_from_slice(found);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        let length = usize::try_from(len).map_err(|_| io::Error::from(io::ErrorKind::StorageFull))?;
        self.disk().change(|disk| disk.write(Change::Length(length)))
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.disk().change(|disk| {
            let Disk { unsynced, synced, .. } = disk;
            unsynced.drain(..).for_each(|change| change.apply(synced));
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let offset = usize::try_from(offset).map_err(|_| io::Error::from(io::ErrorKind::StorageFull))?;
        let mut disk = self.disk();
        disk.take_blocks(offset, data.len())?;
        disk.change(|disk| disk.write(Change::Write { offset, data: data.to_vec() }))
    }
}
