//! The contract of durable subscriptions over every store: an engine that writes, and processes that only read.

use crate::counter::Counter;
use actum::{
    AckError, Consumer, Delivered, Engine, MemoryStore, Nack, ReaderEngine, SqliteStore, StartAt,
    Subscription,
    postgres::{PostgresSettings, PostgresStore},
    store::Stores,
};
use actum_test_servers::{TestPostgres, unique_name};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// An event: its entity and what it says.
type Seen = (String, u64);

/// How long anything may take that must not take for ever.
const PATIENCE: Duration = Duration::from_secs(30);
const LEASE: Duration = Duration::from_millis(600);

/// A journal that is written, and a process that reads it; each has connections of its own.
struct Rig<O> {
    open: O,
    engine: Engine,
    reader: ReaderEngine,
}

fn mails() -> Subscription<Seen> {
    let mails = Subscription::durable("mails").lease(LEASE).consumers_max(2);
    mails.from::<Counter, _>(|event| Some((event.entity.id().to_owned(), event.event)))
}

async fn reader(stores: Stores) -> ReaderEngine {
    Engine::builder("readers").store(stores).start_readers().await.unwrap()
}

impl<O: AsyncFn() -> Stores> Rig<O> {
    async fn start(open: O) -> Self {
        let builder = Engine::builder("counters").store(open().await).entity::<Counter>(());
        let engine = builder.start().await.unwrap();
        let reader = reader(open().await).await;
        Self { open, engine, reader }
    }

    async fn write(&self, id: &str, amounts: impl IntoIterator<Item = u64>) {
        for amount in amounts {
            self.engine.entity::<Counter>(id).ask(amount).await.unwrap();
        }
    }

    async fn subscribe(&self) -> Consumer<Seen> {
        self.reader.subscribe(mails()).await.unwrap()
    }

    async fn end(self) {
        assert_eq!(self.reader.shutdown().await, []);
        assert!(self.engine.shutdown().await.is_clean());
    }
}

async fn next(consumer: &mut Consumer<Seen>) -> Delivered<Seen> {
    timeout(PATIENCE, consumer.next()).await.expect("something comes").unwrap().unwrap()
}

/// The next events, each acknowledged.
async fn handle(consumer: &mut Consumer<Seen>, count: usize) -> Vec<Seen> {
    let mut all = Vec::new();
    for _ in 0..count {
        let delivered = next(consumer).await;
        delivered.ack().unwrap();
        all.push(delivered.into_event());
    }
    all
}

fn of(id: &str, amounts: impl IntoIterator<Item = u64>) -> Vec<Seen> {
    amounts.into_iter().map(|amount| (id.to_owned(), amount)).collect()
}

/// What was there and what comes is one sequence; another process goes on behind what was acknowledged, and gets what was not.
async fn it_goes_on_in_another_process_behind_what_was_acknowledged(
    open: impl AsyncFn() -> Stores,
) {
    let rig = Rig::start(open).await;
    rig.write("a", 1..=3).await;
    let mut consumer = rig.subscribe().await;
    assert_eq!(handle(&mut consumer, 3).await, of("a", 1..=3));
    rig.write("a", 4..=6).await;
    assert_eq!(handle(&mut consumer, 1).await, of("a", [4]));
    let unacknowledged = next(&mut consumer).await;
    assert_eq!(unacknowledged.event(), &("a".to_owned(), 5));
    timeout(PATIENCE, consumer.unsubscribe()).await.unwrap();

    let other = reader((rig.open)().await).await;
    let anywhere = mails().start_at(StartAt::Now); // counts when it is created alone
    let mut consumer = other.subscribe(anywhere).await.unwrap();
    assert_eq!(handle(&mut consumer, 2).await, of("a", 5..=6));
    assert!(unacknowledged.ack().is_err(), "its consumer has gone");
    timeout(PATIENCE, consumer.unsubscribe()).await.unwrap();
    let status = other.subscription("mails").status().await.unwrap();
    assert_eq!((status.handled, status.lag.events), (6, 0));
    assert_eq!(other.shutdown().await, []);
    rig.end().await;
}

/// Of two processes one gets the events; the other takes over when that ends.
async fn one_process_gets_the_events_and_another_takes_over(open: impl AsyncFn() -> Stores) {
    let rig = Rig::start(open).await;
    let other = reader((rig.open)().await).await;
    let mut first = rig.subscribe().await;
    rig.write("a", 1..=2).await;
    assert_eq!(handle(&mut first, 1).await, of("a", [1]));
    let mut second = other.subscribe(mails()).await.unwrap();
    // a lease and more: one that renews is not taken over
    assert!(timeout(3 * LEASE, second.next()).await.is_err(), "the first one holds it");
    assert_eq!(handle(&mut first, 1).await, of("a", [2]));
    assert_eq!(rig.reader.shutdown().await, []);
    rig.write("a", 3..=4).await;
    assert_eq!(handle(&mut second, 2).await, of("a", 3..=4));
    assert!(first.next().await.unwrap().is_none(), "it has ended");
    drop(second);
    assert_eq!(other.shutdown().await, []);
    assert!(rig.engine.shutdown().await.is_clean());
}

