//! Projections of streams, over every store.

use super::{Booked, SECOND};
use crate::counter::Counter;
use actum::{
    AtLeastOnce, Engine, EngineBuilder, Expected, HandlerError, Lane, MemoryStore, MemoryTarget,
    Position, Project, ProjectCtx, ProjectStream, Projection, Projector, Recorded, SqliteStore,
    Stream,
    postgres::{PostgresSettings, PostgresStore},
    store::Stores,
};
use actum_test_servers::{TestPostgres, unique_name};
use actum_testkit::MemoryBroker;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Keeps the sum of each ledger and of each counter, exactly.
#[derive(Clone)]
struct Sums;

impl Sums {
    fn add<E>(event: &Recorded<E>, amount: i64, ctx: &mut ProjectCtx<'_, MemoryTarget>) {
        let key = event.entity.to_string();
        let sum = ctx.tx().get(&key).map_or(0, |row| {
            let text = String::from_utf8(row).unwrap();
            text.parse::<i64>().unwrap()
        });
        ctx.tx().insert(&key, (sum + amount).to_string());
    }
}

impl Projector for Sums {
    type Target = MemoryTarget;
}

impl ProjectStream<Booked> for Sums {
    async fn project_stream(
        &mut self,
        event: &Recorded<Booked>,
        ctx: &mut ProjectCtx<'_, MemoryTarget>,
    ) -> Result<(), HandlerError> {
        if event.event.0 == i64::MAX {
            return Err(HandlerError::failed("more than there is"));
        }
        Self::add(event, event.event.0, ctx);
        Ok(())
    }
}

impl Project<Counter> for Sums {
    async fn project(
        &mut self,
        event: &Recorded<u64>,
        ctx: &mut ProjectCtx<'_, MemoryTarget>,
    ) -> Result<(), HandlerError> {
        Self::add(event, i64::try_from(event.event).unwrap(), ctx);
        Ok(())
    }
}

/// Writes nothing.
#[derive(Clone)]
struct Seen;

impl Projector for Seen {
    type Target = AtLeastOnce;
}

impl ProjectStream<Booked> for Seen {
    async fn project_stream(
        &mut self,
        _: &Recorded<Booked>,
        _: &mut ProjectCtx<'_, AtLeastOnce>,
    ) -> Result<(), HandlerError> {
        Ok(())
    }
}

fn sums(target: &MemoryTarget) -> Projection<Sums> {
    Projection::exact("sums", target.clone(), Sums).from_streams::<Booked>("ledger")
}

fn sum(target: &MemoryTarget, key: &str) -> Option<i64> {
    target.row(key).map(|row| String::from_utf8(row).unwrap().parse().unwrap())
}

fn ledger(engine: &Engine, id: &str) -> Stream<Booked> {
    engine.stream("ledger", id)
}

/// Streams and entities feed one projection, in segments, and the receipt of each write can be waited for; another engine
/// goes on where the first one was.
async fn streams_and_entities_feed_one_projection(stores: impl AsyncFn() -> Stores) {
    let target = MemoryTarget::new();
    let start = async || {
        let builder = Engine::builder("ledgers").store(stores().await).entity::<Counter>(());
        builder.projection(sums(&target).from::<Counter>().segments(4)).start().await.unwrap()
    };
    let engine = start().await;
    for nr in 0..8 {
        let id = format!("{nr}");
        let booked = ledger(&engine, &id).append(Expected::NEW, [Booked(5), Booked(-2)]).await;
        let sums = engine.projection("sums");
        sums.caught_up_with(&booked.unwrap(), 10 * SECOND).await.unwrap();
        assert_eq!(sum(&target, &format!("ledger/{nr}")), Some(3));
        let counted = engine.entity::<Counter>(&*id).ask(nr).with_receipt().await.unwrap().1;
        sums.caught_up_with(&counted, 10 * SECOND).await.unwrap();
        assert_eq!(sum(&target, &format!("counter/{nr}")), Some(i64::try_from(nr).unwrap()));
        let book = super::book(1);
        let (balance, decided) = ledger(&engine, &id).transact(0, super::add, book).await.unwrap();
        sums.caught_up_with(&decided, 10 * SECOND).await.unwrap();
        assert_eq!(sum(&target, &format!("ledger/{nr}")), Some(balance));
    }
    // a stream of another kind is none of its sources
    let other: Stream<Booked> = engine.stream("other", "0");
    let receipt = other.append(Expected::NEW, [Booked(9)]).await.unwrap();
    engine.projection("sums").caught_up_with(&receipt, 10 * SECOND).await.unwrap();
    assert_eq!(sum(&target, "other/0"), None);
    assert!(engine.shutdown().await.is_clean());

    let engine = start().await;
    let receipt = ledger(&engine, "0").append(Expected::Any, [Booked(10)]).await.unwrap();
    engine.projection("sums").caught_up_with(&receipt, 10 * SECOND).await.unwrap();
    assert_eq!(sum(&target, "ledger/0"), Some(14));
    assert_eq!(engine.projection("sums").status().await.unwrap().handled, 8 * 4 + 1);
    assert!(engine.shutdown().await.is_clean());
}

