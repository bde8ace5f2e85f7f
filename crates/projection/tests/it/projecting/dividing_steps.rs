//! A division that fails, or whose process dies, at each of its steps.

use super::{
    dividing::nr,
    runner_rig::{Bad, Running, Trouble, balances, row, run, until},
};
use crate::rig::{Rig, account, deposited};
use actum_persistence::progress::{ProgressStore, ProjectionId, StoredProjection};
use actum_projection::{NotDivided, ProjectionError};
use actum_store_memory::MemoryTarget;
use actum_testkit::{Fault, FaultTarget, Faults, Gate, Operation};
use std::{num::NonZeroU32, time::Duration};
use tokio::time::sleep;

/// What a division asks the store of progress for.
const STEPS: [Operation; 7] = [
    Operation::LoadProjection,
    Operation::RenewRunner,
    Operation::ClaimSegment,
    Operation::ReleaseSegment,
    Operation::ListParked,
    Operation::DivideSegments,
    Operation::LeaveRunner,
];

/// A projection of four segments, one of which waits at its first event, and a process beside the one that runs it.
struct Begun {
    rig: Rig,
    target: MemoryTarget,
    trouble: Trouble,
    events: u64,
    old: Running,
    faults: Faults,
    new: Running,
}

impl Begun {
    async fn new() -> Self {
        let (rig, target, trouble) = (Rig::new(2).await, MemoryTarget::new(), Trouble::default());
        let old = run(&rig, "old@1", balances(&target, &trouble).segments(4)).await;
        until("it has begun", async || old.projection().status().await.is_ok()).await;
        trouble.set("a0", 1, Bad::Unavailable);
        let faults = Faults::new();
        let faulty = FaultTarget::scripted(target.clone(), &faults);
        let new = run(&rig, "new@1", balances(&faulty, &trouble)).await;
        let mut begun = Self { rig, target, trouble, events: 0, old, faults, new };
        begun.deposit(20).await;
        sleep(Duration::from_secs(20)).await;
        let segments = begun.stored().await.segments;
        assert!(segments.iter().all(|one| one.owner.is_some()), "{segments:?}");
        begun.trouble.mend();
        begun
    }

    async fn deposit(&mut self, count: u64) {
        for id in 0..9 {
            let events = (0..count).map(|_| deposited(1)).collect();
            self.rig.append(&account(&format!("a{id}")), self.events, events).await;
        }
        self.events += count;
    }

    async fn stored(&self) -> StoredProjection {
        let id = ProjectionId::new("balances", NonZeroU32::MIN).unwrap();
        self.target.load(&id).await.unwrap().unwrap()
    }

    async fn until_complete(&self) {
        let is_complete =
            |id: u32| row(&self.target, &format!("a{id}")) == Some((self.events, self.events));
        until("the rows are complete", async || (0..9).all(is_complete)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_division_that_fails_at_any_step_is_done_or_not_and_goes_on() {
    let faults_of = [Fault::unavailable, Fault::unknown_committed, Fault::unknown_uncommitted];
    for (operation, fault) in STEPS.into_iter().flat_map(|step| faults_of.map(|of| (step, of))) {
        let mut begun = Begun::new().await;
        begun.faults.next(operation, fault());
        let by = begun.new.projection();
        let division = tokio::spawn(async move { by.divide(nr(3)).await });
        begun.deposit(5).await; // while it is divided
        let divided = division.await.unwrap();
        assert_eq!(divided.unwrap(), 3, "{operation:?}");
        assert_eq!(begun.faults.left(), 0, "{operation:?} is a step of a division");
        begun.deposit(5).await;
        begun.until_complete().await;
        begun.new.end().await;
        begun.old.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_division_whose_process_dies_at_any_step_keeps_no_one_from_going_on_and_dividing() {
    for (operation, is_done) in STEPS.into_iter().flat_map(|step| [(step, false), (step, true)]) {
        let mut begun = Begun::new().await;
        let gate = Gate::closed();
        let hangs = || match is_done {
            false => Fault::none().held_before(&gate),
            true => Fault::none().held_after(&gate),
        };
        begun.faults.next(operation, hangs());
        let by = begun.new.projection();
        let dies = tokio::spawn(async move { by.divide(nr(3)).await });
        until("it has come so far", async || gate.held_now() > 0).await;
        let all = Operation::PROGRESS.into_iter().chain(Operation::TRANSACTIONS);
        all.for_each(|operation| begun.faults.always(operation, Fault::none().held_before(&gate)));
        begun.deposit(5).await;
        begun.until_complete().await; // the other process goes on by itself
        let mut ends = Vec::new();
        while !matches!(ends.last(), Some(Ok(2))) {
            assert!(ends.len() < 30, "{operation:?}: {ends:?}");
            sleep(Duration::from_secs(1)).await;
            ends.push(begun.old.projection().divide(nr(2)).await);
            let is_refused = |end: &Result<usize, ProjectionError>| {
                matches!(
                    end,
                    Err(ProjectionError::NotDivided { why: NotDivided::InProgress { .. }, .. })
                )
            };
            assert!(
                ends.iter().all(|end| end.is_ok() || is_refused(end)),
                "{operation:?}: {ends:?}"
            );
        }
        begun.deposit(5).await;
        begun.until_complete().await;
        // it was not dead: nothing that it still does is kept
        begun.faults.stop();
        gate.open();
        let _ = dies.await.unwrap();
        begun.deposit(5).await;
        begun.until_complete().await;
        sleep(Duration::from_secs(60)).await;
        let stored = begun.stored().await;
        assert!(stored.segments.iter().all(|one| one.owner.is_some()), "{operation:?}: {stored:?}");
        begun.new.end().await;
        begun.old.end().await;
    }
}
