//! What a write of durable states asks the server for, and what it leaves in the tables.

use crate::{
    bounded::run_on,
    fixture::PostgresFixture,
    sample::{Writer, account},
};
use actum_model::Revision;
use actum_persistence::store::{
    CommandRecord, DurableStateStore, StateBatch, StateOutcome, StateWrite,
};
use actum_store_postgres::PostgresSettings;
use bytes::Bytes;

fn journal() -> PostgresFixture {
    PostgresFixture::with(PostgresSettings::default())
}

async fn run(fixture: &PostgresFixture, statements: &str) {
    let statements = fixture.sql(statements);
    sqlx::raw_sql(statements).execute(&mut fixture.foreign_connection().await).await.unwrap();
}

async fn number(fixture: &PostgresFixture, query: &str) -> i64 {
    let query = sqlx::query_scalar(fixture.sql(query));
    query.fetch_one(&mut fixture.foreign_connection().await).await.unwrap()
}

/// A write of an account that was never written, by a command with an id.
fn write(writer: &Writer<'_>, nr: usize) -> StateWrite {
    let mut write = writer.put(&account(nr), 0).writes.remove(0);
    write.commands = vec![CommandRecord {
        revision: Revision::new(1),
        id_hash: 7,
        uptime_seconds: 3,
        record: Bytes::from_static(b"record"),
    }];
    write
}

#[test]
fn the_entities_of_a_write_with_commands_are_looked_up_once() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        run(
            fixture,
            "CREATE SEQUENCE @look_ups;
            ALTER FUNCTION @keys_v1 RENAME TO keys_of_old;
            CREATE FUNCTION @keys_v1(text[], text[], integer[], boolean[])
            RETURNS bigint[] LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM nextval('@look_ups');
                RETURN @keys_of_old($1, $2, $3, $4);
            END
            $$;",
        )
        .await;
        let writes = (0..3).map(|nr| write(&writer, nr)).collect();
        let batch = StateBatch { incarnation: writer.incarnation, writes };
        assert_eq!(store.write(&batch).await.unwrap(), [StateOutcome::Written; 3]);
        assert_eq!(number(fixture, "SELECT last_value FROM @look_ups").await, 1);
        assert_eq!(number(fixture, "SELECT count(*) FROM @state_commands").await, 3);
    });
}

/// A statement that writes everything would run into time-outs.
#[test]
fn no_statement_stores_more_than_some_commands_of_a_write() {
    const MANY: u64 = 20_000;
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        run(
            fixture,
            "CREATE TABLE @sizes (rows bigint);
            CREATE FUNCTION @measure() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO @sizes SELECT count(*) FROM stored;
                RETURN NULL;
            END
            $$;
            CREATE TRIGGER size AFTER INSERT ON @state_commands REFERENCING NEW TABLE AS stored
            FOR EACH STATEMENT EXECUTE FUNCTION @measure();",
        )
        .await;
        let mut busy = write(&writer, 1);
        busy.revision = Revision::new(MANY);
        let command =
            |nr| CommandRecord { revision: Revision::new(nr), ..busy.commands[0].clone() };
        busy.commands = (1..=MANY).map(command).collect();
        let writes = vec![write(&writer, 0), busy, write(&writer, 2)];
        let batch = StateBatch { incarnation: writer.incarnation, writes };
        assert_eq!(store.write(&batch).await.unwrap(), [StateOutcome::Written; 3]);
        let all = MANY.cast_signed() + 2;
        assert_eq!(number(fixture, "SELECT sum(rows)::bigint FROM @sizes").await, all);
        assert!(number(fixture, "SELECT max(rows) FROM @sizes").await <= 4_000);
        assert_eq!(number(fixture, "SELECT count(*) FROM @state_commands").await, all);
    });
}
