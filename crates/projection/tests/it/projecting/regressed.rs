use super::runner_rig::{Running, Trouble, balances, parts, row, start, until};
use crate::rig::{Rig, account};
use actum_model::{Lane, Position, Receipt, SequenceNr};
use actum_projection::{StartAt, WaitError};
use actum_store_memory::MemoryTarget;
use actum_testkit::{Fault, FaultStore, Faults, Operation};
use std::{sync::Arc, time::Duration};

/// A projection over a journal that can be replaced, which has read ten events of `a`.
async fn caught_up(target: &MemoryTarget) -> (Running, FaultStore, Faults) {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 10).await;
    let faults = Faults::new();
    let mut parts = parts(&rig, "a@1", &faults);
    let journal = FaultStore::scripted(rig.store.clone(), &faults);
    parts.events = Arc::new(journal.clone());
    let running = start(parts, [balances(target, &Trouble::default()).into()]).await;
    running.caught_up().await;
    (running, journal, faults)
}

/// A journal of this many events of `id`.
async fn journal(id: &str, events: u64) -> Rig {
    let rig = Rig::new(1).await;
    rig.name_events_from(1_000);
    rig.deposit(&account(id), events).await;
    rig
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_regresses_while_it_is_read_stops_the_segment() {
    let target = MemoryTarget::new();
    let (running, events, _) = caught_up(&target).await;
    let shorter = journal("a", 8).await;
    events.replace(shorter.store.clone());
    assert_eq!(
        running.until_stopped().await,
        "the journal has regressed, or is another one: lane 0 ends at 8, and was read up to 10; \
         rewind the projection to where both agree, or reset it"
    );
    running.projection().resume().await.unwrap();
    running.until_stopped().await; // it is as it was
    running.projection().reset().await.unwrap();
    until("it has the rows of this journal", async || row(&target, "a") == Some((36, 8))).await;
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_has_regressed_and_grown_again_while_it_was_away_stops_the_segment() {
    let target = MemoryTarget::new();
    let (running, events, faults) = caught_up(&target).await;
    faults.always(Operation::Heads, Fault::unavailable());
    faults.always(Operation::ReadLane, Fault::unavailable());
    let calls = faults.calls(Operation::Heads);
    until("it is seen to be away", async || faults.calls(Operation::Heads) > calls + 3).await;
    let longer = journal("b", 20).await;
    events.replace(longer.store.clone());
    faults.stop();
    let why = running.until_stopped().await;
    assert!(
        why.starts_with(
            "the journal has regressed, or is another one: at 10 of lane 0 is the event"
        ),
        "{why}"
    );
    assert_eq!(row(&target, "b"), None, "nothing behind the place was handled");
    running.projection().rewind(StartAt::Now).await.unwrap();
    running.caught_up().await;
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_one_that_stopped_at_a_journal_that_has_regressed_says_so_at_once() {
    let target = MemoryTarget::new();
    let (running, events, _) = caught_up(&target).await;
    events.replace(journal("a", 8).await.store.clone());
    let why = running.until_stopped().await;
    assert_eq!(waited_for(&running, None).await, why);
    assert_eq!(waited_for(&running, Some(8)).await, why);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_one_that_stopped_at_another_journal_says_so_where_that_is_longer() {
    let target = MemoryTarget::new();
    let (running, events, faults) = caught_up(&target).await;
    faults.always(Operation::Heads, Fault::unavailable());
    let calls = faults.calls(Operation::Heads);
    until("it is seen to be away", async || faults.calls(Operation::Heads) > calls + 3).await;
    events.replace(journal("b", 20).await.store.clone());
    faults.stop();
    let why = running.until_stopped().await;
    assert_eq!(waited_for(&running, Some(8)).await, why, "that was read in the other journal");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_comes_before_the_segment_has_found_it_says_so() {
    let target = MemoryTarget::new();
    let (running, events, _) = caught_up(&target).await;
    events.replace(journal("a", 8).await.store.clone());
    let why = waited_for(&running, None).await;
    assert!(
        why.starts_with("the journal has regressed, or is another one: lane 0 ends at 8"),
        "{why}"
    );
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_a_paused_one_does_not_take_the_place_in_another_journal_for_its_own() {
    let target = MemoryTarget::new();
    let (running, events, _) = caught_up(&target).await;
    running.projection().pause().await.unwrap();
    until("it is paused", async || {
        let status = running.projection().status().await.unwrap();
        status.segments.iter().all(|segment| segment.owner.is_none())
    })
    .await;
    running.caught_up().await;
    events.replace(journal("a", 8).await.store.clone());
    for position in [None, Some(8)] {
        let why = waited_for(&running, position).await;
        assert!(why.starts_with("the journal has regressed"), "{why}");
    }
    running.end().await;
}

/// Why a wait for the end of the journal, or for a place, says that it has stopped.
async fn waited_for(running: &Running, position: Option<u64>) -> String {
    let (projection, within) = (running.projection(), Duration::from_secs(60));
    let begun = tokio::time::Instant::now();
    let waited = match position {
        None => projection.caught_up(within).await,
        Some(position) => {
            let position = Some(Position::new(position));
            let receipt = Receipt::new(SequenceNr::new(1), Lane::new(0), position);
            projection.caught_up_with(&receipt, within).await
        }
    };
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let Err(WaitError::Stopped { why, .. }) = waited else { panic!("{waited:?}") };
    why.to_string()
}
