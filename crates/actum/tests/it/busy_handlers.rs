//! A handler of an exact projection that takes longer than its lease, where one transaction at a time writes: it meets its time-out
//! and its policy, and no segment of its file changes hands meanwhile.

use crate::counter::Counter;
use actum::{
    Engine, HandlerError, OnFailure, Project, ProjectCtx, Projection, Projector, Recorded,
    SqliteStore, SqliteTarget,
    progress::{Epoch, ExactTarget, ProjectionId, StoredProjection},
    settings::ProjectionSettings,
};
use std::{
    future::pending,
    num::NonZeroU32,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, sleep};

const LEASE: Duration = Duration::from_secs(1);
const HANDLER_TIMEOUT: Duration = Duration::from_millis(2_500);
const PATIENCE: Duration = Duration::from_secs(60);
/// The event whose handler never returns.
const HANGS: u64 = 7;
const NAMES: [&str; 2] = ["hangs", "other"];
const ONE: [&str; 1] = ["hangs"];

/// What came, and to whom: the process, the projection, the event.
type Seen = Arc<Mutex<Vec<(&'static str, &'static str, u64)>>>;

#[derive(Clone)]
struct Handler {
    process: &'static str,
    name: &'static str,
    hangs: bool,
    seen: Seen,
}

impl Projector for Handler {
    type Target = SqliteTarget;
}

impl Project<Counter> for Handler {
    async fn project(
        &mut self,
        event: &Recorded<u64>,
        _: &mut ProjectCtx<'_, SqliteTarget>,
    ) -> Result<(), HandlerError> {
        self.seen.lock().unwrap().push((self.process, self.name, event.event));
        if self.hangs && event.event == HANGS {
            pending::<()>().await;
        }
        Ok(())
    }
}

fn projections(
    process: &'static str,
    target: &SqliteTarget,
    hanging: &[&str],
    seen: &Seen,
) -> [Projection<Handler>; 2] {
    let mut settings = ProjectionSettings::default();
    (settings.lease, settings.handler_timeout) = (LEASE, HANDLER_TIMEOUT);
    (settings.retries, settings.on_failure) = (1, OnFailure::SkipToDeadLetters);
    NAMES.map(|name| {
        let hangs = hanging.contains(&name);
        let handler = Handler { process, name, hangs, seen: Arc::clone(seen) };
        let projection = Projection::exact(name, target.clone(), handler);
        projection.from::<Counter>().settings(settings.clone())
    })
}

async fn start(store: SqliteStore, target: &SqliteTarget, hanging: &[&str], seen: &Seen) -> Engine {
    let [hangs, other] = projections("a", target, hanging, seen);
    let builder = Engine::builder("a").store(store).entity::<Counter>(());
    builder.projection(hangs).projection(other).start().await.unwrap()
}

async fn add(engine: &Engine, by: u64) {
    engine.entity::<Counter>("counter").ask(by).await.unwrap();
}

async fn caught_up(engine: &Engine) {
    for name in NAMES {
        engine.projection(name).caught_up(PATIENCE).await.unwrap();
    }
}

async fn stored(target: &SqliteTarget, name: &str) -> StoredProjection {
    let id = ProjectionId::new(name, NonZeroU32::MIN).unwrap();
    target.progress().load(&id).await.unwrap().unwrap()
}

/// Each claim of a segment gives it another epoch.
async fn epochs(target: &SqliteTarget) -> Vec<Epoch> {
    let mut epochs = Vec::new();
    for name in NAMES {
        epochs.extend(stored(target, name).await.segments.iter().map(|segment| segment.epoch));
    }
    epochs
}

async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < PATIENCE, "{what}");
        sleep(Duration::from_millis(10)).await;
    }
}

fn tries(seen: &Seen, name: &str) -> usize {
    seen.lock().unwrap().iter().filter(|one| (one.1, one.2) == (name, HANGS)).count()
}

/// Has handlers hang until their policy is met, and appends meanwhile; returns how long that append has taken.
async fn meet_the_policy(engine: &Engine, hanging: &[&str], seen: &Seen) -> Duration {
    add(engine, HANGS).await;
    until("one hangs", async || hanging.iter().any(|name| tries(seen, name) > 0)).await;
    let begun = Instant::now();
    add(engine, 1).await;
    let took = begun.elapsed();
    caught_up(engine).await;
    for name in hanging {
        assert_eq!(engine.projection(name).status().await.unwrap().dead_letters, 1);
        let tries = tries(seen, name);
        assert!((2..=3).contains(&tries), "in a batch and alone: {tries}");
    }
    took
}

async fn handlers_that_hang_meet_their_policy(
    hanging: &[&str],
    journal: &Path,
    own: Option<&Path>,
) -> Duration {
    let store = SqliteStore::open(journal).await.unwrap();
    let target = match own {
        Some(path) => SqliteTarget::open(path).await.unwrap(),
        None => SqliteTarget::of(&store),
    };
    let seen = Seen::default();
    let engine = start(store, &target, hanging, &seen).await;
    add(&engine, 1).await;
    caught_up(&engine).await;
    let claimed = epochs(&target).await;
    let took = meet_the_policy(&engine, hanging, &seen).await;
    assert_eq!(epochs(&target).await, claimed, "no lease has lapsed");
    assert!(engine.shutdown().await.is_clean());
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_file_of_the_journal_a_handler_that_hangs_meets_its_policy_and_commands_wait_for_it()
{
    let dir = tempfile::tempdir().unwrap();
    handlers_that_hang_meet_their_policy(&ONE, &dir.path().join("bank.db"), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_hang_in_one_file_meet_their_policies_one_behind_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().join("rows.db");
    handlers_that_hang_meet_their_policy(&NAMES, &dir.path().join("bank.db"), Some(&own)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_file_of_its_own_a_handler_that_hangs_meets_its_policy_and_keeps_no_command_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().join("rows.db");
    let journal = dir.path().join("bank.db");
    let took = handlers_that_hang_meet_their_policy(&ONE, &journal, Some(&own)).await;
    assert!(took < HANDLER_TIMEOUT / 2, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_takes_nothing_over_while_a_handler_hangs_and_all_when_it_is_given_back() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bank.db");
    let seen = Seen::default();
    let store = SqliteStore::open(&file).await.unwrap();
    let target = SqliteTarget::of(&store);
    let engine = start(store, &target, &ONE, &seen).await;
    add(&engine, 1).await;
    caught_up(&engine).await;
    let beside = SqliteStore::open(&file).await.unwrap();
    let target_beside = SqliteTarget::of(&beside);
    let [hangs, other] = projections("b", &target_beside, &ONE, &seen);
    let builder = Engine::builder("b").store(beside).projection(hangs).projection(other);
    let readers = builder.start_readers().await.unwrap();
    for name in NAMES {
        until("it looks on", async || stored(&target, name).await.runners.len() == 2).await;
    }
    let claimed = epochs(&target).await;
    meet_the_policy(&engine, &ONE, &seen).await;
    assert_eq!(epochs(&target).await, claimed, "no segment has changed hands");
    assert!(seen.lock().unwrap().iter().all(|one| one.0 == "a"));
    for name in NAMES {
        engine.projection(name).stop().await.unwrap();
    }
    add(&engine, 2).await;
    until("the other process has all", async || {
        let seen = seen.lock().unwrap();
        NAMES.iter().all(|name| seen.contains(&("b", *name, 2)))
    })
    .await;
    assert_eq!(readers.shutdown().await, []);
    assert!(engine.shutdown().await.is_clean());
}
