use super::kept::{KeptProjections, free};
use actum_persistence::progress::{
    Epoch, ProjectionId, RunnerRenewal, RunnerRow, SaveError, SeenOwner, Segment, SegmentClaim,
    StoredSegment,
};
use std::sync::Arc;

impl KeptProjections {
    pub(super) fn renew(&mut self, renewals: &[RunnerRenewal]) {
        for RunnerRenewal { projection, runner, .. } in renewals {
            let Some(kept) = self.by_id.get_mut(projection) else { continue };
            let runners = &mut kept.stored.runners;
            match runners.binary_search_by(|row| row.name.cmp(runner)) {
                Ok(place) => runners[place].renewal += 1,
                Err(place) => runners.insert(place, RunnerRow::new(Arc::clone(runner), 1)),
            }
        }
        for (projection, dead) in RunnerRenewal::dead(renewals) {
            let Some(kept) = self.by_id.get_mut(projection) else { continue };
            kept.stored.runners.retain(|row| row != dead);
        }
    }

    pub(super) fn leave(&mut self, projection: &ProjectionId, runner: &str) {
        let Some(kept) = self.by_id.get_mut(projection) else { return };
        kept.stored.runners.retain(|row| *row.name != *runner);
        let segments = kept.stored.segments.iter_mut();
        segments.filter(|segment| segment.owner.as_deref() == Some(runner)).for_each(free);
    }

    pub(super) fn claim(&mut self, claim: &SegmentClaim) -> Option<StoredSegment> {
        let kept = self.by_id.get_mut(&claim.projection)?;
        let found = kept.segment(claim.segment)?;
        let owner = found.owner.clone();
        let owner = owner.map(|name| SeenOwner { renewal: kept.renewal(&name), name });
        if found.epoch != claim.epoch || owner != claim.replaces || found.stopped.is_some() {
            return None;
        }
        let found = kept.segment_mut(claim.segment)?;
        found.epoch = found.epoch.next();
        found.owner = Some(Arc::clone(&claim.runner));
        Some(found.clone())
    }

    pub(super) fn release(
        &mut self,
        projection: &ProjectionId,
        segment: Segment,
        epoch: Epoch,
    ) -> Result<(), SaveError> {
        self.segment_at(projection, segment, epoch).map(free)
    }

    pub(super) fn stop(
        &mut self,
        projection: &ProjectionId,
        segment: Segment,
        epoch: Epoch,
        why: &str,
    ) -> Result<(), SaveError> {
        let found = self.segment_at(projection, segment, epoch)?;
        free(found);
        found.stopped = Some(why.into());
        Ok(())
    }
}
