//! What becomes of a claim when its store closes.

use crate::{fixture::SqliteFixture, sample::Writer};
use actum_persistence::store::{EventStore, StoreError, WriterStore};
use actum_store_sqlite::SqliteSettings;
use sqlx::Executor;
use std::time::Duration;

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
