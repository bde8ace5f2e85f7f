//! Commands that waited for their entity to recover, and are handled one after the other when it has.
//!
//! On other threads than the engine's; no test depends on how fast the machine is.

use crate::{
    blocked::{Block, Count, PATIENCE, Stage, Touch, in_still_time, pass},
    rig::assert_is,
};
use actum_runtime::{AskError, settings::RuntimeSettings};
use actum_testkit::Operation;
use std::{future::IntoFuture, time::Duration};
use tokio::time::{sleep, timeout};

const SHORT: Duration = Duration::from_millis(100);

async fn end<T>(asking: impl Future<Output = T>) -> T {
    timeout(PATIENCE, asking).await.expect("an ask ends at its deadline")
}

#[test]
fn a_command_whose_time_ends_while_an_earlier_one_blocks_is_not_handled() {
    in_still_time(RuntimeSettings::default().with_ask_timeout(2 * PATIENCE), async |stage| {
        let read = stage.rig.hold_next(Operation::Recover);
        stage.entity("a").tell(Block(0)).unwrap();
        end(read.held(1)).await;
        stage.entity("a").ask(Touch).timeout(SHORT).tell().unwrap();
        let late = stage.entity("a").ask(Touch).timeout(SHORT).into_future();
        end(stage.entity("b").ask(Count).into_future()).await.unwrap(); // those before it have come to their entity
        read.open();
        stage.latches.entered(0);
        pass(SHORT).await;
        assert_is!(end(late).await, Err(AskError::Timeout { maybe_applied: false }));
        // the deadline of the command that was told was no later
        stage.latches.open(0);
        assert_eq!(end(stage.entity("a").ask(Count).into_future()).await.unwrap(), 1);
    });
}

#[tokio::test]
async fn commands_are_not_handled_after_a_shutdown_has_reported_them() {
    let settings = RuntimeSettings::default().with_shutdown_timeout(SHORT);
    let stage = Stage::with(4, settings.with_ask_timeout(2 * PATIENCE)).await;
    let read = stage.rig.hold_next(Operation::Recover);
    stage.entity("a").tell(Block(1)).unwrap();
    end(read.held(1)).await;
    stage.block(0);
    read.open(); // its result comes while the partition is stuck
    end(async {
        while read.held_now() > 0 {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let engine = stage.engine.clone();
    let report = end(stage.tokio.spawn(async move { engine.shutdown().await })).await.unwrap();
    assert_eq!(report.unanswered, 2, "{report:?}");
    stage.latches.open(0);
    end(async {
        while stage.engine.usage().commands > 0 {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    assert!(!stage.latches.was_entered(1), "a command was handled that had been given up");
}
