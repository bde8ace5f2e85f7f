//! Rows that were damaged: they are called corrupt, and nothing is written over them.

use crate::{
    fixture::SqliteFixture,
    sample::{Writer, account, head_of, page},
};
use actum_model::{Lane, Partition, Position, Revision};
use actum_persistence::store::{
    AppendOutcome, CommandRead, CommandRecord, DurableStateStore, EventFilter, EventStore,
    PageLimit, StateOutcome, StoreError,
};
use actum_store_sqlite::SqliteSettings;
use bytes::Bytes;
use sqlx::{Executor, SqliteConnection};

/// Every row of a table, byte for byte.
async fn rows(foreign: &mut SqliteConnection, table: &str) -> Vec<String> {
    let columns = sqlx::query_scalar("SELECT 'quote(' || name || ')' FROM pragma_table_info(?)");
    let columns: Vec<String> = columns.bind(table).fetch_all(&mut *foreign).await.unwrap();
    let columns = columns.join(" || ',' || ");
    let query = sqlx::AssertSqlSafe(format!("SELECT {columns} FROM {table} ORDER BY rowid"));
    sqlx::query_scalar(query).fetch_all(foreign).await.unwrap()
}

fn assert_corrupt<T: std::fmt::Debug>(result: &Result<T, StoreError>, says: &str) {
    match result {
        Err(StoreError::Corrupt { what }) => {
            assert!(what.contains(says), "{what} does not say `{says}`");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_event_that_is_missing_is_corruption_and_never_skipped() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    for expected in 0..5 {
        writer.write(&account(1), expected).await;
    }
    let mut foreign = fixture.foreign_connection().await;
    for gone in [3, 5] {
        let statement = sqlx::query("DELETE FROM events WHERE sequence_nr = ?").bind(gone);
        statement.execute(&mut foreign).await.unwrap();
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
    let mut foreign = fixture.foreign_connection().await;
    for damage in [
        "UPDATE events SET sequence_nr = 0 WHERE sequence_nr = 1",
        "UPDATE events SET sequence_nr = -1 WHERE sequence_nr = 2; UPDATE entities SET floor = -1",
        "UPDATE events SET place = 0 WHERE place = 1",
        "UPDATE events SET incarnation = 0",
        "UPDATE events SET schema_version = -1",
        "UPDATE events SET schema_version = 4294967296",
        "UPDATE entities SET floor = -1",
    ] {
        foreign.execute("CREATE TABLE kept AS SELECT * FROM events").await.unwrap();
        sqlx::raw_sql(damage).execute(&mut foreign).await.unwrap();
        let read = page(&store, &account(1)).await;
        let missing = damage.contains("sequence_nr = 0");
        assert_corrupt(
            &read,
            if missing { "events of account/acc-1 are missing" } else { "column " },
        );
        // as if there were none
        let damaged = rows(&mut foreign, "events").await;
        let appended = writer.each(&[account(1)], 0, 10).await;
        let refused = matches!(
            appended.as_deref(),
            Ok([AppendOutcome::Conflict { .. }]) | Err(StoreError::Corrupt { .. })
        );
        assert!(refused, "{damage}: {appended:?}");
        assert_eq!(rows(&mut foreign, "events").await, damaged, "{damage}");
        let repair = "DELETE FROM events; INSERT INTO events SELECT * FROM kept; DROP TABLE kept;
            UPDATE entities SET floor = 0";
        sqlx::raw_sql(repair).execute(&mut foreign).await.unwrap();
        assert_eq!(head_of(&store, &account(1)).await, 2);
    }
}

#[tokio::test]
async fn a_state_whose_row_cannot_be_right_is_corruption_and_is_not_written_over() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    let mut foreign = fixture.foreign_connection().await;
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
        "position = 0",
    ]
    .into_iter()
    .enumerate()
    {
        let put = |expected| writer.put(&account(nr), expected);
        store.write(&put(0)).await.unwrap();
        let entity = "entity = (SELECT max(entity) FROM entities)";
        let damage = format!("UPDATE states SET {damage} WHERE {entity}");
        foreign.execute(sqlx::AssertSqlSafe(damage.clone())).await.unwrap();
        assert_corrupt(&DurableStateStore::load(&store, &[account(nr)]).await, "column ");
        // as if there were none
        let damaged = rows(&mut foreign, "states").await;
        let written = store.write(&put(0)).await;
        if damage.contains("revision") {
            assert!(matches!(written, Err(StoreError::Corrupt { .. })), "{damage}: {written:?}");
        } else {
            let actual = Revision::new(1);
            assert_eq!(written.unwrap(), [StateOutcome::Conflict { actual }], "{damage}");
        }
        assert_eq!(rows(&mut foreign, "states").await, damaged, "{damage}");
    }
}

/// An entity that was never written costs one look, not two.
#[tokio::test]
async fn the_commands_of_a_state_that_is_not_there_are_not_looked_for() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    store.write(&writer.put(&account(1), 0)).await.unwrap();
    fixture.foreign_connection().await.execute("DROP TABLE state_commands").await.unwrap();
    let [other, another] = [2, 3].map(account);
    assert_eq!(DurableStateStore::load(&store, &[other, another]).await.unwrap(), [None, None]);
    assert_corrupt(&DurableStateStore::load(&store, &[account(1)]).await, "state_commands");
}

