//! Claims that are refused, and what becomes of a claim when its store closes.

use crate::{
    fixture::SqliteFixture,
    sample::{Writer, claim},
};
use actum_persistence::store::{ClaimError, EventStore, StoreError, WriterStore};
use actum_store_sqlite::SqliteSettings;
use sqlx::Executor;
use std::time::Duration;

/// Claimants that wait for the holder ask again and again. They must not be in the way of the one that writes.
#[tokio::test]
async fn a_claim_that_is_refused_does_not_take_the_lock_on_the_file() {
    let settings = SqliteSettings::default().with_busy_timeout(Duration::from_millis(20));
    let fixture = SqliteFixture::with(settings);
    let (one, two) = (fixture.store().await, fixture.store().await);
    let first = Writer::claim(&one).await;
    let mut foreign = fixture.foreign_connection().await;
    foreign.execute("BEGIN IMMEDIATE").await.unwrap();
    match two.claim(&claim("a rival")).await {
        Err(ClaimError::Held { incarnation, lease: None, .. }) => {
            assert_eq!(incarnation, first.incarnation);
        }
        other => panic!("{other:?}"),
    }
    foreign.execute("ROLLBACK").await.unwrap();
    one.release(first.incarnation).await.unwrap();
    Writer::claim(&two).await;
}

#[tokio::test]
async fn a_slot_that_could_not_be_given_back_is_free_once_its_store_is_closed() {
    let settings = SqliteSettings::default().with_busy_timeout(Duration::from_millis(20));
    let fixture = SqliteFixture::with(settings);
    let (one, two) = (fixture.store().await, fixture.store().await);
    let first = Writer::claim(&one).await;
    let mut foreign = fixture.foreign_connection().await;
    foreign.execute("BEGIN IMMEDIATE").await.unwrap();
    EventStore::close(&one).await;
    foreign.execute("ROLLBACK").await.unwrap();
    let second = Writer::claim(&two).await;
    assert!(second.incarnation > first.incarnation);
    let fenced = two.renew(first.incarnation, Duration::from_secs(60)).await;
    assert!(matches!(fenced, Err(StoreError::Fenced { .. })), "{fenced:?}");
}
