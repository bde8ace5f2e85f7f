//! A partition that is stuck in a handler: each caller that waits for it ends in time, and learns what happened.
//!
//! On other threads than the engine's; no test depends on how fast the machine is. Where deadlines pass time stands still
//! until the test moves it on; the others wait for what must happen, in real time.

use crate::{
    account::Deposit,
    blocked::{Block, Count, Look, PATIENCE, Stage, Touch, in_still_time, pass},
    listener::Listener,
    rig::assert_is,
};
use actum_runtime::{AskError, settings::RuntimeSettings};
use actum_testkit::Operation;
use std::{future::IntoFuture, time::Duration};
use tokio::time::timeout;
use tracing::Level;

const SHORT: Duration = Duration::from_millis(100);

/// Asks whose timeouts play no part.
fn patient() -> RuntimeSettings {
    RuntimeSettings::default().with_ask_timeout(2 * PATIENCE)
}

/// What an ask ends in, which must not hang.
async fn end<T>(asking: impl Future<Output = T>) -> T {
    timeout(PATIENCE, asking).await.expect("an ask ends at its deadline")
}

#[test]
fn asks_end_at_their_deadlines_while_a_handler_blocks() {
    in_still_time(patient(), async |stage| {
        stage.block(0);
        let blocking = stage.entity("a").ask(Block(1)).timeout(SHORT).into_future();
        let behind = stage.entity("b").ask(Touch).timeout(SHORT).into_future();
        let look = stage.entity("b").state().timeout(SHORT).into_future();
        stage.entity("b").ask(Touch).timeout(SHORT).tell().unwrap();
        stage.latches.open(0);
        stage.latches.entered(1); // the others were taken into its turn
        let in_inbox = stage.entity("b").ask(Touch).timeout(SHORT).into_future();
        pass(SHORT).await;
        assert_is!(end(blocking).await, Err(AskError::Timeout { maybe_applied: true }));
        assert_is!(end(behind).await, Err(AskError::Timeout { maybe_applied: false }));
        assert_is!(end(look).await, Err(AskError::Timeout { maybe_applied: false }));
        assert_is!(end(in_inbox).await, Err(AskError::Timeout { maybe_applied: false }));
        assert_eq!(stage.engine.usage().commands, 5, "the partition still holds them");
        stage.latches.open(1);
        // of those whose time was over, only the one that was begun has any effect
        assert_eq!(end(stage.entity("a").ask(Count).into_future()).await.unwrap(), 1);
        assert_eq!(end(stage.entity("b").ask(Count).into_future()).await.unwrap(), 0);
        assert!(end(stage.engine.shutdown()).await.is_clean());
        assert_eq!(stage.engine.usage().commands, 0);
    });
}

#[test]
fn asks_that_wait_in_entities_end_while_a_neighbour_blocks() {
    in_still_time(patient(), async |stage| {
        end(stage.entity("a").ask(Touch).into_future()).await.unwrap();
        let append = stage.rig.hold_next(Operation::Append);
        let held = stage.entity("a").ask(Touch).timeout(SHORT).into_future();
        end(append.held(1)).await;
        let read = stage.rig.hold_next(Operation::Recover);
        let recovering = stage.entity("b").ask(Touch).timeout(SHORT).into_future();
        end(read.held(1)).await;
        stage.entity("a").tell(Block(0)).unwrap();
        stage.latches.entered(0);
        append.open();
        read.open();
        pass(SHORT).await;
        assert_is!(end(held).await, Err(AskError::Timeout { maybe_applied: true }));
        assert_is!(end(recovering).await, Err(AskError::Timeout { maybe_applied: false }));
        stage.latches.open(0);
        assert_eq!(end(stage.entity("a").ask(Count).into_future()).await.unwrap(), 3);
        assert_eq!(end(stage.entity("b").ask(Count).into_future()).await.unwrap(), 0);
    });
}

