use super::{
    database::ProgressDatabase,
    key::{epoch, of_projection, of_segment, without_nul},
};
use actum_persistence::{
    progress::{Epoch, ProjectionId, RunnerRow, SaveError, Segment},
    store::{StoreError, integer},
};

/// The row of the projection is locked, so that it is not deleted meanwhile.
const RENEW: &str = "WITH dead AS (
        DELETE FROM @runners AS r USING unnest($4::text[], $5::bigint[]) AS d (runner, renewal)
        WHERE r.name = $1 AND r.version = $2 AND r.runner = d.runner AND r.renewal = d.renewal AND r.runner <> $3
    )
    INSERT INTO @runners AS r (name, version, runner, renewal)
    SELECT p.name, p.version, $3, 1 FROM @projections AS p WHERE p.name = $1 AND p.version = $2 FOR KEY SHARE
    ON CONFLICT (name, version, runner) DO UPDATE SET renewal = r.renewal + 1";

/// The segments are touched behind the projection, as everywhere where they are several.
const LEAVE: &str = "WITH projection AS MATERIALIZED (
        SELECT 1 FROM @projections WHERE name = $1 AND version = $2 FOR NO KEY UPDATE
    ), gone AS (
        DELETE FROM @runners WHERE name = $1 AND version = $2 AND runner = $3
    )
    UPDATE @segments SET epoch = epoch + 1, owner = NULL
    WHERE name = $1 AND version = $2 AND owner = $3 AND EXISTS (SELECT FROM projection)";

const RELEASE: &str =
    "UPDATE @segments SET epoch = epoch + 1, owner = NULL, stopped = coalesce($6, stopped)
    WHERE name = $1 AND version = $2 AND first = $3 AND last = $4 AND epoch = $5 RETURNING 1";

impl ProgressDatabase {
    pub(super) async fn renew(
        &self,
        projection: &ProjectionId,
        runner: &str,
        dead: &[RunnerRow],
    ) -> Result<(), StoreError> {
        let names: Vec<&str> = dead.iter().map(|row| &*row.name).collect();
        let renewals: Vec<i64> = dead.iter().map(|row| integer::bound(row.renewal)).collect();
        let rows = self.call("renewing a runner", || {
            let renew = of_projection(sqlx::query(self.texts.of(RENEW)), projection);
            renew.bind(runner).bind(&names).bind(&renewals)
        });
        rows.await.map(drop)
    }

    pub(super) async fn leave(
        &self,
        projection: &ProjectionId,
        runner: &str,
    ) -> Result<(), StoreError> {
        let rows = self.call_durably("removing a runner", || {
            of_projection(sqlx::query(self.texts.of(LEAVE)), projection).bind(runner)
        });
        rows.await.map(drop)
    }

    /// Releases a segment, which has stopped if `stopped` says why.
    pub(super) async fn release(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        seen: Epoch,
        stopped: Option<&str>,
    ) -> Result<(), SaveError> {
        let stopped = stopped.map(without_nul);
        let rows = self.call_durably("releasing a segment", || {
            let release = of_segment(sqlx::query(self.texts.of(RELEASE)), projection, segment);
            release.bind(epoch(seen)).bind(stopped.as_deref())
        });
        if rows.await?.is_empty() { Err(SaveError::Stale) } else { Ok(()) }
    }
}
