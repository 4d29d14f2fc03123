//! What proofs have in common, kept between requests: without it, most of the time of a proof goes into texts that are
//! the same for everybody.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use meed_audit::hash::Hash;
use meed_audit::ids::SetVersion;
use meed_storage::{LogKind, ProofFrame, Snapshot};

use super::{Service, not_final, which_final};
use crate::failure::Failure;

/// Frames that are kept: some MiB at most. Nodes have few statements that many people ask for at a time.
const FRAMES_MAX: usize = 256;

/// Which proofs: of the scope, the epoch, the revision and the approver sets that a request names.
pub(super) type Wanted = (String, u64, Option<u64>, SetVersion);

/// A frame with its digest.
pub(super) struct Kept {
    pub(super) frame: ProofFrame,
    pub(super) digest: Hash,
}

/// The frames that hold at one size of the statements log.
#[derive(Default)]
pub(super) struct Frames(Mutex<(u64, BTreeMap<Wanted, Arc<Kept>>)>);

impl Frames {
    fn find(&self, size: u64, wanted: &Wanted) -> Option<Arc<Kept>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.1.get(wanted).filter(|_| kept.0 == size).cloned()
    }

    fn keep(&self, size: u64, wanted: Wanted, frame: Arc<Kept>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 > size {
            // Made of an older view than others are already.
            return;
        }
        if kept.0 != size || kept.1.len() >= FRAMES_MAX {
            *kept = (size, BTreeMap::new());
        }
        kept.1.insert(wanted, frame);
    }
}

impl Service {
    /// The frame of the proofs that a request means. All that is in it stands in the statements log, final statements
    /// and approver sets alike: while the log has the same size, the frame is the same.
    pub(super) fn frame(&self, snapshot: &Snapshot, wanted: Wanted) -> Result<Arc<Kept>, Failure> {
        let size = snapshot.log_size(LogKind::Statements)?;
        if let Some(frame) = self.frames.find(size, &wanted) {
            return Ok(frame);
        }
        let (key, epoch, revision, since) = &wanted;
        let place = Self::place_in(snapshot, key, *epoch)?;
        let frame = snapshot.proof_frame(place.scope, place.epoch, which_final(*revision)?, *since);
        let frame = frame.map_err(|error| not_final(error.into(), snapshot, &place, *revision))?;
        let frame = Arc::new(Kept { digest: frame.digest(), frame });
        self.frames.keep(size, wanted, Arc::clone(&frame));
        Ok(frame)
    }
}
