//! Subscriptions of an engine.

use crate::{counter::Counter, nothing::Nothing};
use actum::{Engine, MemoryStore, Projection, StartError, Subscription, SubscriptionError};

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

#[tokio::test]
async fn a_durable_subscription_goes_on_in_the_next_engine_where_it_was_acknowledged() {
    let store = MemoryStore::new();
    let start = async || {
        let builder = Engine::builder("counters").store(store.reopen()).entity::<Counter>(());
        builder.start().await.unwrap()
    };
    let durable = || Subscription::durable("amounts").from::<Counter, _>(|event| Some(event.event));
    let engine = start().await;
    let mut consumer = engine.subscribe(durable()).await.unwrap();
    for amount in 1..=3 {
        engine.entity::<Counter>("c").ask(amount).await.unwrap();
        let delivered = consumer.next().await.unwrap().unwrap();
        assert_eq!(delivered.event(), &amount);
        if amount < 3 {
            delivered.ack().unwrap();
        }
    }
    drop(consumer);
    assert!(engine.shutdown().await.is_clean());

    let engine = start().await;
    let status = engine.subscription("amounts").status().await.unwrap();
    assert_eq!((status.handled, status.lag.events), (2, 1));
    let mut consumer = engine.subscribe(durable()).await.unwrap();
    let delivered = consumer.next().await.unwrap().unwrap();
    assert_eq!(delivered.event(), &3);
    delivered.ack().unwrap();
    assert!(engine.shutdown().await.is_clean());
    assert!(consumer.next().await.unwrap().is_none());

    let engine = start().await;
    assert_eq!(engine.subscription("amounts").status().await.unwrap().lag.events, 0);
    engine.delete_subscription("amounts").await.unwrap();
    assert!(engine.subscription("amounts").status().await.is_err());
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test]
async fn no_projection_has_a_name_as_subscriptions_have() {
    let named = Projection::at_least_once("subscription:mails", Nothing).from::<Counter>();
    let builder = Engine::builder("counters").store(MemoryStore::new()).entity::<Counter>(());
    let error = builder.projection(named).start().await.unwrap_err();
    let StartError::Invalid { problems } = error else { panic!("{error}") };
    assert_eq!(
        problems,
        [
            "the projection `subscription:mails` has a name that begins with `subscription:`, as only subscriptions do"
        ]
    );
}
