//! The subscription of the cases, and how its events are handled.

use crate::conformance::readers::{PATIENCE, ReaderProcess, SeenEvent, Tally, soon};
use actum_projection::{Consumer, Delivered, Recorded, Subscription, SubscriptionStatus};
use std::time::Duration;
use tokio::time::timeout;

/// The name of the subscription.
pub(super) const MAILS: &str = "mails";
/// In which time something comes that is there.
const A_WHILE: Duration = Duration::from_millis(700);

pub(super) fn seen(event: &Recorded<u64>) -> SeenEvent {
    assert_eq!(event.event, event.sequence_nr.get(), "the event is the one that was written");
    (event.entity.id().to_owned(), event.event)
}

/// The events of tallies as a durable subscription: each that is settled is saved at once, and in flight for as long as a case
/// likes.
pub(super) fn mails() -> Subscription<SeenEvent> {
    let mails = Subscription::durable(MAILS).ack_timeout(None);
    let mails = mails.checkpoint(1, Duration::from_millis(10));
    mails.from::<Tally, _>(|event| Some(seen(&event)))
}

pub(super) async fn subscribe(
    process: &ReaderProcess,
    subscription: Subscription<SeenEvent>,
) -> Consumer<SeenEvent> {
    let consumer = soon("it has begun", process.subscriptions.subscribe(subscription)).await;
    consumer.expect("it can begin")
}

pub(super) async fn next(consumer: &mut Consumer<SeenEvent>) -> Delivered<SeenEvent> {
    let next = soon("an event comes", consumer.next()).await;
    next.expect("the subscription goes on").expect("it has not ended")
}

/// The next events, none of them acknowledged.
pub(super) async fn take(consumer: &mut Consumer<SeenEvent>, count: usize) -> Vec<SeenEvent> {
    let mut all = Vec::new();
    while all.len() < count {
        all.push(next(consumer).await.into_event());
    }
    all
}

/// The next events, each of them acknowledged.
pub(super) async fn handle(consumer: &mut Consumer<SeenEvent>, count: usize) -> Vec<SeenEvent> {
    let mut all = Vec::new();
    while all.len() < count {
        let delivered = next(consumer).await;
        delivered.ack().expect("it is in flight");
        all.push(delivered.into_event());
    }
    all
}

/// Panics if an event comes within a while.
pub(super) async fn assert_idle(consumer: &mut Consumer<SeenEvent>) {
    if let Ok(next) = timeout(A_WHILE, consumer.next()).await {
        panic!("nothing is to come, and the consumer got {next:?}");
    }
}

pub(super) async fn unsubscribe(consumer: Consumer<SeenEvent>) {
    timeout(PATIENCE, consumer.unsubscribe()).await.expect("it ends");
}

pub(super) async fn status(process: &ReaderProcess) -> SubscriptionStatus {
    process.subscription(MAILS).status().await.expect("something is kept of the subscription")
}
