//! What subscriptions hold in memory is bounded: each by its own settings, and all of them by half of the room of the process.

use super::subscriber_rig::{
    Places, Seen, Subscriber, handle, is_idle, mails, numbers, seen, take,
};
use crate::{
    account::Account,
    counted_bytes::CountedBytes,
    projecting::{
        deliveries::Deliveries,
        runner_rig::{Bad, parts, start, until},
    },
    rig::{Rig, account, deposited},
};
use actum_persistence::store::NewEvent;
use actum_projection::{
    Consumer, Nack, ServiceParts, StartAt, Subscription, SubscriptionService, SubscriptionStatus,
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

const MIB: usize = 1 << 20;

/// An event of so many bytes, and a few more.
fn event_of(bytes: usize) -> NewEvent {
    let mut event = deposited(1);
    event.payload.bytes = format!(r#"{{"cents":1,"pad":"{}"}}"#, "x".repeat(bytes)).into();
    event
}

/// A journal with events of this size, one of each account.
async fn rig(events: usize, bytes: usize) -> Rig {
    let rig = Rig::new(1).await;
    for nr in 0..events {
        rig.append(&account(&nr.to_string()), 0, vec![event_of(bytes)]).await;
    }
    rig
}

/// The parts of a process that may have so many bytes of events in memory.
fn parts_with(rig: &Rig, bytes: usize) -> ServiceParts {
    let mut parts = parts(rig, "a@1", &rig.faults);
    parts.share.bytes_max = bytes;
    parts
}

fn named(name: &str) -> Subscription<Seen> {
    let named = Subscription::durable(name).ack_timeout(None);
    named.from::<Account, _>(|event| Some(seen(&event)))
}

fn transient() -> Subscription<Seen> {
    let all = Subscription::transient().start_at(StartAt::Beginning);
    all.all(|event| Some(seen(&event)))
}

/// What a consumer gets until it waits in vain.
async fn all_it_gets(consumer: &mut Consumer<Seen>) -> Vec<Seen> {
    let mut all = Vec::new();
    while let Ok(next) = timeout(Duration::from_secs(60), consumer.next()).await {
        all.push(next.unwrap().unwrap().into_event());
    }
    all
}

async fn status(subscriber: &Subscriber) -> SubscriptionStatus {
    subscriber.mails().status().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_subscription_with_events_of_a_mebibyte_holds_no_more_than_its_bounds() {
    let rig = rig(40, MIB).await;
    let subscriber = Subscriber::new(&rig, "a@1", &rig.faults).await;
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    assert_eq!(all_it_gets(&mut consumer).await.len(), 3, "4 MiB in flight are enough");
    let held = status(&subscriber).await.held_bytes;
    assert!((4 * MIB..5 * MIB).contains(&held), "3 in flight and one that waits: {held} bytes");
    let mut all = 3;
    while all < 40 {
        consumer.ack_up_to(&consumer.offset().clone()).unwrap();
        all += all_it_gets(&mut consumer).await.len();
        assert!(status(&subscriber).await.held_bytes <= 5 * MIB);
    }
    consumer.ack_up_to(&consumer.offset().clone()).unwrap();
    until("nothing is held", async || status(&subscriber).await.held_bytes == 0).await;
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_larger_than_every_bound_is_delivered() {
    let rig = rig(6, 2 * MIB).await;
    let subscriber = Subscriber::of(parts_with(&rig, MIB)).await;
    let small = mails().in_flight_bytes_max(1).buffer_bytes(1);
    let mut consumer = subscriber.service.subscribe(small).await.unwrap();
    for nr in 0..6 {
        let delivered = consumer.next().await.unwrap().unwrap();
        assert_eq!(delivered.event(), &(nr.to_string(), 1));
        assert!(is_idle(consumer.next()).await, "one is in flight");
        assert!(status(&subscriber).await.held_bytes < 5 * MIB, "and one waits at most");
        delivered.ack().unwrap();
    }
    let mut consumer = subscriber.service.subscribe(transient()).await.unwrap();
    assert_eq!(take(&mut consumer, 6).await.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn consumers_that_are_slow_keep_no_projection_from_catching_up() {
    const LARGE: usize = MIB / 16;
    let rig = rig(60, LARGE).await;
    let deliveries = Deliveries::default();
    deliveries.trouble.set_all(Bad::Unavailable);
    let running = start(parts_with(&rig, 6 * LARGE), [deliveries.projection("all").into()]).await;
    let service = SubscriptionService::beside(&running.service, Arc::<Places>::default());
    let mut slow = Vec::new();
    for nr in 0..8 {
        let few = named(&format!("mails{nr}")).in_flight_bytes_max(4 * LARGE);
        let mut consumer = service.subscribe(few).await.unwrap();
        assert_eq!(all_it_gets(&mut consumer).await.len(), 3);
        let mut other = service.subscribe(transient()).await.unwrap();
        other.next().await.unwrap();
        slow.push((consumer, other));
    }
    deliveries.trouble.mend();
    running.caught_up().await;
    assert_eq!(deliveries.all().len(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_goes_on_where_others_have_taken_all_room() {
    let rig = rig(30, MIB).await;
    let subscriber = Subscriber::of(parts_with(&rig, 2 * MIB)).await;
    let mut slow = subscriber.service.subscribe(named("slow")).await.unwrap();
    all_it_gets(&mut slow).await;
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    let batch = take(&mut consumer, 3).await;
    assert_eq!(batch.len(), 3, "as many as may be in flight, though none is acknowledged");
    consumer.ack_up_to(&consumer.offset().clone()).unwrap();
    assert_eq!(handle(&mut consumer, 27).await.len(), 27);
    let mut consumer = subscriber.service.subscribe(transient()).await.unwrap();
    assert_eq!(take(&mut consumer, 30).await.len(), 30);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_pause_keeps_no_other_event_from_a_consumer_where_there_is_no_room() {
    let rig = rig(3, MIB).await;
    let subscriber = Subscriber::of(parts_with(&rig, 2 * MIB)).await;
    let mut slow = subscriber.service.subscribe(named("slow")).await.unwrap();
    all_it_gets(&mut slow).await;
    let more = mails().buffer_bytes(4 * MIB);
    let mut consumer = subscriber.service.subscribe(more).await.unwrap();
    let first = consumer.next().await.unwrap().unwrap();
    first.nack(Nack::Retry { after: Some(Duration::from_secs(3_000)) }, "busy").unwrap();
    let next = timeout(Duration::from_secs(60), take(&mut consumer, 1)).await;
    assert_eq!(next.expect("it does not wait for the pause"), numbers("1", [1]));
}

#[tokio::test(start_paused = true)]
async fn large_dead_letters_are_replayed_a_few_at_a_time() {
    let rig = rig(8, MIB).await;
    let subscriber = Subscriber::new(&rig, "a@1", &rig.faults).await;
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    for _ in 0..8 {
        consumer.next().await.unwrap().unwrap().nack(Nack::Park, "poison").unwrap();
    }
    until("all are kept", async || status(&subscriber).await.dead_letters == 8).await;
    assert_eq!(subscriber.mails().replay_dead_letters(None).await.unwrap(), 8);
    for _ in 0..8 {
        let again = consumer.next().await.unwrap().unwrap();
        assert!(status(&subscriber).await.held_bytes < 3 * MIB);
        again.ack().unwrap();
    }
    until("none is left", async || status(&subscriber).await.dead_letters == 0).await;
}

#[tokio::test(start_paused = true)]
async fn many_catch_ups_with_large_events_stay_inside_the_room_of_the_process() {
    let rig = rig(400, MIB / 32).await;
    let (events, live) = CountedBytes::of(rig.store.clone());
    let mut parts = parts_with(&rig, 2 * MIB);
    parts.events = Arc::new(events);
    let deliveries = Deliveries::default();
    let projections = (0..4).map(|nr| deliveries.projection(&format!("p{nr}")).into());
    let running = start(parts, projections.collect::<Vec<_>>()).await;
    let service = SubscriptionService::beside(&running.service, Arc::<Places>::default());
    let (mut slow, mut fast) = (Vec::new(), Vec::new());
    for nr in 0..16 {
        let few = named(&format!("slow{nr}")).in_flight_bytes_max(MIB / 16);
        let mut consumer = service.subscribe(few).await.unwrap();
        consumer.next().await.unwrap();
        slow.push(consumer);
        let mut consumer = service.subscribe(transient()).await.unwrap();
        fast.push(tokio::spawn(async move { take(&mut consumer, 400).await.len() }));
    }
    for consumer in fast {
        assert_eq!(consumer.await.unwrap(), 400);
    }
    running.caught_up().await;
    // beside the room there is what the feed keeps near the head, a page that it reads for that, and an event of each reader
    let most = 2 * MIB + (8 + 4) * MIB + 36 * MIB / 32;
    assert!(live.most() <= most, "{} bytes, and {most} may be", live.most());
}
