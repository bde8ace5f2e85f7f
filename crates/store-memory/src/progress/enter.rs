use super::kept::{KeptProjection, KeptProjections};
use actum_persistence::progress::{Epoch, NewProjection, ProjectionId, StoredProjection};
use std::collections::BTreeMap;

impl KeptProjections {
    pub(super) fn enter(&mut self, new: &NewProjection) -> StoredProjection {
        let is_active = !self.by_id.keys().any(|id| id.name() == new.id.name());
        let deleted = self.deleted.get(&new.id);
        let kept = self.by_id.entry(new.id.clone()).or_insert_with(|| {
            let mut stored = StoredProjection::new(new.clone(), is_active);
            for segment in &mut stored.segments {
                segment.epoch = deleted.map_or_else(Epoch::default, |last| last.next());
            }
            KeptProjection { stored, parked: BTreeMap::new(), dead_letters: BTreeMap::new() }
        });
        kept.load()
    }

    pub(super) fn activate(&mut self, projection: &ProjectionId) {
        if self.by_id.contains_key(projection) {
            let versions = self.by_id.iter_mut().filter(|(id, _)| id.name() == projection.name());
            versions.for_each(|(id, kept)| kept.stored.is_active = id == projection);
        }
    }

    pub(super) fn delete(&mut self, projection: &ProjectionId) {
        let Some(kept) = self.by_id.remove(projection) else { return };
        let last = kept.stored.segments.iter().map(|segment| segment.epoch).max();
        self.deleted.insert(projection.clone(), last.unwrap_or_default());
    }

    pub(super) fn set_paused(&mut self, projection: &ProjectionId, is_paused: bool) {
        let Some(kept) = self.by_id.get_mut(projection) else { return };
        kept.stored.is_paused = is_paused;
        if !is_paused {
            kept.stored.segments.iter_mut().for_each(|segment| segment.stopped = None);
        }
    }
}
