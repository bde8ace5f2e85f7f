//! Journals of each schema version, committed in November 2026, that must load for ever.
//!
//! `ACTUM_WRITE_GOLDEN=1` writes that of the newest version again, with `pg_dump`; that is for a format that was never
//! released.

use crate::{
    bounded::run_on,
    fixture::PostgresFixture,
    golden_members::{assert_members, next_incarnation, write_members},
    sample::{Writer, claim, event, page},
};
use actum_model::{
    EntityKey, Lane, LaneCount, Offset, PartitionCount, Position, Revision, SequenceNr,
    StoredPayload, Timestamp,
};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, ChangeFilter, CommandRecord, DurableStateStore, EventFilter,
    EventId, EventStore, Incarnation, JournalLayout, NewEvent, PageLimit, RecoveryRead,
    RecoveryStore, Snapshot, SnapshotStore, StateBatch, StateChange, StateOutcome, StateRecord,
    StateWrite, StoreError, StoredCommand, WriterClaim, WriterStore,
};
use actum_store_postgres::{PostgresSettings, PostgresStore};
use actum_test_servers::PostgresBinaries;
use bytes::Bytes;
use sqlx::AssertSqlSafe;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const LAYOUT: JournalLayout = JournalLayout {
    partitions: PartitionCount::new(16).unwrap(),
    lanes: LaneCount::new(2).unwrap(),
};

/// The versions there are.
const VERSIONS: [u32; 4] = [1, 2, 3, NEWEST];

/// What `ACTUM_WRITE_GOLDEN` writes.
const NEWEST: u32 = 4;

