use super::kept::{KeptProjection, KeptProjections, free};
use actum_persistence::progress::{
    Activation, Epoch, NewProjection, ProjectionId, SaveError, StoredProjection,
};
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

    pub(super) fn activate(&mut self, activation: &Activation) -> Result<(), SaveError> {
        let id = &activation.projection;
        let is_active = |kept: &&KeptProjection| kept.stored.is_active;
        let of_name = self.by_id.values().filter(|kept| kept.stored.id.name() == id.name());
        let active = of_name.clone().find(is_active).map(|kept| kept.stored.clone());
        let version = self.by_id.get(id).map(|kept| &kept.stored);
        let live_from = activation.live_from(version, active.as_ref())?;
        for of in active.iter().map(|active| &active.id).chain([id]) {
            let Some(kept) = self.by_id.get_mut(of) else { continue };
            kept.stored.is_active = of == id;
            kept.stored.segments.iter_mut().for_each(free);
        }
        if let Some(kept) = self.by_id.get_mut(id) {
            kept.stored.live_from = live_from;
        }
        Ok(())
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
