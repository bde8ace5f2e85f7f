use super::{SegmentMachine, Surrounding, unknown_save::UnknownSave, unsaved::Unsaved};
use actum_persistence::progress::{ProgressSave, StoredSegment};
use std::time::Duration;

impl SegmentMachine {
    /// This was saved.
    pub(crate) fn saved(&mut self, save: &ProgressSave, now: Duration) {
        self.reached();
        self.progress = save.progress.clone();
        self.saved.clone_from(&save.progress);
        self.saved_handled += save.handled;
        self.saved_at = now;
        self.unsaved = Unsaved::default();
    }

    /// A save could not be kept: what is needed for it could not be reached.
    pub(crate) fn save_failed(&mut self, why: &str, around: Surrounding) {
        if self.is_stopping {
            self.lose(); // what is not saved is handled again by the next
        }
        self.wait_for_others(why, around);
    }

    /// It is not known whether this was kept.
    pub(crate) fn save_unknown(&mut self, save: ProgressSave, why: &str, around: Surrounding) {
        self.unknown = Some(UnknownSave::Rest(save));
        self.wait_for_others(why, around);
    }

    /// What is kept of the segment, after it was not known whether a save was kept. The count of what was handled shows it.
    pub(crate) fn reloaded(&mut self, stored: Option<&StoredSegment>, around: Surrounding) {
        self.reached();
        let Some(stored) = stored.filter(|stored| stored.epoch == self.epoch) else {
            return self.lose();
        };
        let is_kept = |save: &ProgressSave| {
            stored.handled == self.saved_handled + save.handled && stored.progress == save.progress
        };
        match self.unknown.take() {
            Some(UnknownSave::Batch(batch, handled))
                if is_kept(&batch.save(handled, around.wall)) =>
            {
                self.handled(&batch, handled, Some(around.now));
            }
            // one that counts nothing can be saved again
            Some(UnknownSave::Rest(save)) if save.handled > 0 && is_kept(&save) => {
                self.saved(&save, around.now);
            }
            _ => {}
        }
    }
}
