//! The suites of subscriptions and projections find what is broken in a store.

use actum_model::{EntityKey, Lane, Position, SequenceNr};
use actum_persistence::{
    progress::{
        Activation, DeadLetter, DeadLetterPlace, Epoch, NewProjection, ParkedEntity, ParkedRequest,
        ProgressChange, ProgressStore, ProjectionId, RunnerRenewal, SaveError, Segment,
        SegmentClaim, StoredProjection, StoredSegment,
    },
    store::{JournalLayout, StoreError, Stores},
};
use actum_store_memory::MemoryStore;
use actum_testkit::conformance::{Plan, StoreFixture, projection, run, subscription};
use async_trait::async_trait;
use std::{panic::catch_unwind, sync::Arc};

/// What a store does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    /// It says that it has saved progress, and has not.
    LosesSaves,
    /// It saves progress for those who do not hold the segment any more.
    SavesWithoutFence,
    /// It says that it has deleted a projection, and has not.
    DeletesNothing,
}

struct FlawedFixture(MemoryStore, Flaw);

struct FlawedProgress(Arc<dyn ProgressStore>, Flaw);

#[async_trait]
impl StoreFixture for FlawedFixture {
    async fn open(&self) -> Stores {
        let stores = Stores::of(self.0.reopen());
        let progress = FlawedProgress(Arc::clone(&stores.progress), self.1);
        stores.with_progress(Arc::new(progress))
    }

    async fn advance_lane(&self, lane: Lane, to: Position) {
        self.0.advance_lane(lane, to);
    }

    async fn advance_entity(&self, entity: &EntityKey, to: SequenceNr) {
        self.0.advance_entity(entity, to);
    }
}

/// Whether a case fails over a store with this flaw.
fn fails<C>(flaw: Flaw, case: C) -> bool
where
    C: AsyncFnOnce(&dyn StoreFixture) + std::panic::UnwindSafe,
{
    let make =
        async move |layout: JournalLayout| FlawedFixture(MemoryStore::with_layout(layout), flaw);
    catch_unwind(|| run(Plan::Plain, make, case)).is_err()
}

#[test]
fn a_store_that_loses_saves_is_found_by_a_subscription_that_goes_on() {
    use subscription::acknowledging::it_goes_on_behind_what_was_acknowledged as case;
    assert!(!fails(Flaw::None, case));
    assert!(fails(Flaw::LosesSaves, case));
}

#[test]
fn a_store_that_fences_no_one_is_found_by_a_subscription_whose_holder_dies() {
    use subscription::processes::a_process_that_dies_silently_is_replaced_and_keeps_nothing_later as case;
    assert!(!fails(Flaw::None, case));
    assert!(fails(Flaw::SavesWithoutFence, case));
}

#[test]
fn a_store_that_fences_no_one_is_found_by_a_projection_whose_runner_dies() {
    use projection::processes::a_process_that_dies_silently_is_replaced_and_keeps_nothing_later as case;
    assert!(!fails(Flaw::None, case));
    assert!(fails(Flaw::SavesWithoutFence, case));
}

#[test]
fn a_store_that_deletes_nothing_is_found_by_a_subscription_that_is_forgotten() {
    use subscription::forgetting::unsubscribing_keeps_and_deleting_forgets as case;
    assert!(!fails(Flaw::None, case));
    assert!(fails(Flaw::DeletesNothing, case));
}

impl FlawedProgress {
    /// Makes a save that is stale as if it was not.
    async fn save_all_the_same(&self, change: &ProgressChange) -> Result<(), SaveError> {
        let ProgressChange::Save(save) = change else { return Err(SaveError::Stale) };
        let stored = self.0.load(&save.projection).await?.ok_or(SaveError::Stale)?;
        let held = stored.segments.into_iter().find(|one| one.segment == save.segment);
        let epoch = held.ok_or(SaveError::Stale)?.epoch;
        let mut save = save.clone();
        save.epoch = epoch;
        self.0.change(&ProgressChange::Save(save)).await
    }
}

#[async_trait]
impl ProgressStore for FlawedProgress {
    async fn change(&self, change: &ProgressChange) -> Result<(), SaveError> {
        match (self.1, change) {
            (Flaw::LosesSaves, ProgressChange::Save(_)) => Ok(()),
            (Flaw::SavesWithoutFence, _) => match self.0.change(change).await {
                Err(SaveError::Stale) => self.save_all_the_same(change).await,
                changed => changed,
            },
            _ => self.0.change(change).await,
        }
    }

    async fn delete(&self, projection: &ProjectionId) -> Result<(), StoreError> {
        match self.1 {
            Flaw::DeletesNothing => Ok(()),
            _ => self.0.delete(projection).await,
        }
    }

    async fn enter(&self, new: &NewProjection) -> Result<StoredProjection, StoreError> {
        self.0.enter(new).await
    }

    async fn load_all(
        &self,
        projections: &[ProjectionId],
    ) -> Result<Vec<Result<Option<StoredProjection>, StoreError>>, StoreError> {
        self.0.load_all(projections).await
    }

    async fn projections(&self) -> Result<Vec<ProjectionId>, StoreError> {
        self.0.projections().await
    }

    async fn activate(&self, activation: &Activation) -> Result<(), SaveError> {
        self.0.activate(activation).await
    }

    async fn set_paused(
        &self,
        projection: &ProjectionId,
        is_paused: bool,
    ) -> Result<(), StoreError> {
        self.0.set_paused(projection, is_paused).await
    }

    async fn renew_and_load(
        &self,
        renewals: &[RunnerRenewal],
    ) -> Result<Vec<Result<Option<StoredProjection>, StoreError>>, StoreError> {
        self.0.renew_and_load(renewals).await
    }

    async fn leave(&self, projection: &ProjectionId, runner: &str) -> Result<(), StoreError> {
        self.0.leave(projection, runner).await
    }

    async fn claim(&self, claim: &SegmentClaim) -> Result<Option<StoredSegment>, StoreError> {
        self.0.claim(claim).await
    }

    async fn release(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        epoch: Epoch,
    ) -> Result<(), SaveError> {
        self.0.release(projection, segment, epoch).await
    }

    async fn stop(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        epoch: Epoch,
        why: &str,
    ) -> Result<(), SaveError> {
        self.0.stop(projection, segment, epoch, why).await
    }

    async fn divide(
        &self,
        projection: &ProjectionId,
        seen: &[(Segment, Epoch)],
        into: &[StoredSegment],
    ) -> Result<(), SaveError> {
        self.0.divide(projection, seen, into).await
    }

    async fn parked(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        after: Option<&EntityKey>,
        limit: u32,
    ) -> Result<Vec<ParkedEntity>, StoreError> {
        self.0.parked(projection, segment, after, limit).await
    }

    async fn request(
        &self,
        projection: &ProjectionId,
        entity: Option<&EntityKey>,
        request: ParkedRequest,
    ) -> Result<u64, StoreError> {
        self.0.request(projection, entity, request).await
    }

    async fn dead_letters(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        is_requested: bool,
        after: Option<DeadLetterPlace>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.0.dead_letters(projection, segment, is_requested, after, limit).await
    }

    async fn request_letter(
        &self,
        projection: &ProjectionId,
        place: Option<DeadLetterPlace>,
    ) -> Result<u64, StoreError> {
        self.0.request_letter(projection, place).await
    }

    async fn discard_letter(
        &self,
        projection: &ProjectionId,
        place: Option<DeadLetterPlace>,
    ) -> Result<u64, StoreError> {
        self.0.discard_letter(projection, place).await
    }
}
