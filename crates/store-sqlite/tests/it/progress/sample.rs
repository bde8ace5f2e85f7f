use actum_model::{Offset, Position, Timestamp};
use actum_persistence::{
    progress::{
        Epoch, ExactTarget, NewProjection, ProgressChange, ProgressSave, ProjectionId,
        ReadProgress, SaveError, Segment, SegmentClaim, StoredSegment,
    },
    store::{JournalLayout, StoreError},
};
use actum_store_sqlite::{SqliteTarget, SqliteTx};
use sqlx::{Row, SqliteConnection};
use std::{
    num::{NonZeroU16, NonZeroU32},
    path::PathBuf,
    time::Duration,
};
use tempfile::TempDir;

pub(crate) const OPEN_MAX: Duration = Duration::from_secs(30);

pub(crate) fn id(name: &str) -> ProjectionId {
    ProjectionId::new(name, NonZeroU32::MIN).unwrap()
}

/// A projection of one segment over the default journal.
pub(crate) fn new_projection(name: &str) -> NewProjection {
    let layout = JournalLayout::default();
    NewProjection {
        id: id(name),
        sources: vec!["account".to_owned(), "a, \"b\"".to_owned()],
        layout,
        segments: Segment::divide(layout.partitions, NonZeroU16::MIN),
        start: Offset::beginning(layout.lanes),
        live_from: Offset::beginning(layout.lanes),
    }
}

/// A runner that has the only segment of a projection.
#[derive(Clone)]
pub(crate) struct Runner {
    pub(crate) target: SqliteTarget,
    pub(crate) id: ProjectionId,
    pub(crate) segment: Segment,
    pub(crate) epoch: Epoch,
}

impl Runner {
    /// Enters the projection if need be, and takes its segment from its owner, if it has one.
    pub(crate) async fn claim(target: &SqliteTarget, name: &str) -> Self {
        let progress = target.progress();
        let found = progress.enter(&new_projection(name)).await.unwrap();
        if let Some(owner) = &found.segments[0].owner {
            progress.leave(&found.id, owner).await.unwrap();
        }
        let found = progress.load(&found.id).await.unwrap().unwrap();
        let segment = found.segments[0].segment;
        let claim = SegmentClaim {
            projection: found.id.clone(),
            segment,
            runner: format!("runner of {name}").into(),
            epoch: found.segments[0].epoch,
            replaces: None,
        };
        let taken = progress.claim(&claim).await.unwrap().unwrap();
        Self { target: target.clone(), id: found.id, segment, epoch: taken.epoch }
    }

    /// That the journal was read up to `position`.
    pub(crate) fn save(&self, position: u64) -> ProgressChange {
        let offset = Offset::of_positions([Position::new(position)]);
        let progress = ReadProgress::behind(offset);
        let (projection, segment, epoch) = (self.id.clone(), self.segment, self.epoch);
        let save = ProgressSave::nothing(projection, segment, epoch, progress);
        ProgressChange::Save(ProgressSave {
            handled: 1,
            saved_at: Timestamp::from_micros(7),
            ..save
        })
    }

    pub(crate) async fn begin(&self) -> Result<SqliteTx, StoreError> {
        self.target.begin(OPEN_MAX).await
    }

    /// Writes a row and commits it with the progress.
    pub(crate) async fn handle(&self, position: u64) -> Result<(), SaveError> {
        let mut tx = self.begin().await?;
        insert(SqliteTarget::connection(&mut tx), position).await.unwrap();
        self.target.commit(tx, &self.save(position)).await
    }

    /// What is kept of the segment.
    pub(crate) async fn stored(&self) -> StoredSegment {
        let found = self.target.progress().load(&self.id).await.unwrap().unwrap();
        found.segments[0].clone()
    }

    /// How far the progress and the rows have come, while no one writes.
    pub(crate) async fn both(&self) -> (u64, Vec<i64>) {
        let mut tx = self.begin().await.unwrap();
        let rows = rows(SqliteTarget::connection(&mut tx)).await;
        let position = self.stored().await.progress.offset().positions()[0];
        self.target.rollback(tx).await;
        (position.get(), rows)
    }
}

/// A file of its own with the table of a projection.
pub(crate) struct Place {
    pub(crate) directory: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join("rows.db")
    }

    pub(crate) async fn target(&self) -> SqliteTarget {
        SqliteTarget::open(self.path()).await.unwrap()
    }

    /// A runner, and a table for it.
    pub(crate) async fn runner(&self) -> Runner {
        let runner = Runner::claim(&self.target().await, "rows").await;
        create_tables(&runner.target).await;
        runner
    }
}

/// Creates the tables of the handler.
pub(crate) async fn create_tables(target: &SqliteTarget) {
    let mut tx = target.begin(OPEN_MAX).await.unwrap();
    let texts = "CREATE TABLE IF NOT EXISTS texts (key TEXT PRIMARY KEY, value TEXT)";
    sqlx::query(texts).execute(SqliteTarget::connection(&mut tx)).await.unwrap();
    let table = "CREATE TABLE IF NOT EXISTS handled (position INTEGER PRIMARY KEY ON CONFLICT ABORT, payload BLOB)";
    sqlx::query(table).execute(SqliteTarget::connection(&mut tx)).await.unwrap();
    target.commit(tx, &ProgressChange::Nothing).await.unwrap();
}

pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    position: u64,
) -> Result<(), sqlx::Error> {
    let statement = "INSERT INTO handled (position) VALUES (?)";
    let statement = sqlx::query(statement).bind(position.cast_signed());
    statement.execute(connection).await.map(drop)
}

pub(crate) async fn rows(connection: &mut SqliteConnection) -> Vec<i64> {
    let query = sqlx::query("SELECT position FROM handled ORDER BY position");
    let rows = query.fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}
