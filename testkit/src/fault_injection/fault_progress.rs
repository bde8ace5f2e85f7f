use super::{Faults, Operation, call::Call, fault::Act};
use actum_model::EntityKey;
use actum_persistence::{
    progress::{
        Activation, DeadLetter, DeadLetterPlace, Epoch, KeepsProgress, NewProjection, ParkedEntity,
        ParkedRequest, ProgressChange, ProgressPlace, ProgressStore, ProjectionId, RunnerRenewal,
        SaveError, Segment, SegmentClaim, StoredProjection, StoredSegment, TargetHold,
    },
    store::StoreError,
};
use async_trait::async_trait;
use std::{fmt, sync::Arc};

/// What keeps the progress of projections and fails as a test asks it to: every call goes to the store below, unless its
/// [`Faults`] say otherwise. [`Operation::PROGRESS`] has the names of its calls.
///
/// # Examples
/// ```
/// # use actum_persistence::{progress::ProgressStore, store::StoreError};
/// # use actum_store_memory::MemoryTarget;
/// use actum_testkit::{Fault, FaultProgress, Operation};
/// use std::sync::Arc;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = FaultProgress::new(Arc::new(MemoryTarget::new()));
/// store.faults().next(Operation::ListProjections, Fault::unavailable());
/// assert!(matches!(store.projections().await, Err(StoreError::Unavailable { .. })));
/// assert!(store.projections().await.is_ok());
/// # });
/// ```
#[derive(Clone)]
pub struct FaultProgress {
    inner: Arc<dyn ProgressStore>,
    faults: Faults,
}

impl FaultProgress {
    /// Nothing goes wrong yet.
    pub fn new(inner: Arc<dyn ProgressStore>) -> Self {
        Self::scripted(inner, &Faults::new())
    }

    /// Does what `faults` say, which may be scripted already, and may be those of a [`FaultStore`](super::FaultStore) beside
    /// it.
    pub fn scripted(inner: Arc<dyn ProgressStore>, faults: &Faults) -> Self {
        Self { inner, faults: faults.clone() }
    }

    /// What says what goes wrong.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// The store below, where nothing goes wrong and nothing is counted.
    #[must_use]
    pub fn inner(&self) -> &Arc<dyn ProgressStore> {
        &self.inner
    }
}

#[async_trait]
impl ProgressStore for FaultProgress {
    async fn enter(&self, new: &NewProjection) -> Result<StoredProjection, StoreError> {
        let call = Call::begin(&self.faults, Operation::EnterProjection);
        call.run(self.inner.enter(new)).await
    }

    async fn load_all(
        &self,
        projections: &[ProjectionId],
    ) -> Result<Vec<Result<Option<StoredProjection>, StoreError>>, StoreError> {
        let call = Call::begin(&self.faults, Operation::LoadProjection);
        let damaged = damaged(&call);
        let mut answers = call.run(self.inner.load_all(projections)).await?;
        damage(damaged, projections.iter().zip(&mut answers));
        Ok(answers)
    }

    async fn projections(&self) -> Result<Vec<ProjectionId>, StoreError> {
        let call = Call::begin(&self.faults, Operation::ListProjections);
        call.run(self.inner.projections()).await
    }

    async fn activate(&self, activation: &Activation) -> Result<(), SaveError> {
        let call = Call::begin(&self.faults, Operation::ActivateProjection);
        call.run(self.inner.activate(activation)).await
    }

    async fn delete(&self, projection: &ProjectionId) -> Result<(), StoreError> {
        let call = Call::begin(&self.faults, Operation::DeleteProjection);
        call.run(self.inner.delete(projection)).await
    }

    async fn set_paused(
        &self,
        projection: &ProjectionId,
        is_paused: bool,
    ) -> Result<(), StoreError> {
        let call = Call::begin(&self.faults, Operation::PauseProjection);
        call.run(self.inner.set_paused(projection, is_paused)).await
    }

    async fn renew_and_load(
        &self,
        renewals: &[RunnerRenewal],
    ) -> Result<Vec<Result<Option<StoredProjection>, StoreError>>, StoreError> {
        let call = Call::begin(&self.faults, Operation::RenewRunner);
        let damaged = damaged(&call);
        let mut answers = call.run(self.inner.renew_and_load(renewals)).await?;
        let projections = renewals.iter().map(|renewal| &renewal.projection);
        damage(damaged, projections.zip(&mut answers));
        Ok(answers)
    }