/// What a projection of streams has not read is kept, and the engine lists it, in an engine that runs no entities; its progress
/// is kept in the database of the journal.
async fn a_projection_of_streams_is_kept_among_the_readers_of_the_journal(
    stores: impl AsyncFn() -> Stores,
) {
    let seen = Projection::at_least_once("seen", Seen).from_streams::<Booked>("ledger");
    let builder = Engine::builder("ledgers").store(stores().await).streams_only();
    let engine = builder.projection(seen).start().await.unwrap();
    let receipt = ledger(&engine, "0").append(Expected::NEW, [Booked(1), Booked(2)]).await;
    engine.projection("seen").caught_up_with(&receipt.unwrap(), 10 * SECOND).await.unwrap();
    until_retention_may_delete(&engine, 2).await;
    assert!(engine.shutdown().await.is_clean());

    let builder = Engine::builder("ledgers").store(stores().await).streams_only();
    let engine = builder.start().await.unwrap();
    ledger(&engine, "0").append(Expected::Any, [Booked(3)]).await.unwrap();
    let registered = engine.registered_projections().await.unwrap();
    let [seen] = &registered[..] else { panic!("{registered:?}") };
    assert_eq!((seen.id.name(), seen.lag, seen.holds_back), ("seen", 1, 1));
    until_retention_may_delete(&engine, 2).await; // and not what it has not read
    assert!(engine.shutdown().await.is_clean());
}

/// Waits until retention may delete what is in front of this place.
async fn until_retention_may_delete(engine: &Engine, up_to: u64) {
    let deadline = Instant::now() + 10 * SECOND;
    while engine.readers().read_to(Lane::new(0)) != Some(Position::new(up_to)) {
        assert!(Instant::now() < deadline, "{:?}", engine.readers().read_to(Lane::new(0)));
        sleep(Duration::from_millis(10)).await;
    }
}

async fn all_of(stores: impl AsyncFn() -> Stores, others: impl AsyncFn() -> Stores) {
    streams_and_entities_feed_one_projection(stores).await;
    a_projection_of_streams_is_kept_among_the_readers_of_the_journal(others).await;
}

#[tokio::test]
async fn streams_are_projected_over_memory() {
    let (one, other) = (MemoryStore::new(), MemoryStore::new());
    all_of(async || one.reopen().into(), async || other.reopen().into()).await;
}

#[tokio::test]
async fn streams_are_projected_over_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let open = async |name: &str| SqliteStore::open(dir.path().join(name)).await.unwrap().into();
    all_of(async || open("one.db").await, async || open("other.db").await).await;
}

#[tokio::test]
async fn streams_are_projected_over_postgres() {
    let Some(server) = TestPostgres::shared() else { return };
    let (one, other) = (unique_name("streams"), unique_name("streams"));
    let open = async |schema: &str| {
        let settings = PostgresSettings::default().with_schema(schema);
        PostgresStore::connect_with(server.admin_url(), settings).await.unwrap().into()
    };
    all_of(async || open(&one).await, async || open(&other).await).await;
}

fn streams_only(target: &MemoryTarget) -> EngineBuilder {
    let builder = Engine::builder("ledgers").store(MemoryStore::new()).streams_only();
    builder.projection(sums(target))
}

/// The engine announces its own appends: no one waits for the next time the store is asked, a second later.
#[tokio::test(start_paused = true)]
async fn an_append_wakes_the_projection() {
    let target = MemoryTarget::new();
    let engine = streams_only(&target).start().await.unwrap();
    for nr in 1..=20 {
        sleep(Duration::from_secs(5)).await; // until the store is asked seldom
        let began = Instant::now();
        ledger(&engine, "0").append(Expected::Any, [Booked(1)]).await.unwrap();
        while sum(&target, "ledger/0") != Some(nr) {
            sleep(Duration::from_millis(1)).await;
            assert!(began.elapsed() < Duration::from_millis(50), "it is not there yet");
        }
    }
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_event_fails_is_parked_and_the_others_go_on() {
    let target = MemoryTarget::new();
    let parks = sums(&target).on_failure(actum::OnFailure::ParkEntity);
    let builder = Engine::builder("ledgers").store(MemoryStore::new()).streams_only();
    let engine = builder.projection(parks).start().await.unwrap();
    let poison = [Booked(1), Booked(i64::MAX), Booked(1)];
    let parked = ledger(&engine, "bad").append(Expected::NEW, poison).await.unwrap();
    let receipt = ledger(&engine, "good").append(Expected::NEW, [Booked(7)]).await.unwrap();
    let sums = engine.projection("sums");
    sums.caught_up_with(&receipt, 600 * SECOND).await.unwrap();
    assert_eq!((sum(&target, "ledger/bad"), sum(&target, "ledger/good")), (Some(1), Some(7)));
    let listed = sums.parked(None, 10).await.unwrap();
    let [bad] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((bad.entity.to_string().as_str(), bad.from.get()), ("ledger/bad", 2));
    let waited = sums.caught_up_with(&parked, SECOND).await;
    assert!(matches!(waited, Err(actum::WaitError::Parked { .. })), "{waited:?}");
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn streams_are_published() {
    let broker = MemoryBroker::new();
    let publisher =
        Projection::publisher("bookings", broker.clone()).from_streams::<Booked>("ledger");
    let builder = Engine::builder("ledgers").store(MemoryStore::new()).streams_only();
    let engine = builder.projection(publisher.from::<Counter>()).start().await.unwrap();
    let receipt = ledger(&engine, "0").append(Expected::NEW, [Booked(1), Booked(2)]).await.unwrap();
    let bookings = engine.projection("bookings");
    bookings.caught_up_with(&receipt, 10 * SECOND).await.unwrap();
    let shipped = broker.messages();
    let seen: Vec<_> = shipped.iter().map(|message| (message.entity(), message.data())).collect();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|(stream, _)| stream.to_string() == "ledger/0"));
    assert_eq!((&seen[0].1[..], &seen[1].1[..]), (&b"1"[..], &b"2"[..]));
    assert!(engine.shutdown().await.is_clean());
}
