//! What a program of an older version does in a file whose schema a newer one has raised.

use crate::{
    fixture::SqliteFixture,
    sample::{Writer, account},
};
use actum_model::Lane;
use actum_persistence::store::{DurableStateStore, StateOutcome};
use actum_store_sqlite::SqliteSettings;
use sqlx::{AssertSqlSafe, Executor};

/// What a program of schema version 2 writes a state with, beginning with what it writes.
const WRITE_OF_VERSION_2: &str = "INSERT INTO states (entity, revision, incarnation, write_nr, timestamp, codec, manifest,
        schema_version, state, recent_commands)
    VALUES (NEW_OR_OLD, 2, 1, 9, 0, 'utf8', 'text', 1, 'late', '')
    ON CONFLICT (entity) DO UPDATE SET revision = excluded.revision, incarnation = excluded.incarnation,
        write_nr = excluded.write_nr, timestamp = excluded.timestamp, codec = excluded.codec,
        manifest = excluded.manifest, schema_version = excluded.schema_version, state = excluded.state,
        recent_commands = excluded.recent_commands";

/// It would leave its change where readers have passed.
#[tokio::test]
async fn a_program_that_knows_nothing_of_changes_writes_no_state() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    store.write(&writer.put(&account(1), 0)).await.unwrap();
    let mut older = fixture.foreign_connection().await;
    for entity in ["1", "2"] {
        let write = WRITE_OF_VERSION_2.replace("NEW_OR_OLD", entity);
        let error = older.execute(AssertSqlSafe(write)).await.unwrap_err().to_string();
        assert!(error.contains("NOT NULL constraint failed: states.lane"), "{error}");
    }
    let head = store.change_heads().await.unwrap().position(Lane::new(0));
    assert_eq!(head.get(), 1);
    let written = store.write(&writer.put(&account(1), 1)).await.unwrap();
    assert_eq!(written, [StateOutcome::Written], "nothing of it is there");
}
