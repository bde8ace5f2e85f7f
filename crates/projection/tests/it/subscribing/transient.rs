use super::subscriber_rig::{Seen, Subscriber, is_idle, numbers, seen, take};
use crate::{
    account::{Account, Deposited},
    projecting::runner_rig::{parts, until},
    rig::{Rig, account, deposited, entity, positions, stored},
};
use actum_model::{StoredPayload, Timestamp};
use actum_projection::{Recorded, StartAt, Subscription, SubscriptionError, SubscriptionSettings};
use actum_testkit::{Fault, FaultStore, Faults, Operation};
use std::{sync::Arc, time::Duration};

/// All events of accounts, from the beginning.
fn accounts() -> Subscription<Seen> {
    Subscription::transient()
        .from::<Account, _>(|event| Some(seen(&event)))
        .start_at(StartAt::Beginning)
}

#[tokio::test(start_paused = true)]
async fn a_transient_subscription_begins_behind_what_is_there() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 3).await;
    let subscriber = Subscriber::new(&rig, "a@1", &rig.faults).await;
    let of_accounts = Subscription::transient().from::<Account, _>(|event| Some(seen(&event)));
    let mut consumer = subscriber.service.subscribe(of_accounts).await.unwrap();
    rig.append(&account("a"), 3, vec![deposited(4)]).await;
    assert_eq!(take(&mut consumer, 1).await, numbers("a", [4]));
    assert!(is_idle(consumer.next()).await, "nothing comes twice");
}

#[tokio::test(start_paused = true)]
async fn what_was_there_and_what_comes_is_one_sequence() {
    let rig = Rig::new(2).await;
    rig.deposit(&account("a"), 7).await;
    let subscriber = Subscriber::new(&rig, "a@1", &rig.faults).await;
    let mut consumer = subscriber.service.subscribe(accounts().buffer_events(3)).await.unwrap();
    let mut all = take(&mut consumer, 5).await;
    for nr in 7..30 {
        rig.append(&account("a"), nr, vec![deposited(1)]).await;
        all.extend(take(&mut consumer, 1).await);
    }
    all.extend(take(&mut consumer, 2).await);
    assert_eq!(all, numbers("a", 1..=30));
    assert!(is_idle(consumer.next()).await);
}

#[tokio::test(start_paused = true)]
async fn another_goes_on_behind_the_offset_of_a_delivered_event_without_loss_and_without_doubles() {
    let rig = Rig::new(2).await;
    for id in ["a", "b", "c", "d"] {
        rig.deposit(&account(id), 5).await;
    }
    let subscriber = Subscriber::new(&rig, "a@1", &rig.faults).await;
    let mut consumer = subscriber.service.subscribe(accounts().buffer_events(3)).await.unwrap();
    let (mut all, mut offset) = (Vec::new(), consumer.offset().clone());
    for _ in 0..20 {
        let delivered = consumer.next().await.unwrap().unwrap();
        assert_eq!(delivered.offset(), consumer.offset());
        assert_eq!(delivered.position(), delivered.offset().position(delivered.lane()));
        assert_ne!(&offset, delivered.offset());
        offset = delivered.offset().clone();
        all.push(delivered.into_event());
        // a reader that was closed, and another one that goes on
        let behind = accounts().buffer_events(2).start_at(StartAt::Behind(offset.clone()));
        consumer = subscriber.service.subscribe(behind).await.unwrap();
    }
    assert!(is_idle(consumer.next()).await);
    assert_eq!(all.len(), 20);
    for id in ["a", "b", "c", "d"] {
        let of_id: Vec<_> = all.iter().filter(|seen| seen.0 == id).cloned().collect();
        assert_eq!(of_id, numbers(id, 1..=5));
    }
}

#[tokio::test(start_paused = true)]
async fn the_offset_moves_over_events_that_are_skipped() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 9).await;
    rig.append(&entity("customer", "c"), 0, vec![deposited(1)]).await;
    let subscriber = Subscriber::new(&rig, "a@1", &rig.faults).await;
    let odd = Subscription::transient()
        .from::<Account, _>(|event| (event.sequence_nr.get() % 2 == 1).then(|| seen(&event)))
        .start_at(StartAt::Beginning);
    let mut consumer = subscriber.service.subscribe(odd).await.unwrap();
    assert_eq!(take(&mut consumer, 5).await, numbers("a", [1, 3, 5, 7, 9]));
    assert!(is_idle(consumer.next()).await);
    assert_eq!(positions(consumer.offset()), [10], "also over those of another kind");
}

