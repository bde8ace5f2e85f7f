use super::subscriber_rig::{Subscriber, handle, is_idle, mails, numbers, take};
use crate::{
    projecting::runner_rig::until,
    rig::{Rig, account},
};
use actum_projection::{AckError, LastResort, Nack, Subscription};
use actum_testkit::{Fault, Faults, Operation};
use std::time::Duration;
use tokio::time::timeout;

async fn two(rig: &Rig) -> (Subscriber, Faults, Subscriber) {
    let faults = Faults::new();
    let first = Subscriber::new(rig, "a@1", &faults).await;
    (first, faults, Subscriber::new(rig, "b@1", &rig.faults).await)
}

fn leased() -> Subscription<super::subscriber_rig::Seen> {
    mails().lease(Duration::from_secs(9))
}

#[tokio::test(start_paused = true)]
async fn a_second_process_waits_and_takes_over_when_the_lease_of_the_first_runs_out() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 5).await;
    let (first, faults, second) = two(&rig).await;
    let mut holder = first.service.subscribe(leased()).await.unwrap();
    handle(&mut holder, 2).await;
    tokio::time::sleep(Duration::from_secs(20)).await; // that is saved
    let in_flight = holder.next().await.unwrap().unwrap();
    let mut waiting = second.service.subscribe(leased()).await.unwrap();
    assert!(is_idle(waiting.next()).await, "while the first one renews");

    // the first one reaches nothing any more
    for operation in [Operation::RenewRunner, Operation::ChangeProgress] {
        faults.always(operation, Fault::unavailable());
    }
    let begun = tokio::time::Instant::now();
    assert_eq!(handle(&mut waiting, 1).await, numbers("a", [3]));
    assert!((6..=14).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    let lost = AckError::Lost { name: "mails".into() };
    assert_eq!(in_flight.ack(), Err(lost));
    assert!(is_idle(holder.next()).await, "it gets nothing any more");
    assert_eq!(handle(&mut waiting, 2).await, numbers("a", [4, 5]));
}

#[tokio::test(start_paused = true)]
async fn a_process_that_unsubscribes_hands_over_without_waiting_for_its_lease_and_without_doubles()
{
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 5).await;
    let (first, _, second) = two(&rig).await;
    let lease = || mails().lease(Duration::from_secs(3_000));
    let mut holder = first.service.subscribe(lease()).await.unwrap();
    handle(&mut holder, 2).await;
    let mut waiting = second.service.subscribe(lease()).await.unwrap();
    assert!(is_idle(waiting.next()).await);
    holder.unsubscribe().await;
    let begun = tokio::time::Instant::now();
    assert_eq!(take(&mut waiting, 3).await, numbers("a", [3, 4, 5]));
    assert!(begun.elapsed() <= Duration::from_secs(1_000), "at its next round");
}

#[tokio::test(start_paused = true)]
async fn one_that_comes_back_after_its_lease_commits_nothing() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 4).await;
    let (first, faults, second) = two(&rig).await;
    let mut holder = first.service.subscribe(leased()).await.unwrap();
    handle(&mut holder, 1).await;
    let save = faults.hold_next(Operation::ChangeProgress, 1);
    save.held(1).await; // its save is on its way
    faults.always(Operation::RenewRunner, Fault::unavailable());
    let mut waiting = second.service.subscribe(leased()).await.unwrap();
    assert_eq!(handle(&mut waiting, 1).await, numbers("a", [1]));
    faults.stop();
    save.open();
    assert!(is_idle(holder.next()).await);
    assert_eq!(handle(&mut waiting, 3).await, numbers("a", [2, 3, 4]));
    waiting.unsubscribe().await;
    assert!(is_idle(holder.next()).await, "it takes over, and nothing is left");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_waits_says_that_the_subscription_has_stopped_and_goes_on_with_it() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 2).await;
    let (first, _, second) = two(&rig).await;
    let stops = || leased().retries(0).on_exhausted(LastResort::Stop);
    let mut holder = first.service.subscribe(stops()).await.unwrap();
    let delivered = holder.next().await.unwrap().unwrap();
    let mut waiting = second.service.subscribe(stops()).await.unwrap();
    assert!(is_idle(waiting.next()).await);
    delivered.nack(Nack::Retry { after: None }, "poison").unwrap();
    let next = timeout(Duration::from_secs(60), waiting.next()).await;
    let error = next.expect("it does not wait").unwrap_err().to_string();
    assert_eq!(error, "the subscription has stopped: poison");
    first.mails().resume().await.unwrap();
    until("it goes on", async || holder.next().await.is_ok_and(|it| it.is_some())).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(is_idle(waiting.next()).await, "it waits again");
    holder.unsubscribe().await;
    assert_eq!(take(&mut waiting, 2).await, numbers("a", [1, 2]));
}