fn golden(version: u32) -> PathBuf {
    let name = format!("tests/golden/journal-v{version}.sql");
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Ids that distinguish what compares bytes from what does not.
fn entity(nr: usize) -> EntityKey {
    let id = ["acc-1", "ACC-1", "é", "e\u{301}", "語 ' \" \\ \n", "acc-6"][nr];
    EntityKey::new("account", id).unwrap()
}

fn lane_of(entity: &EntityKey) -> Lane {
    LAYOUT.lane_of(entity)
}

fn payload(text: &str) -> StoredPayload {
    StoredPayload {
        codec: "json".into(),
        manifest: "account.deposited".into(),
        schema_version: 3,
        bytes: Bytes::copy_from_slice(text.as_bytes()),
    }
}

fn snapshot() -> Snapshot {
    Snapshot {
        entity: entity(0),
        sequence_nr: SequenceNr::new(2),
        timestamp: Timestamp::from_micros(-5),
        state: payload("{\"balance\":3}"),
        recent_commands: Bytes::from_static(b"\x01\x02"),
    }
}

fn command(revision: u64) -> CommandRecord {
    CommandRecord {
        revision: Revision::new(revision),
        id_hash: u64::MAX - revision,
        uptime_seconds: u32::MAX,
        record: Bytes::from_static(b"record"),
    }
}

fn put(nr: usize, revisions: (u64, u64), change: StateChange) -> StateWrite {
    StateWrite {
        entity: entity(nr),
        partition: entity(nr).partition(LAYOUT.partitions),
        owned_as: None,
        expected: Revision::new(revisions.0),
        revision: Revision::new(revisions.1),
        write_nr: u64::MAX - nr as u64,
        timestamp: Timestamp::from_micros(77),
        change,
        commands: vec![command(revisions.1)],
        forget_to: Revision::ZERO,
    }
}

/// Three events of every entity, one batch a lane and event.
async fn append_all(store: &PostgresStore, writer: &Writer<'_>) {
    for nr in 0..3_u64 {
        for lane in LAYOUT.lanes.iter() {
            let events = |i: usize| {
                let payload = payload(&format!("{i}-{nr}"));
                let metadata = Bytes::from(vec![0xff; i]);
                vec![NewEvent {
                    timestamp: Timestamp::from_micros(1000 + nr.cast_signed()),
                    payload,
                    metadata,
                }]
            };
            let here = (0..6).filter(|i| lane_of(&entity(*i)) == lane);
            let appends = here.map(|i| writer.append(&entity(i), nr, events(i))).collect();
            let batch = AppendBatch { lane, incarnation: writer.incarnation, appends };
            store.append(&batch).await.unwrap();
        }
    }
}

async fn write(store: &PostgresStore) {
    let first = store.claim(&claim("a first life")).await.unwrap();
    store.release(first).await.unwrap();
    let writer = Writer::claim(store).await;
    append_all(store, &writer).await;
    store.save(&[snapshot()]).await.unwrap();
    store.delete_events(writer.incarnation, &entity(0), SequenceNr::new(2)).await.unwrap();
    store.delete_events(writer.incarnation, &entity(5), SequenceNr::new(3)).await.unwrap();
    for writes in [
        vec![
            put(1, (0, 1), StateChange::Put(payload("old"))),
            put(2, (0, 4), StateChange::Put(payload("new"))),
        ],
        vec![put(1, (1, 2), StateChange::Delete)],
    ] {
        let batch = StateBatch { incarnation: writer.incarnation, writes };
        store.write(&batch).await.unwrap();
    }
    store.renew(writer.incarnation, Duration::ZERO).await.unwrap();
    write_members(store).await;
}

/// The schema of the journal in a file; each test puts its own in its place.
fn schema_in(version: u32) -> String {
    format!("golden_v{version}")
}

/// Writes the file: all of a schema that was just made, without what depends on the program that dumps it.
async fn write_golden(fixture: &PostgresFixture) {
    let settings = fixture.settings().with_layout(LAYOUT);
    let store = PostgresStore::connect_with(fixture.url(), settings).await.unwrap();
    write(&store).await;
    store.close().await;
    let schema = fixture.settings().schema;
    let mut dumping = Command::new(PostgresBinaries::find().unwrap().program("pg_dump"));
    dumping.args(["--inserts", "--no-owner", "--no-privileges", "--schema", &schema]);
    let dumped = dumping.arg(fixture.url()).output().unwrap();
    assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
    let text = String::from_utf8(dumped.stdout).unwrap().replace(&schema, &schema_in(NEWEST));
    let passing = ["SET ", "SELECT pg_catalog.set_config", "--", "\\"];
    let is_kept = |line: &&str| !passing.iter().any(|start| line.starts_with(start));
    let mut lines: Vec<&str> = text.lines().filter(is_kept).collect();
    lines.dedup_by(|next, line| next.is_empty() && line.is_empty());
    fs::create_dir_all(golden(NEWEST).parent().unwrap()).unwrap();
    fs::write(golden(NEWEST), lines.join("\n").trim().to_owned() + "\n").unwrap();
}

/// Puts the journal of the file into the schema of a test.
async fn load(fixture: &PostgresFixture, version: u32) {
    let text = fs::read_to_string(golden(version)).unwrap();
    let text = AssertSqlSafe(text.replace(&schema_in(version), &fixture.settings().schema));
    sqlx::raw_sql(text).execute(&mut fixture.foreign_connection().await).await.unwrap();
}

fn journal() -> PostgresFixture {
    PostgresFixture::with(PostgresSettings::default())
}

#[test]
fn journals_of_all_versions_load_for_ever() {
    if std::env::var_os("ACTUM_WRITE_GOLDEN").is_some() {
        run_on(journal(), write_golden);
    }
    for version in VERSIONS {
        run_on(journal(), async |fixture| {
            load(fixture, version).await;
            let store = fixture.store().await;
            assert_eq!(store.layout(), LAYOUT);
            assert_events(&store).await;
            assert_snapshots_and_states(&store, version).await;
            assert_changes(&store, version).await;
            assert_members(&store, version).await;
            assert_it_goes_on(&store, version).await;
        });
    }
}

/// However old a journal is, once it is open it has the tables, indexes and functions of a new one. So a script that was
/// released is not changed unnoticed.
#[test]
fn an_old_journal_and_a_new_one_have_the_same_schema() {
    VERSIONS.into_iter().for_each(compare_schemas);
}

fn compare_schemas(version: u32) {
    run_on(journal(), async |old| {
        load(old, version).await;
        let new = journal();
        let schemas = [schema_of(old).await, schema_of(&new).await];
        for kind in ["table events", "column events 1 position bigint", "index ", "function append"]
        {
            assert!(schemas[0].iter().any(|line| line.starts_with(kind)), "{kind}: {schemas:#?}");
        }
        let [only_old, only_new] = [(0, 1), (1, 0)].map(|(one, other)| {
            let lines = schemas[one].iter().filter(|line| !schemas[other].contains(line));
            lines.map(|line| line.chars().take(100).collect::<String>()).collect::<Vec<_>>()
        });
        assert!(
            only_old.is_empty() && only_new.is_empty(),
            "version {version}: {only_old:#?}\n{only_new:#?}"
        );
    });
}

/// Everything the catalogs say of a journal that was opened, a line each.
async fn schema_of(fixture: &PostgresFixture) -> Vec<String> {
    fixture.store().await.close().await;
    let query = "SELECT concat_ws(' ', 'table', c.relname, c.relkind, c.relpersistence, c.reloptions)
        FROM pg_class AS c WHERE c.relnamespace = $1::regnamespace
        UNION ALL
        SELECT concat_ws(' ', 'column', c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
            a.attnotnull, a.attidentity, a.attgenerated, l.collname, a.attstorage, pg_get_expr(d.adbin, d.adrelid))
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
        LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
        LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
        WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r'
        UNION ALL
        SELECT 'index ' || pg_get_indexdef(i.indexrelid)
        FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid WHERE c.relnamespace = $1::regnamespace
        UNION ALL
        SELECT concat_ws(' ', 'constraint', o.conrelid::regclass, o.conname, pg_get_constraintdef(o.oid))
        FROM pg_constraint AS o WHERE o.connamespace = $1::regnamespace AND o.contype <> 'n'
        UNION ALL
        SELECT concat_ws(' ', 'trigger', t.tgrelid::regclass, t.tgname)
        FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid WHERE c.relnamespace = $1::regnamespace
        UNION ALL
        SELECT concat_ws(' ', 'function', p.proname, pg_get_functiondef(p.oid))
        FROM pg_proc AS p WHERE p.pronamespace = $1::regnamespace
        UNION ALL
        SELECT concat_ws(' ', 'migration', version, name) FROM @actum_migrations";
    let schema = fixture.settings().schema;
    let query = sqlx::query_scalar::<_, String>(fixture.sql(query)).bind(&schema);
    let lines = query.fetch_all(&mut fixture.foreign_connection().await).await.unwrap();
    lines.into_iter().map(|line| line.replace(&schema, "@")).collect()
}

async fn assert_events(store: &PostgresStore) {
    let in_lane_0 = (0..6).filter(|nr| lane_of(&entity(*nr)) == Lane::new(0)).count() as u64;
    let heads = [3 * in_lane_0, 3 * (6 - in_lane_0)].map(Position::new);
    assert_eq!(store.heads().await.unwrap(), Offset::of_positions(heads));
    for nr in 0..6 {
        let page = page(store, &entity(nr)).await.unwrap();
        let floor = [2, 0, 0, 0, 0, 3][nr];
        assert_eq!((page.head.get(), page.floor.get()), (3, floor), "{nr}");
        assert_eq!(page.events.len() as u64, 3 - floor);
        for (event, index) in page.events.iter().zip(floor..) {
            assert_eq!(event.sequence_nr.get(), index + 1);
            assert_eq!(event.payload, payload(&format!("{nr}-{index}")));
            assert_eq!(event.metadata, vec![0xff; nr]);
            assert_eq!(event.timestamp, Timestamp::from_micros(1000 + index.cast_signed()));
            assert_eq!(event.event_id.incarnation, Incarnation::new(2));
        }
    }
    let filter = EventFilter { kinds: vec!["account".into()], ..EventFilter::default() };
    let mut seen = 0;
    for lane in LAYOUT.lanes.iter() {
        let page =
            store.read_lane(lane, Position::ZERO, &filter, PageLimit::default()).await.unwrap();
        assert_eq!(page.read_to, heads[lane.index()]);
        for event in &page.events {
            assert_eq!(event.partition, event.entity.partition(LAYOUT.partitions));
        }
        seen += page.events.len();
    }
    assert_eq!(seen, 18 - 5);
}

async fn assert_snapshots_and_states(store: &PostgresStore, version: u32) {
    let read = RecoveryRead { entity: entity(0), snapshot: true };
    let recovered = store.recover(&[read], PageLimit::default()).await.unwrap().remove(0);
    assert_eq!(recovered.snapshot, Some(snapshot()));
    assert_eq!(recovered.page.events.len(), 1);
    let is_old = version == 1;
    let stored = |revision: &u64| {
        let CommandRecord { revision, id_hash, uptime_seconds, .. } = command(*revision);
        StoredCommand { revision, id_hash, incarnation: Incarnation::new(2), uptime_seconds }
    };
    let record = |nr: u64, (revision, position), state, commands: &[u64]| {
        let commands = if is_old { vec![] } else { commands.iter().map(stored).collect() };
        Some(StateRecord {
            commands,
            revision: Revision::new(revision),
            timestamp: Timestamp::from_micros(77),
            state,
            recent_commands: Bytes::from_static(if is_old { b"recent" } else { b"" }),
            write_id: EventId { incarnation: Incarnation::new(2), nr: u64::MAX - nr },
            position: Position::new(position),
        })
    };
    let states = DurableStateStore::load(store, &[entity(1), entity(2), entity(3)]).await.unwrap();
    let [of_deleted, of_new] = change_positions(version);
    assert_eq!(
        states,
        [
            record(1, (2, of_deleted), None, &[1, 2]),
            record(2, (4, of_new), Some(payload("new")), &[4]),
            None,
        ]
    );
}

/// Where the changes of the two states are: what was written before there were positions has them in the order of its times,
/// and of its entities where these are the same.
fn change_positions(version: u32) -> [u64; 2] {
    assert_eq!(lane_of(&entity(1)), lane_of(&entity(2)), "the example has them in one lane");
    if version < 3 { [1, 2] } else { [3, 2] }
}

async fn assert_changes(store: &PostgresStore, version: u32) {
    let (lane, all) = (lane_of(&entity(1)), ChangeFilter::default());
    let page = store.read_changes(lane, Position::ZERO, &all, PageLimit::default()).await.unwrap();
    let found = page.changes.into_iter().map(|change| {
        assert_eq!(change.partition, change.entity.partition(LAYOUT.partitions));
        (change.entity, change.position.get(), change.state.is_some())
    });
    let [of_deleted, of_new] = change_positions(version);
    let mut expected = [(entity(1), of_deleted, false), (entity(2), of_new, true)];
    expected.sort_by_key(|(_, position, _)| *position);
    assert_eq!(found.collect::<Vec<_>>(), expected, "version {version}");
    let head = Position::new(of_deleted.max(of_new));
    assert_eq!((page.read_to, store.change_heads().await.unwrap().position(lane)), (head, head));
}

async fn assert_it_goes_on(store: &PostgresStore, version: u32) {
    let old = Writer::of(store, Incarnation::new(2));
    let append = |writer: &Writer<'_>| {
        let appends = vec![writer.append(&entity(5), 3, vec![event("more")])];
        AppendBatch { lane: lane_of(&entity(5)), incarnation: writer.incarnation, appends }
    };
    let mut next = store.claim(&claim("a test")).await;
    // the old engine, and with version 4 a node, from when both could hold their slots at once
    for _ in 0..2 {
        if let Err(held) = &next {
            let replaces = held.seen();
            next = store.claim(&WriterClaim { replaces, ..claim("a test") }).await;
        }
    }
    assert_eq!(next.unwrap(), next_incarnation(version), "the old ones have not renewed");
    let next = next_incarnation(version);
    let writer = Writer::of(store, next);
    let late = store.append(&append(&old)).await;
    assert!(matches!(late, Err(StoreError::Fenced { .. })), "{late:?}");
    let head = store.heads().await.unwrap().position(lane_of(&entity(5)));
    let stored = store.append(&append(&writer)).await.unwrap();
    assert_eq!(stored, [AppendOutcome::Appended { last: head.plus(1) }]);
    let head = store.change_heads().await.unwrap().position(lane_of(&entity(2)));
    let mut write = put(2, (4, 5), StateChange::Put(payload("newer")));
    write.write_nr = 1;
    let batch = StateBatch { incarnation: writer.incarnation, writes: vec![write] };
    assert_eq!(store.write(&batch).await.unwrap(), [StateOutcome::Written]);
    let moved = DurableStateStore::load(store, &[entity(2)]).await.unwrap().remove(0).unwrap();
    assert_eq!(moved.position, head.plus(1));
}
