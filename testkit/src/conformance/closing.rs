//! Closing a journal beside those who use it.

use super::{
    StoreFixture,
    reading::head_of,
    sample::{account, events},
    writer::Writer,
};
use actum_persistence::store::{AppendOutcome, StateOutcome, StoreError, Stores};
use std::{fmt::Debug, future::Future};
use tokio::task::yield_now;

/// How often each case races: in every second round the call begins first, and in the others the close.
const ROUNDS: usize = 40;

/// An append that meets the close of its store is stored or was never begun, and gets that error: that the store is
/// closed, not that another writer has taken over. Both must be seen.
pub async fn an_append_beside_closing_is_stored_or_unavailable(fixture: &dyn StoreFixture) {
    let mut seen = Seen::default();
    for round in 0..ROUNDS {
        let stores = fixture.open().await;
        let writer = Writer::claim_slot(&stores, &format!("round-{round}")).await;
        let key = account(round);
        let appending = writer.store_one(&key, 0, events(1));
        let appended = beside_closing(&stores, round, appending).await;
        let is_stored = |outcome: &_| matches!(outcome, AppendOutcome::Appended { .. });
        let stored = seen.note(appended, is_stored);
        assert_eq!(head_of(&fixture.open().await, &key).await, stored);
    }
    seen.check();
}

/// The same for a durable state.
pub async fn a_state_beside_closing_is_written_or_unavailable(fixture: &dyn StoreFixture) {
    let mut seen = Seen::default();
    for round in 0..ROUNDS {
        let stores = fixture.open().await;
        let writer = Writer::claim_slot(&stores, &format!("round-{round}")).await;
        let key = account(round);
        let written = beside_closing(&stores, round, writer.put(&key, (0, 1), "late")).await;
        let stored = seen.note(written, |outcome| *outcome == StateOutcome::Written);
        let loaded = fixture.open().await.states.load(&[key]).await;
        let record = loaded.expect("states can be loaded").remove(0);
        assert_eq!(record.map_or(0, |record| record.revision.get()), stored);
    }
    seen.check();
}

/// Lets a call race with the close of its store: the longer after each other they begin the later the round is.
async fn beside_closing<T>(stores: &Stores, round: usize, call: impl Future<Output = T>) -> T {
    if round.is_multiple_of(2) {
        tokio::join!(biased; call, after(round, stores.close())).0
    } else {
        tokio::join!(biased; stores.close(), after(round - 1, call)).1
    }
}

/// Begins something after so many turns of others.
async fn after<T>(turns: usize, call: impl Future<Output = T>) -> T {
    for _ in 0..turns {
        yield_now().await;
    }
    call.await
}

/// How the races ended.
#[derive(Debug, Default)]
struct Seen {
    stored: usize,
    refused: usize,
}

impl Seen {
    /// Takes note of one, and says how many writes are stored.
    fn note<T: Debug>(
        &mut self,
        done: Result<T, StoreError>,
        is_stored: impl Fn(&T) -> bool,
    ) -> u64 {
        match done {
            Ok(outcome) if is_stored(&outcome) => {
                self.stored += 1;
                1
            }
            Err(StoreError::Unavailable { .. }) => {
                self.refused += 1;
                0
            }
            other => panic!("a write beside closing ends in {other:?}"),
        }
    }

    fn check(&self) {
        assert!(self.stored > 0 && self.refused > 0, "no race between the two: {self:?}");
    }
}
