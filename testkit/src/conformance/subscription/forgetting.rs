//! What is kept of a subscription that no one has any more.

use super::mails::{MAILS, assert_idle, handle, mails, subscribe, take, unsubscribe};
use crate::conformance::{
    StoreFixture,
    readers::{ReaderProcess, WrittenJournal, numbers, soon, tally},
};
use actum_projection::SubscriptionError;

/// A subscription without consumers goes on where they were; one that was deleted begins again, in whichever process.
pub async fn unsubscribing_keeps_and_deleting_forgets(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 2).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let other = ReaderProcess::start(fixture, "b@1").await;
    let mut consumer = subscribe(&process, mails()).await;
    assert_eq!(handle(&mut consumer, 2).await, numbers("a", [1, 2]));
    unsubscribe(consumer).await;
    let mut consumer = subscribe(&other, mails()).await;
    assert_idle(&mut consumer).await;
    unsubscribe(consumer).await;
    process.subscriptions.delete(MAILS).await.expect("it can be deleted");
    let error = other.subscription(MAILS).status().await.expect_err("nothing is kept").to_string();
    assert!(error.contains(MAILS), "{error}");
    let mut consumer = subscribe(&other, mails()).await;
    assert_eq!(handle(&mut consumer, 2).await, numbers("a", [1, 2]));
    unsubscribe(consumer).await;
    process.subscriptions.delete("never-there").await.expect("that is no error");
}

/// A subscription that is deleted while it has consumers ends them, and leaves nothing that a later one would have.
pub async fn one_that_is_deleted_ends_its_consumers(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 3).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let mut consumer = subscribe(&process, mails()).await;
    handle(&mut consumer, 1).await;
    let last = super::mails::next(&mut consumer).await;
    soon("it is deleted", process.subscriptions.delete(MAILS)).await.expect("it can be deleted");
    let error = soon("it ends", consumer.next()).await.expect_err("it was deleted");
    assert!(matches!(error, SubscriptionError::Stopped { .. }), "{error}");
    assert!(last.ack().is_err(), "it is in flight with no one");
    drop(consumer);
    let kept = process.stores.progress.projections().await.expect("they can be listed");
    assert_eq!(kept, []);
    let mut consumer = subscribe(&process, mails()).await;
    assert_eq!(take(&mut consumer, 3).await, numbers("a", 1..=3));
}
