//! Durable subscriptions over every store, by way of engines: one that writes, and processes that only read. The contract of
//! subscriptions is in the suites of the stores.

use crate::counter::Counter;
use actum::{
    Consumer, Delivered, Engine, MemoryStore, ReaderEngine, SqliteStore, StartAt, Subscription,
    postgres::{PostgresSettings, PostgresStore},
    store::Stores,
};
use actum_test_servers::{TestPostgres, unique_name};
use std::time::Duration;
use tokio::time::timeout;

/// An event: its entity and what it says.
type Seen = (String, u64);

/// How long anything may take that must not take for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// A journal that is written, and a process that reads it; each has connections of its own.
struct Rig<O> {
    open: O,
    engine: Engine,
    reader: ReaderEngine,
}

fn mails() -> Subscription<Seen> {
    let mails = Subscription::durable("mails");
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

over_every_store!(it_goes_on_in_another_process_behind_what_was_acknowledged);
