use super::{reader_places::ReaderPlaces, until};
use crate::{
    conformance::StoreFixture,
    fault_injection::{Fault, FaultProgress, Faults, Gate, Operation},
};
use actum_persistence::{
    progress::{ProgressChange, ProgressSave, ProjectionId, SaveError, StoredSegment},
    store::Stores,
};
use actum_projection::{
    ProjectionRef, ProjectionRegistration, ProjectionService, ProjectionState, ReadShare,
    ServiceParts, SubscriptionRef, SubscriptionService,
};
use std::sync::Arc;

/// A process that reads a journal, as an engine does: what is under test goes through stores of its own.
pub(crate) struct ReaderProcess {
    pub(crate) stores: Stores,
    pub(crate) subscriptions: SubscriptionService,
    projections: ProjectionService,
    places: Arc<ReaderPlaces>,
    faults: Faults,
    gate: Gate,
}

impl ReaderProcess {
    /// One that runs no projection.
    pub(crate) async fn start(fixture: &dyn StoreFixture, name: &str) -> Self {
        Self::run(fixture, name, Vec::new()).await
    }

    /// One that runs these projections, once something is kept of them.
    pub(crate) async fn run(
        fixture: &dyn StoreFixture,
        name: &str,
        projections: Vec<ProjectionRegistration>,
    ) -> Self {
        let stores = fixture.open().await;
        let (faults, places) = (Faults::new(), ReaderPlaces::new());
        let parts = ServiceParts {
            runner: name.into(),
            events: Arc::clone(&stores.events),
            states: Arc::clone(&stores.states),
            progress: Arc::new(FaultProgress::scripted(Arc::clone(&stores.progress), &faults)),
            commits: None,
            share: ReadShare::default(),
        };
        let projections = projections.into_iter().map(|one| (one, places.place())).collect();
        let projections = ProjectionService::start(parts, projections).await;
        let projections = projections.expect("the journal can be read");
        for projection in projections.projections() {
            until("it has entered", async || projection.status().await.is_ok()).await;
        }
        let subscriptions = SubscriptionService::beside(&projections, Arc::clone(&places) as _);
        Self { stores, subscriptions, projections, places, faults, gate: Gate::closed() }
    }

    pub(crate) fn subscription(&self, name: &str) -> SubscriptionRef {
        SubscriptionRef::new(name, &self.subscriptions)
    }

    pub(crate) fn projection(&self, name: &str) -> ProjectionRef {
        self.projections.projection(name)
    }

    /// What is kept of the first segment of a projection.
    pub(crate) async fn kept_segment(&self, projection: &ProjectionId) -> StoredSegment {
        let kept = self.stores.progress.load(projection).await.expect("it can be loaded");
        kept.and_then(|kept| kept.segments.into_iter().next()).expect("it has a segment")
    }

    /// Sends a save of two events of one who held the segment as it was then, as one that was on its way for long.
    pub(crate) async fn save_late(
        &self,
        projection: &ProjectionId,
        held: StoredSegment,
    ) -> Result<(), SaveError> {
        let StoredSegment { segment, epoch, progress, .. } = held;
        let mut save = ProgressSave::nothing(projection.clone(), segment, epoch, progress);
        save.handled = 2;
        self.stores.progress.change(&ProgressChange::Save(save)).await
    }

    /// Ends as a shutdown does, once everything is saved and given back.
    pub(crate) async fn end(self) {
        self.places.end();
        for projection in self.projections.projections() {
            until("the projection has ended", async || {
                let status = projection.status().await;
                status.is_ok_and(|status| status.state == ProjectionState::Ended)
            })
            .await;
        }
    }

    /// Whatever it does to its progress from now on does not get through, and is on its way until it [wakes up](Self::wake): to
    /// all others it has died without a word.
    pub(crate) fn die_silently(&self) {
        for operation in Operation::PROGRESS {
            self.faults.always(operation, Fault::none().held_before(&self.gate));
        }
    }

    /// How many calls are on their way.
    pub(crate) fn on_their_way(&self) -> usize {
        self.gate.held_now()
    }

    /// What was on its way gets through, and it goes on.
    pub(crate) fn wake(&self) {
        self.faults.stop();
        self.gate.open();
    }
}
