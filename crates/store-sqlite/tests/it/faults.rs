//! A disk that is full, a file that somebody else keeps locked, rows that somebody else has changed.

use crate::{
    fixture::SqliteFixture,
    sample::{Writer, account, claim, head_of, page},
};
use actum_model::{EntityKey, Lane, Position, Revision, SequenceNr};
use actum_persistence::store::{
    AppendOutcome, ClaimError, DurableStateStore, EventFilter, EventStore, PageLimit, StateOutcome,
    StoreError, WriterClaim, WriterStore,
};
use actum_store_sqlite::SqliteSettings;
use sqlx::{Executor, SqliteConnection};
use std::time::Duration;

fn assert_unavailable<T: std::fmt::Debug>(result: &Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::Unavailable { .. })), "{result:?}");
}

/// Every row of a table, byte for byte.
async fn rows(stranger: &mut SqliteConnection, table: &str) -> Vec<String> {
    let columns = sqlx::query_scalar("SELECT 'quote(' || name || ')' FROM pragma_table_info(?)");
    let columns: Vec<String> = columns.bind(table).fetch_all(&mut *stranger).await.unwrap();
    let columns = columns.join(" || ',' || ");
    let query = sqlx::AssertSqlSafe(format!("SELECT {columns} FROM {table} ORDER BY rowid"));
    sqlx::query_scalar(query).fetch_all(stranger).await.unwrap()
}

#[tokio::test]
async fn a_full_disk_stores_nothing_of_the_batch_and_the_store_goes_on_when_there_is_room() {
    let settings = SqliteSettings::default().with_file_bytes_max(2 << 20);
    let fixture = SqliteFixture::with(settings);
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    let keys: Vec<EntityKey> = (0..10).map(account).collect();
    let mut stored = 0;
    let failure = loop {
        match writer.each(&keys, stored, 20_000).await {
            Ok(outcomes) => {
                assert!(outcomes.iter().all(|o| matches!(o, AppendOutcome::Appended { .. })));
                stored += 1;
            }
            Err(error) => break error,
        }
    };
    assert!(stored >= 5, "there was room for {stored} batches");
    assert_unavailable::<()>(&Err(failure));
    for key in &keys {
        assert_eq!(head_of(&store, key).await, stored, "none of a batch, or all of it");
    }
    assert_eq!(store.heads().await.unwrap().position(Lane::default()).get(), 10 * stored);
    assert_unavailable(&writer.each(&keys, stored, 20_000).await);

    for key in &keys {
        store.delete_events(writer.incarnation, key, SequenceNr::new(stored)).await.unwrap();
    }
    writer.each(&keys, stored, 20_000).await.unwrap();
    let filter = EventFilter::default();
    let behind = Position::new(10 * stored);
    let page = store.read_lane(Lane::default(), behind, &filter, PageLimit::default()).await;
    assert_eq!(page.unwrap().events.len(), 10, "positions have no hole where a batch failed");
}

#[tokio::test]
async fn a_file_that_stays_locked_is_unavailable_and_can_be_read() {
    let settings = SqliteSettings::default().with_busy_timeout(Duration::from_millis(50));
    let fixture = SqliteFixture::with(settings);
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    writer.write(&account(1), 0).await;
    let mut stranger = fixture.stranger().await;
    stranger.execute("BEGIN IMMEDIATE").await.unwrap();
    assert_unavailable(&writer.each(&[account(1)], 1, 10).await);
    assert_unavailable(&store.revoke(writer.incarnation).await);
    let batch = writer.batch(vec![]);
    assert_unavailable(&EventStore::resolve(&store, &batch).await);
    let free = WriterClaim { slot: "another".to_owned(), ..claim("another") };
    let claimed = store.claim(&free).await;
    assert!(matches!(claimed, Err(ClaimError::Store(StoreError::Unavailable { .. }))));
    assert_eq!(head_of(&store, &account(1)).await, 1);
    stranger.execute("ROLLBACK").await.unwrap();
    writer.write(&account(1), 1).await;
}

