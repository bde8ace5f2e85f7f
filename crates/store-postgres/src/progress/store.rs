use super::{
    change::Changing,
    database::ProgressDatabase,
    save::SaveStatements,
    verdict::{DOING, verdict},
};
use actum_model::EntityKey;
use actum_persistence::{
    progress::{
        Activation, DeadLetter, DeadLetterPlace, Epoch, NewProjection, ParkedEntity, ParkedRequest,
        ProgressChange, ProgressPlace, ProgressStore, ProjectionId, RunnerRenewal, SaveError,
        Segment, SegmentClaim, StoredProjection, StoredSegment,
    },
    store::StoreError,
};
use async_trait::async_trait;

#[async_trait]
impl ProgressStore for ProgressDatabase {
    async fn enter(&self, new: &NewProjection) -> Result<StoredProjection, StoreError> {
        self.enter(new).await
    }

    async fn load_all(
        &self,
        projections: &[ProjectionId],
    ) -> Result<Vec<Result<Option<StoredProjection>, StoreError>>, StoreError> {
        self.load_all(projections).await
    }

    async fn projections(&self) -> Result<Vec<ProjectionId>, StoreError> {
        self.projections().await
    }

    async fn activate(&self, activation: &Activation) -> Result<(), SaveError> {
        self.activate(activation).await
    }

    async fn delete(&self, projection: &ProjectionId) -> Result<(), StoreError> {
        self.delete(projection).await
    }

    async fn set_paused(
        &self,
        projection: &ProjectionId,
        is_paused: bool,
    ) -> Result<(), StoreError> {
        self.set_paused(projection, is_paused).await
    }

    async fn renew_and_load(
        &self,
        renewals: &[RunnerRenewal],
    ) -> Result<Vec<Result<Option<StoredProjection>, StoreError>>, StoreError> {
        self.renew_and_load(renewals).await
    }

    async fn leave(&self, projection: &ProjectionId, runner: &str) -> Result<(), StoreError> {
        self.leave(projection, runner).await
    }

    async fn claim(&self, claim: &SegmentClaim) -> Result<Option<StoredSegment>, StoreError> {
        self.claim(claim).await
    }

    async fn release(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        epoch: Epoch,
    ) -> Result<(), SaveError> {
        self.release(projection, segment, epoch, None).await
    }

    async fn stop(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        epoch: Epoch,
        why: &str,
    ) -> Result<(), SaveError> {
        self.release(projection, segment, epoch, Some(why)).await
    }

    async fn change(&self, change: &ProgressChange) -> Result<(), SaveError> {
        let texts = &self.texts;
        let verdict = match change {
            ProgressChange::Save(save)
                if (SaveStatements { texts, save, within: None }).is_one_statement() =>
            {
                let save = || SaveStatements { texts, save, within: None }.statement();
                verdict(&self.call(DOING, save).await?).map_err(StoreError::from)?
            }
            change => self.run(DOING, Changing { texts, change, within: None }).await?,
        };
        verdict.into_result()
    }

    async fn divide(
        &self,
        projection: &ProjectionId,
        seen: &[(Segment, Epoch)],
        into: &[StoredSegment],
    ) -> Result<(), SaveError> {
        self.divide(projection, seen, into).await
    }

    async fn parked(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        after: Option<&EntityKey>,
        limit: u32,
    ) -> Result<Vec<ParkedEntity>, StoreError> {
        self.parked(projection, segment, after, limit).await
    }

    async fn request(
        &self,
        projection: &ProjectionId,
        entity: Option<&EntityKey>,
        request: ParkedRequest,
    ) -> Result<u64, StoreError> {
        self.request(projection, entity, request).await
    }

    async fn dead_letters(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        is_requested: bool,
        after: Option<DeadLetterPlace>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.dead_letters(projection, segment, is_requested, after, limit).await
    }

    async fn request_letter(
        &self,
        projection: &ProjectionId,
        place: Option<DeadLetterPlace>,
    ) -> Result<u64, StoreError> {
        self.request_letter(projection, place).await
    }

    async fn discard_letter(
        &self,
        projection: &ProjectionId,
        place: Option<DeadLetterPlace>,
    ) -> Result<u64, StoreError> {
        self.discard_letter(projection, place).await
    }

    fn place(&self) -> Option<ProgressPlace> {
        Some(self.place())
    }

    async fn close(&self) {
        self.close_all().await;
    }
}
