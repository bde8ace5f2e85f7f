use super::kept::KeptProjections;
use actum_persistence::progress::{DeadLetter, DeadLetterPlace, ProjectionId, Segment};
use std::ops::Bound::{Excluded, Unbounded};

impl KeptProjections {
    pub(super) fn dead_letters(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        is_requested: bool,
        after: Option<DeadLetterPlace>,
        limit: u32,
    ) -> Vec<DeadLetter> {
        let Some(kept) = self.by_id.get(projection) else { return Vec::new() };
        let behind = (after.map_or(Unbounded, Excluded), Unbounded);
        let letters = kept.dead_letters.range(behind).map(|(_, letter)| letter);
        let letters = letters
            .filter(|letter| segment.contains(letter.partition))
            .filter(|letter| letter.is_requested || !is_requested);
        letters.take(limit as usize).cloned().collect()
    }

    pub(super) fn request_letter(
        &mut self,
        projection: &ProjectionId,
        place: Option<DeadLetterPlace>,
    ) -> u64 {
        let Some(kept) = self.by_id.get_mut(projection) else { return 0 };
        let wanted = |letter: &&mut DeadLetter| place.is_none_or(|place| letter.place == place);
        let asked = kept.dead_letters.values_mut().filter(wanted);
        asked.map(|letter| letter.is_requested = true).count() as u64
    }

    pub(super) fn discard_letter(
        &mut self,
        projection: &ProjectionId,
        place: Option<DeadLetterPlace>,
    ) -> u64 {
        let Some(kept) = self.by_id.get_mut(projection) else { return 0 };
        let before = kept.dead_letters.len();
        kept.dead_letters.retain(|kept, _| place.is_some_and(|place| *kept != place));
        (before - kept.dead_letters.len()) as u64
    }
}
