//! Processes that write nothing share the work of projections with the engine that writes.

use crate::counter::Counter;
use actum::{
    AtLeastOnce, Engine, HandlerError, MemoryStore, Project, ProjectCtx, Projection, ProjectionRef,
    Projector, ReaderEngine, Recorded, SqliteStore, StartError,
    postgres::{PostgresSettings, PostgresStore},
    store::Stores,
};
use actum_test_servers::{TestPostgres, unique_name};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(30);
const SEGMENTS: u16 = 4;

/// Counts what comes of each counter, in all processes together.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<BTreeMap<String, Vec<u64>>>>);

impl Projector for Counts {
    type Target = AtLeastOnce;
}

impl Project<Counter> for Counts {
    async fn project(
        &mut self,
        event: &Recorded<u64>,
        _: &mut ProjectCtx<'_, AtLeastOnce>,
    ) -> Result<(), HandlerError> {
        let mut counts = self.0.lock().unwrap();
        counts.entry(event.entity.id().to_owned()).or_default().push(event.sequence_nr.get());
        Ok(())
    }
}

fn counts(counts: &Counts) -> Projection<Counts> {
    let counts = Projection::at_least_once("counts", counts.clone()).from::<Counter>();
    counts.segments(SEGMENTS).lease(Duration::from_secs(2))
}

async fn readers(stores: Stores, all: &Counts) -> ReaderEngine {
    let builder = Engine::builder("readers").store(stores).projection(counts(all));
    builder.start_readers().await.unwrap()
}

/// Waits until the engine that writes runs so many segments, and others run the rest.
async fn until_engine_has(counts: &ProjectionRef, count: usize) {
    let began = Instant::now();
    loop {
        // before it has begun there is no status
        let segments = counts.status().await.map_or_else(|_| Vec::new(), |status| status.segments);
        let owners: Vec<_> = segments.iter().filter_map(|one| one.owner.clone()).collect();
        let of_engine = owners.iter().filter(|owner| owner.starts_with("engine@")).count();
        if owners.len() == usize::from(SEGMENTS) && of_engine == count {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{owners:?}");
        sleep(Duration::from_millis(10)).await;
    }
}

async fn readers_share_the_segments_with_the_engine_that_writes(open: impl AsyncFn() -> Stores) {
    let all = Counts::default();
    let builder = Engine::builder("engine").store(open().await).entity::<Counter>(());
    let engine = builder.projection(counts(&all)).start().await.unwrap();
    let projection = engine.projection("counts");
    let write = async || {
        for id in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            let asked = engine.entity::<Counter>(id).ask(1).with_receipt().await;
            // also of what another process handles
            projection.caught_up_with(&asked.unwrap().1, PATIENCE).await.unwrap();
        }
    };
    until_engine_has(&projection, 4).await;
    write().await;
    let first = readers(open().await, &all).await;
    until_engine_has(&projection, 2).await;
    write().await;
    let second = readers(open().await, &all).await;
    until_engine_has(&projection, 2).await; // of three one has two, and it need not change
    write().await;
    // each gives back at once what it has
    assert_eq!(first.shutdown().await, []);
    assert_eq!(second.shutdown().await, []);
    until_engine_has(&projection, 4).await;
    write().await;
    assert!(engine.shutdown().await.is_clean());
    let all = all.0.lock().unwrap();
    assert_eq!(all.len(), 8);
    for (id, numbers) in &*all {
        let mut numbers = numbers.clone();
        numbers.dedup(); // one that was handed over while the machine was busy may come again
        assert_eq!(numbers, [1, 2, 3, 4], "{id}");
    }
}

#[tokio::test]
async fn over_memory() {
    let store = MemoryStore::new();
    readers_share_the_segments_with_the_engine_that_writes(async || store.reopen().into()).await;
}

#[tokio::test]
async fn over_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("counters.db");
    let open = async || SqliteStore::open(&file).await.unwrap().into();
    readers_share_the_segments_with_the_engine_that_writes(open).await;
}

#[tokio::test]
async fn over_postgres() {
    let Some(server) = TestPostgres::shared() else { return };
    let schema = unique_name("readers");
    let open = async || {
        let settings = PostgresSettings::default().with_schema(&schema);
        PostgresStore::connect_with(server.admin_url(), settings).await.unwrap().into()
    };
    readers_share_the_segments_with_the_engine_that_writes(open).await;
}

#[tokio::test]
async fn what_only_reads_runs_no_entities_and_needs_a_name_and_a_store() {
    let builder = Engine::builder("").entity::<Counter>(());
    let error = builder.projection_bytes_max(1).start_readers().await.unwrap_err();
    let StartError::Invalid { problems } = error else { panic!("{error}") };
    assert_eq!(
        problems,
        [
            "`projection_bytes_max` is 1 byte, it must be at least 1 MiB",
            "`counter` is registered, and what only reads runs no entities",
            "the name of an engine that only reads has 1 to 200 bytes, this one has 0",
            "no store was given: call `.store(..)`",
        ]
    );
}
