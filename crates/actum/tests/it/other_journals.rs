//! Progress of another journal is refused, and what is said of it is clear: over every store.

use actum::{
    Engine, EngineBuilder, Expected, HandlerError, LaneCount, MemoryStore, MemoryTarget, Offset,
    PartitionCount, Position, ProjectCtx, ProjectStream, Projection, ProjectionRef,
    ProjectionState, Projector, Recorded, SqliteStore, SqliteTarget, StartAt, Stream, Subscription,
    postgres::{PostgresSettings, PostgresStore, PostgresTarget},
    progress::ExactTarget,
    sqlite::SqliteSettings,
    store::{JournalLayout, Stores},
};
use actum_test_servers::{TestPostgres, unique_name};
use std::{marker::PhantomData, time::Duration};
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(30);

/// Writes nothing into its target.
struct Nothing<T>(PhantomData<fn() -> T>);

impl<T> Clone for Nothing<T> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<T: ExactTarget> Projector for Nothing<T> {
    type Target = T;
}

impl<T: ExactTarget> ProjectStream<u64> for Nothing<T> {
    async fn project_stream(
        &mut self,
        _: &Recorded<u64>,
        _: &mut ProjectCtx<'_, T>,
    ) -> Result<(), HandlerError> {
        Ok(())
    }
}

fn nothing<T: ExactTarget + Clone>(target: &T) -> Projection<Nothing<T>> {
    let nothing = Projection::exact("nothing", target.clone(), Nothing(PhantomData));
    nothing.from_streams::<u64>("numbers")
}

fn layout(partitions: u16, lanes: u16) -> JournalLayout {
    let partitions = PartitionCount::new(partitions).unwrap();
    JournalLayout { partitions, lanes: LaneCount::new(lanes).unwrap() }
}

fn one_lane() -> JournalLayout {
    layout(256, 1)
}

async fn start<T: ExactTarget + Clone>(stores: Stores, target: &T) -> Engine {
    builder(stores).projection(nothing(target)).start().await.unwrap()
}

fn builder(stores: Stores) -> EngineBuilder {
    Engine::builder("numbers").store(stores).streams_only()
}

async fn append(engine: &Engine, count: u64) {
    let numbers: Stream<u64> = engine.stream("numbers", "n");
    numbers.append(Expected::NEW, 1..=count).await.unwrap();
}

/// What is kept of the projection is of a journal with three events.
async fn begin<T: ExactTarget + Clone>(stores: Stores, target: &T) {
    let engine = start(stores, target).await;
    append(&engine, 3).await;
    engine.projection("nothing").caught_up(PATIENCE).await.unwrap();
    assert!(engine.shutdown().await.is_clean());
}

async fn one_of_another_layout_is_refused<T: ExactTarget + Clone>(
    target: T,
    open: impl AsyncFn(&str, JournalLayout) -> Stores,
) {
    begin(open("one", one_lane()).await, &target).await;
    for (name, layout, has) in
        [("partitions", layout(64, 1), "64 and 1"), ("lanes", layout(256, 2), "256 and 2")]
    {
        let engine = start(open(name, layout).await, &target).await;
        append(&engine, 3).await;
        let waited = engine.projection("nothing").caught_up(PATIENCE).await.unwrap_err();
        let expected = format!(
            "the projection `nothing` has stopped: the progress of the projection nothing is of another journal: that has 256 \
             partitions and 1 lanes, this one {has}: keep its progress in another database, or give it another name"
        );
        assert_eq!(waited.to_string(), expected);
        assert!(engine.shutdown().await.is_clean());
    }
    // it has changed nothing
    let engine = start(open("one", one_lane()).await, &target).await;
    engine.projection("nothing").caught_up(PATIENCE).await.unwrap();
    assert_eq!(engine.projection("nothing").status().await.unwrap().handled, 3);
    assert!(engine.shutdown().await.is_clean());
}

/// Why it stops.
async fn until_stopped(projection: &ProjectionRef) -> String {
    let began = Instant::now();
    loop {
        let state = projection.status().await.unwrap().state;
        if let ProjectionState::Stopped { why } = state {
            return why.to_string();
        }
        assert!(began.elapsed() < PATIENCE, "{state:?}");
        sleep(Duration::from_millis(10)).await;
    }
}

