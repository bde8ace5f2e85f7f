use super::subscriber_rig::{Subscriber, handle, is_idle, mails, numbers, take};
use crate::rig::{Rig, account, deposited};
use actum_projection::{Nack, StartAt, SubscriptionError};
use std::time::Duration;

async fn rig(ids: &[&str], events: u64) -> (Rig, Subscriber) {
    let rig = Rig::new(1).await;
    for id in ids {
        rig.deposit(&account(id), events).await;
    }
    let subscriber = Subscriber::new(&rig, "a@1", &rig.faults).await;
    (rig, subscriber)
}

#[tokio::test(start_paused = true)]
async fn as_many_consumers_as_are_set_share_the_events_and_no_more() {
    let (_rig, subscriber) = rig(&["a", "b"], 2).await;
    let mails = || mails().consumers_max(2);
    let mut first = subscriber.service.subscribe(mails()).await.unwrap();
    let mut second = subscriber.service.subscribe(mails()).await.unwrap();
    let error = subscriber.service.subscribe(mails()).await.unwrap_err();
    assert!(
        matches!(&error, SubscriptionError::TooManyConsumers { name, max: 2 } if name == "mails"),
        "{error}"
    );
    assert_eq!(take(&mut first, 2).await, numbers("a", [1, 2]), "both of one entity");
    assert_eq!(take(&mut second, 2).await, numbers("b", [1, 2]));
    assert!(is_idle(first.next()).await);
    drop(first);
    assert!(subscriber.service.subscribe(mails()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_one_that_died_had_in_flight_goes_to_the_other_before_anything_else() {
    let (rig, subscriber) = rig(&["a", "b"], 2).await;
    let mails = || mails().consumers_max(2);
    let mut first = subscriber.service.subscribe(mails()).await.unwrap();
    let mut second = subscriber.service.subscribe(mails()).await.unwrap();
    take(&mut first, 2).await;
    handle(&mut second, 2).await;
    rig.append(&account("b"), 2, vec![deposited(3)]).await;
    drop(first);
    assert_eq!(take(&mut second, 2).await, numbers("a", [1, 2]));
    assert_eq!(take(&mut second, 1).await, numbers("b", [3]));
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_gets_what_another_one_gives_back() {
    let (_rig, subscriber) = rig(&["a"], 1).await;
    let mails = || mails().consumers_max(2);
    let mut first = subscriber.service.subscribe(mails()).await.unwrap();
    let mut second = subscriber.service.subscribe(mails()).await.unwrap();
    let delivered = first.next().await.unwrap().unwrap();
    let give_back = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        delivered.nack(Nack::Retry { after: Some(Duration::from_secs(2)) }, "busy").unwrap();
    };
    let begun = tokio::time::Instant::now();
    let (again, ()) = tokio::join!(take(&mut second, 1), give_back);
    assert_eq!((again, begun.elapsed().as_secs()), (numbers("a", [1]), 3));
}

#[tokio::test(start_paused = true)]
async fn a_consumer_has_no_more_in_flight_than_is_set() {
    let (_rig, subscriber) = rig(&["a"], 5).await;
    let mut consumer = subscriber.service.subscribe(mails().in_flight_max(2)).await.unwrap();
    take(&mut consumer, 1).await;
    let second = consumer.next().await.unwrap().unwrap();
    assert!(is_idle(consumer.next()).await);
    second.ack().unwrap();
    assert_eq!(take(&mut consumer, 1).await, numbers("a", [3]));
}

#[tokio::test(start_paused = true)]
async fn a_key_of_the_user_keeps_entities_together() {
    let (_rig, subscriber) = rig(&["a1", "b1", "a2"], 1).await;
    let mails = || mails().consumers_max(2).affinity_by(|entity| entity.id()[..1].to_owned());
    let mut first = subscriber.service.subscribe(mails()).await.unwrap();
    let mut second = subscriber.service.subscribe(mails()).await.unwrap();
    assert_eq!(take(&mut first, 1).await, numbers("a1", [1]));
    assert_eq!(take(&mut second, 1).await, numbers("b1", [1]));
    assert!(is_idle(second.next()).await, "it belongs with the first one");
    assert_eq!(take(&mut first, 1).await, numbers("a2", [1]));
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_stops_asking_is_given_nothing_meanwhile() {
    let (rig, subscriber) = rig(&[], 1).await;
    let mails = || mails().consumers_max(2);
    let mut first = subscriber.service.subscribe(mails()).await.unwrap();
    let mut second = subscriber.service.subscribe(mails()).await.unwrap();
    assert!(is_idle(first.next()).await);
    rig.append(&account("a"), 0, vec![deposited(1)]).await;
    assert_eq!(take(&mut second, 1).await, numbers("a", [1]));
}

#[tokio::test(start_paused = true)]
async fn a_consumer_gets_as_many_as_are_set_before_it_acknowledges_however_small_the_buffer() {
    let (_rig, subscriber) = rig(&["a"], 5).await;
    let small = mails().buffer_events(2).in_flight_max(5);
    let mut consumer = subscriber.service.subscribe(small).await.unwrap();
    let all = tokio::time::timeout(Duration::from_secs(60), take(&mut consumer, 5)).await;
    assert_eq!(all.expect("it does not wait for an acknowledgement"), numbers("a", 1..=5));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_panics_stops_the_subscription() {
    let (_rig, subscriber) = rig(&["a"], 1).await;
    let keyed = mails().affinity_by(|entity| panic!("no key for {entity}"));
    let mut consumer = subscriber.service.subscribe(keyed).await.unwrap();
    let next = tokio::time::timeout(Duration::from_secs(60), consumer.next()).await;
    let error = next.expect("it does not wait").unwrap_err().to_string();
    let expected =
        "the subscription has stopped: the closure of `affinity_by` panicked: no key for account/a";
    assert_eq!(error, expected);
}

#[tokio::test(start_paused = true)]
async fn a_consumer_with_other_settings_or_manifests_is_refused_beside_one_that_runs() {
    let (_rig, subscriber) = rig(&["a"], 1).await;
    let several = || mails().consumers_max(5);
    let first = subscriber.service.subscribe(several()).await.unwrap();
    for other in [several().in_flight_max(3), several().of_manifests(["deposited"])] {
        let error = subscriber.service.subscribe(other).await.unwrap_err();
        assert!(matches!(error, SubscriptionError::Differs { .. }), "{error}");
        let expected = "the subscription `mails` has consumers here with other settings or manifests: use the same for all of \
                        them, or end those first";
        assert_eq!(error.to_string(), expected);
    }
    let start = several().start_at(StartAt::Now);
    subscriber.service.subscribe(start).await.expect("that counts when it is created");
    drop(first);
}
