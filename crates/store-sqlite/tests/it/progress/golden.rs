//! Progress of each schema version, committed in November 2026, that must load for ever.
//!
//! `ACTUM_WRITE_GOLDEN=1` writes that of the newest version again; that is for a format that was never released.

use super::sample::OPEN_MAX;
use actum_model::{
    EntityKey, Lane, LaneCount, Offset, Partition, PartitionCount, Position, SequenceNr, Timestamp,
};
use actum_persistence::{
    progress::{
        DeadLetter, DeadLetterPlace, Epoch, ExactTarget, LastRead, NewProjection, ParkedEntity,
        ParkedRequest, ProgressChange, ProgressSave, ProgressStore, ProjectionId, ReadProgress,
        RunnerRow, Segment, SegmentClaim, StoredProjection, StoredSegment,
    },
    store::{EventId, Incarnation, JournalLayout},
};
use actum_store_sqlite::SqliteTarget;
use std::{
    fs,
    num::{NonZeroU16, NonZeroU32},
    path::{Path, PathBuf},
};

const LAYOUT: JournalLayout = JournalLayout {
    partitions: PartitionCount::new(16).unwrap(),
    lanes: LaneCount::new(2).unwrap(),
};

/// What `ACTUM_WRITE_GOLDEN` writes.
const NEWEST: u32 = 1;

