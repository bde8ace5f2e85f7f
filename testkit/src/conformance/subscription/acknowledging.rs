//! What an acknowledgement means, and what is kept of it.

use super::mails::{handle, mails, next, status, subscribe, take, unsubscribe};
use crate::conformance::{
    StoreFixture,
    readers::{ReaderProcess, WrittenJournal, numbers, tally, until},
};
use actum_projection::AckError;

/// Another process goes on behind what was acknowledged, and gets what was delivered and not acknowledged again.
pub async fn it_goes_on_behind_what_was_acknowledged(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 3).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let mut consumer = subscribe(&process, mails()).await;
    assert_eq!(handle(&mut consumer, 3).await, numbers("a", 1..=3));
    journal.write(&tally("a"), 3).await;
    assert_eq!(handle(&mut consumer, 1).await, numbers("a", [4]));
    let unacknowledged = next(&mut consumer).await;
    assert_eq!(unacknowledged.event(), &("a".to_owned(), 5));
    unsubscribe(consumer).await;

    let other = ReaderProcess::start(fixture, "b@1").await;
    let mut consumer = subscribe(&other, mails()).await;
    assert_eq!(handle(&mut consumer, 2).await, numbers("a", 5..=6));
    assert!(unacknowledged.ack().is_err(), "its consumer has gone");
    unsubscribe(consumer).await;
    let status = status(&other).await;
    assert_eq!((status.handled, status.lag.events, status.owner), (6, 0, None));
}

/// An event that was acknowledged, or whose consumer has gone, is not in flight: that is an error, and changes nothing.
pub async fn what_is_not_in_flight_cannot_be_acknowledged(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 3).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let mut consumer = subscribe(&process, mails()).await;
    let first = next(&mut consumer).await;
    first.ack().expect("it is in flight");
    let not_in_flight = AckError::NotInFlight { name: "mails".into() };
    assert_eq!(first.ack(), Err(not_in_flight.clone()));
    assert_eq!(consumer.ack_up_to(first.offset()), Err(not_in_flight));
    let second = next(&mut consumer).await;
    drop(consumer);
    assert!(second.ack().is_err(), "its consumer has gone");
    let mut consumer = subscribe(&process, mails()).await;
    assert!(second.ack().is_err(), "it is in flight with no one");
    assert_eq!(handle(&mut consumer, 2).await, numbers("a", [2, 3]));
    until("each counts once", async || status(&process).await.handled == 3).await;
}

/// One call acknowledges all that a consumer has in flight up to a place, and nothing behind it.
pub async fn events_are_acknowledged_up_to_a_place(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 5).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let mut consumer = subscribe(&process, mails()).await;
    take(&mut consumer, 3).await;
    let offset = consumer.offset().clone();
    take(&mut consumer, 2).await;
    assert_eq!(consumer.ack_up_to(&offset), Ok(3));
    unsubscribe(consumer).await;
    let mut consumer = subscribe(&process, mails()).await;
    assert_eq!(take(&mut consumer, 2).await, numbers("a", [4, 5]));
}

/// However many events are acknowledged behind one that is not, what is kept stays in front of that: all of them come again.
pub async fn what_is_kept_is_never_ahead_of_the_oldest_event_that_is_not_acknowledged(
    fixture: &dyn StoreFixture,
) {
    let mut journal = WrittenJournal::create(fixture).await;
    for id in ["a", "b", "c", "d"] {
        journal.write(&tally(id), 1).await;
    }
    let (process, other) =
        (ReaderProcess::start(fixture, "a@1").await, ReaderProcess::start(fixture, "b@1").await);
    let mut consumer = subscribe(&process, mails()).await;
    let kept = async || status(&other).await.offset.positions()[0].get();
    assert_eq!(handle(&mut consumer, 1).await, numbers("a", [1]));
    let oldest = next(&mut consumer).await;
    assert_eq!(handle(&mut consumer, 2).await.len(), 2);
    until("what is in front of it is kept", async || kept().await == 1).await;
    unsubscribe(consumer).await;
    assert_eq!(kept().await, 1, "also when everything is saved");
    let mut consumer = subscribe(&other, mails()).await;
    let again = [numbers("b", [1]), numbers("c", [1]), numbers("d", [1])].concat();
    assert_eq!(take(&mut consumer, 3).await, again);
    assert!(oldest.ack().is_err(), "it is in flight with another consumer");
    assert_eq!(consumer.ack_up_to(&consumer.offset().clone()), Ok(3));
    until("everything is kept", async || kept().await == 4).await;
}