/// A second store on the same file may write to an entity whose head the first one remembers.
#[tokio::test]
async fn what_another_store_wrote_is_noticed_whatever_was_remembered() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let (one, two) = (fixture.store().await, fixture.store().await);
    let first = Writer::claim(&one).await;
    let second = Writer::of(&two, first.incarnation);
    let keys: Vec<EntityKey> = (0..20).map(account).collect();
    for round in 0..10 {
        let (ours, theirs) = if round % 3 == 0 { (&first, &second) } else { (&second, &first) };
        ours.each(&keys[..10], round, 10).await.unwrap();
        let late = theirs.each(&keys[..10], round, 10).await.unwrap();
        let actual = SequenceNr::new(round + 1);
        assert_eq!(late, vec![AppendOutcome::Conflict { actual }; 10]);
        // the same entities, now deleted: the unique index has nothing to say
        if round == 5 {
            for key in &keys {
                one.delete_events(first.incarnation, key, page(&one, key).await.unwrap().head)
                    .await
                    .unwrap();
            }
            let late = theirs.each(&keys[..10], round, 10).await.unwrap();
            assert_eq!(late, vec![AppendOutcome::Conflict { actual }; 10]);
        }
    }
}

#[tokio::test]
async fn a_deleted_number_is_never_given_again_although_its_row_is_free() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let (one, two) = (fixture.store().await, fixture.store().await);
    let first = Writer::claim(&one).await;
    first.write(&account(1), 0).await;
    let second = Writer::of(&two, first.incarnation);
    second.write(&account(1), 1).await;
    two.delete_events(first.incarnation, &account(1), SequenceNr::new(2)).await.unwrap();
    let outcome = first.each(&[account(1)], 1, 10).await.unwrap();
    assert_eq!(outcome, [AppendOutcome::Conflict { actual: SequenceNr::new(2) }]);
}

#[tokio::test]
async fn many_more_entities_than_are_remembered_are_appended_to() {
    let settings = SqliteSettings::default().with_remembered_entities(1_000);
    let fixture = SqliteFixture::with(settings);
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    let keys: Vec<EntityKey> = (0..3_000).map(account).collect();
    for round in 0..4 {
        for some in keys.chunks(700) {
            let outcomes = writer.each(some, round, 10).await.unwrap();
            assert!(outcomes.iter().all(|o| matches!(o, AppendOutcome::Appended { .. })));
        }
    }
    for key in keys.iter().step_by(97) {
        assert_eq!(page(&store, key).await.unwrap().events.len(), 4);
    }
}

/// Somebody has changed the file by hand, without moving the head of a lane: the unique index is the second line.
#[tokio::test]
async fn a_number_that_is_taken_against_all_memory_is_a_conflict() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    writer.each(&[account(1), account(2), account(3)], 0, 10).await.unwrap();
    let forged = "UPDATE events SET entity = 1, sequence_nr = 2 WHERE entity = 2";
    fixture.stranger().await.execute(forged).await.unwrap();
    let outcomes = writer.each(&[account(3), account(1)], 1, 10).await.unwrap();
    assert!(matches!(outcomes[0], AppendOutcome::Appended { .. }));
    assert_eq!(outcomes[1], AppendOutcome::Conflict { actual: SequenceNr::new(2) });
    assert_eq!(page(&store, &account(3)).await.unwrap().events.len(), 2);
}

