//! Several consumers of one process.

use super::mails::{assert_idle, handle, mails, next, subscribe, take};
use crate::conformance::{
    StoreFixture,
    readers::{ReaderProcess, WrittenJournal, numbers, tally},
};
use actum_projection::SubscriptionError;

/// Each event goes to one consumer; while one of an entity is in flight, the others go to the same consumer.
pub async fn consumers_share_events_and_an_entity_stays_with_one(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 2).await;
    journal.write(&tally("b"), 2).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let several = || mails().consumers_max(2);
    let mut first = subscribe(&process, several()).await;
    let mut second = subscribe(&process, several()).await;
    assert_eq!(take(&mut first, 2).await, numbers("a", [1, 2]));
    assert_eq!(take(&mut second, 2).await, numbers("b", [1, 2]));
    journal.write(&tally("a"), 1).await;
    assert_idle(&mut second).await;
    assert_eq!(take(&mut first, 1).await, numbers("a", [3]));
    first.ack_up_to(&first.offset().clone()).expect("they are in flight");
    journal.write(&tally("a"), 1).await;
    assert_eq!(take(&mut second, 1).await, numbers("a", [4]), "it belongs to no one any more");
}

/// One more consumer than is set is refused, until one of them has gone.
pub async fn no_more_consumers_join_than_are_set(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let several = || mails().consumers_max(2);
    let first = subscribe(&process, several()).await;
    let _second = subscribe(&process, several()).await;
    let error = process.subscriptions.subscribe(several()).await.expect_err("there are two");
    assert!(matches!(error, SubscriptionError::TooManyConsumers { max: 2, .. }), "{error}");
    drop(first);
    let mut third = subscribe(&process, several()).await;
    journal.write(&tally("a"), 1).await;
    assert_eq!(handle(&mut third, 1).await, numbers("a", [1]));
}

/// What was in flight with a consumer that has died comes before everything that no one has had.
pub async fn what_a_dead_consumer_had_goes_to_the_others_first(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 2).await;
    journal.write(&tally("b"), 1).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let several = || mails().consumers_max(2);
    let mut first = subscribe(&process, several()).await;
    let mut second = subscribe(&process, several()).await;
    assert_eq!(take(&mut first, 2).await, numbers("a", [1, 2]));
    let of_b = next(&mut second).await;
    journal.write(&tally("b"), 2).await;
    journal.write(&tally("c"), 1).await;
    assert_eq!(take(&mut second, 1).await, numbers("b", [2]), "what is new has been read");
    drop(first);
    assert_eq!(take(&mut second, 2).await, numbers("a", [1, 2]));
    assert_eq!(take(&mut second, 2).await, [numbers("b", [3]), numbers("c", [1])].concat());
    of_b.ack().expect("it is in flight all the time");
}

/// A consumer that acknowledges nothing gets as many events, and bytes of them, as are set.
pub async fn a_consumer_has_no_more_in_flight_than_is_set(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 5).await;
    for limited in [mails().in_flight_max(2), mails().in_flight_bytes_max(16)] {
        let process = ReaderProcess::start(fixture, "a@1").await;
        let mut consumer = subscribe(&process, limited).await;
        let first = next(&mut consumer).await;
        let second = next(&mut consumer).await;
        assert_idle(&mut consumer).await;
        second.ack().expect("it is in flight");
        assert_eq!(take(&mut consumer, 1).await, numbers("a", [3]));
        assert_eq!(first.event(), &("a".to_owned(), 1));
        process.subscriptions.delete("mails").await.expect("it can be deleted");
    }
}
