use super::subscriber_rig::{Subscriber, handle, is_idle, mails, numbers, read_to, seen, take};
use crate::{
    account::Account,
    projecting::runner_rig::until,
    rig::{Rig, account, deposited, entity},
};
use actum_model::{Lane, Offset, Position};
use actum_persistence::progress::KeepsProgress;
use actum_projection::{AckError, Nack, ProjectionState, StartAt, Subscription, SubscriptionError};
use actum_testkit::Operation;
use std::{
    sync::mpsc::{RecvTimeoutError, sync_channel},
    thread,
    time::Duration,
};
use tokio::sync::oneshot;

async fn rig(events: u64) -> (Rig, Subscriber) {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), events).await;
    let subscriber = Subscriber::new(&rig, "a@1", &rig.faults).await;
    (rig, subscriber)
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_behind_what_was_acknowledged() {
    let (_rig, subscriber) = rig(5).await;
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    assert_eq!(handle(&mut consumer, 2).await, numbers("a", [1, 2]));
    assert_eq!(take(&mut consumer, 1).await, numbers("a", [3]), "and not acknowledged");
    consumer.unsubscribe().await;
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    assert_eq!(handle(&mut consumer, 3).await, numbers("a", [3, 4, 5]));
    assert!(is_idle(consumer.next()).await);
    consumer.unsubscribe().await;
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    assert!(is_idle(consumer.next()).await);
}

