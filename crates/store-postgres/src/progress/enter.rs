use super::{
    database::ProgressDatabase,
    key::of_projection,
    load::{self, LOADING},
    row_arrays::{RowArrays, numbers, texts},
    segment_locks::Locking,
};
use crate::{
    session::Session,
    transaction::{Failed, Statements},
};
use actum_persistence::{
    progress::{NewProjection, ProgressStore, ProjectionId, ReadProgress, StoredProjection},
    store::StoreError,
};

/// Versions of one name come, go and become the active one by one.
pub(super) const LOCK_NAME: &str = "SELECT pg_advisory_xact_lock(hashtext('actum projections'), hashtext('@projections ' || $1)) WHERE $2 > 0";

const ENTER: &str =
    "INSERT INTO @projections (name, version, sources, partitions, lanes, live_from, is_active)
    SELECT $1, $2, $3, $4, $5, $6, NOT EXISTS (SELECT FROM @projections WHERE name = $1)
    ON CONFLICT (name, version) DO NOTHING RETURNING 1";

const ENTER_SEGMENTS: &str = "INSERT INTO @segments (name, version, first, last, progress, epoch)
    SELECT $1, $2, r.first, r.last, r.progress,
        coalesce((SELECT d.epoch + 1 FROM @deleted AS d WHERE d.name = $1 AND d.version = $2), 0)
    FROM unnest($3::bigint[], $4::bigint[], $5::text[]) AS r (first, last, progress)";

const NOTE_EPOCH: &str = "INSERT INTO @deleted AS d (name, version, epoch)
    SELECT $1, $2, max(epoch) FROM @segments WHERE name = $1 AND version = $2 HAVING max(epoch) IS NOT NULL
    ON CONFLICT (name, version) DO UPDATE SET epoch = greatest(d.epoch, excluded.epoch)";
/// Behind it no one renews.
const LOCK_ALONE: &str = "SELECT 1 FROM @projections WHERE name = $1 AND version = $2 FOR UPDATE";
const DELETE: &str = "WITH segments AS (DELETE FROM @segments WHERE name = $1 AND version = $2),
    runners AS (DELETE FROM @runners WHERE name = $1 AND version = $2),
    parked AS (DELETE FROM @parked WHERE name = $1 AND version = $2),
    letters AS (DELETE FROM @dead_letters WHERE name = $1 AND version = $2)
    DELETE FROM @projections WHERE name = $1 AND version = $2";

/// The segments are touched behind the projection, as everywhere.
const SET_PAUSED: &str = "WITH paused AS (
        UPDATE @projections SET is_paused = $3 WHERE name = $1 AND version = $2 RETURNING 1
    )
    UPDATE @segments SET stopped = NULL
    WHERE name = $1 AND version = $2 AND stopped IS NOT NULL AND NOT $3 AND EXISTS (SELECT FROM paused)";

impl ProgressDatabase {
    pub(super) async fn enter(&self, new: &NewProjection) -> Result<StoredProjection, StoreError> {
        // most of the time it is there
        if let Some(found) = self.load(&new.id).await? {
            return Ok(found);
        }
        self.run("entering a projection", Entering { locking: self.locking(&new.id), new }).await
    }

    pub(super) async fn delete(&self, projection: &ProjectionId) -> Result<(), StoreError> {
        self.run("deleting a projection", Deleting { locking: self.locking(projection) }).await
    }

    pub(super) async fn set_paused(
        &self,
        projection: &ProjectionId,
        is_paused: bool,
    ) -> Result<(), StoreError> {
        let doing = "pausing or resuming a projection";
        let rows = self.call(doing, || {
            of_projection(sqlx::query(self.texts.of(SET_PAUSED)), projection).bind(is_paused)
        });
        rows.await.map(drop)
    }

    fn locking<'a>(&'a self, projection: &'a ProjectionId) -> Locking<'a> {
        Locking { doing: "changing the projections that are kept", texts: &self.texts, projection }
    }
}

struct Entering<'a> {
    locking: Locking<'a>,
    new: &'a NewProjection,
}

impl Statements for Entering<'_> {
    type Done = StoredProjection;

    async fn run(&mut self, session: &mut Session) -> Result<StoredProjection, Failed> {
        let Self { locking, new } = self;
        locking.rows(session, locking.statement(LOCK_NAME)).await?;
        let enter = locking.statement(ENTER).bind(&new.sources);
        let (partitions, lanes) = (new.layout.partitions.get(), new.layout.lanes.get());
        let enter = enter.bind(i32::from(partitions)).bind(i32::from(lanes));
        let enter = enter.bind(ReadProgress::behind(new.live_from.clone()).to_string());
        if !locking.rows(session, enter).await?.is_empty() {
            let progress = ReadProgress::behind(new.start.clone()).to_string();
            let rows = RowArrays {
                text: ENTER_SEGMENTS,
                columns: vec![
                    numbers(&new.segments, |segment| segment.first().nr().into()),
                    numbers(&new.segments, |segment| segment.last().nr().into()),
                    texts(&new.segments, |_| progress.clone()),
                ],
            };
            let statement = locking.statement(rows.text);
            locking.rows(session, rows.bind(statement)).await?;
        }
        let load = load::statement(locking.texts, std::slice::from_ref(&new.id));
        let stored = load::stored_one(&new.id, &locking.rows(session, load).await?)?;
        let gone =
            || StoreError::corrupt(format!("{LOADING}: {} was entered and is not there", new.id));
        Ok(stored.ok_or_else(gone)?)
    }
}

struct Deleting<'a> {
    locking: Locking<'a>,
}

impl Statements for Deleting<'_> {
    type Done = ();

    async fn run(&mut self, session: &mut Session) -> Result<(), Failed> {
        let locking = &self.locking;
        locking.rows(session, locking.statement(LOCK_NAME)).await?;
        // saves that are under way are waited for: what they park is deleted, too
        if locking.lock(session).await?.is_some() {
            for statement in [LOCK_ALONE, NOTE_EPOCH, DELETE] {
                locking.rows(session, locking.statement(statement)).await?;
            }
        }
        Ok(())
    }
}
