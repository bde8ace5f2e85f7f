//! A store that fails, or does not say what it has done, leads to no event twice and to an honest answer.

use super::{SECOND, amounts, append, appending, at, ledger};
use crate::rig::{Rig, all_wait, assert_is};
use actum_persistence::{group_commit::GroupCommitSettings, store::StoreError};
use actum_runtime::{AppendError, Expected, settings::RuntimeSettings};
use actum_testkit::{Fault, Operation};
use std::error::Error;
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_found_out_and_no_event_is_there_twice() {
    for (fault, is_stored) in [
        (Fault::unknown_committed(), true),
        (Fault::unknown_until_resolved(), true),
        (Fault::unknown_uncommitted(), false),
        (Fault::panic(), false),
    ] {
        let rig = Rig::new();
        let engine = rig.start().await;
        let a = ledger(&engine, "a");
        rig.faults.next(Operation::Append, fault);
        let first = append(&a, Expected::NEW, [1]).await;
        match first {
            Ok(receipt) => assert!(is_stored && receipt.position.is_some()),
            Err(error) => {
                assert!(!is_stored && !error.maybe_appended() && error.is_transient());
                assert_is!(error, AppendError::Unavailable { .. });
            }
        }
        let expected = u64::from(is_stored);
        assert_eq!(append(&a, at(expected), [2]).await.unwrap().sequence_nr.get(), expected + 1);
        assert_eq!(amounts(&rig, "a").await.len() as u64, expected + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_be_found_out_is_unknown_and_those_behind_it_were_not_sent() {
    let rig = Rig::new();
    let group_commit = GroupCommitSettings::default().with_resolve_attempts_max(1);
    let settings = RuntimeSettings::default().with_group_commit(group_commit);
    let engine = rig.start_set(settings).await;
    let a = ledger(&engine, "a");
    let gate = crate::rig::Gate::closed();
    rig.faults.next(Operation::Append, Fault::unknown_committed().held_after(&gate));
    rig.faults.next(Operation::Resolve, Fault::unavailable());
    let first = appending(&a, Expected::NEW, 1);
    gate.held(1).await;
    let behind = appending(&a, at(1), 2);
    all_wait().await;
    gate.open();
    let error = first.await.unwrap().unwrap_err();
    assert_is!(&error, AppendError::OutcomeUnknown { source: Some(_), .. });
    assert!(error.maybe_appended() && error.is_transient());
    let error = behind.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "unavailable: the outcome of an append before it is unknown");
    assert!(error.source().is_some() && !error.maybe_appended());
    // the retry of the first is in conflict with itself
    assert_is!(append(&a, Expected::NEW, [1]).await, Err(AppendError::Conflict { .. }));
    assert_eq!(amounts(&rig, "a").await, [1]);
}

#[tokio::test(start_paused = true)]
async fn while_an_outcome_is_unknown_and_the_store_away_appends_to_other_streams_fail_at_once() {
    let rig = Rig::new();
    let engine = rig.start().await;
    rig.faults.next(Operation::Append, Fault::unknown_committed());
    rig.faults.always(Operation::Resolve, Fault::unavailable());
    let first = appending(&ledger(&engine, "a"), Expected::NEW, 1);
    all_wait().await;
    let begun = Instant::now();
    for id in ["b", "c"] {
        let error = append(&ledger(&engine, id), Expected::NEW, [1]).await.unwrap_err();
        assert_is!(error, AppendError::Unavailable { source: Some(_), .. });
    }
    assert_eq!(begun.elapsed(), std::time::Duration::ZERO);
    assert!(!first.is_finished());
    rig.faults.stop();
    sleep(10 * SECOND).await;
    first.await.unwrap().unwrap();
    assert_eq!((amounts(&rig, "a").await, amounts(&rig, "b").await), (vec![1], vec![]));
}

#[tokio::test(start_paused = true)]
async fn when_the_store_fails_an_append_those_behind_it_fail_too() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = ledger(&engine, "a");
    let gate = crate::rig::Gate::closed();
    rig.faults.next(Operation::Append, Fault::unavailable().held_before(&gate));
    let appends: Vec<_> = (0..3).map(|n| appending(&a, Expected::NEW, n)).collect();
    gate.held(1).await;
    gate.open();
    for append in appends {
        assert_is!(append.await.unwrap(), Err(AppendError::Unavailable { source: Some(_), .. }));
    }
    assert_eq!(rig.faults.calls(Operation::Append), 1);
    append(&a, Expected::NEW, [7]).await.unwrap();
    assert_eq!(amounts(&rig, "a").await, [7]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_store_is_named_and_nothing_helps_but_a_person() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = ledger(&engine, "a");
    rig.faults.next(Operation::Append, Fault::fail(StoreError::lost("`bank.db` was removed")));
    for _ in 0..2 {
        let error = append(&a, Expected::NEW, [1]).await.unwrap_err();
        assert!(!error.is_transient() && !error.maybe_appended());
        let text = format!("{error:#}");
        assert_eq!(text, "unavailable: the store failed: the store is lost: `bank.db` was removed");
        engine.lost().await;
    }
    assert_eq!(rig.faults.calls(Operation::Append), 1);
}
