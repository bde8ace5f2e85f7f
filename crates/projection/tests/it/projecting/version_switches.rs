//! A switch to another version that fails, or whose process dies, at each of its steps.

use super::{
    runner_rig::{Running, parts, start, until},
    version_rig::{Versions, nr},
};
use actum_projection::{ProjectionState, Switch};
use actum_testkit::{Fault, Faults, Gate, Operation};
use std::time::Duration;
use tokio::time::sleep;

/// What a switch asks the store of progress for.
const STEPS: [Operation; 5] = [
    Operation::LoadProjection,
    Operation::ListProjections,
    Operation::RenewRunner,
    Operation::ActivateProjection,
    Operation::LeaveRunner,
];

/// A process that runs the second version, which follows the first one and waits to be asked.
async fn follower(versions: &Versions, faults: &Faults) -> Running {
    let next = versions.version(2, faults).switch(Switch::WhenAsked).into();
    let new = start(parts(&versions.rig, "new@1", faults), [next]).await;
    until("it follows", async || {
        let status = new.projection().status().await;
        status.is_ok_and(|status| matches!(status.state, ProjectionState::Following { .. }))
    })
    .await;
    new
}

async fn begun(segments: u16) -> (Versions, Running) {
    let versions = Versions::new(2).await;
    let faults = Faults::new();
    let first = versions.version(1, &faults).segments(segments).into();
    let old = start(parts(&versions.rig, "old@1", &faults), [first]).await;
    old.caught_up().await;
    for id in ["a", "b", "c"] {
        versions.deposit(id, 10).await;
    }
    old.caught_up().await;
    (versions, old)
}

async fn deposits_are_handled_once(versions: &Versions) {
    for id in ["a", "b", "c", "d"] {
        versions.deposit(id, 5).await;
    }
    for version in [1, 2] {
        versions.until_complete(version).await;
    }
    versions.assert_live_once(&Default::default());
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_fails_at_any_step_is_done_or_not_and_goes_on() {
    let faults_of = [Fault::unavailable, Fault::unknown_committed, Fault::unknown_uncommitted];
    for (operation, fault) in STEPS.into_iter().flat_map(|step| faults_of.map(|of| (step, of))) {
        let (versions, old) = begun(2).await;
        let faults = Faults::new();
        let new = follower(&versions, &faults).await;
        let sums = new.service.projection("sums");
        faults.next(operation, fault());
        for id in ["a", "e"] {
            versions.deposit(id, 5).await; // while it switches
        }
        let mut ends = Vec::new();
        while ends.len() < 50 && !matches!(ends.last(), Some(Ok(()))) {
            ends.push(sums.activate(nr(2)).await);
            sleep(Duration::from_millis(100)).await;
        }
        assert!(matches!(ends.last(), Some(Ok(()))), "{operation:?}: {ends:?}");
        assert!(versions.is_active(2).await, "{operation:?}");
        assert_eq!(faults.left(), 0, "{operation:?} is a step of a switch");
        deposits_are_handled_once(&versions).await;
        new.end().await;
        old.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_switch_whose_process_dies_at_any_step_is_made_by_the_next_one() {
    for (operation, is_done) in STEPS.into_iter().flat_map(|step| [(step, false), (step, true)]) {
        let (versions, old) = begun(2).await;
        let faults = Faults::new();
        let new = follower(&versions, &faults).await;
        let gate = Gate::closed();
        let hangs = || match is_done {
            false => Fault::none().held_before(&gate),
            true => Fault::none().held_after(&gate),
        };
        faults.next(operation, hangs());
        let sums = new.service.projection("sums");
        let dies = tokio::spawn(async move { sums.activate(nr(2)).await });
        until("it has come so far", async || gate.held_now() > 0).await;
        let all = Operation::PROGRESS.into_iter().chain(Operation::TRANSACTIONS);
        all.for_each(|operation| faults.always(operation, Fault::none().held_before(&gate)));
        versions.deposit("a", 5).await;
        let again = versions.run("new@2", &[2]).await;
        versions.until_active(2).await;
        deposits_are_handled_once(&versions).await;
        // it was not dead: nothing that it still does is kept
        faults.stop();
        gate.open();
        let _ = dies.await.unwrap();
        deposits_are_handled_once(&versions).await;
        assert!(versions.is_active(2).await, "{operation:?}");
        new.end().await;
        again.end().await;
        old.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_processes_that_switch_at_once_one_does_and_both_go_on() {
    for _ in 0..20 {
        let (versions, old) = begun(4).await;
        let all = [versions.run("x@1", &[1, 2]).await, versions.run("y@1", &[2]).await];
        versions.until_active(2).await;
        deposits_are_handled_once(&versions).await;
        sleep(Duration::from_secs(60)).await;
        let stored = versions.stored(2).await.unwrap();
        assert!(stored.segments.iter().all(|segment| segment.owner.is_some()), "{stored:?}");
        let former = versions.stored(1).await.unwrap();
        let runners: Vec<_> = former.runners.iter().map(|row| &*row.name).collect();
        assert_eq!(runners, ["old@1", "x@1"], "nothing of a switch is left");
        for running in all {
            running.end().await;
        }
        old.end().await;
    }
}
