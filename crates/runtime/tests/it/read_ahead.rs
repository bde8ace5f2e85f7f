//! The next page of events is on its way while the one before is taken in.

use crate::{
    account::{Balance, DepositAll},
    rig::{Rig, account, all_wait, assert_is},
};
use actum_persistence::store::PageLimit;
use actum_runtime::{AskError, Runtime, settings::RuntimeSettings};
use actum_testkit::{Damage, Fault, Operation};

/// An engine that reads two events at a time, and has not read the account `a` of that many yet.
async fn start(rig: &Rig, events: usize) -> Runtime {
    let engine = rig.start().await;
    account(&engine, "a").ask(DepositAll(vec![1; events])).await.unwrap();
    assert!(engine.shutdown().await.is_clean());
    rig.faults.reset_counts();
    let page = PageLimit::default().with_events(2.try_into().unwrap());
    rig.start_set(RuntimeSettings::default().with_page(page)).await
}

#[tokio::test(start_paused = true)]
async fn a_page_is_asked_for_before_the_one_before_it_is_taken_in() {
    let rig = Rig::new();
    let engine = start(&rig, 5).await;
    // then taking the first page in fails, and only what was asked for before that was read
    rig.faults.next(Operation::Recover, Fault::damaged_event(Damage::Bytes));
    assert_is!(account(&engine, "a").ask(Balance).await, Err(AskError::Corrupt { .. }));
    all_wait().await;
    assert_eq!(rig.faults.calls(Operation::ReadEntities), 1);
}

#[tokio::test(start_paused = true)]
async fn no_page_is_asked_for_twice_or_behind_the_last_event() {
    for (events, further_pages) in [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2)] {
        let rig = Rig::new();
        let engine = start(&rig, events).await;
        assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), events as u64);
        all_wait().await;
        assert_eq!(rig.faults.calls(Operation::ReadEntities), further_pages, "{events} events");
    }
}
