//! What a claim may say, and what becomes of it when its store closes.

use crate::{
    fixture::SqliteFixture,
    sample::{Writer, claim},
};
use actum_persistence::store::{ClaimError, EventStore, StoreError, WriterClaim, WriterStore};
use actum_store_sqlite::SqliteSettings;
use sqlx::Executor;
use std::time::Duration;

#[tokio::test]
async fn slots_and_holders_have_bounds() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let of = |slot: usize, holder: usize| WriterClaim {
        slot: "s".repeat(slot),
        holder: "h".repeat(holder),
        ..claim("")
    };
    for (slot, holder) in [(0, 1), (256, 1), (1, 4097)] {
        let claimed = store.claim(&of(slot, holder)).await;
        let invalid = matches!(claimed, Err(ClaimError::Store(StoreError::Invalid { .. })));
        assert!(invalid, "{slot} and {holder} bytes: {claimed:?}");
    }
    for (slot, holder) in [(1, 0), (255, 4096)] {
        store.claim(&of(slot, holder)).await.unwrap();
    }
}

#[tokio::test]
async fn a_slot_that_could_not_be_given_back_is_free_once_its_store_is_closed() {
    let settings = SqliteSettings::default().with_busy_timeout(Duration::from_millis(20));
    let fixture = SqliteFixture::with(settings);
    let (one, two) = (fixture.store().await, fixture.store().await);
    let first = Writer::claim(&one).await;
    let mut stranger = fixture.stranger().await;
    stranger.execute("BEGIN IMMEDIATE").await.unwrap();
    EventStore::close(&one).await;
    stranger.execute("ROLLBACK").await.unwrap();
    let second = Writer::claim(&two).await;
    assert!(second.incarnation > first.incarnation);
    let fenced = two.renew(first.incarnation, Duration::from_secs(60)).await;
    assert!(matches!(fenced, Err(StoreError::Fenced { .. })), "{fenced:?}");
}
