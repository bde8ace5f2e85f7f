//! Where appended events are afterwards, and what callers and readers learn of it.

use super::{KIND, amounts, append, appending, at, booked, ledger};
use crate::{
    account::Deposit,
    rig::{Rig, account, all_wait, assert_is},
};
use actum_model::{Lane, LaneCount, Metadata, Position, SequenceNr, TraceContext};
use actum_persistence::store::{EventFilter, EventId, EventStore, JournalLayout, PageLimit};
use actum_runtime::{AppendError, AppendOptions, Expected, settings::RuntimeSettings};
use actum_store_memory::MemoryStore;
use actum_testkit::{Fault, Operation};
use std::collections::HashSet;

#[tokio::test(start_paused = true)]
async fn events_go_behind_the_number_that_is_expected_and_nowhere_else() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let november = ledger(&engine, "2026-11");
    let first = append(&november, Expected::NEW, [1, 2]).await.unwrap();
    assert_eq!(first.sequence_nr, SequenceNr::new(2));
    let error = append(&november, Expected::NEW, [7]).await.unwrap_err();
    assert_eq!(error.to_string(), "conflict: expected the stream at 0, it is at 2");
    assert_is!(append(&november, at(3), [7]).await, Err(AppendError::Conflict { actual, .. }) if actual.get() == 2);
    let second = append(&november, first.into(), [3]).await.unwrap();
    assert_eq!(second.sequence_nr, SequenceNr::new(3));
    assert_eq!(amounts(&rig, "2026-11").await, [1, 2, 3]);
    assert!(!error.is_transient() && !error.maybe_appended());
    assert_eq!(engine.usage().commands, 0);
}

#[tokio::test(start_paused = true)]
async fn receipts_say_where_events_are_and_the_lane_is_announced_before_they_come() {
    let lanes = LaneCount::new(4).unwrap();
    let rig = Rig::over(MemoryStore::with_layout(JournalLayout { lanes, ..Default::default() }));
    let engine = rig.start().await;
    let (mut count, mut used) = (0, HashSet::new());
    for n in 0..20 {
        let id = n.to_string();
        let receipt = append(&ledger(&engine, &id), Expected::NEW, [1, 2]).await.unwrap();
        account(&engine, &id).ask(Deposit(1)).await.unwrap();
        let (lane, position) = (receipt.lane, receipt.position.unwrap());
        assert!(engine.commits().lane(lane).unwrap().head() >= position);
        assert_eq!(rig.stored(KIND, &id).await.last().unwrap().position, position);
        used.insert(lane);
        count += 3;
    }
    assert_eq!(used.len(), 4, "all lanes");
    let mut ids: HashSet<EventId> = HashSet::new();
    for lane in (0..4).map(Lane::new) {
        let (filter, limit) = (EventFilter::default(), PageLimit::default());
        let page = rig.memory.read_lane(lane, Position::ZERO, &filter, limit).await.unwrap();
        for (event, position) in page.events.iter().zip(1..) {
            assert_eq!(event.event.position.get(), position, "positions are dense");
            assert_eq!(event.event.event_id.incarnation, engine.incarnation());
            ids.insert(event.event.event_id);
        }
    }
    assert_eq!(ids.len(), count, "no number is used twice");
}

#[tokio::test(start_paused = true)]
async fn metadata_is_stored_with_each_event_and_the_callers_context_adds_to_it() {
    let trace = || TraceContext::new("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let settings = RuntimeSettings::default().with_caller_context(move |metadata| {
        metadata.with_trace(trace().unwrap()).with_causation_id("the context")
    });
    let rig = Rig::new();
    let engine = rig.start_set(settings).await;
    let a = ledger(&engine, "a");
    let metadata = Metadata::new().with_correlation_id("request-7").with_header("by", "Ada");
    let given = AppendOptions { metadata: metadata.clone(), ..AppendOptions::default() };
    a.append(Expected::NEW, &booked([1, 2]), &given).await.unwrap();
    let caused = AppendOptions { cause: Some("mine".to_owned()), ..given };
    a.append(at(2), &booked([3]), &caused).await.unwrap();
    let stored = rig.stored(KIND, "a").await;
    let stored: Vec<_> = stored.iter().map(|event| event.decode_metadata().unwrap()).collect();
    let metadata = metadata.with_trace(trace().unwrap());
    let [context, mine] = ["the context", "mine"].map(|id| metadata.clone().with_causation_id(id));
    assert_eq!(stored, [context.clone(), context, mine]);
}

#[tokio::test(start_paused = true)]
async fn appends_that_expect_no_number_go_one_behind_the_other_and_all_succeed() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = ledger(&engine, "a");
    append(&a, Expected::Any, [100]).await.unwrap();
    let appends: Vec<_> = (0..50).map(|n| appending(&a, Expected::Any, n)).collect();
    let mut numbers = HashSet::new();
    for append in appends {
        numbers.insert(append.await.unwrap().unwrap().sequence_nr.get());
    }
    assert_eq!(numbers, (2..=51).collect());
    let stored: HashSet<_> = amounts(&rig, "a").await.into_iter().collect();
    assert_eq!(stored, (0..50).chain([100]).collect());
}

#[tokio::test(start_paused = true)]
async fn one_that_expects_no_number_is_sent_again_behind_another_writer_a_bounded_number_of_times()
{
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = ledger(&engine, "a");
    append(&a, Expected::NEW, [1]).await.unwrap();
    rig.faults.next_n(Operation::Append, 9, Fault::foreign_writer());
    let receipt = append(&a, Expected::Any, [2]).await.unwrap();
    assert_eq!(receipt.sequence_nr.get(), 11);
    assert_eq!(amounts(&rig, "a").await.len(), 11, "one of the engine's, and nine foreign ones");
    rig.faults.always(Operation::Append, Fault::foreign_writer());
    let calls = rig.faults.calls(Operation::Append);
    assert_is!(append(&a, Expected::Any, [2]).await, Err(AppendError::Conflict { .. }));
    assert_eq!(rig.faults.calls(Operation::Append) - calls, 10);
}

#[tokio::test(start_paused = true)]
async fn one_whose_caller_has_gone_is_not_sent_again() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = ledger(&engine, "a");
    let gate = crate::rig::Gate::closed();
    rig.faults.next(Operation::Append, Fault::foreign_writer().held_before(&gate));
    let going = appending(&a, Expected::Any, 1);
    gate.held(1).await;
    going.abort();
    all_wait().await;
    gate.open();
    all_wait().await;
    assert_eq!(rig.faults.calls(Operation::Append), 1);
    assert_eq!(engine.usage().commands, 0);
}
