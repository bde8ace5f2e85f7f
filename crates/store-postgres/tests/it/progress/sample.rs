use super::fixture::TargetFixture;
use crate::bounded::run;
use actum_model::{Lane, LaneCount, Offset, PartitionCount, Position, Timestamp};
use actum_persistence::{
    progress::{
        ExactTarget, NewProjection, ProgressChange, ProgressSave, ProjectionId, ReadProgress,
        SaveError, Segment, SegmentClaim, StoredSegment,
    },
    store::JournalLayout,
};
use actum_store_postgres::{PostgresSettings, PostgresTarget, PostgresTransaction};
use actum_testkit::conformance::progress::ProgressFixture;
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};
use std::{
    num::{NonZeroU16, NonZeroU32},
    time::Duration,
};

pub(crate) const OPEN_MAX: Duration = Duration::from_secs(20);

/// A projection that was entered, of one segment that was claimed, and a table that a handler writes to.
pub(crate) struct Sample {
    pub(crate) schema: String,
    pub(crate) target: PostgresTarget,
    pub(crate) claimed: StoredSegment,
}

/// Runs a test with each way to get connections.
pub(crate) fn run_on_each(test: &impl AsyncFn(&TargetFixture, &Sample)) {
    let settings = PostgresSettings::default();
    let unprepared = settings.clone().with_transaction_pooling(true);
    for fixture in
        [TargetFixture::with(settings), TargetFixture::on_pool(), TargetFixture::with(unprepared)]
    {
        run_on(fixture, test);
    }
}

/// Runs a test; skipped where there is no server.
pub(crate) fn run_on(fixture: TargetFixture, test: &impl AsyncFn(&TargetFixture, &Sample)) {
    if fixture.is_available() {
        run(async {
            let sample = Sample::create(fixture.target(), &fixture.schema).await;
            test(&fixture, &sample).await;
        });
    }
    drop(fixture); // only now
}

pub(crate) fn projection() -> ProjectionId {
    ProjectionId::new("balances", NonZeroU32::MIN).unwrap()
}

fn new_projection() -> NewProjection {
    NewProjection {
        id: projection(),
        sources: vec!["account".to_owned()],
        layout: JournalLayout::default(),
        segments: Segment::divide(PartitionCount::default(), NonZeroU16::MIN),
        start: Offset::beginning(LaneCount::default()),
        live_from: Offset::beginning(LaneCount::default()),
    }
}

impl Sample {
    pub(crate) async fn create(target: PostgresTarget, schema: &str) -> Self {
        let entered = target.progress().enter(&new_projection()).await.unwrap();
        let seen = &entered.segments[0];
        let claimed = claim(&target, seen, "runner 1").await.unwrap();
        let sample = Self { schema: schema.to_owned(), target, claimed };
        let mut tx = sample.begin().await;
        sample.run(&mut tx, "CREATE TABLE @rows (nr bigint PRIMARY KEY)").await.unwrap();
        sample.target.commit(tx, &ProgressChange::Nothing).await.unwrap();
        sample
    }

    pub(crate) async fn begin(&self) -> PostgresTransaction {
        self.target.begin(OPEN_MAX).await.unwrap()
    }

    /// A transaction that has written the row `nr`.
    pub(crate) async fn begin_with_row(&self, nr: i64) -> PostgresTransaction {
        let mut tx = self.begin().await;
        self.write(PostgresTarget::connection(&mut tx), nr).await;
        tx
    }

    pub(crate) async fn write(&self, rows: &mut PgConnection, nr: i64) {
        let insert = sqlx::query(self.sql("INSERT INTO @rows VALUES ($1)")).bind(nr);
        insert.execute(rows).await.unwrap();
    }

    /// Runs statements in a transaction, as a handler does.
    pub(crate) async fn run(
        &self,
        tx: &mut PostgresTransaction,
        text: &str,
    ) -> Result<(), sqlx::Error> {
        PostgresTarget::connection(tx).execute(sqlx::raw_sql(self.sql(text))).await.map(drop)
    }

    /// A save of the segment as it was claimed, up to `position`.
    pub(crate) fn save(&self, position: u64) -> ProgressChange {
        ProgressChange::Save(self.progress_save(position))
    }

    pub(crate) fn progress_save(&self, position: u64) -> ProgressSave {
        let mut progress = ReadProgress::behind(Offset::beginning(LaneCount::default()));
        progress.advance(Lane::new(0), Position::new(position));
        let (segment, epoch) = (self.claimed.segment, self.claimed.epoch);
        let mut save = ProgressSave::nothing(projection(), segment, epoch, progress);
        save.handled = 1;
        save.saved_at = Timestamp::from_micros(7);
        save
    }

    /// The position that the segment has come to.
    pub(crate) async fn position(&self) -> u64 {
        let stored = self.stored().await;
        stored.progress.offset().position(Lane::new(0)).get()
    }

    pub(crate) async fn stored(&self) -> StoredSegment {
        let stored = self.target.progress().load(&projection()).await.unwrap().unwrap();
        stored.segments[0].clone()
    }

    /// The rows that were committed.
    pub(crate) async fn rows(&self, fixture: &TargetFixture) -> Vec<i64> {
        let rows = sqlx::query(self.sql("SELECT nr FROM @rows ORDER BY nr"));
        let rows = rows.fetch_all(&mut fixture.foreign_connection().await).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    pub(crate) async fn commit(
        &self,
        tx: PostgresTransaction,
        position: u64,
    ) -> Result<(), SaveError> {
        self.target.commit(tx, &self.save(position)).await
    }

    pub(crate) fn sql(&self, text: &str) -> AssertSqlSafe<String> {
        AssertSqlSafe(text.replace('@', &format!("\"{}\".", self.schema)))
    }
}

/// Claims a segment as it was seen without an owner that lives.
pub(crate) async fn claim(
    target: &PostgresTarget,
    seen: &StoredSegment,
    runner: &str,
) -> Option<StoredSegment> {
    let owner = |name: &std::sync::Arc<str>| actum_persistence::progress::SeenOwner {
        name: name.clone(),
        renewal: None,
    };
    let claim = SegmentClaim {
        projection: projection(),
        segment: seen.segment,
        runner: runner.into(),
        epoch: seen.epoch,
        replaces: seen.owner.as_ref().map(owner),
    };
    target.progress().claim(&claim).await.unwrap()
}
