use super::kept::{KeptProjection, KeptProjections};
use actum_persistence::progress::{NewProjection, ProjectionId, StoredProjection};
use std::collections::BTreeMap;

impl KeptProjections {
    pub(super) fn enter(&mut self, new: &NewProjection) -> StoredProjection {
        let is_active = !self.0.keys().any(|id| id.name() == new.id.name());
        let kept = self.0.entry(new.id.clone()).or_insert_with(|| KeptProjection {
            stored: StoredProjection::new(new.clone(), is_active),
            parked: BTreeMap::new(),
            dead_letters: BTreeMap::new(),
        });
        kept.load()
    }

    pub(super) fn activate(&mut self, projection: &ProjectionId) {
        if self.0.contains_key(projection) {
            let versions = self.0.iter_mut().filter(|(id, _)| id.name() == projection.name());
            versions.for_each(|(id, kept)| kept.stored.is_active = id == projection);
        }
    }

    pub(super) fn delete(&mut self, projection: &ProjectionId) {
        self.0.remove(projection);
    }

    pub(super) fn set_paused(&mut self, projection: &ProjectionId, is_paused: bool) {
        let Some(kept) = self.0.get_mut(projection) else { return };
        kept.stored.is_paused = is_paused;
        if !is_paused {
            kept.stored.segments.iter_mut().for_each(|segment| segment.stopped = None);
        }
    }
}
