use super::{
    activate, change, dead_letters, divide, enter, load, parked, runners, target::SqliteTarget,
};
use actum_model::EntityKey;
use actum_persistence::{
    progress::{
        Activation, DeadLetter, DeadLetterPlace, Epoch, NewProjection, ParkedEntity, ParkedRequest,
        ProgressChange, ProgressPlace, ProgressStore, ProjectionId, RunnerRenewal, SaveError,
        Segment, SegmentClaim, StoredProjection, StoredSegment, TargetHold,
    },
    store::StoreError,
};
use async_trait::async_trait;

#[async_trait]
impl ProgressStore for SqliteTarget {
    async fn enter(&self, new: &NewProjection) -> Result<StoredProjection, StoreError> {
        enter::enter(self.file(), new).await
    }

    async fn load_all(
        &self,
        projections: &[ProjectionId],
    ) -> Result<Vec<Result<Option<StoredProjection>, StoreError>>, StoreError> {
        load::load_all(self.file(), projections).await
    }

    async fn projections(&self) -> Result<Vec<ProjectionId>, StoreError> {
        load::projections(self.file()).await
    }

    async fn activate(&self, activation: &Activation) -> Result<(), SaveError> {
        activate::activate(self.file(), activation).await
    }

    async fn delete(&self, projection: &ProjectionId) -> Result<(), StoreError> {
        enter::delete(self.file(), projection).await
    }

    async fn set_paused(
        &self,
        projection: &ProjectionId,
        is_paused: bool,
    ) -> Result<(), StoreError> {
        enter::set_paused(self.file(), projection, is_paused).await
    }

    async fn renew_and_load(
        &self,
        renewals: &[RunnerRenewal],
    ) -> Result<Vec<Result<Option<StoredProjection>, StoreError>>, StoreError> {
        runners::renew_and_load(self.file(), renewals).await
    }

    async fn leave(&self, projection: &ProjectionId, runner: &str) -> Result<(), StoreError> {
        runners::leave(self.file(), projection, runner).await
    }

    async fn claim(&self, claim: &SegmentClaim) -> Result<Option<StoredSegment>, StoreError> {
        runners::claim(self.file(), claim).await
    }

    async fn release(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        epoch: Epoch,
    ) -> Result<(), SaveError> {
        runners::release(self.file(), projection, segment, epoch).await
    }

    async fn stop(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        epoch: Epoch,
        why: &str,
    ) -> Result<(), SaveError> {
        runners::stop(self.file(), projection, segment, epoch, why).await
    }

    async fn change(&self, change: &ProgressChange) -> Result<(), SaveError> {
        change::change(self.file(), change).await
    }

    async fn divide(
        &self,
        projection: &ProjectionId,
        seen: &[(Segment, Epoch)],
        into: &[StoredSegment],
    ) -> Result<(), SaveError> {
        divide::divide(self.file(), projection, seen, into).await
    }

    async fn parked(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        after: Option<&EntityKey>,
        limit: u32,
    ) -> Result<Vec<ParkedEntity>, StoreError> {
        parked::list(self.file(), projection, segment, after, limit).await
    }

    async fn request(
        &self,
        projection: &ProjectionId,
        entity: Option<&EntityKey>,
        request: ParkedRequest,
    ) -> Result<u64, StoreError> {
        parked::request(self.file(), projection, entity, request).await
    }

    async fn dead_letters(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        is_requested: bool,
        after: Option<DeadLetterPlace>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let letters =
            dead_letters::list(self.file(), projection, segment, is_requested, after, limit);
        letters.await
    }

    async fn request_letter(
        &self,
        projection: &ProjectionId,
        place: Option<DeadLetterPlace>,
    ) -> Result<u64, StoreError> {
        dead_letters::request(self.file(), projection, place).await
    }

    async fn discard_letter(
        &self,
        projection: &ProjectionId,
        place: Option<DeadLetterPlace>,
    ) -> Result<u64, StoreError> {
        dead_letters::discard(self.file(), projection, place).await
    }

    fn place(&self) -> Option<ProgressPlace> {
        Some(SqliteTarget::place(self))
    }

    fn last_holds(&self) -> Vec<TargetHold> {
        self.file().handlers().last_holds()
    }

    async fn close(&self) {
        SqliteTarget::close(self).await;
    }
}
