use super::runner_rig::{Bad, Trouble, balances, row, run, until};
use crate::rig::{Rig, account, deposited};
use actum_model::Lane;
use actum_projection::{ProjectionState, StartAt};
use actum_store_memory::MemoryTarget;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn rows_are_the_fold_of_the_journal() {
    let rig = Rig::new(2).await;
    let target = MemoryTarget::new();
    for nr in 0..50 {
        rig.deposit(&account(&format!("a{nr}")), 10).await;
    }
    let running = run(&rig, "a@1", balances(&target, &Trouble::default()).segments(4)).await;
    running.caught_up().await;
    for nr in 0..50 {
        assert_eq!(row(&target, &format!("a{nr}")), Some((55, 10)));
    }
    // what comes later
    rig.append(&account("a7"), 10, vec![deposited(100)]).await;
    running.caught_up().await;
    assert_eq!(row(&target, "a7"), Some((155, 11)));
    let status = running.projection().status().await.unwrap();
    assert_eq!(
        (status.handled, status.lag.events, status.state),
        (501, 0, ProjectionState::Running)
    );
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_where_it_was() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    rig.deposit(&account("a"), 10).await;
    let running = run(&rig, "a@1", balances(&target, &trouble)).await;
    running.caught_up().await;
    running.end().await;
    rig.append(&account("a"), 10, vec![deposited(7)]).await;
    let running = run(&rig, "a@2", balances(&target, &trouble)).await;
    running.caught_up().await;
    assert_eq!(row(&target, "a"), Some((62, 11)));
    assert_eq!(trouble.tries(), 11);
    running.end().await;
    assert_eq!(rig.lane_of(&account("a")), Lane::new(0));
}

#[tokio::test(start_paused = true)]
async fn what_begins_now_sees_what_comes_later_alone() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    rig.deposit(&account("a"), 3).await;
    let running = run(&rig, "a@1", balances(&target, &trouble).start_at(StartAt::Now)).await;
    running.caught_up().await;
    assert_eq!(trouble.tries(), 0);
    rig.deposit(&account("b"), 3).await;
    running.caught_up().await;
    assert_eq!((row(&target, "a"), row(&target, "b")), (None, Some((6, 3))));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_reset_removes_the_rows_and_handles_everything_again() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    rig.deposit(&account("a"), 10).await;
    let running = run(&rig, "a@1", balances(&target, &trouble).segments(3)).await;
    running.caught_up().await;
    running.projection().reset().await.unwrap();
    running.caught_up().await;
    assert_eq!(row(&target, "a"), Some((55, 10)));
    assert_eq!(trouble.tries(), 20);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_target_of_a_catch_up_stays_where_the_journal_ended_and_is_over_when_it_is_reached() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    rig.deposit(&account("a"), 10).await;
    trouble.set("a", 7, Bad::Unavailable);
    let running = run(&rig, "a@1", balances(&target, &trouble)).await;
    for resets in [false, true] {
        if resets {
            running.projection().reset().await.unwrap();
        }
        let behind = if resets { 5 } else { 0 };
        until("it waits in the middle", async || {
            let status = running.projection().status().await;
            status.is_ok_and(|status| matches!(status.state, ProjectionState::Waiting { .. }))
        })
        .await;
        rig.deposit(&account(if resets { "c" } else { "b" }), 5).await;
        until("the journal is known to have grown", async || {
            let status = running.projection().status().await.unwrap();
            let read = status.segments[0].offset.position(Lane::new(0)).get();
            read + status.lag.events == 15 + behind
        })
        .await;
        let catch_up = running.projection().status().await.unwrap().catch_up.unwrap();
        assert!(catch_up.read <= 6 && catch_up.target == 10 + behind, "{catch_up:?}");
        trouble.mend();
        running.caught_up().await;
        assert_eq!(running.projection().status().await.unwrap().catch_up, None);
        trouble.set("a", 7, Bad::Unavailable);
    }
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_for_those_who_start_later() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    let running = run(&rig, "a@1", balances(&target, &trouble)).await;
    running.caught_up().await;
    running.projection().pause().await.unwrap();
    running.end().await;
    rig.deposit(&account("a"), 10).await;
    let running = run(&rig, "a@2", balances(&target, &trouble)).await;
    let waited = running.projection().caught_up(Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(waited.to_string(), "the projection `balances` is paused");
    assert_eq!((running.state().await, trouble.tries()), (ProjectionState::Paused, 0));
    running.projection().resume().await.unwrap();
    running.caught_up().await;
    assert_eq!(row(&target, "a"), Some((55, 10)));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn events_of_others_move_the_offset() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    let running = run(&rig, "a@1", balances(&target, &trouble)).await;
    for nr in 0..100 {
        rig.deposit(&crate::rig::entity("other", &format!("o{nr}")), 100).await;
    }
    running.caught_up().await;
    let status = running.projection().status().await.unwrap();
    assert_eq!((status.lag.events, status.lag.age, status.handled), (0, Some(Duration::ZERO), 0));
    running.end().await;
    let running = run(&rig, "a@2", balances(&target, &trouble)).await;
    until("the offset is known to be saved", async || {
        running.place.read_to(Lane::new(0)).get() == 10_000
    })
    .await;
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_comes_within_a_batch_interval_is_handled_together() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    let interval = Duration::from_secs(5);
    let projection = balances(&target, &trouble).batch_interval(interval);
    let running = run(&rig, "a@1", projection).await;
    rig.deposit(&account("a"), 1).await;
    running.caught_up().await;
    let began = tokio::time::Instant::now();
    for nr in 1..=3 {
        rig.append(&account("a"), nr, vec![deposited(1)]).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(row(&target, "a"), Some((1, 1)), "it waits for more");
    }
    running.caught_up().await;
    assert_eq!(row(&target, "a"), Some((4, 4)));
    assert!(began.elapsed() <= interval, "{:?}", began.elapsed());
    running.end().await;
}