fn golden(version: u32) -> PathBuf {
    let name = format!("tests/golden/progress-v{version}.sqlite");
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn id(version: u32) -> ProjectionId {
    ProjectionId::new("sales:per-day_2.x", NonZeroU32::new(version).unwrap()).unwrap()
}

fn new(version: u32) -> NewProjection {
    NewProjection {
        id: id(version),
        sources: vec!["account".to_owned(), "语, \"'\\".to_owned()],
        layout: LAYOUT,
        segments: Segment::divide(LAYOUT.partitions, NonZeroU16::new(2).unwrap()),
        start: Offset::of_positions([Position::new(3), Position::ZERO]),
        live_from: Offset::of_positions([Position::new(u64::MAX), Position::new(7)]),
    }
}

fn segment(nr: usize) -> Segment {
    new(1).segments[nr]
}

fn everything() -> Segment {
    Segment::new(Partition::new(0), Partition::new(15)).unwrap()
}

fn event_id(nr: u64) -> EventId {
    EventId { incarnation: Incarnation::new(2), nr }
}

fn progress() -> ReadProgress {
    let mut progress = ReadProgress::behind(new(1).start);
    let position = Position::new(38);
    progress.met(Lane::new(1), LastRead { position, event_id: event_id(u64::MAX) });
    progress.advance(Lane::new(1), Position::new(40));
    progress
}

fn parked(id: &str) -> ParkedEntity {
    let entity = EntityKey::new("account", id).unwrap();
    ParkedEntity {
        partition: entity.partition(LAYOUT.partitions),
        entity,
        lane: Lane::new(1),
        from: SequenceNr::new(12),
        position: Position::new(31),
        error: "no such column: é\n'".into(),
        attempts: u32::MAX,
        parked_at: Timestamp::from_micros(-5),
        request: None,
    }
}

fn letter(position: u64) -> DeadLetter {
    let entity = EntityKey::new("account", "语").unwrap();
    DeadLetter {
        place: DeadLetterPlace { lane: Lane::new(1), position: Position::new(position) },
        partition: entity.partition(LAYOUT.partitions),
        entity,
        sequence_nr: SequenceNr::new(9),
        event_id: event_id(u64::MAX - position),
        manifest: "account.deposited".into(),
        error: "it cannot be read".into(),
        attempts: 0,
        skipped_at: Timestamp::from_micros(1_795_000_000_123_456),
        is_requested: false,
    }
}

async fn write(path: &Path) {
    let target = SqliteTarget::open(path).await.unwrap();
    let store = target.progress();
    for version in [1, 2] {
        store.enter(&new(version)).await.unwrap();
    }
    store.set_paused(&id(2), true).await.unwrap();
    for runner in ["a", "b", "b"] {
        store.renew(&id(1), runner, &[]).await.unwrap();
    }
    for segment in [segment(0), segment(1)] {
        let (projection, runner) = (id(1), "b".into());
        let epoch = Epoch::default();
        let claim = SegmentClaim { projection, segment, runner, epoch, replaces: None };
        store.claim(&claim).await.unwrap().unwrap();
    }
    store.stop(&id(1), segment(1), Epoch::new(1), "it hurts").await.unwrap();
    let save = ProgressSave {
        handled: 17,
        saved_at: Timestamp::from_micros(77),
        parked: vec![parked("acc-1"), parked("ACC-1")],
        dead_letters: vec![letter(35), letter(36)],
        ..ProgressSave::nothing(id(1), segment(0), Epoch::new(1), progress())
    };
    let tx = target.begin(OPEN_MAX).await.unwrap();
    target.commit(tx, &ProgressChange::Save(save)).await.unwrap();
    let asked = Some(parked("acc-1").entity);
    store.request(&id(1), asked.as_ref(), ParkedRequest::Replay).await.unwrap();
    store.request_letter(&id(1), Some(letter(36).place)).await.unwrap();
    target.close().await;
}

/// All that was written.
async fn assert_there(store: &dyn ProgressStore) {
    assert_eq!(store.projections().await.unwrap(), [id(1), id(2)]);
    let mut first = StoredProjection::new(new(1), true);
    let mut running = StoredSegment::new(segment(0), progress());
    (running.epoch, running.owner) = (Epoch::new(1), Some("b".into()));
    (running.handled, running.saved_at) = (17, Timestamp::from_micros(77));
    let mut stopped = StoredSegment::new(segment(1), ReadProgress::behind(new(1).start));
    (stopped.epoch, stopped.stopped) = (Epoch::new(2), Some("it hurts".into()));
    first.segments = vec![running, stopped];
    first.runners = vec![RunnerRow::new("a", 1), RunnerRow::new("b", 2)];
    (first.parked, first.requested, first.dead_letters, first.letters_requested) = (2, 1, 2, 1);
    assert_eq!(store.load(&id(1)).await.unwrap(), Some(first));
    let mut second = StoredProjection::new(new(2), false);
    second.is_paused = true;
    assert_eq!(store.load(&id(2)).await.unwrap(), Some(second));

    let found = store.parked(&id(1), everything(), None, 9).await.unwrap();
    let asked = ParkedEntity { request: Some(ParkedRequest::Replay), ..parked("acc-1") };
    assert_eq!(found, [parked("ACC-1"), asked]);
    let found = store.dead_letters(&id(1), everything(), false, None, 9).await.unwrap();
    assert_eq!(found, [letter(35), DeadLetter { is_requested: true, ..letter(36) }]);
}

#[tokio::test]
async fn progress_of_all_versions_loads_for_ever() {
    if std::env::var_os("ACTUM_WRITE_GOLDEN").is_some() {
        drop(fs::remove_file(golden(NEWEST)));
        write(&golden(NEWEST)).await;
    }
    for version in 1..=NEWEST {
        let directory = tempfile::tempdir().unwrap();
        let copy = directory.path().join("progress.db");
        fs::copy(golden(version), &copy).unwrap();
        let target = SqliteTarget::open(&copy).await.unwrap();
        assert_there(&*target.progress()).await;
        target.progress().delete(&id(1)).await.unwrap();
        let again = target.progress().enter(&new(1)).await.unwrap();
        assert_eq!(again.segments[0].epoch, Epoch::new(3), "behind those that were deleted");
    }
}

#[tokio::test]
async fn progress_is_written_as_it_is_in_the_golden_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("progress.db");
    write(&path).await;
    assert_there(&*SqliteTarget::open(&path).await.unwrap().progress()).await;
    let [written, expected] = [dump(&path).await, dump(&golden(NEWEST)).await];
    assert_eq!(written, expected);
}

/// The tables and all that is in them.
async fn dump(path: &Path) -> Vec<String> {
    use sqlx::Row;
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("copy.db");
    fs::copy(path, &copy).unwrap();
    let mut connection = crate::fixture::foreign_connection(&copy).await;
    let query = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
    let tables = sqlx::query(query).fetch_all(&mut connection).await.unwrap();
    let mut lines = Vec::new();
    for table in &tables {
        let name: String = table.get(0);
        lines.push(table.get::<String, _>(1));
        let columns = format!("SELECT group_concat(name, ', ') FROM pragma_table_info('{name}')");
        let columns = sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(columns));
        let columns = columns.fetch_one(&mut connection).await.unwrap();
        let rows = format!("SELECT json_array({columns}) FROM {name} ORDER BY 1");
        let rows = sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(rows));
        lines.extend(rows.fetch_all(&mut connection).await.unwrap());
    }
    lines
}
