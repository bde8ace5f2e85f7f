//! What an append leaves in the file besides its events, and what it asks the file for.

use crate::{
    fixture::SqliteFixture,
    sample::{Writer, account, event, head_of},
};
use actum_model::{Lane, SequenceNr};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EntityAppend, EventStore, Resolution, StoreError,
};
use actum_store_sqlite::{SqliteSettings, SqliteStore};
use sqlx::Executor;

async fn number(fixture: &SqliteFixture, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(&mut fixture.foreign_connection().await).await.unwrap()
}

fn is_stored(found: &Resolution<AppendOutcome>) -> bool {
    found.stored().is_some()
}

#[tokio::test]
async fn an_entity_that_was_just_appended_to_is_not_looked_up_again() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    writer.each(&[account(1), account(2)], 0, 10).await.unwrap();
    // the file was changed by hand: no one finds the entities any more
    let renamed = "UPDATE entities SET id = 'renamed-' || id";
    fixture.foreign_connection().await.execute(renamed).await.unwrap();
    let outcomes = writer.each(&[account(1), account(2)], 1, 10).await.unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, AppendOutcome::Appended { .. })));
    let other = fixture.store().await;
    let outcomes = Writer::of(&other, writer.incarnation).each(&[account(1)], 2, 10).await.unwrap();
    assert_eq!(outcomes, [AppendOutcome::Conflict { actual: SequenceNr::ZERO }], "not remembered");
}

#[tokio::test]
async fn a_conflict_of_an_entity_that_was_never_written_leaves_no_trace() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    let outcomes = writer.each(&[account(1)], 3, 10).await.unwrap();
    assert_eq!(outcomes, [AppendOutcome::Conflict { actual: SequenceNr::ZERO }]);
    assert_eq!(number(&fixture, "SELECT count(*) FROM entities").await, 0);
}

/// The change overwrites, in the log, a commit that the disk failed.
#[tokio::test]
async fn settling_changes_the_file_when_something_was_not_stored_and_only_then() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    let settled = "SELECT settled FROM journal";
    let append = |nr| writer.append(&account(nr), 0, vec![event("one")]);
    let stored = writer.batch(vec![append(1), append(2)]);
    store.append(&stored).await.unwrap();
    assert!(store.resolve(&stored).await.unwrap().iter().all(is_stored));
    assert_eq!(number(&fixture, settled).await, 0);
    let missing = writer.batch(vec![append(3)]);
    assert_eq!(store.resolve(&missing).await.unwrap(), [Resolution::NotStored]);
    assert_eq!(number(&fixture, settled).await, 1);
    let partly = writer.batch(vec![stored.appends[0].clone(), append(4)]);
    assert!(matches!(
        store.resolve(&partly).await.unwrap()[..],
        [Resolution::Stored(_), Resolution::NotStored]
    ));
    assert_eq!(number(&fixture, settled).await, 2);
}

async fn assert_invalid(store: &SqliteStore, batch: &AppendBatch) {
    let done = store.append(batch).await;
    assert!(matches!(done, Err(StoreError::Invalid { .. })), "{done:?}");
    let done = store.resolve(batch).await;
    assert!(matches!(done, Err(StoreError::Invalid { .. })), "{done:?}");
}

#[tokio::test]
async fn an_empty_batch_for_a_lane_the_journal_does_not_have_is_invalid() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    let batch = AppendBatch { lane: Lane::new(1), ..writer.batch(Vec::new()) };
    assert_invalid(&store, &batch).await;
}

#[tokio::test]
async fn event_numbers_end_with_the_last_of_64_bits() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    let append = |events: usize| EntityAppend {
        first_event_nr: u64::MAX,
        ..writer.append(&account(1), 0, vec![event("one"); events])
    };
    assert_invalid(&store, &writer.batch(vec![append(2)])).await;
    let last = writer.batch(vec![append(1)]);
    let outcomes = store.append(&last).await.unwrap();
    assert!(matches!(outcomes[..], [AppendOutcome::Appended { .. }]));
    assert_eq!(head_of(&store, &account(1)).await, 1);
    assert!(store.resolve(&last).await.unwrap()[0].stored().is_some(), "found by its number");
}
