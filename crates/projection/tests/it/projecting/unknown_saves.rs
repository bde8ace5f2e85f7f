use super::{
    deliveries::Deliveries,
    runner_rig::{Bad, Trouble, balances, row, run, until},
};
use crate::rig::{Rig, account, deposited};
use actum_projection::OnFailure;
use actum_store_memory::MemoryTarget;
use actum_testkit::{Fault, FaultTarget, Operation};

/// Commits of which it is not known whether they were kept.
fn unknown() -> [Fault; 2] {
    [Fault::unknown_committed(), Fault::unknown_uncommitted()]
}

#[tokio::test(start_paused = true)]
async fn rows_are_exact_behind_a_commit_whose_outcome_is_unknown() {
    for fault in unknown() {
        let rig = Rig::new(1).await;
        let target = MemoryTarget::new();
        let faulty = FaultTarget::new(target.clone());
        let running = run(&rig, "a@1", balances(&faulty, &Trouble::default())).await;
        running.caught_up().await;
        faulty.faults().next(Operation::CommitTransaction, fault);
        rig.deposit(&account("a"), 10).await;
        running.caught_up().await;
        assert_eq!((row(&target, "a"), faulty.faults().left()), (Some((55, 10)), 0));
        running.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_replay_is_exact_behind_a_commit_whose_outcome_is_unknown() {
    for fault in unknown() {
        let rig = Rig::new(1).await;
        let (target, trouble) = (MemoryTarget::new(), Trouble::default());
        let faulty = FaultTarget::new(target.clone());
        rig.deposit(&account("a"), 5).await;
        trouble.set("a", 3, Bad::Fails);
        let projection = balances(&faulty, &trouble).on_failure(OnFailure::ParkEntity);
        let running = run(&rig, "a@1", projection).await;
        running.caught_up().await;
        trouble.mend();
        faulty.faults().next(Operation::CommitTransaction, fault);
        running.projection().replay_parked(None).await.unwrap();
        until("it has caught up", async || row(&target, "a") == Some((15, 5))).await;
        rig.append(&account("a"), 5, vec![deposited(100)]).await;
        running.caught_up().await;
        assert_eq!((row(&target, "a"), faulty.faults().left()), (Some((115, 6)), 0));
        assert_eq!(running.projection().status().await.unwrap().parked, 0);
        running.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_made_while_a_save_is_unknown_is_carried_out() {
    for fault in unknown() {
        let rig = Rig::new(1).await;
        let (target, trouble) = (MemoryTarget::new(), Trouble::default());
        let faulty = FaultTarget::new(target.clone());
        rig.deposit(&account("a"), 5).await;
        trouble.set("a", 3, Bad::Fails);
        let projection = balances(&faulty, &trouble).on_failure(OnFailure::ParkEntity);
        let running = run(&rig, "a@1", projection).await;
        running.caught_up().await;
        faulty.faults().next(Operation::CommitTransaction, fault);
        rig.deposit(&account("b"), 5).await;
        until("the save has failed", async || faulty.faults().left() == 0).await;
        assert_eq!(running.projection().discard_parked(None).await.unwrap(), 1);
        until("it is discarded", async || running.projection().status().await.unwrap().parked == 0)
            .await;
        running.caught_up().await;
        assert_eq!((row(&target, "a"), row(&target, "b")), (Some((3, 2)), Some((15, 5))));
        running.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn at_least_once_sees_every_event_behind_a_save_whose_outcome_is_unknown() {
    for fault in unknown() {
        let rig = Rig::new(1).await;
        let deliveries = Deliveries::default();
        let running = run(&rig, "a@1", deliveries.projection("mails")).await;
        running.caught_up().await;
        rig.faults.next(Operation::ChangeProgress, fault);
        rig.deposit(&account("a"), 10).await;
        running.caught_up().await;
        assert_eq!(deliveries.first_in_order()["a"], 10);
        assert_eq!(rig.faults.left(), 0);
        running.end().await;
    }
}
