//! Shutting a writer out in the middle of its writes.

use super::{
    StoreFixture,
    racing::{RACING_TIME, ROUNDS_MIN, append_until, linger, put_until},
    reading::{head, head_of},
    refusal::until_available,
    sample::account,
    seed,
    writer::{Writer, claim_of},
};
use actum_model::{EntityKey, Lane};
use actum_persistence::store::{ClaimError, Incarnation, StoreError, Stores, WriterClaim};
use std::{sync::Arc, time::Instant};
use tokio::task::{JoinSet, yield_now};

const TASKS: usize = 8;

/// Writers append as fast as they can; when `revoke` has returned, the journal's head stands still, and it holds
/// exactly what was confirmed.
pub async fn when_a_revoke_returns_no_event_of_the_writer_comes_after(fixture: &dyn StoreFixture) {
    race_with_events(fixture, Fencing::Revoke).await;
}

/// The same for durable states.
pub async fn when_a_revoke_returns_no_state_of_the_writer_comes_after(fixture: &dyn StoreFixture) {
    race_with_states(fixture, Fencing::Revoke).await;
}

/// The same when another writer takes the slot over from the one that writes.
pub async fn when_a_claim_has_replaced_the_holder_no_event_of_it_comes_after(
    fixture: &dyn StoreFixture,
) {
    race_with_events(fixture, Fencing::Replace).await;
}

/// The same for durable states.
pub async fn when_a_claim_has_replaced_the_holder_no_state_of_it_comes_after(
    fixture: &dyn StoreFixture,
) {
    race_with_states(fixture, Fencing::Replace).await;
}

/// How the fence of a writer comes down.
#[derive(Clone, Copy)]
enum Fencing {
    /// It is revoked, which leaves the slot free.
    Revoke,
    /// A claim takes the slot from it. Where the store sees by itself that it lives none can, and nothing is tried.
    Replace,
}

/// A fence that is about to come down on a writer.
enum Fence {
    Revocation(Incarnation),
    Replacement(WriterClaim),
}

async fn race_with_events(fixture: &dyn StoreFixture, fencing: Fencing) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let mut rng = seed::random();
    let mut writer = Arc::new(Writer::claim(&stores).await);
    let started = Instant::now();
    for round in (0..).take_while(|n| *n < ROUNDS_MIN || started.elapsed() < RACING_TIME) {
        let Some(fence) = fencing.prepare(&other, &writer).await else { return };
        let mut tasks = JoinSet::new();
        for key in keys(round) {
            tasks.spawn(append_until(is_fenced, Arc::clone(&writer), key, rng.fork()));
        }
        linger(&mut rng, 500).await;
        let successor = fence.come_down(&other).await;
        let head_then = head(&other, Lane::default()).await;
        let confirmed = tasks.join_all().await;
        assert_eq!(head(&other, Lane::default()).await, head_then, "an event came after the fence");
        for (key, confirmed) in confirmed {
            assert_eq!(head_of(&other, &key).await, confirmed, "{key} has what was confirmed");
        }
        writer = Arc::new(next_writer(&stores, successor).await);
    }
}

async fn race_with_states(fixture: &dyn StoreFixture, fencing: Fencing) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let mut rng = seed::random();
    let mut writer = Arc::new(Writer::claim(&stores).await);
    let started = Instant::now();
    for round in (0..).take_while(|n| *n < ROUNDS_MIN || started.elapsed() < RACING_TIME) {
        let Some(fence) = fencing.prepare(&other, &writer).await else { return };
        let mut tasks = JoinSet::new();
        for key in keys(round) {
            tasks.spawn(put_until(is_fenced, Arc::clone(&writer), key, rng.fork()));
        }
        linger(&mut rng, 500).await;
        let successor = fence.come_down(&other).await;
        let then = other.states.load(&keys(round)).await.expect("states can be loaded");
        let confirmed = tasks.join_all().await;
        let now = other.states.load(&keys(round)).await.expect("states can be loaded");
        assert_eq!(now, then, "a state came after the fence");
        for (key, confirmed) in confirmed {
            let loaded = other.states.load(std::slice::from_ref(&key)).await;
            let record = loaded.expect("states can be loaded").remove(0);
            assert_eq!(record.map_or(0, |record| record.revision.get()), confirmed, "{key}");
        }
        writer = Arc::new(next_writer(&stores, successor).await);
    }
}

impl Fencing {
    /// Looks at the holder before the race: it does not renew, so a claim may replace it all the time.
    async fn prepare(self, stores: &Stores, writer: &Writer) -> Option<Fence> {
        if let Self::Revoke = self {
            return Some(Fence::Revocation(writer.incarnation));
        }
        let claim = claim_of("journal");
        match stores.writers.claim(&claim).await {
            Err(held @ ClaimError::Held { .. }) => {
                let replaces = Some(held.seen()?);
                Some(Fence::Replacement(WriterClaim { replaces, ..claim }))
            }
            other => panic!("the slot is held, but the store says {other:?}"),
        }
    }
}

impl Fence {
    /// Says who holds the slot then, if anyone does.
    async fn come_down(self, stores: &Stores) -> Option<Incarnation> {
        match self {
            Self::Revocation(incarnation) => {
                let revoked = until_available!(stores.writers.revoke(incarnation));
                revoked.expect("a writer can be revoked");
                None
            }
            Self::Replacement(claim) => loop {
                match stores.writers.claim(&claim).await {
                    Ok(successor) => return Some(successor),
                    Err(ClaimError::Store(StoreError::Unavailable { .. })) => yield_now().await,
                    Err(error) => panic!("the holder has not renewed, but the store says {error}"),
                }
            },
        }
    }
}

/// Who writes in the next round.
async fn next_writer(stores: &Stores, successor: Option<Incarnation>) -> Writer {
    match successor {
        Some(successor) => Writer::of(stores, successor),
        None => Writer::claim(stores).await,
    }
}

fn keys(round: usize) -> Vec<EntityKey> {
    (0..TASKS).map(|task| account(round * TASKS + task)).collect()
}

fn is_fenced<T>(stored: &Result<T, StoreError>) -> bool {
    matches!(stored, Err(StoreError::Fenced { .. }))
}
