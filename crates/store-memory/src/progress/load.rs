use super::kept::{KeptProjection, KeptProjections};
use actum_persistence::progress::{ProjectionId, StoredProjection};

impl KeptProjections {
    pub(super) fn load(&self, projection: &ProjectionId) -> Option<StoredProjection> {
        self.by_id.get(projection).map(KeptProjection::load)
    }

    pub(super) fn ids(&self) -> Vec<ProjectionId> {
        self.by_id.keys().cloned().collect()
    }
}

impl KeptProjection {
    pub(super) fn load(&self) -> StoredProjection {
        let mut stored = self.stored.clone();
        stored.parked = self.parked.len() as u64;
        stored.requested = self.parked.values().filter(|one| one.request.is_some()).count() as u64;
        stored.dead_letters = self.dead_letters.len() as u64;
        let letters = self.dead_letters.values();
        stored.letters_requested = letters.filter(|letter| letter.is_requested).count() as u64;
        stored
    }
}
