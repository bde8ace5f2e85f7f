//! A projection is stopped in one process, and started there again.

use super::{
    deliveries::Deliveries,
    dividing::nr,
    runner_rig::{Bad, Running, Trouble, balances, parts, row, run, start, until},
    version_rig::{Versions, nr as version, state_of},
};
use crate::rig::{Rig, account};
use actum_model::{Lane, Position};
use actum_persistence::progress::{KeepsProgress, ProgressStore, ProjectionId, StoredProjection};
use actum_projection::{NotDivided, ProjectionError, ProjectionState, WaitError};
use actum_store_memory::MemoryTarget;
use actum_testkit::{Fault, FaultTarget, Faults, Gate, Operation};
use std::{num::NonZeroU32, time::Duration};
use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_secs(60);
const LEASE: Duration = Duration::from_secs(10);

async fn stored(target: &MemoryTarget) -> StoredProjection {
    let id = ProjectionId::new("balances", NonZeroU32::MIN).unwrap();
    target.load(&id).await.unwrap().unwrap()
}

fn owners(stored: &StoredProjection) -> Vec<Option<&str>> {
    stored.segments.iter().map(|segment| segment.owner.as_deref()).collect()
}

async fn until_all_are_run_by(target: &MemoryTarget, runner: &str) {
    until("all segments are run by it", async || {
        owners(&stored(target).await).iter().all(|owner| *owner == Some(runner))
    })
    .await;
}

