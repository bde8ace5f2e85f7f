use super::place::Place;
use crate::{
    account::{Account, Deposited},
    rig::Rig,
};
use actum_persistence::{
    progress::{ExactTarget, KeepsProgress},
    store::{EventStore, Stores},
};
use actum_projection::{
    HandlerError, Project, ProjectCtx, Projection, ProjectionRef, ProjectionRegistration,
    ProjectionService, ProjectionState, Projector, ReadShare, Recorded, ServiceParts,
};
use actum_store_memory::{MemoryRows, MemoryTarget};
use actum_testkit::{FaultProgress, FaultStore, Faults};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    marker::PhantomData,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::sleep;

/// What goes wrong with events, by account and number.
#[derive(Clone, Default)]
pub(crate) struct Trouble(Arc<TroubleParts>);

#[derive(Default)]
struct TroubleParts {
    events: Mutex<HashMap<(String, u64), Bad>>,
    all: Mutex<Option<Bad>>,
    tries: AtomicU64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    Fails,
    Panics,
    Hangs,
    Unavailable,
}

impl Trouble {
    pub(crate) fn set(&self, id: &str, nr: u64, bad: Bad) {
        self.0.events.lock().insert((id.to_owned(), nr), bad);
    }

    pub(crate) fn mend(&self) {
        self.0.events.lock().clear();
        *self.0.all.lock() = None;
    }

    pub(crate) fn set_all(&self, bad: Bad) {
        *self.0.all.lock() = Some(bad);
    }

    /// How often an event was given to the handler.
    pub(crate) fn tries(&self) -> u64 {
        self.0.tries.load(Relaxed)
    }

    pub(crate) async fn meet<E>(&self, event: &Recorded<E>) -> Result<(), HandlerError> {
        self.meet_at(event.entity.id(), event.sequence_nr.get()).await
    }

    /// As [`meet`](Self::meet), of event or revision `nr` of an entity.
    pub(crate) async fn meet_at(&self, id: &str, nr: u64) -> Result<(), HandlerError> {
        self.0.tries.fetch_add(1, Relaxed);
        let key = (id.to_owned(), nr);
        let bad = self.0.events.lock().get(&key).copied();
        let bad = bad.or(*self.0.all.lock());
        match bad {
            None => Ok(()),
            Some(Bad::Fails) => Err(HandlerError::failed("poison")),
            Some(Bad::Panics) => panic!("poison"),
            Some(Bad::Hangs) => std::future::pending().await,
            Some(Bad::Unavailable) => Err(HandlerError::unavailable("the broker is away")),
        }
    }
}

/// Adds up what was deposited to each account, and keeps the numbers of the events it has seen.
pub(crate) struct Balances<T>(Trouble, PhantomData<fn() -> T>);

impl<T> Clone for Balances<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<T: ExactTarget<Connection = MemoryRows>> Projector for Balances<T> {
    type Target = T;

    async fn clear(&mut self, ctx: &mut ProjectCtx<'_, T>) -> Result<(), HandlerError> {
        let keys: Vec<_> = ctx.tx().iter("").map(|(key, _)| key.to_owned()).collect();
        for key in keys {
            ctx.tx().remove(&key);
        }
        Ok(())
    }
}

impl<T: ExactTarget<Connection = MemoryRows>> Project<Account> for Balances<T> {
    async fn project(
        &mut self,
        event: &Recorded<Deposited>,
        ctx: &mut ProjectCtx<'_, T>,
    ) -> Result<(), HandlerError> {
        let (id, nr) = (event.entity.id(), event.sequence_nr.get());
        // written first: a handler that fails has written something
        let row = ctx.tx().get(id);
        let (balance, seen) = row.as_deref().map_or((0, 0), parsed);
        assert_eq!(seen + 1, nr, "the events of {id} come in order");
        ctx.tx().insert(id, format!("{} {nr}", balance + event.event.cents));
        self.0.meet(event).await
    }
}

fn parsed(row: &[u8]) -> (u64, u64) {
    let text = std::str::from_utf8(row).unwrap();
    let (balance, seen) = text.split_once(' ').unwrap();
    (balance.parse().unwrap(), seen.parse().unwrap())
}

/// The balance of an account, and the number of its last event.
pub(crate) fn row(target: &MemoryTarget, id: &str) -> Option<(u64, u64)> {
    target.row(id).as_deref().map(parsed)
}

/// Projections that run over the journal of a rig.
pub(crate) struct Running {
    pub(crate) service: ProjectionService,
    pub(crate) place: Arc<Place>,
}

/// Runs a projection, as runner `name`.
pub(crate) async fn run(
    rig: &Rig,
    name: &str,
    projection: impl Into<ProjectionRegistration>,
) -> Running {
    start(parts(rig, name, &rig.faults), [projection.into()]).await
}

/// What a process of its own has, where things go wrong as `faults` say.
pub(crate) fn parts(rig: &Rig, name: &str, faults: &Faults) -> ServiceParts {
    let stores = Stores::of(FaultStore::scripted(rig.store.clone(), faults));
    ServiceParts {
        runner: name.into(),
        events: stores.events as Arc<dyn EventStore>,
        states: stores.states,
        progress: Arc::new(FaultProgress::scripted(rig.store.progress(), faults)),
        commits: None,
        share: ReadShare::default(),
    }
}

/// Runs projections; the first is the one that is asked for.
pub(crate) async fn start(
    parts: ServiceParts,
    projections: impl IntoIterator<Item = ProjectionRegistration>,
) -> Running {
    let place = Place::new();
    let projections = projections.into_iter().map(|one| (one, Arc::clone(&place) as _)).collect();
    let service = ProjectionService::start(parts, projections).await.unwrap();
    Running { service, place }
}

impl Running {
    pub(crate) fn projection(&self) -> ProjectionRef {
        self.service.projections().next().unwrap()
    }

    /// Ends as a shutdown does.
    pub(crate) async fn end(self) {
        self.place.end();
        let projection = self.projection();
        until("it has ended", async || {
            projection.status().await.is_ok_and(|status| status.state == ProjectionState::Ended)
        })
        .await;
    }

    /// Waits until the version that is asked for is the active one.
    pub(crate) async fn until_active(&self) {
        until("it is active", async || {
            self.projection()
                .status()
                .await
                .is_ok_and(|status| status.state == ProjectionState::Running)
        })
        .await;
    }

    pub(crate) async fn caught_up(&self) {
        self.projection().caught_up(Duration::from_secs(3_600)).await.unwrap();
    }

    pub(crate) async fn state(&self) -> ProjectionState {
        self.projection().status().await.unwrap().state
    }

    pub(crate) async fn until_stopped(&self) -> String {
        let mut why = String::new();
        until("it has stopped", async || {
            let status = self.projection().status().await;
            let Ok(ProjectionState::Stopped { why: text }) = status.map(|status| status.state)
            else {
                return false;
            };
            why = text.to_string();
            true
        })
        .await;
        why
    }
}

/// Waits until something is so, by a clock that may be paused.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..100_000 {
        if is_so().await {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("waited in vain until {what}");
}

/// An exact projection of balances.
pub(crate) fn balances<T: ExactTarget<Connection = MemoryRows>>(
    target: &T,
    trouble: &Trouble,
) -> Projection<Balances<T>> {
    Projection::exact("balances", target.clone(), Balances(trouble.clone(), PhantomData))
        .from::<Account>()
}
