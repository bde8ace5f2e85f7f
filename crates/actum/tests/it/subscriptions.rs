//! Subscriptions of an engine.

use crate::counter::Counter;
use actum::{Engine, MemoryStore, Subscription, SubscriptionError};

async fn counters() -> Engine {
    let store = MemoryStore::new();
    Engine::builder("counters").store(store).entity::<Counter>(()).start().await.unwrap()
}

fn amounts() -> Subscription<(String, u64)> {
    Subscription::transient()
        .from::<Counter, _>(|event| Some((event.entity.id().to_owned(), event.event)))
}

#[tokio::test]
async fn what_is_committed_is_delivered_to_those_who_have_subscribed() {
    let engine = counters().await;
    let mut consumer = engine.subscribe(amounts()).await.unwrap();
    for amount in 1..=10 {
        engine.entity::<Counter>("c").ask(amount).await.unwrap();
        let delivered = consumer.next().await.unwrap().unwrap();
        assert_eq!(delivered.into_event(), ("c".to_owned(), amount));
    }
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test]
async fn a_consumer_that_does_not_ask_holds_up_no_shutdown_and_ends_with_it() {
    let engine = counters().await;
    let mut consumer = engine.subscribe(amounts()).await.unwrap();
    engine.entity::<Counter>("c").ask(1).await.unwrap();
    assert!(engine.shutdown().await.is_clean());
    assert!(consumer.next().await.unwrap().is_none());
    let late = engine.subscribe(amounts()).await.unwrap_err();
    assert!(matches!(late, SubscriptionError::Ended), "{late}");
}
