use super::{SegmentMachine, Surrounding, unsaved::Unsaved};
use actum_persistence::progress::ProgressSave;
use std::time::Duration;

impl SegmentMachine {
    /// This was saved.
    pub fn saved(&mut self, save: &ProgressSave, now: Duration) {
        self.reached();
        self.progress = save.progress.clone();
        self.saved.clone_from(&save.progress);
        self.saved_handled += save.handled;
        self.saved_at = now;
        self.unsaved = Unsaved::default();
    }

    /// A save could not be kept: what is needed for it could not be reached.
    pub fn save_failed(&mut self, why: &str, around: Surrounding) {
        if self.is_stopping {
            self.lose(); // what is not saved is handled again by the next
        }
        self.wait_for_others(why, around);
    }
}