#[tokio::test(start_paused = true)]
async fn a_transient_subscription_begins_at_a_time_too() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 4).await; // all of microsecond 7
    let subscriber = Subscriber::new(&rig, "a@1", &rig.faults).await;
    for (micros, count) in [(7, 4), (8, 0)] {
        let at = accounts().start_at(StartAt::Time(Timestamp::from_micros(micros)));
        let mut consumer = subscriber.service.subscribe(at).await.unwrap();
        take(&mut consumer, count).await;
        assert!(is_idle(consumer.next()).await);
    }
}

#[tokio::test(start_paused = true)]
async fn events_come_by_entity_by_kind_and_by_manifest_typed_and_as_they_are_stored() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 2).await;
    rig.deposit(&account("b"), 2).await;
    rig.append(&entity("number", "n"), 0, vec![stored(&17_u64)]).await;
    rig.append(&entity("other", "o"), 0, vec![deposited(5)]).await;
    let subscriber = Subscriber::new(&rig, "a@1", &rig.faults).await;
    let raw = |event: Recorded<StoredPayload>| Some((seen(&event), event.event.manifest));
    let subscription = Subscription::transient().start_at(StartAt::Beginning);
    let subscription = subscription
        .entity::<Account, _>("b", |event: Recorded<Deposited>| {
            Some((seen(&event), format!("{} cents", event.event.cents).into()))
        })
        .from_streams::<u64, _>("number", |event| {
            Some((seen(&event), event.event.to_string().into()))
        })
        .of_kinds(["other"], raw);
    let mut consumer = subscriber.service.subscribe(subscription).await.unwrap();
    let texts: Vec<_> = take(&mut consumer, 4).await.into_iter().map(|it| it.1).collect();
    assert_eq!(texts, ["1 cents", "2 cents", "17", "account.deposited"]);
    assert!(is_idle(consumer.next()).await);

    let all = Subscription::transient().start_at(StartAt::Beginning).all(raw);
    let mut consumer = subscriber.service.subscribe(all).await.unwrap();
    assert_eq!(take(&mut consumer, 6).await.len(), 6);

    let some = Subscription::transient().start_at(StartAt::Beginning).all(raw);
    let some = some.of_manifests(["account"]);
    let mut consumer = subscriber.service.subscribe(some).await.unwrap();
    let ids: Vec<_> = take(&mut consumer, 5).await.into_iter().map(|it| it.0.0).collect();
    assert_eq!(ids, ["a", "a", "b", "b", "o"]);
    assert!(is_idle(consumer.next()).await);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_decoded_is_an_error_and_the_next_one_comes() {
    let rig = Rig::new(1).await;
    rig.append(&account("a"), 0, vec![deposited(1), stored(&17_u64), deposited(3)]).await;
    let subscriber = Subscriber::new(&rig, "a@1", &rig.faults).await;
    let mut consumer = subscriber.service.subscribe(accounts()).await.unwrap();
    assert_eq!(take(&mut consumer, 1).await, numbers("a", [1]));
    let error = consumer.next().await.unwrap_err();
    assert_eq!(error.to_string(), "event 2 of account/a cannot be decoded");
    assert_eq!(positions(consumer.offset()), [2]);
    assert_eq!(take(&mut consumer, 1).await, numbers("a", [3]));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_consumers_and_no_one_subscribes_behind_it() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 3).await;
    let subscriber = Subscriber::new(&rig, "a@1", &rig.faults).await;
    let mut waiting = subscriber.service.subscribe(accounts()).await.unwrap();
    take(&mut waiting, 3).await;
    let mut busy = subscriber.service.subscribe(accounts()).await.unwrap();
    take(&mut busy, 1).await;
    let end = async {
        tokio::task::yield_now().await;
        subscriber.places.end();
    };
    let (next, ()) = tokio::join!(waiting.next(), end);
    assert!(next.unwrap().is_none());
    assert!(waiting.next().await.unwrap().is_none());
    assert!(busy.next().await.unwrap().is_none(), "also one that has not had all that was read");
    let late = subscriber.service.subscribe(accounts()).await.unwrap_err();
    assert!(matches!(late, SubscriptionError::Ended), "{late}");
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_cannot_be_reached_is_waited_for() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 1).await;
    let subscriber = Subscriber::new(&rig, "a@1", &rig.faults).await;
    let mut consumer = subscriber.service.subscribe(accounts()).await.unwrap();
    take(&mut consumer, 1).await;
    rig.faults.always(Operation::ReadLane, Fault::unavailable());
    rig.append(&account("a"), 1, vec![deposited(2)]).await;
    assert!(is_idle(consumer.next()).await);
    assert!(rig.calls(Operation::ReadLane) > 10, "it is tried");
    rig.faults.stop();
    assert_eq!(take(&mut consumer, 1).await, numbers("a", [2]));
    assert!(is_idle(consumer.next()).await);
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_has_regressed_ends_a_transient_subscription_visibly() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 10).await;
    let faults = Faults::new();
    let mut parts = parts(&rig, "a@1", &faults);
    let journal = FaultStore::scripted(rig.store.clone(), &faults);
    parts.events = Arc::new(journal.clone());
    let subscriber = Subscriber::of(parts).await;
    let mut consumer = subscriber.service.subscribe(accounts()).await.unwrap();
    take(&mut consumer, 10).await;
    let shorter = Rig::new(1).await;
    shorter.deposit(&account("a"), 8).await;
    journal.replace(shorter.store.clone());
    for _ in 0..2 {
        let error = consumer.next().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the subscription has stopped: the journal has regressed, or is another one: lane 0 ends at 8, and was read \
             up to 10"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_does_not_ask_has_two_pages_in_memory_and_no_more_is_read() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 1_000).await;
    rig.deposit(&account("b"), 4_000).await;
    let subscriber = Subscriber::new(&rig, "a@1", &rig.faults).await;
    let mut consumer = subscriber.service.subscribe(accounts().buffer_events(10)).await.unwrap();
    take(&mut consumer, 1).await;
    let reads = || rig.calls(Operation::ReadLane);
    until("the next page is read ahead", async || reads() == 2).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(reads(), 2);
    take(&mut consumer, 10).await;
    until("one more is read", async || reads() == 3).await;
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_stops_asking_loses_nothing_and_reads_nothing_again() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 2).await;
    let subscriber = Subscriber::new(&rig, "a@1", &rig.faults).await;
    let mut consumer = subscriber.service.subscribe(accounts()).await.unwrap();
    let gate = rig.faults.hold_next(Operation::ReadLane, 1);
    for _ in 0..3 {
        assert!(is_idle(consumer.next()).await, "the read takes its time");
    }
    gate.open();
    assert_eq!(take(&mut consumer, 2).await, numbers("a", [1, 2]));
    assert!(is_idle(consumer.next()).await);
    assert_eq!(rig.calls(Operation::ReadLane), 1);
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_subscription_is_said_at_once() {
    let rig = Rig::new(1).await;
    let subscriber = Subscriber::new(&rig, "a@1", &rig.faults).await;
    let nothing = Subscription::<()>::transient().buffer_events(0).buffer_bytes(0);
    let error = subscriber.service.subscribe(nothing).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the subscription is not valid: `buffer_events` is 0, it must be 1 to 10,000; `buffer_bytes` is 0 bytes, it must be \
         1 byte to 64 MiB; a subscription has no source: call `.from::<Entity, _>(..)` or `.all(..)`"
    );
    let mut settings = SubscriptionSettings::new(StartAt::Now);
    (settings.in_flight_max, settings.ahead_max) = (200, 199);
    settings.in_flight_bytes_max = 0;
    let short = subscriber.service.subscribe(accounts().settings(settings)).await.unwrap_err();
    assert!(
        short.to_string().contains("`ahead_max` is 199, it must be 200 to 1,000,000"),
        "{short}"
    );
    assert!(
        short.to_string().contains("`in_flight_bytes_max` is 0 bytes, it must be 1 byte to 1 GiB"),
        "{short}"
    );
    let behind = actum_model::Offset::of_positions([actum_model::Position::new(3)]);
    let error = subscriber.service.subscribe(accounts().start_at(StartAt::Behind(behind))).await;
    let error = error.unwrap_err().to_string();
    assert!(error.ends_with("`start_at` is behind 3, and the journal ends at 0"), "{error}");
    let no_id = Subscription::transient().entity::<Account, _>("", |event| Some(seen(&event)));
    let error = subscriber.service.subscribe(no_id).await.unwrap_err();
    assert!(
        matches!(&error, SubscriptionError::Invalid { problems } if problems.len() == 1),
        "{error}"
    );
}
