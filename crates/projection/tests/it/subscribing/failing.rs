use super::subscriber_rig::{Seen, Subscriber, handle, is_idle, mails, numbers, read_to, take};
use crate::{
    projecting::runner_rig::{parts, until},
    rig::{Rig, account, deposited, stored},
};
use actum_projection::{Consumer, LastResort, Nack, ProjectionState, StartAt, SubscriptionError};
use actum_testkit::{Fault, FaultStore, Operation};
use std::{sync::Arc, time::Duration};

async fn rig(events: u64) -> (Rig, Subscriber, Consumer<Seen>) {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), events).await;
    let subscriber = Subscriber::new(&rig, "a@1", &rig.faults).await;
    let consumer = subscriber.service.subscribe(mails().retries(1)).await.unwrap();
    (rig, subscriber, consumer)
}

/// Gives the next event back, for this number of times.
async fn fail(consumer: &mut Consumer<Seen>, times: u32) {
    for time in 1..=times {
        let delivered = consumer.next().await.unwrap().unwrap();
        assert_eq!(delivered.attempt(), time);
        delivered.nack(Nack::Retry { after: None }, "poison").unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_fails_is_tried_again_and_parked_then_listed_and_replayed() {
    let (_rig, subscriber, mut consumer) = rig(2).await;
    let mails = subscriber.mails();
    fail(&mut consumer, 2).await;
    assert_eq!(handle(&mut consumer, 1).await, numbers("a", [2]));
    until("it is a dead letter", async || mails.status().await.unwrap().dead_letters == 1).await;
    assert_eq!(read_to(&subscriber).await, [2]);
    let letters = mails.dead_letters(None, 10).await.unwrap();
    let [letter] = &letters[..] else { panic!("one: {letters:?}") };
    assert_eq!((letter.sequence_nr.get(), &*letter.error, letter.attempts), (1, "poison", 2));

    assert_eq!(mails.replay_dead_letters(Some(letter.place)).await.unwrap(), 1);
    let again = consumer.next().await.unwrap().unwrap();
    again.nack(Nack::Park, "still poison").unwrap();
    until("it is one again", async || {
        let letters = mails.dead_letters(None, 10).await.unwrap();
        letters.len() == 1 && &*letters[0].error == "still poison" && !letters[0].is_requested
    })
    .await;
    assert_eq!(mails.replay_dead_letters(None).await.unwrap(), 1);
    assert_eq!(handle(&mut consumer, 1).await, numbers("a", [1]));
    until("there is none", async || mails.status().await.unwrap().dead_letters == 0).await;
    assert!(is_idle(consumer.next()).await);
}

#[tokio::test(start_paused = true)]
async fn dead_letters_are_discarded_and_replayed_without_a_consumer_too() {
    let (_rig, subscriber, mut consumer) = rig(3).await;
    let mails_ref = subscriber.mails();
    for _ in 0..3 {
        consumer.next().await.unwrap().unwrap().nack(Nack::Park, "poison").unwrap();
    }
    consumer.unsubscribe().await;
    let letters = mails_ref.dead_letters(None, 10).await.unwrap();
    assert_eq!(letters.len(), 3);
    assert_eq!(mails_ref.discard_dead_letters(Some(letters[1].place)).await.unwrap(), 1);
    assert_eq!(mails_ref.replay_dead_letters(None).await.unwrap(), 2);
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    assert_eq!(handle(&mut consumer, 2).await, numbers("a", [1, 3]));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_skipped_leaves_nothing() {
    let (_rig, subscriber, mut consumer) = rig(2).await;
    consumer.next().await.unwrap().unwrap().nack(Nack::Skip, "of no interest").unwrap();
    handle(&mut consumer, 1).await;
    assert!(is_idle(consumer.next()).await);
    let status = subscriber.mails().status().await.unwrap();
    assert_eq!((status.lag.events, status.dead_letters, status.handled), (0, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_is_to_stop_stops_visibly_and_goes_on_when_it_is_resumed() {
    let (_rig, subscriber, consumer) = rig(2).await;
    consumer.unsubscribe().await;
    let stops = || mails().retries(0).on_exhausted(LastResort::Stop);
    let mut consumer = subscriber.service.subscribe(stops()).await.unwrap();
    fail(&mut consumer, 1).await;
    let error = consumer.next().await.unwrap_err().to_string();
    assert_eq!(error, "the subscription has stopped: poison");
    let mails_ref = subscriber.mails();
    let state = async || mails_ref.status().await.unwrap().state;
    until("it is kept", async || {
        state().await == ProjectionState::Stopped { why: "poison".into() }
    })
    .await;
    drop(consumer);
    let mut consumer = subscriber.service.subscribe(stops()).await.unwrap();
    assert!(consumer.next().await.is_err(), "it is as it was");
    mails_ref.resume().await.unwrap();
    until("it runs", async || state().await == ProjectionState::Running).await;
    until("it delivers", async || consumer.next().await.is_ok_and(|it| it.is_some())).await;
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_decoded_stops_the_subscription_or_is_parked_as_is_set() {
    let (rig, subscriber, consumer) = rig(1).await;
    consumer.unsubscribe().await;
    rig.append(&account("a"), 1, vec![stored(&17_u64), deposited(3)]).await;
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    handle(&mut consumer, 1).await;
    let error = consumer.next().await.unwrap_err();
    assert!(matches!(error, SubscriptionError::Undecodable(_)), "{error}");
    let error = consumer.next().await.unwrap_err().to_string();
    assert!(error.starts_with("the subscription has stopped: event 2 of account/a"), "{error}");
    consumer.unsubscribe().await;
    let mails_ref = subscriber.mails();
    mails_ref.resume().await.unwrap();
    let parks = mails().on_undecodable(LastResort::Park);
    let mut consumer = subscriber.service.subscribe(parks).await.unwrap();
    assert_eq!(handle(&mut consumer, 1).await, numbers("a", [3]));
    until("it is kept", async || mails_ref.status().await.unwrap().dead_letters == 1).await;
}

/// A process over a journal that may be replaced.
async fn over(journal: &FaultStore, rig: &Rig, name: &str) -> Subscriber {
    let mut parts = parts(rig, name, &rig.faults);
    parts.events = Arc::new(journal.clone());
    Subscriber::of(parts).await
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_has_regressed_stops_the_subscription_until_it_is_rewound() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 10).await;
    let journal = FaultStore::scripted(rig.store.clone(), &rig.faults);
    let subscriber = over(&journal, &rig, "a@1").await;
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    handle(&mut consumer, 10).await;
    let shorter = Rig::new(1).await;
    shorter.deposit(&account("a"), 8).await;
    journal.replace(shorter.store.clone());
    let expected = "the subscription has stopped: the journal has regressed, or is another one: lane 0 ends at 8, and was \
                    read up to 10; rewind the subscription to where both agree, or delete it";
    assert_eq!(consumer.next().await.unwrap_err().to_string(), expected);
    drop(consumer);
    let mails_ref = subscriber.mails();
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    assert_eq!(consumer.next().await.unwrap_err().to_string(), expected);
    mails_ref.rewind(StartAt::Beginning).await.unwrap();
    until("it goes on", async || consumer.next().await.is_ok_and(|it| it.is_some())).await;
    assert_eq!(take(&mut consumer, 7).await, numbers("a", 2..=8));
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_has_regressed_while_no_one_held_the_subscription_stops_it() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 10).await;
    let journal = FaultStore::scripted(rig.store.clone(), &rig.faults);
    let subscriber = over(&journal, &rig, "a@1").await;
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    handle(&mut consumer, 10).await;
    consumer.unsubscribe().await;
    let shorter = Rig::new(1).await;
    shorter.deposit(&account("a"), 8).await;
    journal.replace(shorter.store.clone());
    let subscriber = over(&journal, &rig, "b@1").await;
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    let next = tokio::time::timeout(Duration::from_secs(60), consumer.next()).await;
    let error = next.expect("it does not wait").unwrap_err().to_string();
    let expected = "the subscription has stopped: the journal has regressed, or is another one: lane 0 ends at 8, and was \
                    read up to 10; rewind the subscription to where both agree, or delete it";
    assert_eq!(error, expected);
}

#[tokio::test(start_paused = true)]
async fn while_progress_cannot_be_saved_events_are_delivered_and_it_is_saved_later() {
    let (rig, subscriber, mut consumer) = rig(10).await;
    rig.faults.always(Operation::ChangeProgress, Fault::unavailable());
    handle(&mut consumer, 10).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    rig.faults.stop();
    tokio::time::sleep(Duration::from_secs(30)).await;
    consumer.unsubscribe().await;
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    assert!(is_idle(consumer.next()).await);
}
