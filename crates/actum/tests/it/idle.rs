//! What an engine asks a store for while nothing happens.

use crate::{counter::Counter, nothing::Nothing};
use actum::{
    Consumer, Engine, EngineBuilder, MemoryStore, Projection, Subscription, store::Stores,
};
use actum_testkit::{FaultProgress, FaultStore, Faults, Operation};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

fn projections(count: usize) -> impl Iterator<Item = Projection<Nothing>> {
    (0..count).map(|nr| Projection::at_least_once(format!("p{nr}"), Nothing).from::<Counter>())
}

fn subscription(nr: usize) -> Subscription<u64> {
    Subscription::durable(format!("s{nr}")).from::<Counter, _>(|event| Some(event.event))
}

async fn drain(consumer: &mut Consumer<u64>) {
    for _ in 0..5 {
        consumer.next().await.unwrap().unwrap().ack().unwrap();
    }
}

/// A store that counts all calls.
fn counted(store: &MemoryStore, faults: &Faults) -> Stores {
    let counted = Stores::of(FaultStore::scripted(store.reopen(), faults));
    let progress = Arc::clone(&counted.progress);
    counted.with_progress(Arc::new(FaultProgress::scripted(progress, faults)))
}

/// All calls of 100 seconds in which nothing happens.
async fn calls_while_idle(faults: &Faults) -> u64 {
    sleep(Duration::from_secs(60)).await;
    faults.reset_counts();
    sleep(Duration::from_secs(100)).await;
    faults.counts().all_calls()
}

/// Of an engine, and of a process that only reads.
async fn idle_calls(count: usize, subscriptions: usize) -> [u64; 2] {
    let (store, faults) = (MemoryStore::new(), Faults::new());
    let mut builder = Engine::builder("idle").store(counted(&store, &faults)).entity::<Counter>(());
    for projection in projections(count) {
        builder = builder.projection(projection);
    }
    let engine = builder.start().await.unwrap();
    for _ in 0..5 {
        engine.entity::<Counter>("a").ask(1).await.unwrap();
    }
    let mut consumers = Vec::new();
    for nr in 0..subscriptions {
        let mut consumer = engine.subscribe(subscription(nr)).await.unwrap();
        drain(&mut consumer).await;
        consumers.push(consumer);
    }
    let of_engine = calls_while_idle(&faults).await;
    drop(consumers);
    assert!(engine.shutdown().await.is_clean());

    let mut builder = Engine::builder("readers").store(counted(&store, &faults));
    for projection in projections(count) {
        builder = builder.projection(projection);
    }
    let readers = builder.start_readers().await.unwrap();
    let mut consumers = Vec::new();
    for nr in 0..subscriptions {
        consumers.push(readers.subscribe(subscription(nr)).await.unwrap());
    }
    let of_readers = calls_while_idle(&faults).await;
    drop(consumers);
    assert_eq!(readers.shutdown().await, []);
    [of_engine, of_readers]
}

#[tokio::test(start_paused = true)]
async fn twenty_projections_and_five_subscriptions_ask_an_idle_store_less_than_five_times_a_second_as_one_does()
 {
    let (one, many) = (idle_calls(1, 0).await, idle_calls(20, 5).await);
    for (one, many) in one.into_iter().zip(many) {
        assert!(many <= one + 2, "{one} calls in 100 seconds with one, {many} with many");
        assert!(many < 5 * 100, "{many} calls in 100 seconds");
    }
}

/// Else a store that is slow would have no pause at all.
#[tokio::test(start_paused = true)]
async fn a_store_whose_answer_was_late_is_not_asked_for_its_heads_again_at_once() {
    let (store, faults) = (MemoryStore::new(), Faults::new());
    let builder = Engine::builder("readers").store(counted(&store, &faults));
    let builder = projections(1).fold(builder, EngineBuilder::projection);
    let readers = builder.start_readers().await.unwrap();
    sleep(Duration::from_secs(60)).await;
    let late = faults.hold_next(Operation::Heads, 1);
    late.held(1).await;
    sleep(Duration::from_secs(60)).await;
    let asked = faults.counts().calls(Operation::Heads);
    late.open();
    sleep(Duration::from_millis(5)).await;
    assert_eq!(faults.counts().calls(Operation::Heads), asked);
    assert_eq!(readers.shutdown().await, []);
}
