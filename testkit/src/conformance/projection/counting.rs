//! The projection of the cases: it counts, by entity.

use crate::conformance::readers::{Label, SeenEvent, Tally, until};
use actum_projection::{
    AtLeastOnce, Changed, HandlerError, Project, ProjectCtx, ProjectState, ProjectStream,
    Projection, ProjectionRef, ProjectionStatus, Projector, Recorded,
};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The name of the projection.
pub(super) const COUNTS: &str = "counts";

/// What was handled, in all processes that have a clone of it.
#[derive(Clone, Default)]
pub(super) struct Counting(Arc<Mutex<Counted>>);

#[derive(Default)]
struct Counted {
    all: Vec<SeenEvent>,
    /// Those that are not handled, and how often they were tried.
    bad: BTreeMap<SeenEvent, u32>,
}

impl Counting {
    pub(super) fn projection(&self) -> Projection<Self> {
        Projection::at_least_once(COUNTS, self.clone()).from::<Tally>()
    }

    /// Everything that was handled, in that order.
    pub(super) fn all(&self) -> Vec<SeenEvent> {
        self.0.lock().all.clone()
    }

    pub(super) fn forget(&self) {
        self.0.lock().all.clear();
    }

    /// How far each entity was handled. Each event has come behind the one before it, if not for the first time.
    pub(super) fn heads(&self) -> BTreeMap<String, u64> {
        let mut heads: BTreeMap<String, u64> = BTreeMap::new();
        for (id, nr) in self.all() {
            let last = heads.entry(id.clone()).or_default();
            assert!(nr <= *last + 1, "event {nr} of {id} was handled behind {last}");
            *last = nr.max(*last);
        }
        heads
    }

    /// Panics if an event was handled twice.
    pub(super) fn assert_once(&self) {
        let mut seen = BTreeSet::new();
        for one in self.all() {
            assert!(seen.insert(one.clone()), "{one:?} was handled twice");
        }
    }

    /// Event `nr` of `id` fails from now on.
    pub(super) fn fail(&self, id: &str, nr: u64) {
        self.0.lock().bad.insert((id.to_owned(), nr), 0);
    }

    /// Nothing fails any more.
    pub(super) fn mend(&self) {
        self.0.lock().bad.clear();
    }

    /// How often an event has failed.
    pub(super) fn tries(&self, id: &str, nr: u64) -> u32 {
        self.0.lock().bad.get(&(id.to_owned(), nr)).copied().unwrap_or_default()
    }

    fn count(&self, id: &str, nr: u64) -> Result<(), HandlerError> {
        let mut counted = self.0.lock();
        let one = (id.to_owned(), nr);
        if let Some(tries) = counted.bad.get_mut(&one) {
            *tries += 1;
            return Err(HandlerError::failed("poison"));
        }
        counted.all.push(one);
        Ok(())
    }

    fn count_event(&self, event: &Recorded<u64>) -> Result<(), HandlerError> {
        assert_eq!(event.event, event.sequence_nr.get(), "the event is the one that was written");
        self.count(event.entity.id(), event.event)
    }
}

impl Projector for Counting {
    type Target = AtLeastOnce;
}

impl Project<Tally> for Counting {
    async fn project(
        &mut self,
        event: &Recorded<u64>,
        _: &mut ProjectCtx<'_, AtLeastOnce>,
    ) -> Result<(), HandlerError> {
        self.count_event(event)
    }
}

impl ProjectStream<u64> for Counting {
    async fn project_stream(
        &mut self,
        event: &Recorded<u64>,
        _: &mut ProjectCtx<'_, AtLeastOnce>,
    ) -> Result<(), HandlerError> {
        self.count_event(event)
    }
}

/// A state that was deleted counts as revision zero.
impl ProjectState<Label> for Counting {
    async fn project_state(
        &mut self,
        changed: &Changed<Label>,
        _: &mut ProjectCtx<'_, AtLeastOnce>,
    ) -> Result<(), HandlerError> {
        let revision = changed.state.map_or(0, |Label(revision)| {
            assert_eq!(revision, changed.revision.get(), "the state is the one that was written");
            revision
        });
        self.count(changed.entity.id(), revision)
    }
}

pub(super) async fn status(projection: &ProjectionRef) -> ProjectionStatus {
    projection.status().await.expect("something is kept of the projection")
}

/// Waits until everything that is in the journal is handled and kept.
pub(super) async fn until_all_is_kept(projection: &ProjectionRef, handled: u64) {
    until("everything is handled and kept", async || {
        let Ok(status) = projection.status().await else { return false };
        assert!(status.handled <= handled, "{} of {handled} events are counted", status.handled);
        (status.lag.events, status.handled) == (0, handled)
    })
    .await;
}
