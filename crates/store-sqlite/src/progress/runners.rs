use super::{
    load,
    projection_row::{about, about_epoch, segment_columns, stored_segment},
    target_file::TargetFile,
    target_tx::SqliteTx,
};
use crate::{room::Need, session::Statement};
use actum_persistence::{
    progress::{
        Epoch, ProjectionId, RunnerRenewal, RunnerRow, SaveError, Segment, SegmentClaim,
        StoredProjection, StoredSegment,
    },
    store::{StoreError, integer},
};

/// Of a list `[[name, version, runner], …]`.
const RENEW: &str = "INSERT INTO actum_runners (name, version, runner, renewal)
    SELECT p.name, p.version, w.value ->> 2, 1
    FROM json_each(?1) AS w
    CROSS JOIN actum_projections AS p ON p.name = w.value ->> 0 AND p.version = w.value ->> 1
    WHERE TRUE
    ON CONFLICT (name, version, runner) DO UPDATE SET renewal = renewal + 1";

const REMOVE_DEAD: &str =
    "DELETE FROM actum_runners WHERE name = ?1 AND version = ?2 AND runner = ?3 AND renewal = ?4";

const LEAVE: &str = "DELETE FROM actum_runners WHERE name = ?1 AND version = ?2 AND runner = ?3";

const RELEASE_ALL: &str = "UPDATE actum_segments SET epoch = epoch + 1, owner = NULL
    WHERE name = ?1 AND version = ?2 AND owner = ?3";

const CLAIM: &str = concat!(
    "UPDATE actum_segments SET epoch = epoch + 1, owner = ?6
    WHERE name = ?1 AND version = ?2 AND first_partition = ?3 AND last_partition = ?4 AND epoch = ?5
        AND stopped IS NULL AND owner IS ?7
        AND (?7 IS NULL OR ?8 IS (SELECT renewal FROM actum_runners WHERE name = ?1 AND version = ?2 AND runner = ?7))
    RETURNING ",
    segment_columns!()
);

const RELEASE: &str = "UPDATE actum_segments SET epoch = epoch + 1, owner = NULL
    WHERE name = ?1 AND version = ?2 AND first_partition = ?3 AND last_partition = ?4 AND epoch = ?5";

const STOP: &str = "UPDATE actum_segments SET epoch = epoch + 1, owner = NULL, stopped = ?6
    WHERE name = ?1 AND version = ?2 AND first_partition = ?3 AND last_partition = ?4 AND epoch = ?5";

pub(super) async fn renew_and_load(
    file: &TargetFile,
    renewals: &[RunnerRenewal],
) -> Result<Vec<Result<Option<StoredProjection>, StoreError>>, StoreError> {
    RunnerRenewal::check(renewals)?;
    let mut tx = file.begin("renewing runners", Need::Relief).await?;
    let done = renew_in(&mut tx, renewals).await;
    tx.finish(done).await?;
    drop(tx); // others may write while this reads
    let projections: Vec<_> = renewals.iter().map(|one| one.projection.clone()).collect();
    load::load_all(file, &projections).await
}

async fn renew_in(tx: &mut SqliteTx, renewals: &[RunnerRenewal]) -> Result<(), StoreError> {
    let parts = renewals.iter().map(|RunnerRenewal { projection, runner, .. }| {
        (projection.name(), projection.version().get(), &**runner)
    });
    let list = serde_json::to_string(&parts.collect::<Vec<_>>());
    let list = list.expect("texts and numbers have a JSON form");
    tx.change(sqlx::query(RENEW).bind(list)).await?;
    for (projection, RunnerRow { name, renewal, .. }) in RunnerRenewal::dead(renewals) {
        let statement = about(REMOVE_DEAD, projection).bind(&**name).bind(integer::bound(*renewal));
        tx.change(statement).await?;
    }
    Ok(())
}

pub(super) async fn leave(
    file: &TargetFile,
    projection: &ProjectionId,
    runner: &str,
) -> Result<(), StoreError> {
    let mut tx = file.begin("removing a runner", Need::Relief).await?;
    let mut done = tx.change(about(LEAVE, projection).bind(runner)).await;
    if done.is_ok() {
        done = tx.change(about(RELEASE_ALL, projection).bind(runner)).await;
    }
    tx.finish(done).await.map(drop)
}

pub(super) async fn claim(
    file: &TargetFile,
    claim: &SegmentClaim,
) -> Result<Option<StoredSegment>, StoreError> {
    let statement = about_epoch(CLAIM, &claim.projection, claim.segment, claim.epoch);
    let seen = claim.replaces.as_ref();
    let statement = statement.bind(&*claim.runner).bind(seen.map(|owner| &*owner.name));
    let renewal = seen.and_then(|owner| owner.renewal).map(integer::bound);
    let mut tx = file.begin("claiming a segment", Need::Relief).await?;
    let claimed = tx.rows(statement.bind(renewal)).await;
    let claimed = claimed.and_then(|rows| {
        let segment = rows.first().map(|row| stored_segment(row, 0)).transpose();
        segment.map_err(|error| tx.failed(error))
    });
    tx.finish(claimed).await
}

pub(super) async fn release(
    file: &TargetFile,
    projection: &ProjectionId,
    segment: Segment,
    epoch: Epoch,
) -> Result<(), SaveError> {
    let statement = about_epoch(RELEASE, projection, segment, epoch);
    end(file, "releasing a segment", statement).await
}

pub(super) async fn stop(
    file: &TargetFile,
    projection: &ProjectionId,
    segment: Segment,
    epoch: Epoch,
    why: &str,
) -> Result<(), SaveError> {
    let statement = about_epoch(STOP, projection, segment, epoch).bind(why);
    end(file, "stopping a segment", statement).await
}

async fn end(
    file: &TargetFile,
    doing: &'static str,
    statement: Statement<'_>,
) -> Result<(), SaveError> {
    let mut tx = file.begin(doing, Need::Relief).await?;
    let done = match tx.change(statement).await {
        Ok(0) => Err(SaveError::Stale),
        done => done.map_err(SaveError::from),
    };
    tx.finish(done).await.map(drop)
}
