use actum_host::{Bound, Failure, Load};
use std::sync::Arc;

/// What an append takes of the engine's bounds, from its admission until the writer of its lane has settled it, whether its
/// caller waits for that or not.
pub(super) struct AppendRoom {
    load: Arc<Load>,
    /// Bytes that are not in the queue of a lane yet.
    staged: usize,
}

impl AppendRoom {
    /// Takes a place among the commands that the engine holds, if there is one.
    pub(super) fn admit(load: &Arc<Load>) -> Result<Self, Failure> {
        load.admit()?;
        Ok(Self { load: Arc::clone(load), staged: 0 })
    }

    /// Takes room for so many bytes, beside what is `queued` for the journal. As for entities, one that is larger than the
    /// room that is left is let in.
    pub(super) fn stage(&mut self, bytes: usize, queued: usize) -> Result<(), Failure> {
        if self.load.room(queued) == 0 {
            return Err(Failure::Overloaded { bound: Bound::JournalBytes });
        }
        self.load.staged(bytes, 0);
        self.staged = bytes;
        Ok(())
    }

    /// From now on the queue of the lane counts its bytes.
    pub(super) fn is_sent(&mut self) {
        self.load.staged(0, std::mem::take(&mut self.staged));
    }
}

impl Drop for AppendRoom {
    fn drop(&mut self) {
        self.is_sent();
        self.load.answered(1);
    }
}
