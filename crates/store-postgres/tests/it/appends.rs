//! What an append leaves in the tables besides its events, and what it asks them for.

use crate::{
    bounded::run_on,
    fixture::PostgresFixture,
    sample::{Writer, account, event, head_of},
};
use actum_model::{EntityKey, Lane, SequenceNr};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EntityAppend, EventStore, Resolution, StoreError,
};
use actum_store_postgres::{PostgresSettings, PostgresStore};
use actum_testkit::conformance::StoreFixture;
use sqlx::Executor;

fn journal() -> PostgresFixture {
    PostgresFixture::with(PostgresSettings::default())
}

async fn number(fixture: &PostgresFixture, query: &str) -> i64 {
    let query = sqlx::query_scalar(fixture.sql(query));
    query.fetch_one(&mut fixture.foreign_connection().await).await.unwrap()
}

fn is_stored(found: &Resolution<AppendOutcome>) -> bool {
    found.stored().is_some()
}

#[test]
fn an_append_that_the_table_cannot_count_to_is_never_called_stored() {
    run_on(journal(), async |fixture| {
        let full = u64::try_from(i64::MAX).unwrap();
        fixture.advance_entity(&account(1), SequenceNr::new(full)).await;
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        for expected in [full, full + 1, u64::MAX] {
            let refused = writer.each(&[account(1), account(2)], expected, 10).await;
            assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{expected}: {refused:?}");
        }
        let outcomes = writer.each(&[account(1), account(2)], full - 1, 10).await.unwrap();
        let conflict = |actual| AppendOutcome::Conflict { actual: SequenceNr::new(actual) };
        assert_eq!(outcomes, [conflict(full), conflict(0)]);
        assert_eq!(number(fixture, "SELECT count(*) FROM @events").await, 0);
    });
}

#[test]
fn an_entity_that_was_just_appended_to_is_not_looked_up_again() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        writer.each(&[account(1), account(2)], 0, 10).await.unwrap();
        // the tables were changed by hand: no one finds the entities any more
        let renamed = "UPDATE @entities SET id = 'renamed-' || id";
        fixture.foreign_connection().await.execute(fixture.sql(renamed)).await.unwrap();
        let outcomes = writer.each(&[account(1), account(2)], 1, 10).await.unwrap();
        assert!(outcomes.iter().all(|outcome| matches!(outcome, AppendOutcome::Appended { .. })));
        let other = fixture.store().await;
        let outcomes = Writer::of(&other, writer.incarnation).each(&[account(1)], 2, 10).await;
        let unknown = [AppendOutcome::Conflict { actual: SequenceNr::ZERO }];
        assert_eq!(outcomes.unwrap(), unknown, "not remembered");
    });
}

#[test]
fn a_conflict_of_an_entity_that_was_never_written_leaves_no_trace() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        let outcomes = writer.each(&[account(1)], 3, 10).await.unwrap();
        assert_eq!(outcomes, [AppendOutcome::Conflict { actual: SequenceNr::ZERO }]);
        assert_eq!(number(fixture, "SELECT count(*) FROM @entities").await, 0);
    });
}

/// What was sent before that, and has not arrived, is not carried out any more.
#[test]
fn settling_counts_on_once_each_time() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        let append = |nr| writer.append(&account(nr), 0, vec![event("one")]);
        let stored = writer.batch(vec![append(1), append(2)]);
        store.append(&stored).await.unwrap();
        assert!(store.resolve(&stored).await.unwrap().iter().all(is_stored));
        let missing = writer.batch(vec![append(3)]);
        assert_eq!(store.resolve(&missing).await.unwrap(), [Resolution::NotStored]);
        let partly = writer.batch(vec![stored.appends[0].clone(), append(4)]);
        assert!(matches!(
            store.resolve(&partly).await.unwrap()[..],
            [Resolution::Stored(_), Resolution::NotStored]
        ));
        assert_eq!(number(fixture, "SELECT max(settled) FROM @writers").await, 3);
        assert!(store.append(&missing).await.is_ok(), "this store knows the new count");
        let other = fixture.store().await;
        Writer::of(&other, writer.incarnation).write(&account(5), 0).await;
    });
}

#[test]
fn many_more_entities_than_are_remembered_are_appended_to() {
    let settings = PostgresSettings::default().with_remembered_entities(1_000);
    run_on(PostgresFixture::with(settings), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        let keys: Vec<EntityKey> = (0..3_000).map(account).collect();
        for round in 0..3 {
            for some in keys.chunks(700) {
                let outcomes = writer.each(some, round, 10).await.unwrap();
                assert!(outcomes.iter().all(|o| matches!(o, AppendOutcome::Appended { .. })));
            }
        }
        for key in keys.iter().step_by(97) {
            assert_eq!(head_of(&store, key).await, 3);
        }
    });
}

async fn assert_invalid(store: &PostgresStore, batch: &AppendBatch) {
    let done = store.append(batch).await;
    assert!(matches!(done, Err(StoreError::Invalid { .. })), "{done:?}");
    let done = store.resolve(batch).await;
    assert!(matches!(done, Err(StoreError::Invalid { .. })), "{done:?}");
}

#[test]
fn an_empty_batch_for_a_lane_the_journal_does_not_have_is_invalid() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        let batch = AppendBatch { lane: Lane::new(1), ..writer.batch(Vec::new()) };
        assert_invalid(&store, &batch).await;
    });
}

#[test]
fn event_numbers_end_with_the_last_of_64_bits() {
    run_on(journal(), async |fixture| {
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
    });
}

/// A text of PostgreSQL has no NUL. The journal is not damaged by a caller that asks for one, and the others are not
/// kept waiting.
#[test]
fn a_text_that_the_server_cannot_keep_is_refused_and_not_called_corruption() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        let mut strange = event("one");
        strange.payload.manifest = "account\0deposited".into();
        let batch = writer.batch(vec![writer.append(&account(1), 0, vec![strange])]);
        assert!(matches!(store.append(&batch).await, Err(StoreError::Invalid { .. })));
        writer.write(&account(1), 0).await;
    });
}
