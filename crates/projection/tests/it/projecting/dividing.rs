//! The segments of a projection are split and merged while it runs.

use super::{
    deliveries::Deliveries,
    runner_rig::{Bad, Running, Trouble, balances, parts, row, run, start, until},
};
use crate::rig::{Rig, account, deposited, positions};
use actum_persistence::{
    progress::{ProgressStore, ProjectionId, StoredProjection},
    store::EventStore,
};
use actum_projection::{
    NotDivided, OnFailure, ProjectionError, ProjectionSettings, ProjectionState, ProjectionStatus,
};
use actum_store_memory::MemoryTarget;
use actum_testkit::{Fault, FaultTarget, Gate, Operation};
use std::{
    num::{NonZeroU16, NonZeroU32},
    time::Duration,
};
use tokio::time::{Instant, sleep};

pub(crate) fn nr(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}

const ACCOUNTS: u64 = 20;

/// Deposits to all accounts, which have that many events so far.
async fn deposit_to_all(rig: &Rig, before: u64, count: u64) {
    for id in 0..ACCOUNTS {
        let events = (before + 1..=before + count).map(deposited).collect();
        rig.append(&account(&format!("a{id}")), before, events).await;
    }
}

fn assert_rows(target: &MemoryTarget, count: u64) {
    for id in 0..ACCOUNTS {
        assert_eq!(row(target, &format!("a{id}")), Some((count * (count + 1) / 2, count)), "a{id}");
    }
}

async fn stored(target: &MemoryTarget) -> StoredProjection {
    let id = ProjectionId::new("balances", NonZeroU32::MIN).unwrap();
    target.load(&id).await.unwrap().unwrap()
}

async fn status(running: &Running) -> ProjectionStatus {
    running.projection().status().await.unwrap()
}

async fn why(running: &Running, count: u16) -> NotDivided {
    match running.projection().divide(nr(count)).await {
        Err(ProjectionError::NotDivided { why, .. }) => why,
        other => panic!("it is not to be divided: {other:?}"),
    }
}

