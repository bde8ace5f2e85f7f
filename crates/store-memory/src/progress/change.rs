use super::kept::{KeptProjection, KeptProjections, free};
use actum_persistence::progress::{
    DeadLetter, ParkedEntity, ProgressChange, ProgressSave, ReadProgress, ReplayedTo, Rewind,
    SaveError,
};

impl KeptProjections {
    pub(super) fn change(&mut self, change: &ProgressChange) -> Result<(), SaveError> {
        self.check(change)?;
        self.apply(change);
        Ok(())
    }

    /// Fails when an epoch is not the one that was said.
    pub(super) fn check(&self, change: &ProgressChange) -> Result<(), SaveError> {
        let is_current = match change {
            ProgressChange::Save(save) => {
                let kept = self.by_id.get(&save.projection);
                let found = kept.and_then(|kept| kept.segment(save.segment));
                found.is_some_and(|found| found.epoch == save.epoch)
            }
            ProgressChange::Rewind(rewind) => {
                let kept = self.by_id.get(&rewind.projection);
                kept.is_some_and(|kept| {
                    let segments = kept.stored.segments.iter();
                    segments.map(|one| (one.segment, one.epoch)).eq(rewind.seen.iter().copied())
                })
            }
            ProgressChange::Nothing => true,
        };
        if is_current { Ok(()) } else { Err(SaveError::Stale) }
    }

    /// Keeps a change, which was checked.
    pub(super) fn apply(&mut self, change: &ProgressChange) {
        match change {
            ProgressChange::Save(save) => {
                if let Some(kept) = self.by_id.get_mut(&save.projection) {
                    kept.save(save);
                }
            }
            ProgressChange::Rewind(rewind) => {
                if let Some(kept) = self.by_id.get_mut(&rewind.projection) {
                    kept.rewind(rewind);
                }
            }
            ProgressChange::Nothing => {}
        }
    }
}

impl KeptProjection {
    fn save(&mut self, save: &ProgressSave) {
        if let Some(found) = self.segment_mut(save.segment) {
            found.progress = save.progress.clone();
            found.handled += save.handled;
            found.saved_at = save.saved_at;
        }
        for ReplayedTo { entity, from } in &save.replayed {
            match (from, self.parked.get_mut(entity)) {
                (Some(from), Some(parked)) => parked.from = *from,
                (Some(_), None) => {}
                (None, _) => drop(self.parked.remove(entity)),
            }
        }
        for parked in &save.parked {
            let kept = ParkedEntity { request: None, ..parked.clone() };
            self.parked.insert(parked.entity.clone(), kept);
        }
        for place in &save.letters_replayed {
            self.dead_letters.remove(place);
        }
        for letter in &save.dead_letters {
            let kept = DeadLetter { is_requested: false, ..letter.clone() };
            self.dead_letters.insert(letter.place, kept);
        }
    }

    fn rewind(&mut self, rewind: &Rewind) {
        self.stored.live_from = rewind.live_from.clone();
        for segment in &mut self.stored.segments {
            free(segment);
            segment.progress = ReadProgress::behind(rewind.to.clone());
            segment.stopped = None;
        }
        self.parked.clear();
        self.dead_letters.retain(|place, _| place.position <= rewind.to.position(place.lane));
    }
}