    async fn leave(&self, projection: &ProjectionId, runner: &str) -> Result<(), StoreError> {
        let call = Call::begin(&self.faults, Operation::LeaveRunner);
        call.run(self.inner.leave(projection, runner)).await
    }

    async fn claim(&self, claim: &SegmentClaim) -> Result<Option<StoredSegment>, StoreError> {
        let call = Call::begin(&self.faults, Operation::ClaimSegment);
        call.run(self.inner.claim(claim)).await
    }

    async fn release(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        epoch: Epoch,
    ) -> Result<(), SaveError> {
        let call = Call::begin(&self.faults, Operation::ReleaseSegment);
        call.run(self.inner.release(projection, segment, epoch)).await
    }

    async fn stop(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        epoch: Epoch,
        why: &str,
    ) -> Result<(), SaveError> {
        let call = Call::begin(&self.faults, Operation::StopSegment);
        call.run(self.inner.stop(projection, segment, epoch, why)).await
    }

    async fn change(&self, change: &ProgressChange) -> Result<(), SaveError> {
        let call = Call::begin(&self.faults, Operation::ChangeProgress);
        call.run(self.inner.change(change)).await
    }

    async fn divide(
        &self,
        projection: &ProjectionId,
        seen: &[(Segment, Epoch)],
        into: &[StoredSegment],
    ) -> Result<(), SaveError> {
        let call = Call::begin(&self.faults, Operation::DivideSegments);
        call.run(self.inner.divide(projection, seen, into)).await
    }

    async fn parked(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        after: Option<&EntityKey>,
        limit: u32,
    ) -> Result<Vec<ParkedEntity>, StoreError> {
        let call = Call::begin(&self.faults, Operation::ListParked);
        call.run(self.inner.parked(projection, segment, after, limit)).await
    }

    async fn request(
        &self,
        projection: &ProjectionId,
        entity: Option<&EntityKey>,
        request: ParkedRequest,
    ) -> Result<u64, StoreError> {
        let call = Call::begin(&self.faults, Operation::RequestParked);
        call.run(self.inner.request(projection, entity, request)).await
    }

    async fn dead_letters(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        is_requested: bool,
        after: Option<DeadLetterPlace>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let call = Call::begin(&self.faults, Operation::ListLetters);
        call.run(self.inner.dead_letters(projection, segment, is_requested, after, limit)).await
    }

    async fn request_letter(
        &self,
        projection: &ProjectionId,
        place: Option<DeadLetterPlace>,
    ) -> Result<u64, StoreError> {
        let call = Call::begin(&self.faults, Operation::RequestLetter);
        call.run(self.inner.request_letter(projection, place)).await
    }

    async fn discard_letter(
        &self,
        projection: &ProjectionId,
        place: Option<DeadLetterPlace>,
    ) -> Result<u64, StoreError> {
        let call = Call::begin(&self.faults, Operation::DiscardLetter);
        call.run(self.inner.discard_letter(projection, place)).await
    }

    /// That of the store below, as far as the same goes wrong.
    fn place(&self) -> Option<ProgressPlace> {
        let (place, faults) = (self.inner.place()?, self.faults.place());
        Some(ProgressPlace::new(format_args!("{place}, faults {faults}")))
    }

    fn last_holds(&self) -> Vec<TargetHold> {
        self.inner.last_holds()
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

/// The projection that comes back damaged.
fn damaged(call: &Call) -> Option<ProjectionId> {
    match &call.fault.act {
        Act::DamageProjection(id) => Some(id.clone()),
        _ => None,
    }
}

fn damage<'a>(
    damaged: Option<ProjectionId>,
    answers: impl Iterator<
        Item = (&'a ProjectionId, &'a mut Result<Option<StoredProjection>, StoreError>),
    >,
) {
    let Some(damaged) = damaged else { return };
    for (_, answer) in answers.filter(|(id, _)| **id == damaged) {
        *answer = Err(StoreError::corrupt(format!("scripted fault: {damaged} is damaged")));
    }
}

impl KeepsProgress for FaultProgress {
    fn progress(&self) -> Arc<dyn ProgressStore> {
        Arc::new(self.clone())
    }
}

impl fmt::Debug for FaultProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultProgress").field("faults", &self.faults).finish_non_exhaustive()
    }
}