/// Waits until all segments have an owner.
async fn until_owned(running: &Running) {
    until("all segments run", async || {
        status(running).await.segments.iter().all(|segment| segment.owner.is_some())
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn rows_are_those_of_all_events_however_it_is_divided_while_they_come() {
    for lanes in [1, 3] {
        let (rig, target) = (Rig::new(lanes).await, MemoryTarget::new());
        let mut processes = Vec::new();
        for name in ["a@1", "b@1", "c@1"] {
            processes.push(run(&rig, name, balances(&target, &Trouble::default())).await);
        }
        let mut count = 0;
        for (turn, segments) in [8, 3, 5, 1, 256, 7, 2].into_iter().enumerate() {
            let by = processes[turn % 3].projection();
            let division = tokio::spawn(async move { by.divide(nr(segments)).await });
            while !division.is_finished() {
                deposit_to_all(&rig, count, 1).await;
                count += 1;
                sleep(Duration::from_millis(100)).await;
            }
            let made = division.await.unwrap();
            assert_eq!(made.unwrap(), usize::from(segments));
            let segments: Vec<_> = stored(&target).await.segments;
            let shown = status(&processes[0]).await.segments;
            let partitions = segments.iter().map(|one| one.segment.partitions());
            assert!(shown.iter().map(|one| one.partitions.clone()).eq(partitions));
        }
        processes[1].caught_up().await;
        assert_rows(&target, count);
        // what was only skipped is saved within a second
        until("no one is behind", async || status(&processes[2]).await.lag.events == 0).await;
        let status = status(&processes[2]).await;
        assert_eq!((status.handled, status.eta), (ACCOUNTS * count, Some(Duration::ZERO)));
        assert_eq!(status.state, ProjectionState::Running);
        for process in processes {
            process.end().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn in_a_quiet_system_nothing_is_delivered_twice_by_a_division() {
    let (rig, deliveries) = (Rig::new(2).await, Deliveries::default());
    let a = run(&rig, "a@1", deliveries.projection("mails")).await;
    let b = run(&rig, "b@1", deliveries.projection("mails")).await;
    let mut count = 0;
    for segments in [6, 2, 5, 1] {
        let by = a.projection();
        let division = tokio::spawn(async move { by.divide(nr(segments)).await });
        while !division.is_finished() {
            deposit_to_all(&rig, count, 1).await;
            count += 1;
            sleep(Duration::from_millis(150)).await;
        }
        division.await.unwrap().unwrap();
    }
    b.caught_up().await;
    assert_eq!(deliveries.all().len() as u64, ACCOUNTS * count);
    assert!(deliveries.first_in_order().values().all(|last| *last == count));
    a.end().await;
    b.end().await;
}

/// A projection of two segments, of which one waits at its first event and the other one has handled 30 each.
async fn at_two_places(lanes: u16, waits: Bad) -> (Rig, MemoryTarget, Trouble, Running) {
    let (rig, target, trouble) = (Rig::new(lanes).await, MemoryTarget::new(), Trouble::default());
    deposit_to_all(&rig, 0, 30).await;
    trouble.set("a0", 1, waits);
    let faulty = FaultTarget::scripted(target.clone(), &rig.faults);
    let running = run(&rig, "a@1", balances(&faulty, &trouble).segments(2)).await;
    until("it has begun", async || running.projection().status().await.is_ok()).await;
    until("one is at the head", async || {
        let heads = positions(&EventStore::heads(&rig.store).await.unwrap());
        let segments = stored(&target).await.segments;
        segments.iter().any(|one| positions(one.progress.offset()) == heads)
    })
    .await;
    (rig, target, trouble, running)
}

#[tokio::test(start_paused = true)]
async fn one_that_is_behind_reads_exactly_as_far_as_the_other_before_both_are_merged() {
    for lanes in [1, 3] {
        let (rig, target, trouble, running) = at_two_places(lanes, Bad::Unavailable).await;
        let saved: Vec<_> = stored(&target)
            .await
            .segments
            .iter()
            .map(|one| positions(one.progress.offset()))
            .collect();
        assert_ne!(saved[0], saved[1], "they are at two places");
        trouble.mend();
        let (claims, divided) = (Gate::closed(), Gate::closed());
        rig.faults.next(Operation::ClaimSegment, Fault::none().held_before(&claims));
        rig.faults.next(Operation::DivideSegments, Fault::none().held_after(&divided));
        let by = running.projection();
        let division = tokio::spawn(async move { by.divide(nr(1)).await });
        until("they rest, and one is to read on", async || claims.held_now() > 0).await;
        deposit_to_all(&rig, 30, 1).await; // behind that place
        claims.open();
        until("they are merged", async || divided.held_now() > 0).await;
        let merged = stored(&target).await.segments.remove(0);
        let furthest: Vec<_> =
            saved[0].iter().zip(&saved[1]).map(|(one, other)| *one.max(other)).collect();
        assert_eq!(positions(merged.progress.offset()), furthest);
        assert_eq!(merged.handled, ACCOUNTS * 30);
        assert_rows(&target, 30);
        divided.open();
        assert_eq!(division.await.unwrap().unwrap(), 1);
        running.caught_up().await;
        assert_rows(&target, 31);
        running.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_keeps_a_segment_from_being_merged_is_said_at_once() {
    let (_rig, target, trouble, running) = at_two_places(1, Bad::Fails).await;
    running.until_stopped().await;
    let begun = Instant::now();
    let NotDivided::Stopped { why: stopped, .. } = why(&running, 1).await else {
        panic!("stopped")
    };
    assert_eq!(&*stopped, "event 1 of account/a0 failed 6 times: poison");
    assert_eq!(running.projection().divide(nr(4)).await.unwrap(), 4, "it can be split");
    assert_eq!(
        stored(&target).await.segments.iter().filter(|one| one.stopped.is_some()).count(),
        2
    );
    running.projection().pause().await.unwrap();
    running.projection().resume().await.unwrap();
    running.projection().pause().await.unwrap();
    let NotDivided::Paused { .. } = why(&running, 1).await else { panic!("paused") };
    assert_eq!(running.projection().divide(nr(8)).await.unwrap(), 8, "while it is paused, too");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    trouble.mend();
    running.projection().resume().await.unwrap();
    running.caught_up().await;
    assert_eq!(running.projection().divide(nr(1)).await.unwrap(), 1);
    assert_rows(&target, 30);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_catch_up_is_waited_for_within_a_bound_and_the_others_go_on() {
    let (rig, target, _trouble, running) = at_two_places(1, Bad::Unavailable).await;
    let begun = Instant::now();
    let NotDivided::TooSlow { .. } = why(&running, 1).await else { panic!("too slow") };
    assert!(begun.elapsed() < Duration::from_secs(32), "{:?}", begun.elapsed());
    assert_eq!(stored(&target).await.segments.len(), 2);
    until_owned(&running).await;
    deposit_to_all(&rig, 30, 1).await;
    until("the other one goes on", async || {
        (0..ACCOUNTS).any(|id| row(&target, &format!("a{id}")) == Some((496, 31)))
    })
    .await;
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_does_not_return_is_waited_for_within_a_bound() {
    let (rig, target, trouble) = (Rig::new(1).await, MemoryTarget::new(), Trouble::default());
    trouble.set("a0", 1, Bad::Hangs);
    let mut settings = ProjectionSettings::default();
    settings.handler_timeout = Duration::from_secs(600);
    let running = run(&rig, "a@1", balances(&target, &trouble).settings(settings)).await;
    deposit_to_all(&rig, 0, 2).await;
    until("it hangs", async || trouble.tries() > 0).await;
    assert_eq!(why(&running, 4).await, NotDivided::Busy);
    assert_eq!(stored(&target).await.segments.len(), 1);
    assert!(stored(&target).await.runners.iter().all(|row| &*row.name == "a@1"), "no one rests");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn of_two_who_divide_at_once_one_does_and_the_other_is_told_who() {
    for turn in 0..20 {
        let (rig, target) = (Rig::new(1).await, MemoryTarget::new());
        let a = run(&rig, "a@1", balances(&target, &Trouble::default())).await;
        let b = run(&rig, "b@1", balances(&target, &Trouble::default())).await;
        deposit_to_all(&rig, 0, 5).await;
        a.caught_up().await;
        let others = if turn % 2 == 0 { a.projection() } else { b.projection() };
        let (one, other) = (a.projection(), others);
        let wait = Duration::from_millis(turn * 7);
        let ended = tokio::join!(one.divide(nr(4)), async {
            sleep(wait).await;
            other.divide(nr(3)).await
        });
        let made = stored(&target).await.segments.len();
        match ended {
            (Ok(4), Err(ProjectionError::NotDivided { why, .. })) => {
                assert_eq!((made, why), (4, NotDivided::InProgress { runner: "a@1".into() }));
            }
            (Err(ProjectionError::NotDivided { why, .. }), Ok(3)) => {
                assert_eq!((made, why), (3, NotDivided::InProgress { runner: "b@1".into() }));
            }
            // one was done when the other began
            (Ok(4), Ok(3)) => assert_eq!(made, 3),
            other => panic!("{other:?}"),
        }
        until_owned(&a).await;
        a.end().await;
        b.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn programs_with_different_numbers_of_segments_keep_those_that_are_there() {
    let (rig, target) = (Rig::new(1).await, MemoryTarget::new());
    let old = run(&rig, "old@1", balances(&target, &Trouble::default()).segments(2)).await;
    old.caught_up().await;
    let new = run(&rig, "new@1", balances(&target, &Trouble::default()).segments(8)).await;
    deposit_to_all(&rig, 0, 3).await;
    sleep(Duration::from_secs(60)).await;
    let before = stored(&target).await;
    assert_eq!(before.segments.len(), 2, "as it was entered first");
    sleep(Duration::from_secs(600)).await;
    assert_eq!(stored(&target).await.epochs(), before.epochs(), "nothing moves");
    assert_eq!(new.projection().divide(nr(8)).await.unwrap(), 8);
    until_owned(&new).await;
    let before = stored(&target).await;
    sleep(Duration::from_secs(600)).await;
    assert_eq!(stored(&target).await.epochs(), before.epochs(), "nothing moves");
    assert_rows(&target, 3);
    new.end().await;
    old.end().await;
}

#[tokio::test(start_paused = true)]
async fn parked_entities_and_dead_letters_are_replayed_by_the_segments_that_have_them_now() {
    let rig = Rig::new(2).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    for id in ["a3", "a8", "a13"] {
        trouble.set(id, 2, Bad::Fails);
    }
    let park = balances(&target, &trouble).on_failure(OnFailure::ParkEntity);
    let running = run(&rig, "a@1", park.segments(3)).await;
    let deliveries = Deliveries::default();
    deliveries.trouble.set("a5", 4, Bad::Fails);
    let skip = deliveries.projection("mails").on_failure(OnFailure::SkipToDeadLetters);
    let mails = run(&rig, "m@1", skip.segments(2)).await;
    deposit_to_all(&rig, 0, 3).await;
    running.caught_up().await;
    for (before, segments) in (3..).zip([7, 2, 1, 4]) {
        running.projection().divide(nr(segments)).await.unwrap();
        mails.projection().divide(nr(segments)).await.unwrap();
        deposit_to_all(&rig, before, 1).await;
        running.caught_up().await;
    }
    mails.caught_up().await;
    assert_eq!((status(&running).await.parked, status(&mails).await.dead_letters), (3, 1));
    assert_eq!(row(&target, "a8"), Some((1, 1)));
    trouble.mend();
    deliveries.trouble.mend();
    let (parked, letters) = (running.projection(), mails.projection());
    assert_eq!(parked.replay_parked(None).await.unwrap(), 3);
    assert_eq!(letters.replay_dead_letters(None).await.unwrap(), 1);
    parked.divide(nr(2)).await.unwrap();
    letters.divide(nr(3)).await.unwrap();
    until("all are replayed", async || {
        (status(&running).await.parked, status(&mails).await.dead_letters) == (0, 0)
    })
    .await;
    assert_rows(&target, 7);
    assert_eq!(deliveries.all().iter().filter(|it| (&*it.id, it.nr) == ("a5", 4)).count(), 1);
    running.end().await;
    mails.end().await;
}

#[tokio::test(start_paused = true)]
async fn where_live_begins_stays_as_it_is() {
    let (rig, deliveries) = (Rig::new(2).await, Deliveries::default());
    deposit_to_all(&rig, 0, 10).await;
    deliveries.trouble.set_all(Bad::Unavailable);
    let running = run(&rig, "a@1", deliveries.projection("mails").segments(2)).await;
    until("it waits", async || deliveries.trouble.tries() > 0).await;
    running.projection().divide(nr(5)).await.unwrap();
    deposit_to_all(&rig, 10, 10).await;
    deliveries.trouble.mend();
    running.caught_up().await;
    running.projection().divide(nr(1)).await.unwrap();
    deposit_to_all(&rig, 20, 10).await;
    running.caught_up().await;
    let all = deliveries.all();
    assert_eq!(all.len() as u64, ACCOUNTS * 30);
    for delivery in all {
        assert_eq!(delivery.is_replay, delivery.nr <= 10, "{delivery:?}");
    }
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_meanwhile_is_done() {
    let (rig, target) = (Rig::new(2).await, MemoryTarget::new());
    let a = run(&rig, "a@1", balances(&target, &Trouble::default())).await;
    let b = run(&rig, "b@1", balances(&target, &Trouble::default())).await;
    deposit_to_all(&rig, 0, 5).await;
    a.caught_up().await;
    for (turn, segments) in [4, 1, 6, 2, 5, 3].into_iter().enumerate() {
        let (by, asked) = (a.projection(), b.projection());
        let ask = async {
            sleep(Duration::from_millis(300 * turn as u64)).await;
            if turn % 2 == 0 {
                asked.reset().await.unwrap();
            } else {
                asked.pause().await.unwrap();
                sleep(Duration::from_millis(500)).await;
                asked.resume().await.unwrap();
            }
        };
        let (divided, ()) = tokio::join!(by.divide(nr(segments)), ask);
        match divided {
            Ok(made) => assert_eq!(made, usize::from(segments)),
            Err(ProjectionError::NotDivided { why: NotDivided::Paused { .. }, .. }) => {}
            Err(error) => panic!("{error}"),
        }
        until("all is handled", async || {
            (0..ACCOUNTS).all(|id| row(&target, &format!("a{id}")) == Some((15, 5)))
        })
        .await;
    }
    a.end().await;
    b.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_divided_is_said_in_words() {
    let (rig, target) = (Rig::new(1).await, MemoryTarget::new());
    let running = run(&rig, "a@1", balances(&target, &Trouble::default())).await;
    running.caught_up().await;
    let said = async |name: &str, count| {
        running.service.projection(name).divide(nr(count)).await.unwrap_err().to_string()
    };
    assert_eq!(
        said("balances", 257).await,
        "the projection `balances` was not divided: the journal has 256 partitions, and each segment has one at least"
    );
    assert_eq!(
        said("subscription:mails", 2).await,
        "the projection `subscription:mails` was not divided: a durable subscription has one segment"
    );
    assert_eq!(said("nothing", 2).await, "the engine has no projection `nothing`");
    let projection = running.projection();
    running.end().await;
    let ended = projection.divide(nr(2)).await.unwrap_err().to_string();
    assert_eq!(ended, "the projection `balances` was not divided: the engine shuts down");
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_run_is_not_divided() {
    let rig = Rig::new(1).await;
    rig.other_sources("mails").await;
    let mails = Deliveries::default().projection("mails").into();
    let running = start(parts(&rig, "a@1", &rig.faults), [mails]).await;
    until("it has failed", async || {
        matches!(running.state().await, ProjectionState::Failed { .. })
    })
    .await;
    let refused = running.projection().divide(nr(2)).await.unwrap_err();
    assert!(matches!(&refused, ProjectionError::Failed { .. }), "{refused}");
}
