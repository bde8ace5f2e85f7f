//! Calls that are dropped half way.

use std::future::Future;
use tokio::task::yield_now;

/// What a call says, if that comes within so many turns; else its future is dropped.
pub(crate) async fn within_turns<T>(turns: usize, call: impl Future<Output = T>) -> Option<T> {
    let patience = async {
        for _ in 0..turns {
            yield_now().await;
        }
    };
    tokio::select! {
        biased; // a turn for the call, then one of patience
        done = call => Some(done),
        () = patience => None,
    }
}

/// What a call says, and how many turns it takes.
pub(crate) async fn counting_turns<T>(call: impl Future<Output = T>) -> (T, usize) {
    let mut turns = 0;
    let counting = async {
        loop {
            yield_now().await;
            turns += 1;
        }
    };
    let done = tokio::select! {
        biased;
        done = call => done,
        () = counting => unreachable!("it counts for ever"),
    };
    (done, turns)
}