#[tokio::test(start_paused = true)]
async fn where_it_starts_counts_when_it_is_created_and_not_later() {
    let (rig, subscriber) = rig(3).await;
    let now = || mails().start_at(StartAt::Now);
    let mut consumer = subscriber.service.subscribe(now()).await.unwrap();
    rig.append(&account("a"), 3, vec![deposited(4), deposited(5)]).await;
    assert_eq!(handle(&mut consumer, 1).await, numbers("a", [4]));
    consumer.unsubscribe().await;
    for start_at in [StartAt::Beginning, StartAt::Now] {
        let again = mails().start_at(start_at);
        let mut consumer = subscriber.service.subscribe(again).await.unwrap();
        assert_eq!(take(&mut consumer, 1).await, numbers("a", [5]));
        consumer.unsubscribe().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_there_and_what_comes_is_one_sequence_that_is_delivered_once() {
    let rig = Rig::new(2).await;
    rig.deposit(&account("a"), 50).await;
    rig.deposit(&account("b"), 50).await;
    let subscriber = Subscriber::new(&rig, "a@1", &rig.faults).await;
    let small = mails().buffer_events(7).checkpoint(3, Duration::from_secs(1));
    let mut consumer = subscriber.service.subscribe(small).await.unwrap();
    let mut all = handle(&mut consumer, 30).await;
    for nr in 50..100 {
        rig.append(&account("a"), nr, vec![deposited(1)]).await;
        all.extend(handle(&mut consumer, 2).await);
    }
    all.extend(handle(&mut consumer, 20).await);
    assert!(is_idle(consumer.next()).await);
    for (id, count) in [("a", 100), ("b", 50)] {
        let of_id: Vec<_> = all.iter().filter(|seen| seen.0 == id).cloned().collect();
        assert_eq!(of_id, numbers(id, 1..=count));
    }
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_of_what_is_not_in_flight_is_an_error() {
    let (_rig, subscriber) = rig(3).await;
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    let first = consumer.next().await.unwrap().unwrap();
    first.ack().unwrap();
    let not_in_flight = AckError::NotInFlight { name: "mails".into() };
    assert_eq!(first.ack(), Err(not_in_flight.clone()));
    assert_eq!(consumer.ack_up_to(first.offset()), Err(not_in_flight.clone()));
    let second = consumer.next().await.unwrap().unwrap();
    drop(consumer);
    assert!(second.ack().is_err(), "its consumer has gone");
}

#[tokio::test(start_paused = true)]
async fn events_are_acknowledged_up_to_a_place_in_one_call() {
    let (_rig, subscriber) = rig(5).await;
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    take(&mut consumer, 3).await;
    let offset = consumer.offset().clone();
    take(&mut consumer, 2).await;
    assert_eq!(consumer.ack_up_to(&offset), Ok(3));
    consumer.unsubscribe().await;
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    assert_eq!(take(&mut consumer, 2).await, numbers("a", [4, 5]));
}

#[tokio::test(start_paused = true)]
async fn the_checkpoint_moves_over_events_that_are_skipped() {
    let (rig, subscriber) = rig(20).await;
    rig.append(&entity("customer", "c"), 0, vec![deposited(1), deposited(2)]).await;
    let none = Subscription::durable("mails")
        .ack_timeout(None)
        .from::<Account, _>(|event| (event.sequence_nr.get() == 7).then(|| seen(&event)));
    let mut consumer = subscriber.service.subscribe(none).await.unwrap();
    let delivered = consumer.next().await.unwrap().unwrap();
    assert!(is_idle(consumer.next()).await);
    assert_eq!(read_to(&subscriber).await, [6], "up to the one that is not acknowledged");
    delivered.ack().unwrap();
    assert!(is_idle(consumer.next()).await);
    assert_eq!(read_to(&subscriber).await, [22]);
}

#[tokio::test(start_paused = true)]
async fn what_is_acknowledged_is_saved_after_a_number_of_events_and_after_a_time() {
    let (rig, subscriber) = rig(10).await;
    let mails = mails().checkpoint(4, Duration::from_secs(60));
    let mut consumer = subscriber.service.subscribe(mails).await.unwrap();
    let saves = || rig.calls(Operation::ChangeProgress);
    handle(&mut consumer, 3).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(saves(), 0);
    handle(&mut consumer, 1).await;
    until("it is saved", async || saves() == 1).await;
    handle(&mut consumer, 1).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(saves(), 1);
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert_eq!(saves(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_takes_acknowledgements_of_what_is_in_flight_saves_them_and_ends_consumers() {
    let (rig, subscriber) = rig(3).await;
    let slow = || mails().checkpoint(1_000, Duration::from_secs(600));
    let mut consumer = subscriber.service.subscribe(slow()).await.unwrap();
    let delivered = consumer.next().await.unwrap().unwrap();
    subscriber.places.end();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(consumer.next().await.unwrap().is_none());
    tokio::time::sleep(Duration::from_millis(500)).await;
    delivered.ack().unwrap();
    consumer.unsubscribe().await;
    let late = subscriber.service.subscribe(slow()).await.unwrap_err();
    assert!(matches!(late, SubscriptionError::Ended), "{late}");
    let next = Subscriber::new(&rig, "a@2", &rig.faults).await;
    let mut consumer = next.service.subscribe(slow()).await.unwrap();
    assert_eq!(take(&mut consumer, 2).await, numbers("a", [2, 3]));
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_is_deleted_begins_again_with_and_without_consumers() {
    let (rig, subscriber) = rig(2).await;
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    handle(&mut consumer, 2).await;
    subscriber.service.delete("mails").await.unwrap();
    let error = consumer.next().await.unwrap_err();
    assert!(
        matches!(&error, SubscriptionError::Stopped { why } if why.contains("deleted")),
        "{error}"
    );
    drop(consumer);
    assert_eq!(rig.store.progress().projections().await.unwrap(), []);
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    assert_eq!(handle(&mut consumer, 2).await, numbers("a", [1, 2]));
    consumer.unsubscribe().await;
    subscriber.service.delete("mails").await.unwrap();
    subscriber.service.delete("never").await.unwrap();
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    assert_eq!(handle(&mut consumer, 2).await, numbers("a", [1, 2]));
}

#[tokio::test(start_paused = true)]
async fn a_subscription_with_other_sources_is_refused_with_the_way_out() {
    let (_rig, subscriber) = rig(1).await;
    let consumer = subscriber.service.subscribe(mails()).await.unwrap();
    let others = || mails().entity::<Account, _>("x", |event| Some(seen(&event)));
    let error = subscriber.service.subscribe(others()).await.unwrap_err().to_string();
    let expected = "the subscription `mails` was begun with the sources [\"account\"] and has [\"account\", \"account/x\"] now: \
                    delete it, so that it begins again, or choose another name";
    assert_eq!(error, expected, "beside one that runs");
    consumer.unsubscribe().await;
    let error = subscriber.service.subscribe(others()).await.unwrap_err().to_string();
    assert_eq!(error, expected, "after it");
}

#[tokio::test(start_paused = true)]
async fn retention_keeps_what_is_not_acknowledged_and_saved() {
    let (_rig, subscriber) = rig(10).await;
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    let place = subscriber.places.of("mails").expect("it has entered, and needs events");
    take(&mut consumer, 1).await;
    let offset = consumer.offset().clone();
    handle(&mut consumer, 5).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(place.read_to(Lane::new(0)).get(), 0);
    consumer.ack_up_to(&offset).unwrap();
    until("retention may go on", async || place.read_to(Lane::new(0)).get() == 6).await;
}

#[tokio::test(start_paused = true)]
async fn its_status_says_how_it_is_with_and_without_consumers() {
    let (_rig, subscriber) = rig(10).await;
    let mails_ref = subscriber.mails();
    let error = mails_ref.status().await.unwrap_err().to_string();
    assert_eq!(error, "nothing is kept of the subscription `mails`");
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    let beyond = StartAt::Behind(Offset::of_positions([Position::new(11)]));
    let error = mails_ref.rewind(beyond).await.unwrap_err().to_string();
    let words =
        "the subscription is not valid: `start_at` is behind 11, and the journal ends at 10";
    assert_eq!(error, words);
    handle(&mut consumer, 4).await;
    take(&mut consumer, 2).await;
    let status = mails_ref.status().await.unwrap();
    assert_eq!((status.consumers, status.in_flight, status.owner.as_deref()), (1, 2, Some("a@1")));
    assert_eq!(status.state, ProjectionState::Running);
    until("it shows what was acknowledged", async || {
        let status = mails_ref.status().await.unwrap();
        (status.lag.events, status.handled) == (6, 4)
    })
    .await;
    consumer.unsubscribe().await;
    let status = mails_ref.status().await.unwrap();
    assert_eq!((status.consumers, status.in_flight, status.owner), (0, 0, None));
    assert_eq!((status.lag.events, status.handled), (6, 4));
}

#[tokio::test]
async fn a_name_that_cannot_be_kept_is_refused() {
    let (_rig, subscriber) = rig(1).await;
    for name in ["", "a b", &"n".repeat(52)] {
        let named = Subscription::durable(name).from::<Account, _>(|event| Some(seen(&event)));
        let error = subscriber.service.subscribe(named).await.unwrap_err().to_string();
        assert!(error.contains(&format!("`{name}` cannot name a subscription")), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_is_deleted_before_it_has_run_stays_deleted() {
    let (rig, subscriber) = rig(2).await;
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    let delete = subscriber.service.delete("mails");
    tokio::time::timeout(Duration::from_secs(60), delete).await.expect("it returns").unwrap();
    let error = consumer.next().await.unwrap_err();
    assert!(
        matches!(&error, SubscriptionError::Stopped { why } if why.contains("deleted")),
        "{error}"
    );
    assert_eq!(rig.store.progress().projections().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_rests_while_it_waits_for_acknowledgements_though_a_retry_is_due() {
    let (_rig, subscriber) = rig(2).await;
    let mut consumer = subscriber.service.subscribe(mails()).await.unwrap();
    let first = consumer.next().await.unwrap().unwrap();
    let second = consumer.next().await.unwrap().unwrap();
    let after = Some(Duration::from_secs(1));
    first.nack(Nack::Retry { after }, "busy").unwrap();
    subscriber.places.end();
    // a task that never rests keeps the paused clock from going on, so that is noticed outside of it
    let (sends_late, is_late) = oneshot::channel();
    let (has_rested, rested) = sync_channel::<()>(0);
    let watch = thread::spawn(move || {
        if rested.recv_timeout(Duration::from_secs(10)) == Err(RecvTimeoutError::Timeout) {
            let _ = sends_late.send(());
        }
    });
    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs(2)) => {}
        Ok(()) = is_late => panic!("it never rests"),
    }
    drop(has_rested);
    watch.join().unwrap();
    second.ack().unwrap();
    consumer.unsubscribe().await;
}