async fn progress_of_another_journal_is_refused_until_it_is_rewound<T: ExactTarget + Clone>(
    target: T,
    open: impl AsyncFn(&str, JournalLayout) -> Stores,
) {
    begin(open("one", one_lane()).await, &target).await;
    for (name, lives, events, expected) in [
        ("shorter", 1, 1, "lane 0 ends at 1, and was read up to 3"),
        ("two", 2, 4, "at 3 of lane 0 is the event 2-3, and 1-3 was read there"),
    ] {
        for life in 1..=lives {
            let engine = builder(open(name, one_lane()).await).start().await.unwrap();
            if life == lives {
                append(&engine, events).await;
            }
            assert!(engine.shutdown().await.is_clean());
        }
        let engine = start(open(name, one_lane()).await, &target).await;
        let projection = engine.projection("nothing");
        let expected = format!(
            "the journal has regressed, or is another one: {expected}; rewind the projection to where both agree, or reset it"
        );
        // also when it is asked to go on as it is
        until_stopped(&projection).await;
        projection.resume().await.unwrap();
        assert_eq!(until_stopped(&projection).await, expected);
        if name == "two" {
            projection.rewind(StartAt::Beginning).await.unwrap();
            projection.resume().await.unwrap();
            projection.caught_up(PATIENCE).await.unwrap();
            assert_eq!(projection.status().await.unwrap().handled, 3 + 4);
        }
        assert!(engine.shutdown().await.is_clean());
    }
}

async fn a_start_behind_an_offset_of_another_journal_is_refused<T: ExactTarget + Clone>(
    target: T,
    open: impl AsyncFn(&str, JournalLayout) -> Stores,
) {
    let of_two_lanes = || StartAt::Behind(Offset::of_positions([1, 2].map(Position::new)));
    let stores = open("one", one_lane()).await;
    let projection = nothing(&target).start_at(of_two_lanes());
    let engine = builder(stores).projection(projection).start().await.unwrap();
    append(&engine, 3).await;
    let why =
        "`start_at` is behind 1,2, an offset of another journal: that has 2 lanes, this one 1";
    let waited = engine.projection("nothing").caught_up(PATIENCE).await.unwrap_err();
    assert_eq!(waited.to_string(), format!("the projection `nothing` has stopped: {why}"));
    let durable = Subscription::durable("numbers").start_at(of_two_lanes());
    let durable = durable.from_streams::<u64, _>("numbers", |number| Some(number.event));
    let refused = engine.subscribe(durable).await.unwrap_err();
    assert_eq!(refused.to_string(), format!("the subscription is not valid: {why}"));
    assert!(engine.shutdown().await.is_clean());
}

/// A test of each case over a journal and a target of a store of its own.
macro_rules! over_every_store {
    ($($case:ident),+ $(,)?) => {
        mod over_memory {
            use super::*;
            use std::{cell::RefCell, collections::HashMap};
            $(
                #[tokio::test]
                async fn $case() {
                    let stores: RefCell<HashMap<String, MemoryStore>> = RefCell::default();
                    let open = async |name: &str, layout| {
                        let mut stores = stores.borrow_mut();
                        let store = stores.entry(name.to_owned());
                        store.or_insert_with(|| MemoryStore::with_layout(layout)).reopen().into()
                    };
                    super::$case(MemoryTarget::new(), open).await;
                }
            )+
        }

        mod over_sqlite {
            use super::*;
            $(
                #[tokio::test]
                async fn $case() {
                    let dir = tempfile::tempdir().unwrap();
                    let target = SqliteTarget::open(dir.path().join("rows.db")).await.unwrap();
                    let open = async |name: &str, layout| {
                        let settings = SqliteSettings::default().with_layout(layout);
                        let file = dir.path().join(name);
                        SqliteStore::open_with(file, settings).await.unwrap().into()
                    };
                    super::$case(target, open).await;
                }
            )+
        }

        mod over_postgres {
            use super::*;
            $(
                #[tokio::test]
                async fn $case() {
                    let Some(server) = TestPostgres::shared() else { return };
                    let schema = unique_name("other");
                    let target = PostgresTarget::connect(server.admin_url()).unwrap();
                    let target = target.with_schema(format!("{schema}_rows"));
                    let open = async |name: &str, layout| {
                        let settings = PostgresSettings::default().with_layout(layout);
                        let settings = settings.with_schema(format!("{schema}_{name}"));
                        let url = server.admin_url();
                        PostgresStore::connect_with(url, settings).await.unwrap().into()
                    };
                    super::$case(target, open).await;
                }
            )+
        }
    };
}

over_every_store!(
    one_of_another_layout_is_refused,
    progress_of_another_journal_is_refused_until_it_is_rewound,
    a_start_behind_an_offset_of_another_journal_is_refused,
);
