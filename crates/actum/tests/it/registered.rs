//! Projections that are kept, whether an engine runs them or not.

use crate::counter::Counter;
use actum::{
    Engine, EntityKey, HandlerError, Lane, MemoryStore, Offset, Project, ProjectCtx, Projection,
    ProjectionError, Projector, Recorded, SequenceNr, StartAt, WaitError,
    progress::{KeepsProgress, NewProjection, ProjectionId, Segment},
    settings::{EntitySettings, PageLimit, SnapshotSettings},
    store::{EntityRead, EventStore},
};
use std::{
    num::{NonZeroU16, NonZeroU32},
    time::Duration,
};
use tokio::time::sleep;

#[derive(Clone)]
struct Counts;

impl Projector for Counts {
    type Target = actum::AtLeastOnce;
}

impl Project<Counter> for Counts {
    async fn project(
        &mut self,
        _: &Recorded<u64>,
        _: &mut ProjectCtx<'_, actum::AtLeastOnce>,
    ) -> Result<(), HandlerError> {
        Ok(())
    }
}

fn engine(store: &MemoryStore) -> actum::EngineBuilder {
    engine_with(store, 2)
}

fn engine_with(store: &MemoryStore, every: u64) -> actum::EngineBuilder {
    let snapshots = SnapshotSettings::every(every).with_events_deleted(true).with_snapshots_kept(1);
    let settings = EntitySettings::default().with_snapshots(snapshots);
    Engine::builder("counters").store(store.reopen()).entity_with::<Counter>((), settings)
}

/// Up to where events were deleted.
async fn floor(store: &MemoryStore) -> SequenceNr {
    let entity = EntityKey::new("counter", "a").unwrap();
    let reads = [EntityRead { entity, after: SequenceNr::ZERO }];
    let pages = store.reopen().read_entities(&reads, PageLimit::default()).await.unwrap();
    pages[0].floor
}

#[tokio::test(start_paused = true)]
async fn a_projection_that_no_engine_runs_any_more_keeps_its_events_until_it_is_forgotten() {
    let store = MemoryStore::new();
    let counts = Projection::at_least_once("counts", Counts).from::<Counter>();
    let first = engine(&store).projection(counts).start().await.unwrap();
    first.entity::<Counter>("a").ask(1).await.unwrap();
    first.projection("counts").caught_up(Duration::from_secs(60)).await.unwrap();
    let id = ProjectionId::new("counts", NonZeroU32::MIN).unwrap();
    let refused = first.forget_projection(&id).await;
    assert!(matches!(refused, Err(ProjectionError::IsRun { .. })), "{refused:?}");
    assert!(first.shutdown().await.is_clean());

    let second = engine(&store).start().await.unwrap();
    let counter = second.entity::<Counter>("a");
    for _ in 0..20 {
        counter.ask(1).await.unwrap();
        sleep(Duration::from_secs(5)).await;
    }
    let registered = second.registered_projections().await.unwrap();
    let [counts] = &registered[..] else { panic!("{registered:?}") };
    assert!(counts.id == id && counts.is_forgotten() && counts.is_active, "{counts:?}");
    assert_eq!((counts.lag, counts.holds_back), (20, 20));
    assert!(floor(&store).await <= SequenceNr::new(1), "what it has not read is there");

    second.forget_projection(&id).await.unwrap();
    assert_eq!(second.registered_projections().await.unwrap(), []);
    for _ in 0..20 {
        counter.ask(1).await.unwrap();
        sleep(Duration::from_secs(5)).await;
    }
    assert!(floor(&store).await >= SequenceNr::new(20), "no one needs it any more");
    assert!(second.shutdown().await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn what_a_rewound_projection_reads_again_is_not_deleted() {
    let store = MemoryStore::new();
    let counts = Projection::at_least_once("counts", Counts).from::<Counter>();
    let engine = engine_with(&store, 10).projection(counts).start().await.unwrap();
    let (counter, counts) = (engine.entity::<Counter>("a"), engine.projection("counts"));
    for _ in 0..9 {
        counter.ask(1).await.unwrap();
    }
    counts.caught_up(Duration::from_secs(60)).await.unwrap();
    sleep(Duration::from_secs(60)).await;
    let read_to = || engine.readers().read_to(Lane::default()).unwrap().get();
    assert_eq!(read_to(), 9, "all of it may be deleted");
    counts.pause().await.unwrap();
    counts.rewind(StartAt::Beginning).await.unwrap();
    sleep(Duration::from_secs(60)).await;
    for _ in 0..21 {
        counter.ask(1).await.unwrap();
        sleep(Duration::from_secs(5)).await;
    }
    assert_eq!((read_to(), floor(&store).await), (0, SequenceNr::ZERO));
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn what_a_projection_needs_that_cannot_run_is_not_deleted() {
    let store = MemoryStore::new();
    let layout = EventStore::layout(&store);
    let id = ProjectionId::new("counts", NonZeroU32::MIN).unwrap();
    let new = NewProjection {
        id: id.clone(),
        sources: vec!["gauge".to_owned()],
        layout,
        segments: Segment::divide(layout.partitions, NonZeroU16::MIN),
        start: Offset::beginning(layout.lanes),
        live_from: Offset::beginning(layout.lanes),
    };
    store.progress().enter(&new).await.unwrap();
    let counts = Projection::at_least_once("counts", Counts).from::<Counter>();
    let engine = engine(&store).projection(counts).start().await.unwrap();
    let failed = engine.projection("counts").caught_up(Duration::from_secs(60)).await;
    assert!(matches!(failed, Err(WaitError::Stopped { .. })), "{failed:?}");
    let counter = engine.entity::<Counter>("a");
    for _ in 0..20 {
        counter.ask(1).await.unwrap();
        sleep(Duration::from_secs(5)).await;
    }
    assert_eq!(floor(&store).await, SequenceNr::ZERO, "its version may run again");
    store.progress().delete(&id).await.unwrap();
    for _ in 0..20 {
        counter.ask(1).await.unwrap();
        sleep(Duration::from_secs(5)).await;
    }
    assert!(floor(&store).await >= SequenceNr::new(20), "no one needs it any more");
    assert!(engine.shutdown().await.is_clean());
}
