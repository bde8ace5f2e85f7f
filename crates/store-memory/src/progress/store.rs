use super::MemoryTarget;
use actum_model::EntityKey;
use actum_persistence::{
    progress::{
        Activation, DeadLetter, DeadLetterPlace, Epoch, NewProjection, ParkedEntity, ParkedRequest,
        ProgressChange, ProgressPlace, ProgressStore, ProjectionId, RunnerRenewal, SaveError,
        Segment, SegmentClaim, StoredProjection, StoredSegment, check_count,
    },
    store::StoreError,
};
use async_trait::async_trait;

#[async_trait]
impl ProgressStore for MemoryTarget {
    async fn enter(&self, new: &NewProjection) -> Result<StoredProjection, StoreError> {
        Ok(self.data("entering a projection")?.projections.enter(new))
    }

    async fn load_all(
        &self,
        projections: &[ProjectionId],
    ) -> Result<Vec<Result<Option<StoredProjection>, StoreError>>, StoreError> {
        check_count(projections.len())?;
        let kept = &self.data("loading projections")?.projections;
        Ok(projections.iter().map(|id| Ok(kept.load(id))).collect())
    }

    async fn projections(&self) -> Result<Vec<ProjectionId>, StoreError> {
        Ok(self.data("listing projections")?.projections.ids())
    }

    async fn activate(&self, activation: &Activation) -> Result<(), SaveError> {
        self.data("activating a version of a projection")?.projections.activate(activation)
    }

    async fn delete(&self, projection: &ProjectionId) -> Result<(), StoreError> {
        self.data("deleting a projection")?.projections.delete(projection);
        Ok(())
    }

    async fn set_paused(
        &self,
        projection: &ProjectionId,
        is_paused: bool,
    ) -> Result<(), StoreError> {
        self.data("pausing a projection")?.projections.set_paused(projection, is_paused);
        Ok(())
    }

    async fn renew_and_load(
        &self,
        renewals: &[RunnerRenewal],
    ) -> Result<Vec<Result<Option<StoredProjection>, StoreError>>, StoreError> {
        RunnerRenewal::check(renewals)?;
        let kept = &mut self.data("renewing runners")?.projections;
        kept.renew(renewals);
        Ok(renewals.iter().map(|renewal| Ok(kept.load(&renewal.projection))).collect())
    }

    async fn leave(&self, projection: &ProjectionId, runner: &str) -> Result<(), StoreError> {
        self.data("removing a runner")?.projections.leave(projection, runner);
        Ok(())
    }

    async fn claim(&self, claim: &SegmentClaim) -> Result<Option<StoredSegment>, StoreError> {
        Ok(self.data("claiming a segment")?.projections.claim(claim))
    }

    async fn release(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        epoch: Epoch,
    ) -> Result<(), SaveError> {
        self.data("releasing a segment")?.projections.release(projection, segment, epoch)
    }

    async fn stop(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        epoch: Epoch,
        why: &str,
    ) -> Result<(), SaveError> {
        self.data("stopping a segment")?.projections.stop(projection, segment, epoch, why)
    }

    async fn change(&self, change: &ProgressChange) -> Result<(), SaveError> {
        self.data("saving progress")?.projections.change(change)
    }

    async fn divide(
        &self,
        projection: &ProjectionId,
        seen: &[(Segment, Epoch)],
        into: &[StoredSegment],
    ) -> Result<(), SaveError> {
        self.data("dividing a projection")?.projections.divide(projection, seen, into)
    }

    async fn parked(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        after: Option<&EntityKey>,
        limit: u32,
    ) -> Result<Vec<ParkedEntity>, StoreError> {
        let data = self.data("listing parked entities")?;
        Ok(data.projections.parked(projection, segment, after, limit))
    }

    async fn request(
        &self,
        projection: &ProjectionId,
        entity: Option<&EntityKey>,
        request: ParkedRequest,
    ) -> Result<u64, StoreError> {
        let mut data = self.data("asking for parked entities")?;
        Ok(data.projections.request(projection, entity, request))
    }

    async fn dead_letters(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        is_requested: bool,
        after: Option<DeadLetterPlace>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let data = self.data("listing dead letters")?;
        Ok(data.projections.dead_letters(projection, segment, is_requested, after, limit))
    }

    async fn request_letter(
        &self,
        projection: &ProjectionId,
        place: Option<DeadLetterPlace>,
    ) -> Result<u64, StoreError> {
        let mut data = self.data("asking for dead letters")?;
        Ok(data.projections.request_letter(projection, place))
    }

    async fn discard_letter(
        &self,
        projection: &ProjectionId,
        place: Option<DeadLetterPlace>,
    ) -> Result<u64, StoreError> {
        Ok(self.data("discarding dead letters")?.projections.discard_letter(projection, place))
    }

    fn place(&self) -> Option<ProgressPlace> {
        Some(self.place_of_handle())
    }

    async fn close(&self) {
        self.close_handle();
    }
}