#[tokio::test]
async fn an_event_that_is_missing_is_corruption_and_never_skipped() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    for expected in 0..5 {
        writer.write(&account(1), expected).await;
    }
    let mut stranger = fixture.stranger().await;
    for gone in [3, 5] {
        let statement = sqlx::query("DELETE FROM events WHERE sequence_nr = ?").bind(gone);
        statement.execute(&mut stranger).await.unwrap();
        let error = page(&store, &account(1)).await;
        match error {
            Err(StoreError::Corrupt { what }) => assert!(what.contains("account/acc-1"), "{what}"),
            other => panic!("event {gone} is missing: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_right_is_corruption() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    for expected in [0, 1] {
        writer.write(&account(1), expected).await;
    }
    let mut stranger = fixture.stranger().await;
    for damage in [
        "UPDATE events SET sequence_nr = 0 WHERE sequence_nr = 1",
        "UPDATE events SET sequence_nr = -1 WHERE sequence_nr = 2; UPDATE entities SET floor = -1",
        "UPDATE events SET place = 0 WHERE place = 1",
        "UPDATE events SET incarnation = 0",
        "UPDATE events SET schema_version = -1",
        "UPDATE events SET schema_version = 4294967296",
        "UPDATE entities SET floor = -1",
    ] {
        stranger.execute("CREATE TABLE kept AS SELECT * FROM events").await.unwrap();
        sqlx::raw_sql(damage).execute(&mut stranger).await.unwrap();
        let read = page(&store, &account(1)).await;
        assert!(matches!(read, Err(StoreError::Corrupt { .. })), "{damage}: {read:?}");
        // as if there were none
        let damaged = rows(&mut stranger, "events").await;
        let appended = writer.each(&[account(1)], 0, 10).await;
        let refused = matches!(
            appended.as_deref(),
            Ok([AppendOutcome::Conflict { .. }]) | Err(StoreError::Corrupt { .. })
        );
        assert!(refused, "{damage}: {appended:?}");
        assert_eq!(rows(&mut stranger, "events").await, damaged, "{damage}");
        let repair = "DELETE FROM events; INSERT INTO events SELECT * FROM kept; DROP TABLE kept;
            UPDATE entities SET floor = 0";
        sqlx::raw_sql(repair).execute(&mut stranger).await.unwrap();
        assert_eq!(head_of(&store, &account(1)).await, 2);
    }
}

#[tokio::test]
async fn a_state_whose_row_cannot_be_right_is_corruption_and_is_not_written_over() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    let mut stranger = fixture.stranger().await;
    for (nr, damage) in [
        "codec = NULL",
        "manifest = NULL",
        "schema_version = NULL",
        "state = NULL",
        "codec = NULL, manifest = NULL, schema_version = NULL",
        "manifest = NULL, schema_version = NULL, state = NULL",
        "schema_version = 4294967296",
        "revision = 0",
        "revision = -1",
        "incarnation = 0",
    ]
    .into_iter()
    .enumerate()
    {
        let put = |expected| writer.put(&account(nr), expected);
        store.write(&put(0)).await.unwrap();
        let entity = "entity = (SELECT max(entity) FROM entities)";
        let damage = format!("UPDATE states SET {damage} WHERE {entity}");
        stranger.execute(sqlx::AssertSqlSafe(damage.clone())).await.unwrap();
        let loaded = DurableStateStore::load(&store, &[account(nr)]).await;
        assert!(matches!(loaded, Err(StoreError::Corrupt { .. })), "{damage}: {loaded:?}");
        // as if there were none
        let damaged = rows(&mut stranger, "states").await;
        let written = store.write(&put(0)).await;
        if damage.contains("revision") {
            assert!(matches!(written, Err(StoreError::Corrupt { .. })), "{damage}: {written:?}");
        } else {
            let actual = Revision::new(1);
            assert_eq!(written.unwrap(), [StateOutcome::Conflict { actual }], "{damage}");
        }
        assert_eq!(rows(&mut stranger, "states").await, damaged, "{damage}");
    }
}

/// An entity that was never written costs one look, not two.
#[tokio::test]
async fn the_commands_of_a_state_that_is_not_there_are_not_looked_for() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    store.write(&writer.put(&account(1), 0)).await.unwrap();
    fixture.stranger().await.execute("DROP TABLE state_commands").await.unwrap();
    let [other, another] = [2, 3].map(account);
    assert_eq!(DurableStateStore::load(&store, &[other, another]).await.unwrap(), [None, None]);
    let loaded = DurableStateStore::load(&store, &[account(1)]).await;
    assert!(matches!(loaded, Err(StoreError::Corrupt { .. })), "{loaded:?}");
}

#[tokio::test]
async fn a_lane_that_is_missing_is_corruption() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    fixture.stranger().await.execute("DELETE FROM lanes").await.unwrap();
    let heads = store.heads().await;
    assert!(matches!(heads, Err(StoreError::Corrupt { .. })), "{heads:?}");
}