#[tokio::test]
async fn a_caller_who_has_an_answer_gets_it_while_the_next_turn_blocks() {
    let stage = Stage::of_threads(2).await;
    end(stage.entity("a").ask(Touch).into_future()).await.unwrap();
    // the partition is due for this one first, so that nothing but the caller is woken by the turn
    let read = stage.rig.hold_next(Operation::Recover);
    let recovering = stage.entity("b").ask(Touch).timeout(PATIENCE / 2).into_future();
    end(read.held(1)).await;
    let answered = stage.tokio.spawn(stage.entity("a").ask(Look(0)).into_future());
    stage.latches.entered(0);
    stage.entity("a").tell(Block(1)).unwrap(); // the next turn follows at once
    stage.latches.open(0);
    assert_eq!(end(answered).await.unwrap().unwrap(), 1);
    drop(recovering);
    stage.latches.open(1);
}

#[test]
fn a_slow_handler_is_named_while_it_runs_and_once() {
    let (listener, _guard) = Listener::listen(Level::INFO);
    let settings = patient().with_slow_handler_after(SHORT);
    let slow = || listener.saying("slow handler, its whole partition waits");
    in_still_time(settings, async |stage| {
        stage.block(0);
        pass(SHORT + Duration::from_micros(1)).await;
        end(listener.hears("slow handler, its whole partition waits")).await;
        let [warning] = &slow()[..] else { panic!("{}", listener.text()) };
        assert_eq!((warning.level, warning.field("kind")), (Level::WARN, Some("blocked")));
        assert_eq!(warning.field("command"), Some("look"));
        stage.latches.open(0);
        assert_eq!(end(stage.entity("first").ask(Count).into_future()).await.unwrap(), 0);
        assert_eq!((slow().len(), stage.engine.usage().slow_handlers), (1, 1));
    });
}

#[tokio::test]
async fn a_shutdown_answers_and_counts_what_a_stuck_handler_keeps() {
    for tells in [false, true] {
        let stage = Stage::with(4, patient().with_shutdown_timeout(SHORT)).await;
        stage.block(0);
        let blocking = stage.entity("a").ask(Block(1)).into_future();
        let behind = stage.entity("b").ask(Touch).into_future();
        if tells {
            stage.entity("b").tell(Touch).unwrap();
        }
        let late = stage.entity("b").ask(Touch).timeout(Duration::from_millis(10)).into_future();
        stage.latches.open(0);
        stage.latches.entered(1);
        assert_is!(end(late).await, Err(AskError::Timeout { maybe_applied: false }));
        let in_inbox = stage.entity("b").ask(Touch).into_future();
        let engine = stage.engine.clone();
        let shutdown = stage.tokio.spawn(async move { engine.shutdown().await });
        let report = end(shutdown).await.unwrap();
        // two asks that were taken, one in the inbox, and perhaps a command that was told
        assert_eq!(report.unanswered, 3 + usize::from(tells), "{report:?}");
        assert_eq!((report.unsent, report.unknown), (0, 0), "{report:?}");
        assert!(report.snapshots_saved && report.released && report.closed, "{report:?}");
        assert_is!(end(blocking).await, Err(AskError::OutcomeUnknown { .. }));
        assert_is!(end(behind).await, Err(AskError::Unavailable { .. }));
        assert_is!(end(in_inbox).await, Err(AskError::Unavailable { .. }));
        // the journal is another's now, and the handler that comes back changes nothing
        let kinds = vec![crate::rig::accounts()];
        let engine = end(stage.rig.start_with(kinds, RuntimeSettings::default())).await;
        let account = crate::rig::account(&engine, "x");
        stage.latches.open(1);
        let held = async {
            while stage.engine.usage().commands > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        end(held).await;
        assert_eq!(end(account.ask(Deposit(1)).into_future()).await.unwrap(), 1);
        for id in ["a", "b"] {
            assert_eq!(stage.rig.stored("blocked", id).await.len(), 0, "{id}");
        }
    }
}
