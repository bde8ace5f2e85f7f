//! Journals of each schema version, committed in November 2026, that must load for ever.
//!
//! `ACTUM_WRITE_GOLDEN=1` writes that of the newest version again; that is for a format that was never released.

use crate::{
    fixture::foreign_connection,
    golden_members::{assert_members, next_incarnation, write_members},
    sample::{Writer, claim, event, page},
};
use actum_model::{
    EntityKey, Lane, LaneCount, Offset, PartitionCount, Position, Revision, SequenceNr,
    StoredPayload, Timestamp,
};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, ChangeFilter, CommandRead, CommandRecord, DurableStateStore,
    EventFilter, EventId, EventStore, Incarnation, JournalLayout, NewEvent, PageLimit,
    RecoveryRead, RecoveryStore, Snapshot, SnapshotStore, StateBatch, StateChange, StateOutcome,
    StateRecord, StateWrite, StoreError, StoredCommand, WriterStore,
};
use actum_store_sqlite::{SqliteSettings, SqliteStore};
use bytes::Bytes;
use sqlx::AssertSqlSafe;
use std::{
    fs,
    path::{Path, PathBuf},
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
    let name = format!("tests/golden/journal-v{version}.sqlite");
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
async fn append_all(store: &SqliteStore, writer: &Writer<'_>) {
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

async fn write(path: &Path) {
    let settings = SqliteSettings::default().with_layout(LAYOUT);
    let directory = tempfile::tempdir().unwrap();
    let live = directory.path().join("journal.db");
    let store = SqliteStore::open_with(&live, settings).await.unwrap();
    let first = store.claim(&claim("a first life")).await.unwrap();
    store.release(first).await.unwrap();
    let writer = Writer::claim(&store).await;
    append_all(&store, &writer).await;
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
    store.release(writer.incarnation).await.unwrap();
    write_members(&store).await;
    // before it is closed, which ends the membership
    let copy = AssertSqlSafe(format!("VACUUM INTO '{}'", path.display()));
    sqlx::raw_sql(copy).execute(&mut foreign_connection(&live).await).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn journals_of_all_versions_load_for_ever() {
    if std::env::var_os("ACTUM_WRITE_GOLDEN").is_some() {
        drop(fs::remove_file(golden(NEWEST)));
        write(&golden(NEWEST)).await;
    }
    for version in VERSIONS {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.db");
        fs::copy(golden(version), &path).unwrap();
        let store = SqliteStore::open(&path).await.unwrap();
        assert_eq!(store.layout(), LAYOUT);
        assert_events(&store).await;
        assert_snapshots_and_states(&store, version).await;
        assert_changes(&store, version).await;
        assert_command_records(&store, version).await;
        assert_members(&store, version).await;
        assert_it_goes_on(&store, version).await;
    }
}

/// However old a file is, once it is open it has the tables of a new one.
#[tokio::test]
async fn an_old_file_and_a_new_one_have_the_same_schema() {
    let directory = tempfile::tempdir().unwrap();
    let mut paths = vec![directory.path().join("new.db")];
    for version in VERSIONS {
        let old = directory.path().join(format!("old-{version}.db"));
        fs::copy(golden(version), &old).unwrap();
        paths.push(old);
    }
    let mut schemas = Vec::new();
    for path in paths {
        SqliteStore::open(&path).await.unwrap().close().await;
        let query = "SELECT name, sql, (SELECT user_version FROM pragma_user_version) FROM sqlite_schema ORDER BY name";
        let query = sqlx::query_as::<_, (String, Option<String>, i64)>(query);
        schemas.push(query.fetch_all(&mut foreign_connection(&path).await).await.unwrap());
    }
    assert!(schemas[0].len() > 7);
    for (old, version) in schemas[1..].iter().zip(VERSIONS) {
        assert_eq!(*old, schemas[0], "version {version}");
    }
}

async fn assert_events(store: &SqliteStore) {
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

async fn assert_snapshots_and_states(store: &SqliteStore, version: u32) {
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

/// What is recorded of the commands of durable states; version 1 kept it beside the state.
async fn assert_command_records(store: &SqliteStore, version: u32) {
    let read =
        |(nr, revision)| CommandRead { entity: entity(nr), revision: Revision::new(revision) };
    let reads = [(1, 1), (1, 2), (2, 4), (2, 3)].map(read);
    let kept = (version > 1).then(|| command(1).record);
    let expected = [kept.clone(), kept.clone(), kept, None];
    assert_eq!(store.command_records(&reads).await.unwrap(), expected, "version {version}");
}

/// Where the changes of the two states are: what was written before there were positions has them in the order of its times,
/// and of its entities where these are the same.
fn change_positions(version: u32) -> [u64; 2] {
    assert_eq!(lane_of(&entity(1)), lane_of(&entity(2)), "the example has them in one lane");
    if version < 3 { [1, 2] } else { [3, 2] }
}

async fn assert_changes(store: &SqliteStore, version: u32) {
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

async fn assert_it_goes_on(store: &SqliteStore, version: u32) {
    let old = Writer::of(store, Incarnation::new(2));
    let append = |writer: &Writer<'_>| {
        let appends = vec![writer.append(&entity(5), 3, vec![event("more")])];
        AppendBatch { lane: lane_of(&entity(5)), incarnation: writer.incarnation, appends }
    };
    let late = store.append(&append(&old)).await;
    assert!(matches!(late, Err(StoreError::Fenced { .. })), "{late:?}");
    let writer = Writer::claim(store).await;
    assert_eq!(writer.incarnation, next_incarnation(version));
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