#[tokio::test]
async fn a_lane_that_is_missing_is_corruption() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    fixture.foreign_connection().await.execute("DELETE FROM lanes").await.unwrap();
    assert_corrupt(&store.heads().await, "does not know all of its lanes");
}

/// A reader of the lane would overlook it, whatever it asks for.
#[tokio::test]
async fn an_event_whose_entity_is_missing_is_corruption_and_never_skipped() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    for nr in 1..=3 {
        writer.write(&account(nr), 0).await;
    }
    let mut foreign = fixture.foreign_connection().await;
    foreign.execute("DELETE FROM entities WHERE id = 'acc-2'").await.unwrap();
    let all = EventFilter::default();
    let of_kind = EventFilter { kinds: vec!["account".to_owned()], ..EventFilter::default() };
    let partitions = Some(Partition::new(0)..=Partition::new(0));
    let of_partition = EventFilter { partitions, ..EventFilter::default() };
    for filter in [all, of_kind, of_partition] {
        let limit = PageLimit::default();
        let page = store.read_lane(Lane::default(), Position::ZERO, &filter, limit).await;
        assert_corrupt(&page, "the event at 2 has no entity");
    }
}

/// Commands are read beside their state and page by page: both call the same rows corrupt.
#[tokio::test]
async fn a_command_that_cannot_be_is_corruption_in_every_read() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    let mut batch = writer.put(&account(1), 0);
    batch.writes[0].commands = vec![CommandRecord {
        revision: Revision::new(1),
        id_hash: u64::MAX,
        uptime_seconds: u32::MAX,
        record: Bytes::new(),
    }];
    store.write(&batch).await.unwrap();
    let mut foreign = fixture.foreign_connection().await;
    let before = [CommandRead { entity: account(1), revision: Revision::new(9) }];
    for (damage, says) in [
        ("revision = 0", "revision 0"),
        ("revision = 1, incarnation = -1", "incarnation -1"),
        ("incarnation = 1, uptime = -1", "uptime of -1"),
        ("uptime = 4294967296", "uptime of 4294967296"),
    ] {
        let damage = format!("UPDATE state_commands SET {damage}");
        foreign.execute(sqlx::AssertSqlSafe(damage)).await.unwrap();
        assert_corrupt(&DurableStateStore::load(&store, &[account(1)]).await, says);
        assert_corrupt(&store.commands_before(&before).await, says);
    }
    foreign.execute("UPDATE state_commands SET uptime = 4294967295").await.unwrap();
    let record = DurableStateStore::load(&store, &[account(1)]).await.unwrap().remove(0);
    let commands = store.commands_before(&before).await.unwrap().remove(0);
    assert_eq!(record.unwrap().commands, commands);
    assert_eq!(commands.len(), 1);
}
