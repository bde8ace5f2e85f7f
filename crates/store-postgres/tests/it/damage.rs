//! Tables, functions and rows that another program has changed behind the store's back.

use crate::{
    bounded::run_on,
    fixture::PostgresFixture,
    sample::{Writer, account, head_of, page},
};
use actum_model::{EntityKey, Lane, Partition, Position, Revision, SequenceNr};
use actum_persistence::store::{
    AppendOutcome, CommandRead, CommandRecord, DurableStateStore, EventFilter, EventStore,
    PageLimit, SnapshotStore, StateOutcome, StoreError,
};
use actum_store_postgres::{PostgresSettings, PostgresStore};
use bytes::Bytes;

fn journal() -> PostgresFixture {
    PostgresFixture::with(PostgresSettings::default())
}

async fn run(fixture: &PostgresFixture, statements: &str) {
    let statements = fixture.sql(statements);
    sqlx::raw_sql(statements).execute(&mut fixture.foreign_connection().await).await.unwrap();
}

fn assert_corrupt<T: std::fmt::Debug>(result: &Result<T, StoreError>, says: &str) {
    match result {
        Err(StoreError::Corrupt { what }) => {
            assert!(what.contains(says), "{what} does not say `{says}`");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn tables_and_functions_that_are_gone_are_corruption() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        writer.write(&account(1), 0).await;
        run(fixture, "UPDATE @lanes SET lane = 1").await;
        let appended = writer.each(&[account(1)], 1, 10).await;
        assert_corrupt(&appended, "query returned no rows (SQLSTATE P0002)");
        run(fixture, "UPDATE @lanes SET lane = 0").await;
        let functions = "DO $$ DECLARE f regprocedure; BEGIN
            FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = '\"#\"'::regnamespace AND proname LIKE 'append%' LOOP
                EXECUTE 'DROP FUNCTION ' || f;
            END LOOP; END $$";
        run(fixture, &functions.replace('#', &fixture.settings().schema)).await;
        let appended = writer.each(&[account(1)], 1, 10).await;
        assert_corrupt(&appended, "does not exist");
        run(fixture, "DROP TABLE @events").await;
        assert_corrupt(&page(&store, &account(1)).await, "SQLSTATE 42P01");
        assert_corrupt(&store.heads().await, "SQLSTATE 42P01");
        run(fixture, "DELETE FROM @lanes; CREATE TABLE @events (lane integer, position bigint)")
            .await;
        assert_corrupt(&store.heads().await, "does not know all of its lanes");
    });
}

/// Its prepared statements have plans for the old table; the connections are replaced, and no one has to restart.
#[test]
fn a_table_that_was_changed_under_prepared_statements_is_read_and_written_again() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        writer.write(&account(1), 0).await;
        let read = async || SnapshotStore::load(&store, &account(1), SequenceNr::new(9)).await;
        read().await.unwrap();
        assert_eq!(head_of(&store, &account(1)).await, 1);
        run(fixture, "ALTER TABLE @snapshots ALTER COLUMN codec TYPE varchar(20)").await;
        run(fixture, "ALTER TABLE @events ALTER COLUMN codec TYPE varchar(20)").await;
        for _ in 0..3 {
            drop(read().await.unwrap());
            assert_eq!(head_of(&store, &account(1)).await, 1);
        }
        writer.write(&account(1), 1).await;
    });
}

/// The tables were changed by hand, without moving the head of a lane: the unique index is the second line.
#[test]
fn a_number_that_is_taken_against_all_memory_is_a_conflict() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        writer.each(&[account(1), account(2), account(3)], 0, 10).await.unwrap();
        let forged = "UPDATE @events SET sequence_nr = 2,
                entity = (SELECT entity FROM @entities WHERE id = 'acc-1')
            WHERE entity = (SELECT entity FROM @entities WHERE id = 'acc-2')";
        run(fixture, forged).await;
        let outcomes = writer.each(&[account(3), account(1)], 1, 10).await.unwrap();
        assert!(matches!(outcomes[0], AppendOutcome::Appended { .. }));
        assert_eq!(outcomes[1], AppendOutcome::Conflict { actual: SequenceNr::new(2) });
        assert_eq!(page(&store, &account(3)).await.unwrap().events.len(), 2);
    });
}

#[test]
fn what_another_store_wrote_is_noticed_whatever_was_remembered() {
    run_on(journal(), async |fixture| {
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
                for key in &keys[..10] {
                    one.delete_events(first.incarnation, key, actual).await.unwrap();
                }
                let late = theirs.each(&keys[..10], round, 10).await.unwrap();
                assert_eq!(late, vec![AppendOutcome::Conflict { actual }; 10]);
            }
        }
    });
}

#[test]
fn a_deleted_number_is_never_given_again_although_its_row_is_free() {
    run_on(journal(), async |fixture| {
        let (one, two) = (fixture.store().await, fixture.store().await);
        let first = Writer::claim(&one).await;
        first.write(&account(1), 0).await;
        let second = Writer::of(&two, first.incarnation);
        second.write(&account(1), 1).await;
        two.delete_events(first.incarnation, &account(1), SequenceNr::new(2)).await.unwrap();
        let outcome = first.each(&[account(1)], 1, 10).await.unwrap();
        assert_eq!(outcome, [AppendOutcome::Conflict { actual: SequenceNr::new(2) }]);
    });
}

async fn five_events(store: &PostgresStore) {
    let writer = Writer::claim(store).await;
    for expected in 0..5 {
        writer.write(&account(1), expected).await;
    }
}

