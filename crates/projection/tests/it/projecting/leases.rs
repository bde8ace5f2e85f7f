use super::{
    deliveries::Deliveries,
    runner_rig::{Bad, Trouble, balances, parts, row, run, start, until},
};
use crate::rig::{Rig, account, deposited};
use actum_persistence::progress::{ExactTarget, ProjectionId};
use actum_projection::{Projection, ProjectionSettings, Projector};
use actum_store_memory::MemoryTarget;
use actum_testkit::{Fault, FaultTarget, Faults, Operation};
use std::{
    num::{NonZeroU16, NonZeroU32},
    time::Duration,
};
use tokio::time::Instant;

/// A lease that is longer than any test waits for a hand-over that is to be at once.
fn long_lease<P: Projector>(projection: Projection<P>) -> Projection<P> {
    let mut settings = ProjectionSettings::default();
    settings.lease = Duration::from_secs(3_600);
    settings.batch_events = 10;
    projection.settings(settings)
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_in_the_middle_of_a_batch_undoes_it_in_time_and_hands_over_at_once() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    rig.deposit(&account("a"), 10).await;
    trouble.set("a", 7, Bad::Hangs);
    let running = run(&rig, "a@1", long_lease(balances(&target, &trouble))).await;
    until("its handler hangs", async || trouble.tries() == 7).await;
    let begun = Instant::now();
    running.end().await;
    assert!(begun.elapsed() < Duration::from_secs(7), "{:?}", begun.elapsed());
    assert_eq!(row(&target, "a"), None, "the batch is undone");
    trouble.mend();
    let running = run(&rig, "b@1", long_lease(balances(&target, &trouble))).await;
    running.projection().caught_up(Duration::from_secs(5)).await.unwrap();
    assert_eq!(row(&target, "a"), Some((55, 10)));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_behind_a_slow_event_keeps_what_was_handled() {
    let rig = Rig::new(1).await;
    let deliveries = Deliveries::default();
    let running = run(&rig, "a@1", long_lease(deliveries.projection("mails"))).await;
    running.caught_up().await;
    let gate = rig.faults.hold_next(Operation::ChangeProgress, 1);
    rig.deposit(&account("a"), 10).await;
    gate.held(1).await;
    running.place.end();
    gate.open();
    running.end().await;
    rig.append(&account("a"), 10, vec![deposited(1)]).await;
    let running = run(&rig, "b@1", long_lease(deliveries.projection("mails"))).await;
    running.projection().caught_up(Duration::from_secs(5)).await.unwrap();
    let numbers: Vec<_> = deliveries.all().into_iter().map(|delivery| delivery.nr).collect();
    assert_eq!(numbers, (1..=11).collect::<Vec<_>>(), "none comes again");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_was_on_its_way_when_the_segment_was_taken_keeps_nothing() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    let faulty = FaultTarget::new(target.clone());
    let running = run(&rig, "a@1", balances(&faulty, &trouble)).await;
    running.caught_up().await;
    let commit = faulty.faults().hold_next(Operation::CommitTransaction, 1);
    rig.deposit(&account("a"), 10).await;
    commit.held(1).await;
    let id = ProjectionId::new("balances", NonZeroU32::MIN).unwrap();
    target.progress().leave(&id, "a@1").await.unwrap(); // it gets another epoch
    commit.open();
    rig.append(&account("a"), 10, vec![deposited(1)]).await;
    running.caught_up().await;
    assert_eq!((row(&target, "a"), trouble.tries()), (Some((56, 11)), 21), "ten came twice");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_runner_whose_renewals_hang_handles_nothing_behind_its_lease() {
    let rig = Rig::new(1).await;
    let deliveries = Deliveries::default();
    let faults = Faults::new();
    let projection = deliveries.projection("mails");
    let running = start(parts(&rig, "a@1", &faults), [projection.into()]).await;
    running.caught_up().await;
    let renewals = faults.hold_next(Operation::RenewRunner, 1_000);
    renewals.held(1).await;
    tokio::time::sleep(ProjectionSettings::default().lease).await;
    rig.deposit(&account("a"), 3).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(deliveries.all().len(), 0, "others may have taken over");
    renewals.open();
    faults.stop();
    running.caught_up().await;
    assert_eq!(deliveries.all().len(), 3);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn claims_that_take_longer_than_a_lease_together_let_no_lease_lapse() {
    let (rig, deliveries) = (Rig::new(1).await, Deliveries::default());
    let mut settings = ProjectionSettings::default();
    settings.segments = NonZeroU16::new(4).unwrap();
    let lease = settings.lease;
    let slow = async {
        for _ in 0..4 {
            let gate = rig.faults.hold_next(Operation::ClaimSegment, 1);
            gate.held(1).await;
            tokio::time::sleep(lease * 2 / 5).await;
            gate.open();
        }
    };
    let projection = deliveries.projection("mails").settings(settings);
    let running = async { run(&rig, "a@1", projection).await };
    let (running, ()) = tokio::join!(running, slow);
    rig.deposit(&account("a"), 3).await;
    running.caught_up().await;
    assert_eq!(rig.calls(Operation::ClaimSegment), 4, "none had to be claimed again");
    assert!(rig.calls(Operation::RenewRunner) >= 4);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_segment_whose_save_is_unknown_is_claimed_again_within_a_second_whatever_the_lease() {
    let rig = Rig::new(1).await;
    let deliveries = Deliveries::default();
    let running = run(&rig, "a@1", long_lease(deliveries.projection("mails"))).await;
    running.caught_up().await;
    rig.faults.next(Operation::ChangeProgress, Fault::unknown_uncommitted());
    rig.deposit(&account("a"), 3).await;
    running.projection().caught_up(Duration::from_secs(1)).await.unwrap();
    assert_eq!(deliveries.all().len(), 6);
    running.end().await;
}
