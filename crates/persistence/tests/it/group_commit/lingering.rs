//! On one thread it is certain who runs when: what the writer waits for, and what not, shows in its batches.

use super::{
    recorder::results,
    writer::{JournalCalls, lane_writer, store_next},
    writes::{all, append},
};
use actum_persistence::{group_commit::LaneQueue, store::EntityAppend};
use std::{future::poll_fn, ops::RangeInclusive, sync::Arc, task::Poll};
use tokio::{sync::oneshot, task::yield_now};

type Queue = Arc<LaneQueue<EntityAppend, u32>>;

/// Lets everyone run until no one can.
async fn rest() {
    for _ in 0..10 {
        yield_now().await;
    }
}

/// Lets those run who can run now, once; tokio's `yield_now` lets them run until no one can.
async fn give_way() {
    let mut gave = false;
    poll_fn(|context| {
        if gave {
            return Poll::Ready(());
        }
        gave = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Submits a write in each of its first `writes` turns, and goes on until the store is called; says how many turns it
/// had.
async fn take_turns(queue: Queue, calls: JournalCalls, writes: u32) -> (u32, JournalCalls) {
    let mut turns = 0;
    while calls.is_empty() && turns < 100 {
        turns += 1;
        if turns <= writes {
            queue.submit([(append(turns), turns)]);
        }
        give_way().await;
    }
    (turns, calls)
}

/// Starts a task for each of `ids` that waits for the one before it, and writes then.
async fn chain(queue: &Queue, ids: RangeInclusive<u32>) -> oneshot::Sender<()> {
    let (start, mut before) = oneshot::channel();
    for id in ids {
        let (queue, (done, after)) = (Arc::clone(queue), oneshot::channel());
        tokio::spawn(async move {
            before.await.unwrap();
            queue.submit([(append(id), id)]);
            done.send(()).ok();
        });
        before = after;
    }
    rest().await;
    start
}

#[tokio::test(start_paused = true)]
async fn tasks_that_can_write_now_share_a_commit() {
    let (writer, mut calls, mut notices) = lane_writer();
    rest().await;
    writer.queue().submit([(append(1), 1)]); // the writer runs next, before the others
    for id in 2..=50 {
        let queue = Arc::clone(writer.queue());
        tokio::spawn(async move { queue.submit([(append(id), id)]) });
    }
    assert_eq!(store_next(&mut calls).await, Vec::from_iter(1..=50));
    assert_eq!(results(&mut notices).await, all(1..=50, "at 1"));
}

#[tokio::test(start_paused = true)]
async fn tasks_that_let_each_other_write_share_a_commit() {
    let (writer, mut calls, mut notices) = lane_writer();
    chain(writer.queue(), 1..=5).await.send(()).unwrap();
    assert_eq!(store_next(&mut calls).await, [1, 2, 3, 4, 5]);
    assert_eq!(results(&mut notices).await, all(1..=5, "at 1"));
}

#[tokio::test(start_paused = true)]
async fn a_single_write_waits_for_no_one() {
    let (writer, calls, mut notices) = lane_writer();
    rest().await;
    let bystander = tokio::spawn(take_turns(Arc::clone(writer.queue()), calls, 1));
    let (turns, mut calls) = bystander.await.unwrap();
    assert_eq!(turns, 2, "it submits, and is asked once whether there is more");
    assert_eq!(store_next(&mut calls).await, [1]);
    assert_eq!(results(&mut notices).await, all([1], "at 1"));
}

#[tokio::test(start_paused = true)]
async fn those_who_always_have_more_to_write_hold_no_batch_back() {
    let (writer, calls, mut notices) = lane_writer();
    rest().await;
    let insatiable = tokio::spawn(take_turns(Arc::clone(writer.queue()), calls, u32::MAX));
    let (turns, mut calls) = insatiable.await.unwrap();
    assert!((2..20).contains(&turns), "the batch left after {turns} turns");
    assert_eq!(store_next(&mut calls).await, Vec::from_iter(1..=turns));
    assert_eq!(results(&mut notices).await, all(1..=turns, "at 1"));
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_large_enough_waits_for_no_one() {
    // one less and it lets the other come first
    for (waiting, first) in [(63, 1..=65), (64, 1..=64)] {
        let (writer, mut calls, mut notices) = lane_writer();
        rest().await;
        writer.queue().submit((1..=waiting).map(|id| (append(id), id))); // the writer runs next, before the other
        let queue = Arc::clone(writer.queue());
        tokio::spawn(async move { queue.submit((waiting + 1..=65).map(|id| (append(id), id))) });
        assert_eq!(store_next(&mut calls).await, Vec::from_iter(first), "{waiting}");
        results(&mut notices).await;
    }
}
