//! Subscriptions to streams.

use super::Booked;
use actum::{Consumer, Engine, Expected, MemoryStore, Recorded, Stream, Subscription};

async fn start(store: &MemoryStore) -> Engine {
    Engine::builder("ledgers").store(store.reopen()).streams_only().start().await.unwrap()
}

fn seen(event: &Recorded<Booked>) -> (String, i64) {
    (event.entity.id().to_owned(), event.event.0)
}

async fn next(consumer: &mut Consumer<(String, i64)>) -> (String, i64) {
    let delivered = consumer.next().await.unwrap().unwrap();
    delivered.ack().unwrap();
    delivered.into_event()
}

#[tokio::test]
async fn a_durable_one_goes_on_in_the_next_engine_and_gets_no_other_kind() {
    let store = MemoryStore::new();
    let durable =
        || Subscription::durable("bookings").from_streams("ledger", |event| Some(seen(&event)));
    let engine = start(&store).await;
    let mut consumer = engine.subscribe(durable()).await.unwrap();
    let (ledger, other): (Stream<Booked>, Stream<Booked>) =
        (engine.stream("ledger", "a"), engine.stream("other", "a"));
    ledger.append(Expected::NEW, [1, 2].map(Booked)).await.unwrap();
    other.append(Expected::NEW, [9].map(Booked)).await.unwrap();
    assert_eq!(next(&mut consumer).await, ("a".to_owned(), 1));
    assert_eq!(next(&mut consumer).await, ("a".to_owned(), 2));
    consumer.unsubscribe().await;
    ledger.append(Expected::Any, [3].map(Booked)).await.unwrap();
    assert!(engine.shutdown().await.is_clean());

    let engine = start(&store).await;
    let mut consumer = engine.subscribe(durable()).await.unwrap();
    assert_eq!(next(&mut consumer).await, ("a".to_owned(), 3));
    let kinds = Subscription::durable("bookings").of_kinds(["ledger"], |_| Some(()));
    let differs = engine.subscribe(kinds).await.unwrap_err().to_string();
    assert!(differs.contains(r#"was begun with the sources ["streams:ledger"]"#), "{differs}");
    drop(consumer);
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test]
async fn one_to_a_single_stream_gets_no_other() {
    let store = MemoryStore::new();
    let engine = start(&store).await;
    let one = Subscription::durable("one").stream("ledger", "a", |event| Some(seen(&event)));
    let mut consumer = engine.subscribe(one).await.unwrap();
    for (id, amount) in [("b", 1), ("a", 2), ("b", 3), ("a", 4)] {
        let ledger: Stream<Booked> = engine.stream("ledger", id);
        ledger.append(Expected::Any, [Booked(amount)]).await.unwrap();
    }
    assert_eq!(next(&mut consumer).await, ("a".to_owned(), 2));
    assert_eq!(next(&mut consumer).await, ("a".to_owned(), 4));
    drop(consumer);
    assert!(engine.shutdown().await.is_clean());
}