fn assert_stopped_here(waited: Result<(), WaitError>) {
    let error = waited.unwrap_err();
    assert!(matches!(error, WaitError::StoppedHere { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the projection `balances` was stopped in this process, and no other runs it"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_stopped_here_is_given_back_and_run_by_others_until_it_is_started_again() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    let projection = || balances(&target, &trouble).segments(4);
    let a = run(&rig, "a@1", projection()).await;
    a.caught_up().await;
    until_all_are_run_by(&target, "a@1").await;
    let b = run(&rig, "b@1", projection()).await;
    until("they share", async || owners(&stored(&target).await).contains(&Some("b@1"))).await;

    a.projection().stop().await.unwrap();
    let kept = stored(&target).await;
    assert!(!owners(&kept).contains(&Some("a@1")), "{:?}", owners(&kept));
    assert!(kept.runners.iter().all(|runner| &*runner.name == "b@1"), "{:?}", kept.runners);
    assert_eq!(a.state().await, ProjectionState::StoppedHere);
    assert_eq!(b.state().await, ProjectionState::Running);
    until_all_are_run_by(&target, "b@1").await;
    rig.deposit(&account("a"), 5).await;
    a.projection().caught_up(MINUTE).await.unwrap();
    assert_eq!(row(&target, "a"), Some((15, 5)), "by what the other one has saved");

    a.projection().start().await.unwrap();
    assert_ne!(a.state().await, ProjectionState::StoppedHere);
    until("they share", async || owners(&stored(&target).await).contains(&Some("a@1"))).await;
    b.projection().stop().await.unwrap();
    until_all_are_run_by(&target, "a@1").await;
    rig.deposit(&account("b"), 5).await;
    b.projection().caught_up(MINUTE).await.unwrap();
    a.end().await;
    b.end().await;
}

#[tokio::test(start_paused = true)]
async fn wait_for_what_no_process_runs_says_so_at_once() {
    let rig = Rig::new(1).await;
    let target = MemoryTarget::new();
    let running = run(&rig, "a@1", balances(&target, &Trouble::default())).await;
    rig.deposit(&account("a"), 5).await;
    running.caught_up().await;
    running.projection().stop().await.unwrap();
    running.projection().caught_up(MINUTE).await.expect("it has handled all there is");
    rig.deposit(&account("b"), 5).await;
    let began = Instant::now();
    assert_stopped_here(running.projection().caught_up(MINUTE).await);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(row(&target, "b"), None);
    running.projection().start().await.unwrap();
    running.caught_up().await;
    assert_eq!(row(&target, "b"), Some((15, 5)));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn wait_for_what_only_a_process_has_run_that_is_dead_says_so_within_a_lease() {
    let rig = Rig::new(1).await;
    let (target, faults) = (MemoryTarget::new(), Faults::new());
    let trouble = Trouble::default();
    let b = run(&rig, "b@1", balances(&target, &trouble)).await;
    b.caught_up().await;
    let of_a = FaultTarget::scripted(target.clone(), &faults);
    let a = start(parts(&rig, "a@1", &faults), [balances(&of_a, &trouble).into()]).await;
    until("it has entered", async || stored(&target).await.runners.len() == 2).await;
    let gate = Gate::closed();
    faults.always(Operation::RenewRunner, Fault::none().held_before(&gate));
    b.projection().stop().await.unwrap();
    rig.deposit(&account("a"), 5).await;
    let began = Instant::now();
    assert_stopped_here(b.projection().caught_up(10 * MINUTE).await);
    assert!(began.elapsed() <= LEASE + Duration::from_secs(1), "{:?}", began.elapsed());
    drop((gate, a));
    b.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_was_stopped_before_it_has_begun_begins_when_it_is_started() {
    let rig = Rig::new(1).await;
    let (target, faults) = (MemoryTarget::new(), Faults::new());
    let away = FaultTarget::scripted(target.clone(), &faults);
    faults.always(Operation::EnterProjection, Fault::unavailable());
    let projection = balances(&away, &Trouble::default()).into();
    let running = start(parts(&rig, "a@1", &faults), [projection]).await;
    sleep(MINUTE).await;
    running.projection().stop().await.unwrap();
    faults.stop();
    assert_stopped_here(running.projection().caught_up(MINUTE).await);
    sleep(MINUTE).await;
    let refused = running.projection().status().await;
    let said = "the projection `balances` has no progress yet: it was stopped in this process";
    assert_eq!(refused.unwrap_err().to_string(), said);
    running.projection().start().await.unwrap();
    running.caught_up().await;
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn handler_that_hangs_keeps_a_stop_for_a_bounded_time_and_its_batch_is_undone() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    rig.deposit(&account("a"), 10).await;
    trouble.set("a", 7, Bad::Hangs);
    let running = run(&rig, "a@1", balances(&target, &trouble)).await;
    until("its handler hangs", async || trouble.tries() == 7).await;
    let begun = Instant::now();
    running.projection().stop().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(7), "{:?}", begun.elapsed());
    assert_eq!(row(&target, "a"), None, "the batch is undone");
    trouble.mend();
    running.projection().start().await.unwrap();
    running.caught_up().await;
    assert_eq!(row(&target, "a"), Some((55, 10)));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn stop_in_the_middle_of_a_round_returns_too_and_so_does_a_shutdown() {
    for is_shutdown in [false, true] {
        let rig = Rig::new(1).await;
        let deliveries = Deliveries::default();
        let gate = rig.faults.hold_next(Operation::ClaimSegment, 1);
        rig.deposit(&account("a"), 3).await;
        let running = run(&rig, "a@1", deliveries.projection("mails")).await;
        gate.held(1).await; // behind the renewal of the round
        if is_shutdown {
            tokio::time::timeout(MINUTE, running.end()).await.expect("it ends");
            continue;
        }
        let projection = running.projection();
        tokio::time::timeout(MINUTE, projection.stop()).await.expect("it stops").unwrap();
        assert_eq!(running.state().await, ProjectionState::StoppedHere);
        gate.open();
        projection.start().await.unwrap();
        running.caught_up().await;
        running.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn stop_that_is_given_up_counts_and_so_does_the_last_of_many_calls() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    let running = run(&rig, "a@1", balances(&target, &trouble)).await;
    running.caught_up().await;
    let projection = running.projection();
    for _ in 0..2 {
        projection.stop().await.unwrap();
        assert_eq!(running.state().await, ProjectionState::StoppedHere);
    }
    for _ in 0..2 {
        projection.start().await.unwrap();
        running.caught_up().await;
    }
    // dropped in the middle
    let stop = projection.stop();
    assert!(tokio::time::timeout(Duration::ZERO, stop).await.is_err());
    until("it is stopped", async || running.state().await == ProjectionState::StoppedHere).await;

    for last_is_start in [true, false, true] {
        let calls = |start: bool| {
            let projection = projection.clone();
            async move {
                match start {
                    true => projection.start().await.unwrap(),
                    false => projection.stop().await.unwrap(),
                }
            }
        };
        let last = last_is_start;
        tokio::join!(
            calls(last),
            calls(!last),
            calls(!last),
            calls(last),
            calls(!last),
            calls(last)
        );
        let is_stopped = async || running.state().await == ProjectionState::StoppedHere;
        until("it is as it was asked last", async || is_stopped().await != last).await;
        sleep(MINUTE).await;
        assert_ne!(is_stopped().await, last);
    }
    rig.deposit(&account("a"), 3).await;
    running.caught_up().await;
    assert_eq!(row(&target, "a"), Some((6, 3)));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn stop_and_start_return_when_the_engine_ends() {
    for stops_first in [true, false] {
        let rig = Rig::new(1).await;
        let (target, trouble) = (MemoryTarget::new(), Trouble::default());
        rig.deposit(&account("a"), 10).await;
        trouble.set("a", 7, Bad::Hangs);
        let running = run(&rig, "a@1", balances(&target, &trouble)).await;
        until("its handler hangs", async || trouble.tries() == 7).await;
        let projection = running.projection();
        let (stop, end) = (projection.stop(), async { running.place.end() });
        if stops_first {
            let (stopped, ()) = tokio::join!(stop, end);
            stopped.unwrap();
        } else {
            let ((), stopped) = tokio::join!(end, stop);
            stopped.unwrap();
        }
        until("it has ended", async || running.state().await == ProjectionState::Ended).await;
        projection.stop().await.expect("it does not run");
        let refused = projection.start().await.unwrap_err();
        let said = "the engine was shut down, and the projection `balances` with it";
        assert_eq!(refused.to_string(), said);
        assert_eq!(stored(&target).await.runners, [], "it has left");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_stopped_keeps_what_it_needs_and_no_more() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    let a = run(&rig, "a@1", balances(&target, &trouble)).await;
    rig.deposit(&account("a"), 5).await;
    a.caught_up().await;
    a.projection().stop().await.unwrap();
    rig.deposit(&account("b"), 5).await;
    sleep(MINUTE).await;
    let read_to = |running: &Running| running.place.read_to(Lane::default());
    assert_eq!(read_to(&a), Position::new(5), "no one has handled the rest");
    let b = run(&rig, "b@1", balances(&target, &trouble)).await;
    b.caught_up().await;
    sleep(MINUTE).await;
    assert_eq!(read_to(&a), Position::new(10), "another process has");
    b.projection().rewind(actum_projection::StartAt::Beginning).await.unwrap();
    b.projection().pause().await.unwrap();
    sleep(MINUTE).await;
    assert!(read_to(&a) < Position::new(10), "it is to be read again");
    a.end().await;
    b.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_is_started_while_it_fails_is_tried_again() {
    let rig = Rig::new(1).await;
    let faults = Faults::new();
    let leaving = faults.hold_next(Operation::LeaveRunner, 1);
    let stored = rig.other_sources("balances").await;
    let kept_there = Deliveries::default().projection("balances");
    let running = start(parts(&rig, "a@1", &faults), [kept_there.into()]).await;
    leaving.held(1).await; // it has failed, and has not ended
    assert!(matches!(running.state().await, ProjectionState::Failed { .. }));
    rig.store.progress().delete(&stored).await.unwrap();
    running.projection().start().await.unwrap();
    leaving.open();
    until("it runs", async || {
        let status = running.projection().status().await;
        status.is_ok_and(|status| status.state == ProjectionState::Running)
    })
    .await;
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_has_failed_is_tried_again_when_it_is_started() {
    let rig = Rig::new(1).await;
    let faults = Faults::new();
    let stored = rig.other_sources("balances").await;
    let kept_there = Deliveries::default().projection("balances");
    let running = start(parts(&rig, "a@1", &faults), [kept_there.into()]).await;
    let failed = running.projection().caught_up(MINUTE).await;
    assert!(matches!(failed, Err(WaitError::Stopped { .. })), "{failed:?}");
    running.projection().start().await.unwrap();
    until("it fails again", async || {
        matches!(running.state().await, ProjectionState::Failed { .. })
    })
    .await;
    running.projection().stop().await.unwrap();
    assert_eq!(running.state().await, ProjectionState::StoppedHere);
    rig.store.progress().delete(&stored).await.unwrap();
    running.projection().start().await.unwrap();
    running.caught_up().await;
    assert_eq!(running.state().await, ProjectionState::Running);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_is_stopped_here_is_not_divided_from_here() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    let a = run(&rig, "a@1", balances(&target, &trouble)).await;
    a.caught_up().await;
    let b = run(&rig, "b@1", balances(&target, &trouble)).await;
    b.caught_up().await;
    a.projection().stop().await.unwrap();
    let refused = a.projection().divide(nr(4)).await;
    let Err(ProjectionError::NotDivided { why, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(why, NotDivided::StoppedHere);
    assert_eq!(b.projection().divide(nr(4)).await.unwrap(), 4);
    a.projection().start().await.unwrap();
    assert_eq!(a.projection().divide(nr(2)).await.unwrap(), 2);
    a.end().await;
    b.end().await;
}

#[tokio::test(start_paused = true)]
async fn version_that_is_stopped_takes_over_when_it_is_started_and_the_others_follow_no_further_than_it_has_come()
 {
    let versions = Versions::new(2).await;
    let first = versions.run("a@1", &[1]).await;
    first.caught_up().await;
    versions.deposit("a", 20).await;
    first.caught_up().await;
    first.end().await;
    let both = versions.run("a@2", &[1, 2]).await;
    let new = both.service.projection("sums").version(version(2));
    new.stop().await.unwrap();
    versions.deposit("a", 5).await;
    versions.until_complete(1).await;
    sleep(MINUTE).await;
    assert!(versions.is_active(1).await && !versions.is_active(2).await);
    new.start().await.unwrap();
    versions.until_active(2).await;
    versions.until_complete(2).await;

    new.stop().await.unwrap();
    assert_eq!(state_of(&both, 2).await, ProjectionState::StoppedHere);
    versions.deposit("a", 5).await;
    sleep(MINUTE).await;
    assert!(versions.is_active(2).await);
    assert_eq!([1, 2].map(|version| versions.sum(version, "a")), [Some(25), Some(25)]);
    new.start().await.unwrap();
    for version in [1, 2] {
        versions.until_complete(version).await;
    }
    let expected = [vec![vec![1]; 25], vec![vec![2]; 5]].concat();
    assert_eq!(versions.live("a"), expected);
    both.end().await;
}
