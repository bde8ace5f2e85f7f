use super::shipped::{numbers, publisher};
use crate::{
    account::Deposit,
    projecting::runner_rig::{run, until},
    rig::{Rig, account, deposited, stored},
};
use actum_projection::{Message, OnFailure, PublishError, Publisher};
use actum_testkit::MemoryBroker;

/// Whether it is event `nr` of account `a`.
fn is(nr: u64) -> impl Fn(&Message) -> bool {
    move |message| message.entity().id() == "a" && message.recorded().sequence_nr.get() == nr
}

/// Five events of `a` and `b` each, mixed.
async fn mixed() -> Rig {
    let rig = Rig::new(1).await;
    for nr in 0..5 {
        rig.append(&account("a"), nr, vec![deposited(nr)]).await;
        rig.append(&account("b"), nr, vec![deposited(nr)]).await;
    }
    rig
}

#[tokio::test(start_paused = true)]
async fn a_rejected_message_stops_its_segment_and_nothing_of_its_entity_passes() {
    let (rig, broker) = (mixed().await, MemoryBroker::new());
    broker.reject(is(3));
    let running = run(&rig, "a@1", publisher(&broker)).await;
    let why = running.until_stopped().await;
    assert_eq!(why, "event 3 of account/a failed 6 times: the broker rejects it");
    assert_eq!(numbers(&broker, "a"), [1, 2]);
    broker.reject(|_| false);
    running.projection().resume().await.unwrap();
    running.caught_up().await;
    assert_eq!(numbers(&broker, "a"), [1, 2, 3, 4, 5]);
    assert_eq!(broker.in_order().len(), 2);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_rejected_message_parks_its_entity_while_others_go_on() {
    let (rig, broker) = (mixed().await, MemoryBroker::new());
    broker.reject(is(3));
    let running = run(&rig, "a@1", publisher(&broker).on_failure(OnFailure::ParkEntity)).await;
    running.caught_up().await;
    rig.append(&account("a"), 5, vec![deposited(6)]).await;
    rig.append(&account("b"), 5, vec![deposited(6)]).await;
    running.caught_up().await;
    assert_eq!(numbers(&broker, "a"), [1, 2]);
    assert_eq!(broker.in_order()[&account("b")].get(), 6);
    let parked = running.projection().parked(None, 10).await.unwrap();
    assert_eq!((parked.len(), parked[0].from.get()), (1, 3));
    assert_eq!(&*parked[0].error, "the broker rejects it");
    broker.reject(|_| false);
    running.projection().replay_parked(None).await.unwrap();
    until("it has caught up", async || numbers(&broker, "a") == [1, 2, 3, 4, 5, 6]).await;
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_rejected_message_becomes_a_dead_letter_and_can_be_shipped_later() {
    let (rig, broker) = (mixed().await, MemoryBroker::new());
    broker.reject(is(3));
    let projection = publisher(&broker).on_failure(OnFailure::SkipToDeadLetters);
    let running = run(&rig, "a@1", projection).await;
    running.caught_up().await;
    assert_eq!(numbers(&broker, "a"), [1, 2, 4, 5]);
    broker.reject(|_| false);
    running.projection().replay_dead_letters(None).await.unwrap();
    until("it is shipped", async || numbers(&broker, "a") == [1, 2, 4, 5, 3]).await;
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_rejected_far_behind_in_a_batch_lets_nothing_come_twice() {
    let (rig, broker) = (Rig::new(1).await, MemoryBroker::new());
    rig.deposit(&account("a"), 150).await;
    broker.reject(is(130));
    let projection = publisher(&broker).on_failure(OnFailure::SkipToDeadLetters);
    let running = run(&rig, "a@1", projection).await;
    running.caught_up().await;
    let letters = running.projection().dead_letters(None, 10).await.unwrap();
    assert_eq!((letters.len(), letters[0].sequence_nr.get()), (1, 130));
    assert_eq!(numbers(&broker, "a"), (1..=150).filter(|nr| *nr != 130).collect::<Vec<_>>());
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn of_two_rejected_messages_the_first_is_dealt_with_first() {
    let (rig, broker) = (mixed().await, MemoryBroker::new());
    broker.reject(|message| message.recorded().sequence_nr.get() == 2);
    let running = run(&rig, "a@1", publisher(&broker).on_failure(OnFailure::ParkEntity)).await;
    running.caught_up().await;
    assert_eq!((numbers(&broker, "a"), broker.in_order()[&account("b")].get()), (vec![1], 1));
    assert_eq!(running.projection().parked(None, 10).await.unwrap().len(), 2);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_stands_in_front_of_an_event_of_an_unknown_type_is_shipped() {
    let (rig, broker) = (Rig::new(1).await, MemoryBroker::new());
    rig.append(&account("a"), 0, vec![deposited(1), deposited(2), stored(&Deposit)]).await;
    rig.append(&account("a"), 3, vec![deposited(4)]).await;
    let running = run(&rig, "a@1", publisher(&broker)).await;
    let why = running.until_stopped().await;
    assert!(why.starts_with("event 3 of account/a failed: "), "{why}");
    assert_eq!(numbers(&broker, "a"), [1, 2]);
    assert_eq!(broker.calls(), 1);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_panics_in_the_middle_loses_nothing() {
    let (rig, broker) = (mixed().await, MemoryBroker::new());
    broker.panic(3);
    let running = run(&rig, "a@1", publisher(&broker).on_failure(OnFailure::ParkEntity)).await;
    running.caught_up().await;
    let last = broker.in_order();
    assert_eq!((last[&account("a")].get(), last[&account("b")].get()), (5, 5));
    assert_eq!(running.projection().status().await.unwrap().parked, 0);
    running.end().await;
}

/// Says that a message was rejected which it did not get.
#[derive(Clone)]
struct Confused(MemoryBroker);

impl Publisher for Confused {
    async fn publish(&mut self, messages: &[Message]) -> Result<(), PublishError> {
        if messages.iter().any(is(3)) {
            return Err(PublishError::rejected(messages.len(), "out of my mind"));
        }
        self.0.publish(messages).await
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_names_no_message_blames_the_one_that_fails_alone() {
    let (rig, broker) = (mixed().await, MemoryBroker::new());
    let projection = actum_projection::Projection::publisher("orders", Confused(broker.clone()))
        .from::<crate::account::Account>()
        .on_failure(OnFailure::ParkEntity);
    let running = run(&rig, "a@1", projection).await;
    running.caught_up().await;
    let parked = running.projection().parked(None, 10).await.unwrap();
    assert_eq!((parked.len(), parked[0].from.get()), (1, 3));
    let last = broker.in_order();
    assert_eq!((last[&account("a")].get(), last[&account("b")].get()), (2, 5));
    running.end().await;
}
