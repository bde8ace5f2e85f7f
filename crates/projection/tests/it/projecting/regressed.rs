use super::runner_rig::{Running, Trouble, balances, parts, row, start, until};
use crate::rig::{Rig, account};
use actum_projection::StartAt;
use actum_store_memory::MemoryTarget;
use actum_testkit::{Fault, FaultStore, Faults, Operation};
use std::sync::Arc;

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
