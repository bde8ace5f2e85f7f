use actum_model::EntityKey;
use actum_persistence::progress::{
    DeadLetter, DeadLetterPlace, Epoch, ParkedEntity, ProjectionId, SaveError, Segment,
    StoredProjection, StoredSegment,
};
use std::collections::BTreeMap;

/// All projections.
#[derive(Default)]
pub(crate) struct KeptProjections {
    pub(super) by_id: BTreeMap<ProjectionId, KeptProjection>,
    /// The last epoch that each had when it was deleted.
    pub(super) deleted: BTreeMap<ProjectionId, Epoch>,
}

/// What is kept of one.
pub(super) struct KeptProjection {
    /// All but the counts, which are those of what is beside it.
    pub(super) stored: StoredProjection,
    pub(super) parked: BTreeMap<EntityKey, ParkedEntity>,
    pub(super) dead_letters: BTreeMap<DeadLetterPlace, DeadLetter>,
}

impl KeptProjections {
    /// The segment in the epoch it was seen in.
    pub(super) fn segment_at(
        &mut self,
        projection: &ProjectionId,
        segment: Segment,
        epoch: Epoch,
    ) -> Result<&mut StoredSegment, SaveError> {
        let kept = self.by_id.get_mut(projection).ok_or(SaveError::Stale)?;
        let found = kept.segment_mut(segment).filter(|found| found.epoch == epoch);
        found.ok_or(SaveError::Stale)
    }
}

impl KeptProjection {
    pub(super) fn segment(&self, segment: Segment) -> Option<&StoredSegment> {
        self.stored.segments.iter().find(|one| one.segment == segment)
    }

    pub(super) fn segment_mut(&mut self, segment: Segment) -> Option<&mut StoredSegment> {
        self.stored.segments.iter_mut().find(|one| one.segment == segment)
    }

    /// How often a runner has renewed; none if there is none of this name.
    pub(super) fn renewal(&self, runner: &str) -> Option<u64> {
        let row = self.stored.runners.iter().find(|row| *row.name == *runner);
        row.map(|row| row.renewal)
    }
}

/// Takes a segment from its owner.
pub(super) fn free(segment: &mut StoredSegment) {
    segment.epoch = segment.epoch.next();
    segment.owner = None;
}
