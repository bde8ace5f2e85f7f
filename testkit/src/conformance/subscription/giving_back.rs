//! The outcome of events that a consumer does not handle.

use super::mails::{MAILS, assert_idle, handle, mails, next, status, subscribe, unsubscribe};
use crate::conformance::{
    StoreFixture,
    readers::{ReaderProcess, WrittenJournal, numbers, tally, until},
};
use actum_projection::{AckError, LastResort, Nack, ProjectionState};
use std::time::Duration;

/// An event that is given back for another try comes after its pause; later ones of its entity wait behind it, others do not.
pub async fn what_is_given_back_comes_again_after_its_pause_and_in_order(
    fixture: &dyn StoreFixture,
) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 2).await;
    journal.write(&tally("b"), 1).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let mut consumer = subscribe(&process, mails()).await;
    let first = next(&mut consumer).await;
    let begun = tokio::time::Instant::now();
    let pause = Duration::from_millis(300);
    first.nack(Nack::Retry { after: Some(pause) }, "not now").expect("it is in flight");
    assert!(first.ack().is_err(), "it was given back");
    assert_eq!(handle(&mut consumer, 1).await, numbers("b", [1]));
    let again = next(&mut consumer).await;
    assert_eq!((again.event(), again.attempt()), (&("a".to_owned(), 1), 2));
    assert!(begun.elapsed() >= pause, "it comes after {:?}", begun.elapsed());
    again.ack().expect("it is in flight");
    assert_eq!(handle(&mut consumer, 1).await, numbers("a", [2]));
}

/// What is skipped never comes again, counts as settled, and nothing is kept of it.
pub async fn what_is_skipped_leaves_nothing(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 2).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let mut consumer = subscribe(&process, mails()).await;
    let first = next(&mut consumer).await;
    first.nack(Nack::Skip, "of no interest").expect("it is in flight");
    assert_eq!(handle(&mut consumer, 1).await, numbers("a", [2]));
    unsubscribe(consumer).await;
    let other = ReaderProcess::start(fixture, "b@1").await;
    let status = status(&other).await;
    assert_eq!((status.lag.events, status.dead_letters, status.handled), (0, 0, 1));
    let mut consumer = subscribe(&other, mails()).await;
    assert_idle(&mut consumer).await;
}

/// What is parked is a dead letter, which any process lists and has delivered again: until it is handled, and no longer.
pub async fn what_is_parked_is_listed_and_replayed(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 2).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let other = ReaderProcess::start(fixture, "b@1").await;
    let (here, there) = (process.subscription(MAILS), other.subscription(MAILS));
    let mut consumer = subscribe(&process, mails()).await;
    next(&mut consumer).await.nack(Nack::Park, "poison").expect("it is in flight");
    assert_eq!(handle(&mut consumer, 1).await, numbers("a", [2]));
    until("it is kept", async || status(&other).await.dead_letters == 1).await;
    until("all is settled", async || status(&other).await.offset.positions()[0].get() == 2).await;
    let letters = there.dead_letters(None, 10).await.expect("they can be listed");
    let letter = &letters[0];
    assert_eq!((letters.len(), letter.sequence_nr.get(), &*letter.error), (1, 1, "poison"));
    let replayed = here.replay_dead_letters(Some(letter.place)).await;
    assert_eq!(replayed.expect("it can be asked for"), 1);
    let again = next(&mut consumer).await;
    assert_eq!(again.event(), &("a".to_owned(), 1));
    again.nack(Nack::Park, "still poison").expect("it is in flight");
    until("it is one again", async || {
        let letters = there.dead_letters(None, 10).await.expect("they can be listed");
        letters.len() == 1 && &*letters[0].error == "still poison" && !letters[0].is_requested
    })
    .await;
    assert_eq!(here.replay_dead_letters(None).await.expect("it can be asked for"), 1);
    assert_eq!(handle(&mut consumer, 1).await, numbers("a", [1]));
    unsubscribe(consumer).await;
    assert_eq!(there.dead_letters(None, 10).await.expect("they can be listed"), []);
    let mut consumer = subscribe(&other, mails()).await;
    assert_idle(&mut consumer).await;
}

/// An event that was tried as often as is set becomes a dead letter, which says why and how often.
pub async fn what_was_tried_in_vain_is_parked_with_its_reason(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 1).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let mut consumer = subscribe(&process, mails().retries(2)).await;
    for attempt in 1..=3 {
        let delivered = next(&mut consumer).await;
        assert_eq!(delivered.attempt(), attempt);
        let again = Nack::Retry { after: Some(Duration::ZERO) };
        delivered.nack(again, format!("reason {attempt}")).expect("it is in flight");
    }
    until("it is kept", async || status(&process).await.dead_letters == 1).await;
    let letters = process.subscription(MAILS).dead_letters(None, 10).await;
    let letters = letters.expect("they can be listed");
    assert_eq!((&*letters[0].error, letters[0].attempts), ("reason 3", 3));
    let discarded = process.subscription(MAILS).discard_dead_letters(None).await;
    assert_eq!(discarded.expect("it can be discarded"), 1);
    assert_eq!(status(&process).await.dead_letters, 0);
}

/// A consumer that hangs keeps its events no longer than the time-out: another one gets them, in order. Its own acknowledgement is
/// late then.
pub async fn what_a_consumer_has_for_too_long_goes_to_another_one(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 3).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let impatient = || mails().consumers_max(2).ack_timeout(Duration::from_millis(500));
    let mut hangs = subscribe(&process, impatient()).await;
    let held = [next(&mut hangs).await, next(&mut hangs).await];
    let mut other = subscribe(&process, impatient()).await;
    assert_eq!(handle(&mut other, 3).await, numbers("a", 1..=3));
    let late = AckError::TimedOut { name: MAILS.into() };
    assert_eq!(held[0].ack(), Err(late.clone()));
    assert_eq!(held[1].nack(Nack::Skip, "late"), Err(late.clone()));
    assert_eq!(hangs.ack_up_to(held[1].offset()), Err(late));
    drop(hangs);
    unsubscribe(other).await;
    let status = status(&process).await;
    assert_eq!((status.handled, status.lag.events), (3, 0));
}

/// A subscription that needs a person delivers nothing, in no process, until it is resumed.
pub async fn one_that_stops_says_so_in_every_process_until_it_is_resumed(
    fixture: &dyn StoreFixture,
) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 2).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let stops = || mails().retries(0).on_exhausted(LastResort::Stop);
    let mut consumer = subscribe(&process, stops()).await;
    let first = next(&mut consumer).await;
    first.nack(Nack::Retry { after: None }, "poison").expect("it is in flight");
    let error = consumer.next().await.expect_err("it has stopped").to_string();
    assert!(error.ends_with("poison"), "{error}");
    drop(consumer);
    let other = ReaderProcess::start(fixture, "b@1").await;
    let stopped = ProjectionState::Stopped { why: "poison".into() };
    until("that is kept", async || status(&other).await.state == stopped).await;
    let mut consumer = subscribe(&other, stops()).await;
    let error = consumer.next().await.expect_err("it is as it was").to_string();
    assert!(error.ends_with("poison"), "{error}");
    other.subscription(MAILS).resume().await.expect("it can be resumed");
    let mut first = None;
    until("it goes on", async || {
        first = consumer.next().await.ok().flatten();
        first.is_some()
    })
    .await;
    let first = first.expect("it goes on");
    assert_eq!(first.event(), &("a".to_owned(), 1));
    first.ack().expect("it is in flight");
    assert_eq!(handle(&mut consumer, 1).await, numbers("a", [2]));
}