/// What is parked is kept, listed and delivered again; what is given back for another try comes behind its pause, in order.
async fn what_is_given_back_comes_again_or_is_parked_and_replayed(open: impl AsyncFn() -> Stores) {
    let rig = Rig::start(open).await;
    rig.write("a", 1..=2).await;
    rig.write("b", [7]).await;
    let mut consumer = rig.subscribe().await;
    next(&mut consumer).await.nack(Nack::Park, "poison").unwrap();
    let again = Nack::Retry { after: Some(Duration::from_millis(50)) };
    let retried = next(&mut consumer).await;
    assert_eq!(retried.event(), &("a".to_owned(), 2));
    retried.nack(again, "not now").unwrap();
    assert_eq!(handle(&mut consumer, 2).await, [of("b", [7]), of("a", [2])].concat());
    let mails = rig.reader.subscription("mails");
    let deadline = Instant::now() + PATIENCE;
    let letters = loop {
        let letters = mails.dead_letters(None, 10).await.unwrap();
        if !letters.is_empty() {
            break letters;
        }
        assert!(Instant::now() < deadline, "the dead letter is kept");
        sleep(Duration::from_millis(10)).await;
    };
    assert_eq!((letters.len(), &*letters[0].error), (1, "poison"));
    assert_eq!(mails.replay_dead_letters(Some(letters[0].place)).await.unwrap(), 1);
    assert_eq!(handle(&mut consumer, 1).await, of("a", [1]));
    timeout(PATIENCE, consumer.unsubscribe()).await.unwrap();
    assert_eq!(mails.dead_letters(None, 10).await.unwrap(), []);
    rig.end().await;
}

/// A consumer that hangs keeps its events no longer than the time-out: another one of its process gets them, in order, and the
/// checkpoint goes on. Its acknowledgement is late then.
async fn what_a_consumer_that_hangs_has_goes_to_another_one(open: impl AsyncFn() -> Stores) {
    let rig = Rig::start(open).await;
    rig.write("a", 1..=3).await;
    let impatient = || mails().ack_timeout(Duration::from_millis(300));
    let mut hangs = rig.reader.subscribe(impatient()).await.unwrap();
    let held = [next(&mut hangs).await, next(&mut hangs).await];
    let mut other = rig.reader.subscribe(impatient()).await.unwrap();
    assert_eq!(handle(&mut other, 3).await, of("a", 1..=3));
    let late = AckError::TimedOut { name: "mails".into() };
    assert_eq!(held[0].ack(), Err(late.clone()));
    assert_eq!(held[1].nack(Nack::Skip, "late"), Err(late.clone()));
    assert_eq!(hangs.ack_up_to(held[1].offset()), Err(late));
    drop(hangs);
    timeout(PATIENCE, other.unsubscribe()).await.unwrap();
    let status = rig.reader.subscription("mails").status().await.unwrap();
    assert_eq!((status.handled, status.lag.events), (3, 0));
    rig.end().await;
}

/// What is forgotten begins again.
async fn a_deleted_one_begins_again(open: impl AsyncFn() -> Stores) {
    let rig = Rig::start(open).await;
    rig.write("a", 1..=2).await;
    let mut consumer = rig.subscribe().await;
    assert_eq!(handle(&mut consumer, 2).await, of("a", 1..=2));
    timeout(PATIENCE, consumer.unsubscribe()).await.unwrap();
    rig.reader.delete_subscription("mails").await.unwrap();
    let mut consumer = rig.subscribe().await;
    assert_eq!(handle(&mut consumer, 2).await, of("a", 1..=2));
    drop(consumer);
    rig.end().await;
}

/// A test of each case over a store of its own.
macro_rules! over_every_store {
    ($($case:ident),+ $(,)?) => {
        mod over_memory {
            $(
                #[tokio::test]
                async fn $case() {
                    let store = super::MemoryStore::new();
                    super::$case(async || store.reopen().into()).await;
                }
            )+
        }

        mod over_sqlite {
            $(
                #[tokio::test]
                async fn $case() {
                    let dir = tempfile::tempdir().unwrap();
                    let file = dir.path().join("counters.db");
                    super::$case(async || super::SqliteStore::open(&file).await.unwrap().into()).await;
                }
            )+
        }

        mod over_postgres {
            $(
                #[tokio::test]
                async fn $case() {
                    let Some(server) = super::TestPostgres::shared() else { return };
                    let schema = super::unique_name("subscribing");
                    let open = async || {
                        let settings = super::PostgresSettings::default().with_schema(&schema);
                        let url = server.admin_url();
                        super::PostgresStore::connect_with(url, settings).await.unwrap().into()
                    };
                    super::$case(open).await;
                }
            )+
        }
    };
}

over_every_store!(
    it_goes_on_in_another_process_behind_what_was_acknowledged,
    one_process_gets_the_events_and_another_takes_over,
    what_is_given_back_comes_again_or_is_parked_and_replayed,
    what_a_consumer_that_hangs_has_goes_to_another_one,
    a_deleted_one_begins_again,
);