#[test]
fn an_event_that_is_missing_is_corruption_and_never_skipped() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        five_events(&store).await;
        for (gone, says) in [(3, "missing between 2 and 4"), (2, "missing between 1 and 4")] {
            run(fixture, &format!("DELETE FROM @events WHERE sequence_nr = {gone}")).await;
            let read = page(&store, &account(1)).await;
            assert_corrupt(&read, &format!("events of account/acc-1 are {says}"));
        }
    });
}

#[test]
fn a_row_that_cannot_be_read_is_corruption_and_names_the_column() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        five_events(&store).await;
        for damage in [
            "UPDATE @events SET sequence_nr = -3 WHERE sequence_nr = 3",
            "UPDATE @events SET position = 0 WHERE position = 1",
            "UPDATE @events SET incarnation = 0",
            "UPDATE @entities SET floor = -1",
            "UPDATE @events SET schema_version = -1",
            "UPDATE @events SET schema_version = 4294967296",
            "UPDATE @events SET incarnation = -1",
            "ALTER TABLE @events ALTER COLUMN codec DROP NOT NULL; UPDATE @events SET codec = NULL",
            "ALTER TABLE @events ALTER COLUMN payload DROP NOT NULL; UPDATE @events SET payload = NULL",
        ] {
            run(fixture, &format!("CREATE TABLE @kept AS SELECT * FROM @events; {damage}")).await;
            let read = page(&store, &account(1)).await;
            if damage.contains("sequence_nr") || damage.contains("floor") {
                assert_corrupt(&read, "");
            } else {
                assert_corrupt(&read, "column ");
            }
            let repair =
                "TRUNCATE @events; INSERT INTO @events SELECT * FROM @kept; DROP TABLE @kept;
                UPDATE @entities SET floor = 0";
            run(fixture, repair).await;
            assert_eq!(head_of(&store, &account(1)).await, 5);
        }
        run(fixture, "UPDATE @events SET position = position - 10").await;
        let (filter, limit) = (EventFilter::default(), PageLimit::default());
        let lane = store.read_lane(Lane::default(), Position::ZERO, &filter, limit).await;
        assert!(lane.as_ref().is_ok_and(|page| page.events.is_empty()), "{lane:?}");
        assert_corrupt(&page(&store, &account(1)).await, "column ");
    });
}

#[test]
fn a_state_whose_row_cannot_be_right_is_corruption_and_is_not_written_over() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        for (nr, damage) in [
            "codec = NULL",
            "manifest = NULL",
            "schema_version = NULL",
            "state = NULL",
            "codec = NULL, manifest = NULL, schema_version = NULL",
            "manifest = NULL, schema_version = NULL, state = NULL",
            "schema_version = 4294967296",
            "revision = 0, positioned = 0",
            "revision = -7, positioned = -7",
            "incarnation = 0",
            "position = 0",
        ]
        .into_iter()
        .enumerate()
        {
            store.write(&writer.put(&account(nr), 0)).await.unwrap();
            let entity = format!("entity = (SELECT entity FROM @entities WHERE id = 'acc-{nr}')");
            run(fixture, &format!("UPDATE @states SET {damage} WHERE {entity}")).await;
            let loaded = DurableStateStore::load(&store, &[account(nr)]).await;
            assert_corrupt(&loaded, "column ");
            if damage.contains("revision") {
                let written = store.write(&writer.put(&account(nr), 0)).await.unwrap();
                assert_eq!(
                    written,
                    [StateOutcome::Conflict { actual: Revision::ZERO }],
                    "{damage}"
                );
            }
        }
    });
}

/// Commands are read beside their state and page by page: both call the same rows corrupt.
#[test]
fn a_command_that_cannot_be_is_corruption_in_every_read() {
    run_on(journal(), async |fixture| {
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
        let before = [CommandRead { entity: account(1), revision: Revision::new(9) }];
        for (damage, says) in [
            ("revision = 0", "revision 0"),
            ("revision = -1", "revision -1"),
            ("revision = 1, incarnation = -1", "incarnation -1"),
            ("incarnation = 1, uptime = -1", "uptime of -1"),
            ("uptime = 4294967296", "uptime of 4294967296"),
        ] {
            run(fixture, &format!("UPDATE @state_commands SET {damage}")).await;
            assert_corrupt(&DurableStateStore::load(&store, &[account(1)]).await, says);
            assert_corrupt(&store.commands_before(&before).await, says);
        }
        run(fixture, "UPDATE @state_commands SET uptime = 4294967295").await;
        let record = DurableStateStore::load(&store, &[account(1)]).await.unwrap().remove(0);
        let commands = store.commands_before(&before).await.unwrap().remove(0);
        assert_eq!(record.unwrap().commands, commands);
        assert_eq!(commands.len(), 1);
    });
}

/// A reader of the lane would overlook it, whatever it asks for.
#[test]
fn an_event_whose_entity_is_missing_is_corruption_and_never_skipped() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        for nr in 1..=3 {
            writer.write(&account(nr), 0).await;
        }
        run(fixture, "DELETE FROM @entities WHERE id = 'acc-2'").await;
        let all = EventFilter::default();
        let of_kind = EventFilter { kinds: vec!["account".to_owned()], ..EventFilter::default() };
        let partitions = Some(Partition::new(0)..=Partition::new(0));
        let of_partition = EventFilter { partitions, ..EventFilter::default() };
        for filter in [all, of_kind, of_partition] {
            let limit = PageLimit::default();
            let page = store.read_lane(Lane::default(), Position::ZERO, &filter, limit).await;
            assert_corrupt(&page, "the event at 2 has no entity");
        }
    });
}
