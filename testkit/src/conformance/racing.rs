//! Those who write as fast as they can while something is taken from them.

use super::{Writer, refusal::until_available, sample::events};
use actum_model::EntityKey;
use actum_persistence::store::{AppendOutcome, StateOutcome, StoreError};
use fastrand::Rng;
use std::{sync::Arc, time::Duration};
use tokio::task::yield_now;

/// A race is run at least so often, and for as long as the time below: a fast store has narrow gaps to be hit.
pub(super) const ROUNDS_MIN: usize = 25;
pub(super) const RACING_TIME: Duration = Duration::from_secs(1);

/// Appends until it is refused in this way, and says how many events were confirmed.
pub(super) async fn append_until(
    is_end: fn(&Result<AppendOutcome, StoreError>) -> bool,
    writer: Arc<Writer>,
    key: EntityKey,
    mut rng: Rng,
) -> (EntityKey, u64) {
    let mut confirmed = 0;
    loop {
        let count = rng.usize(1..5);
        match until_available!(writer.store_one(&key, confirmed, events(count))) {
            Ok(AppendOutcome::Appended { .. }) => confirmed += count as u64,
            end if is_end(&end) => return (key, confirmed),
            other => panic!("{key} after {confirmed} events: {other:?}"),
        }
        linger(&mut rng, 3).await;
    }
}

/// Writes until it is refused in this way, and says the last revision that was confirmed.
pub(super) async fn put_until(
    is_end: fn(&Result<StateOutcome, StoreError>) -> bool,
    writer: Arc<Writer>,
    key: EntityKey,
    mut rng: Rng,
) -> (EntityKey, u64) {
    let mut confirmed = 0;
    loop {
        let next = (confirmed, confirmed + 1);
        match until_available!(writer.put(&key, next, "racing")) {
            Ok(StateOutcome::Written) => confirmed += 1,
            end if is_end(&end) => return (key, confirmed),
            other => panic!("{key} at revision {confirmed}: {other:?}"),
        }
        linger(&mut rng, 3).await;
    }
}

/// Lets others run a few times.
pub(super) async fn linger(rng: &mut Rng, times_max: usize) {
    for _ in 0..rng.usize(..times_max) {
        yield_now().await;
    }
}
