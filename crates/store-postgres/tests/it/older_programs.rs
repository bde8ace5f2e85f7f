//! What a program of an older version does in a journal whose schema a newer one has raised.

use crate::{
    bounded::run_on,
    fixture::PostgresFixture,
    sample::{Writer, account},
};
use actum_model::{Lane, LaneCount, Position};
use actum_persistence::store::{
    ChangeFilter, DurableStateStore, EventStore, JournalLayout, PageLimit, StateOutcome,
};
use actum_store_postgres::{PostgresSettings, PostgresStore};
use sqlx::Row;

fn journal() -> PostgresFixture {
    let lanes = LaneCount::new(4).unwrap();
    let layout = JournalLayout { lanes, ..JournalLayout::default() };
    PostgresFixture::with(PostgresSettings::default().with_layout(layout))
}

/// Writes a state as a program of schema version 2 does, and returns the outcome.
async fn write_as_version_2(
    fixture: &PostgresFixture,
    writer: &Writer<'_>,
    nr: usize,
    expected: u64,
) -> i64 {
    let query = "SELECT s._verdict, s._outcomes[1]
        FROM @journal AS j CROSS JOIN @writers AS w CROSS JOIN LATERAL @write_states_v2(
            j.lock_space, (-1 - w.incarnation)::integer, w.incarnation, w.nonce, w.settled,
            ARRAY['account'], ARRAY[$2], ARRAY[$3], ARRAY[$4], ARRAY[$4 + 1], ARRAY[7::bigint], ARRAY[0::bigint],
            ARRAY['utf8'], ARRAY['text'], ARRAY[1::bigint], ARRAY[''::bytea], ARRAY[0::bigint],
            '{}', '{}', '{}', '{}', '{}'
        ) AS s
        WHERE w.incarnation = $1";
    let (key, partitions) = (account(nr), writer.store.layout().partitions);
    let query = sqlx::query(fixture.sql(query))
        .bind(writer.incarnation.get().cast_signed())
        .bind(key.id())
        .bind(i32::from(key.partition(partitions).nr()))
        .bind(expected.cast_signed());
    let row = query.fetch_one(&mut fixture.foreign_connection().await).await.unwrap();
    assert_eq!(row.get::<i32, _>(0), 0, "the writer may write");
    row.get(1)
}

/// The ids of the entities that have changed in a lane, in order, with their positions.
async fn changes(store: &PostgresStore, lane: Lane) -> Vec<(String, u64)> {
    let (all, limit) = (ChangeFilter::default(), PageLimit::default());
    let page = store.read_changes(lane, Position::ZERO, &all, limit).await.unwrap();
    let changes = page.changes.iter();
    changes.map(|change| (change.entity.id().to_owned(), change.position.get())).collect()
}

#[test]
fn what_a_program_of_version_2_writes_is_a_change_too() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        let lane = store.layout().lane_of(&account(1));
        let same = (2..).find(|nr| store.layout().lane_of(&account(*nr)) == lane).unwrap();
        assert_eq!(
            store.write(&writer.put(&account(1), 0)).await.unwrap(),
            [StateOutcome::Written]
        );
        assert_eq!(write_as_version_2(fixture, &writer, same, 0).await, -1);
        let second = account(same).id().to_owned();
        assert_eq!(changes(&store, lane).await, [("acc-1".to_owned(), 1), (second.clone(), 2)]);
        assert_eq!(write_as_version_2(fixture, &writer, 1, 1).await, -1);
        assert_eq!(write_as_version_2(fixture, &writer, 1, 1).await, 2, "a conflict says where");
        assert_eq!(changes(&store, lane).await, [(second, 2), ("acc-1".to_owned(), 3)]);
    });
}

/// It would leave its change where readers have passed: what an older function was doing when the schema was raised, and
/// what is written by hand.
#[test]
fn no_state_changes_in_its_place() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        store.write(&writer.put(&account(1), 0)).await.unwrap();
        let mut foreign = fixture.foreign_connection().await;
        for (statement, expected) in [
            ("UPDATE @states SET revision = 2", "states_moved"),
            (
                "INSERT INTO @states (entity, revision, incarnation, write_nr, timestamp, recent_commands)
                VALUES (9, 1, 1, 1, 0, '')",
                "null value in column \"lane\"",
            ),
            (
                "SELECT @write_states_v1(0, 0, 0, 0, 0, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
                    '{}', '{}')",
                "programs that know version 2 of its schema or a later one",
            ),
        ] {
            let done = sqlx::query(fixture.sql(statement)).execute(&mut foreign).await;
            let error = done.unwrap_err().to_string();
            assert!(error.contains(expected), "{statement}: {error}");
        }
    });
}
