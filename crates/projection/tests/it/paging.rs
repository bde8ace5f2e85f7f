//! When pages are read.

use crate::{
    account::Account,
    rig::{Rig, account, at_most, positions, rest},
};
use actum_persistence::store::{PageLimit, StoreError};
use actum_projection::ReadError;
use actum_testkit::{Fault, Operation};
use futures_util::FutureExt;
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::{task::JoinHandle, time::timeout};

/// Lets tasks of this thread run until they have nothing to do.
async fn let_tasks_run() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn nothing_is_read_before_it_is_asked_for() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 3).await;
    let journal = rig.journal();
    let (history, events) = (journal.history::<Account>("a"), journal.stored_events());
    let list = journal.entities("account");
    let_tasks_run().await;
    drop((history, events, list));
    assert_eq!(rig.faults.counts(), Default::default());
}

#[tokio::test]
async fn the_next_page_is_read_while_this_one_is_handled_and_no_other() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 50).await;
    let mut history = rig.journal().history::<Account>("a").page_limit(at_most(10));
    assert!(history.next().await.unwrap().is_some());
    let_tasks_run().await;
    assert_eq!(rig.calls(Operation::ReadEntities), 2, "this page and the next");
    for _ in 1..10 {
        history.next().await.unwrap();
    }
    let_tasks_run().await;
    assert_eq!(rig.calls(Operation::ReadEntities), 2, "the page was handed out to its end");
    history.next().await.unwrap();
    let_tasks_run().await;
    assert_eq!(rig.calls(Operation::ReadEntities), 3);
}

#[tokio::test]
async fn a_page_that_is_not_wanted_any_more_is_not_waited_for() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 20).await;
    rig.faults.next(Operation::ReadEntities, Fault::none());
    let gate = rig.faults.hold_next(Operation::ReadEntities, 1);
    let mut history = rig.journal().history::<Account>("a").page_limit(at_most(10));
    assert!(history.next().await.unwrap().is_some());
    timeout(Duration::from_secs(10), gate.held(1)).await.expect("the next page is read ahead");
    drop(history);
    let_tasks_run().await;
    assert_eq!(gate.held_now(), 0, "the read has ended");
}

#[tokio::test]
async fn a_future_that_is_dropped_loses_no_event() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 6).await;
    let mut history = rig.journal().history::<Account>("a").page_limit(at_most(2));
    let mut numbers = Vec::new();
    for _ in 0..3 {
        let gate = rig.faults.hold_next(Operation::ReadEntities, 1);
        let mut dropped = 0;
        while numbers.len() < 6 {
            let mut next = pin!(history.next());
            let polled = std::future::poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx))).await;
            match polled {
                Poll::Ready(event) => {
                    let Some(event) = event.unwrap() else { break };
                    numbers.push(event.sequence_nr.get());
                }
                Poll::Pending if dropped < 3 => dropped += 1,
                Poll::Pending => break,
            }
        }
        gate.open();
        let_tasks_run().await;
    }
    while let Some(event) = history.next().await.unwrap() {
        numbers.push(event.sequence_nr.get());
    }
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_of_many_tasks_do_not_hold_each_other_up() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 500).await;
    let journal = rig.journal();
    let readers: Vec<JoinHandle<usize>> = (0..20)
        .map(|_| {
            let mut history = journal.history::<Account>("a").page_limit(at_most(7));
            tokio::spawn(async move {
                let mut count = 0;
                while history.next().await.unwrap().is_some() {
                    count += 1;
                }
                count
            })
        })
        .collect();
    for reader in readers {
        let counted = timeout(Duration::from_secs(60), reader).await;
        assert_eq!(counted.expect("it ends").unwrap(), 500);
    }
}

#[tokio::test]
async fn a_panic_of_the_store_reaches_the_one_who_reads() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 1).await;
    rig.faults.next(Operation::ReadEntities, Fault::panic());
    let mut history = rig.journal().history::<Account>("a");
    let failed = AssertUnwindSafe(history.next()).catch_unwind().await;
    assert!(failed.is_err(), "it panics");
    for _ in 0..2 {
        let error = history.next().await.expect_err("it has not come to the end");
        assert!(format!("{error:#}").contains("without an answer"), "{error:#}");
    }
}

#[test]
fn outside_of_a_runtime_nothing_is_lost() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let rig = runtime.block_on(Rig::new(1));
    runtime.block_on(rig.deposit(&account("a"), 1));
    let mut history = rig.journal().history::<Account>("a");
    {
        let mut next = pin!(history.next());
        let mut cx = Context::from_waker(Waker::noop());
        catch_unwind(AssertUnwindSafe(|| next.as_mut().poll(&mut cx))).expect_err("it panics");
    }
    assert!(runtime.block_on(history.next()).unwrap().is_some());
}

#[tokio::test]
async fn what_is_set_after_the_first_read_changes_nothing() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 4).await;
    rig.faults.next(Operation::Heads, Fault::unavailable());
    let mut events = rig.journal().stored_events();
    assert!(events.next().await.is_err());
    let mut events = events.after(rig.journal().heads().await.unwrap());
    assert_eq!(positions(events.offset()), [0]);
    assert_eq!(rest(&mut events).await.unwrap().len(), 4);
}

#[tokio::test]
async fn pages_that_no_reader_may_ask_for_are_refused() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 1).await;
    for limit in [
        at_most(100_001),
        PageLimit::default().with_bytes(0),
        PageLimit::default().with_bytes(usize::MAX),
    ] {
        let history =
            rig.journal().history::<Account>("a").page_limit(limit).next().await.map(drop);
        let events = rig.journal().stored_events().page_limit(limit).next().await.map(drop);
        for refused in [history, events] {
            assert!(
                matches!(refused, Err(ReadError::Store(StoreError::Invalid { .. }))),
                "{refused:?}"
            );
        }
    }
}
