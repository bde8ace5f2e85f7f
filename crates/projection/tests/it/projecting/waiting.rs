use super::runner_rig::{Bad, Trouble, balances, row, run};
use crate::rig::{Rig, account};
use actum_model::{Lane, Position, Receipt, SequenceNr};
use actum_projection::{OnFailure, WaitError};
use actum_store_memory::MemoryTarget;
use std::time::Duration;

fn receipt(position: u64) -> Receipt {
    Receipt::new(SequenceNr::new(1), Lane::new(0), Some(Position::new(position)))
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_caller_reads_its_own_write() {
    let rig = Rig::new(1).await;
    let target = MemoryTarget::new();
    let running = run(&rig, "a@1", balances(&target, &Trouble::default()).segments(4)).await;
    for nr in 1..=20 {
        rig.deposit(&account(&format!("a{nr}")), 1).await;
        running.projection().caught_up_with(&receipt(nr), MINUTE).await.unwrap();
        assert_eq!(row(&target, &format!("a{nr}")), Some((1, 1)));
    }
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_in_time() {
    let rig = Rig::new(1).await;
    let running = run(&rig, "a@1", balances(&MemoryTarget::new(), &Trouble::default())).await;
    let waited = running.projection().caught_up_with(&receipt(1), MINUTE).await.unwrap_err();
    assert_eq!(waited.to_string(), "the projection `balances` has not caught up within 60s");
    let without = Receipt::new(SequenceNr::new(1), Lane::new(0), None);
    let waited = running.projection().caught_up_with(&without, MINUTE).await;
    assert!(matches!(waited, Err(WaitError::NoPosition)), "{waited:?}");
    let elsewhere = Receipt::new(SequenceNr::new(1), Lane::new(7), Some(Position::new(1)));
    let waited = running.projection().caught_up_with(&elsewhere, MINUTE).await.unwrap_err();
    let words = "the receipt is of lane 7, and the journal has 1, counted from 0";
    assert_eq!(waited.to_string(), words);
    let unknown = running.service.projection("totals").caught_up(MINUTE).await.unwrap_err();
    assert_eq!(unknown.to_string(), "the engine has no projection `totals`");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_what_has_stopped_or_is_parked_says_so_at_once() {
    for (policy, error) in [
        (
            OnFailure::Stop,
            "the projection `balances` has stopped: event 1 of account/a failed 6 times: poison",
        ),
        (
            OnFailure::ParkEntity,
            "the projection `balances` holds back the events of the entity: poison",
        ),
    ] {
        let rig = Rig::new(1).await;
        let (target, trouble) = (MemoryTarget::new(), Trouble::default());
        trouble.set("a", 1, Bad::Fails);
        let running = run(&rig, "a@1", balances(&target, &trouble).on_failure(policy)).await;
        rig.deposit(&account("a"), 2).await;
        let waited = running.projection().caught_up_with(&receipt(2), MINUTE).await.unwrap_err();
        assert_eq!(waited.to_string(), error);
        if policy == OnFailure::ParkEntity {
            rig.deposit(&account("b"), 1).await;
            running.projection().caught_up_with(&receipt(3), MINUTE).await.unwrap();
        }
        running.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_handled_before_the_segment_stopped_is_there() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    trouble.set("b", 1, Bad::Fails);
    let running = run(&rig, "a@1", balances(&target, &trouble)).await;
    rig.deposit(&account("a"), 2).await;
    rig.deposit(&account("b"), 1).await;
    running.until_stopped().await;
    running.projection().caught_up_with(&receipt(2), MINUTE).await.unwrap();
    let waited = running.projection().caught_up(MINUTE).await;
    assert!(matches!(waited, Err(WaitError::Stopped { .. })), "{waited:?}");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_does_not_wait_for_others_when_a_segment_has_stopped() {
    for (stops, waits) in [("a", "b"), ("b", "a")] {
        let rig = Rig::new(1).await;
        let trouble = Trouble::default();
        trouble.set(stops, 1, Bad::Fails);
        trouble.set(waits, 1, Bad::Unavailable);
        let running =
            run(&rig, "a@1", balances(&MemoryTarget::new(), &trouble).segments(256)).await;
        rig.deposit(&account("a"), 1).await;
        rig.deposit(&account("b"), 1).await;
        let waited = running.projection().caught_up(MINUTE).await;
        assert!(matches!(waited, Err(WaitError::Stopped { .. })), "{stops}: {waited:?}");
        running.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_may_have_all_the_time_there_is() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 1).await;
    let running = run(&rig, "a@1", balances(&MemoryTarget::new(), &Trouble::default())).await;
    running.projection().caught_up(Duration::MAX).await.unwrap();
    running.end().await;
}
