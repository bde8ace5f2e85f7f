use super::{
    database::ProgressDatabase,
    key::{epoch, of_projection, of_segment, version, without_nul},
};
use crate::{fault::store_error, session::Statement};
use actum_persistence::{
    progress::{Epoch, ProjectionId, RunnerRenewal, SaveError, Segment, StoredProjection},
    store::{StoreError, StoredRow, integer},
};
use std::collections::HashSet;

/// Of a list of runners, and of one of those that are dead; returns who has renewed.
///
/// The row of a projection is locked, so that it is not deleted meanwhile. One that is being deleted is left out, and so are
/// rows of the dead that someone else removes: of many projections none waits for another one's locks.
const RENEW: &str = "WITH dead AS (
        SELECT r.name, r.version, r.runner
        FROM unnest($4::text[], $5::bigint[], $6::text[], $7::bigint[]) AS d (name, version, runner, renewal)
        JOIN @runners AS r ON r.name = d.name AND r.version = d.version AND r.runner = d.runner AND r.renewal = d.renewal
        FOR UPDATE OF r SKIP LOCKED
    ), gone AS (
        DELETE FROM @runners AS r USING dead AS d
        WHERE r.name = d.name AND r.version = d.version AND r.runner = d.runner
    )
    INSERT INTO @runners AS r (name, version, runner, renewal)
    SELECT p.name, p.version, w.runner, 1
    FROM unnest($1::text[], $2::bigint[], $3::text[]) AS w (name, version, runner)
    JOIN @projections AS p ON p.name = w.name AND p.version = w.version
    FOR KEY SHARE OF p SKIP LOCKED
    ON CONFLICT (name, version, runner) DO UPDATE SET renewal = r.renewal + 1
    RETURNING r.name, r.version";

const RENEWING: &str = "renewing runners";

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
    pub(super) async fn renew_and_load(
        &self,
        renewals: &[RunnerRenewal],
    ) -> Result<Vec<Result<Option<StoredProjection>, StoreError>>, StoreError> {
        RunnerRenewal::check(renewals)?;
        let renewed = self.call(RENEWING, || self.renewing(renewals)).await?;
        let renewed = renewed.iter().map(|row| Ok((row.text(0)?, row.number(1)?)));
        let renewed: Result<HashSet<_>, sqlx::Error> = renewed.collect();
        let renewed = renewed.map_err(|error| store_error(RENEWING, error))?;
        let projections: Vec<_> = renewals.iter().map(|one| one.projection.clone()).collect();
        let loaded = self.load_all(&projections).await?;
        let answer = |(id, loaded): (&ProjectionId, Result<Option<_>, _>)| match loaded {
            Ok(Some(_)) if !renewed.contains(&(id.name().to_owned(), version(id))) => {
                let why = format!("{id} is being deleted, or was just entered");
                Err(StoreError::unavailable(RENEWING, why))
            }
            loaded => loaded,
        };
        Ok(projections.iter().zip(loaded).map(answer).collect())
    }

    fn renewing<'q>(&self, renewals: &[RunnerRenewal]) -> Statement<'q> {
        let names: Vec<_> = renewals.iter().map(|one| one.projection.name().to_owned()).collect();
        let versions: Vec<_> = renewals.iter().map(|one| version(&one.projection)).collect();
        let runners: Vec<_> = renewals.iter().map(|one| one.runner.to_string()).collect();
        let dead: Vec<_> = RunnerRenewal::dead(renewals).collect();
        let dead_names: Vec<_> = dead.iter().map(|(id, _)| id.name().to_owned()).collect();
        let dead_versions: Vec<_> = dead.iter().map(|(id, _)| version(id)).collect();
        let dead_runners: Vec<_> = dead.iter().map(|(_, row)| row.name.to_string()).collect();
        let seen: Vec<_> = dead.iter().map(|(_, row)| integer::bound(row.renewal)).collect();
        let renew = sqlx::query(self.texts.of(RENEW)).bind(names).bind(versions).bind(runners);
        renew.bind(dead_names).bind(dead_versions).bind(dead_runners).bind(seen)
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
