use super::{
    projection_row::{progress, segment_columns, small, stored_segment},
    target_file::TargetFile,
    target_tx::SqliteTx,
};
use crate::{
    fault::store_error,
    readers::Reader,
    row::Row,
    session::{Session, Statement},
};
use actum_model::{LaneCount, PartitionCount};
use actum_persistence::{
    progress::{
        InvalidProjectionId, NewProjection, ProjectionId, RunnerRow, StoredProjection, check_count,
    },
    store::{JournalLayout, StoreError, StoredRow},
};

// Each is about the projections of a list, which is its only argument; the first column says about which of them a row is.

const PROJECTIONS: &str = "SELECT w.key, p.sources, p.partitions, p.lanes, p.live_from, p.is_paused, p.is_active,
        (SELECT count(*) FROM actum_parked AS k WHERE k.name = p.name AND k.version = p.version),
        (SELECT count(k.request) FROM actum_parked AS k WHERE k.name = p.name AND k.version = p.version),
        (SELECT count(*) FROM actum_dead_letters AS d WHERE d.name = p.name AND d.version = p.version),
        (SELECT count(*) FROM actum_dead_letters AS d
            WHERE d.name = p.name AND d.version = p.version AND d.is_requested <> 0)
    FROM json_each(?1) AS w
    CROSS JOIN actum_projections AS p ON p.name = w.value ->> 0 AND p.version = w.value ->> 1";

const SEGMENTS: &str = concat!(
    "SELECT w.key, ",
    segment_columns!(),
    " FROM json_each(?1) AS w
    CROSS JOIN actum_segments AS s ON s.name = w.value ->> 0 AND s.version = w.value ->> 1
    ORDER BY w.key, s.first_partition"
);

const RUNNERS: &str = "SELECT w.key, r.runner, r.renewal FROM json_each(?1) AS w
    CROSS JOIN actum_runners AS r ON r.name = w.value ->> 0 AND r.version = w.value ->> 1
    ORDER BY w.key, r.runner";

const ALL: &str = "SELECT name, version FROM actum_projections ORDER BY name, version";

/// What a transaction has read of some projections.
struct FoundRows {
    projections: Vec<Row>,
    segments: Vec<Row>,
    runners: Vec<Row>,
}

/// What is kept of a projection.
pub(super) async fn load(
    file: &TargetFile,
    projection: &ProjectionId,
) -> Result<Option<StoredProjection>, StoreError> {
    load_all(file, std::slice::from_ref(projection)).await?.remove(0)
}

/// What is kept of some projections, read in one moment.
pub(super) async fn load_all(
    file: &TargetFile,
    projections: &[ProjectionId],
) -> Result<Vec<Result<Option<StoredProjection>, StoreError>>, StoreError> {
    check_count(projections.len())?;
    let doing = "loading projections";
    let mut reader = file.reader(doing).await?;
    let found = read(&mut reader, &list(projections)).await;
    found.and_then(|found| stored(projections, &found)).map_err(|error| store_error(doing, error))
}

/// The names and versions of all.
pub(super) async fn projections(file: &TargetFile) -> Result<Vec<ProjectionId>, StoreError> {
    let doing = "listing projections";
    if !file.has_tables().await? {
        return Ok(Vec::new()); // a read is no reason to make them
    }
    let rows = file.reader(doing).await?.rows(sqlx::query(ALL)).await;
    let ids = rows.and_then(|rows| rows.iter().map(id).collect());
    ids.map_err(|error| store_error(doing, error))
}

/// As [`load`], in a transaction and without its runners.
pub(super) async fn load_in(
    tx: &mut SqliteTx,
    projection: &ProjectionId,
) -> Result<Option<StoredProjection>, StoreError> {
    let projections = std::slice::from_ref(projection);
    let list = list(projections);
    let (rows, segments) =
        (tx.rows(about(PROJECTIONS, &list)).await?, tx.rows(about(SEGMENTS, &list)).await?);
    let found = FoundRows { projections: rows, segments, runners: Vec::new() };
    stored(projections, &found).map_err(|error| tx.failed(error))?.remove(0)
}

/// A list as the JSON array that the statements take apart: `[[name, version], …]`.
fn list(projections: &[ProjectionId]) -> String {
    let parts: Vec<_> = projections.iter().map(|id| (id.name(), id.version().get())).collect();
    serde_json::to_string(&parts).expect("texts and numbers have a JSON form")
}

fn about<'q>(sql: &'static str, list: &'q str) -> Statement<'q> {
    sqlx::query(sql).bind(list)
}

async fn read(reader: &mut Reader<'_>, list: &str) -> Result<FoundRows, sqlx::Error> {
    let session: &mut Session = reader;
    session.begin(sqlx::query("BEGIN")).await?;
    let found = FoundRows {
        projections: session.rows(about(PROJECTIONS, list)).await?,
        segments: session.rows(about(SEGMENTS, list)).await?,
        runners: session.rows(about(RUNNERS, list)).await?,
    };
    session.commit().await?;
    Ok(found)
}

/// What was found, in the order of the list; of one that cannot be right its error.
fn stored(
    projections: &[ProjectionId],
    found: &FoundRows,
) -> Result<Vec<Result<Option<StoredProjection>, StoreError>>, sqlx::Error> {
    let count = projections.len();
    let (segments, runners) = (sorted(&found.segments, count)?, sorted(&found.runners, count)?);
    let mut all: Vec<_> = projections.iter().map(|_| Ok(None)).collect();
    for row in &found.projections {
        let nr = row.entry(count)?;
        let one = stored_one(&projections[nr], row, &segments[nr], &runners[nr]).map(Some);
        all[nr] = one.map_err(|error| {
            store_error(&format!("loading the projection {}", projections[nr]), error)
        });
    }
    Ok(all)
}

/// The rows of each of the projections.
fn sorted(rows: &[Row], count: usize) -> Result<Vec<Vec<&Row>>, sqlx::Error> {
    let mut sorted = vec![Vec::new(); count];
    for row in rows {
        sorted[row.entry(count)?].push(row);
    }
    Ok(sorted)
}

fn stored_one(
    projection: &ProjectionId,
    row: &Row,
    segments: &[&Row],
    runners: &[&Row],
) -> Result<StoredProjection, sqlx::Error> {
    let live_from = progress(row, 4)?.offset().clone();
    let new = NewProjection {
        id: projection.clone(),
        sources: sources(row, 1)?,
        layout: layout(row, 2)?,
        segments: Vec::new(),
        start: live_from.clone(),
        live_from,
    };
    let mut stored = StoredProjection::new(new, row.number(6)? != 0);
    stored.is_paused = row.number(5)? != 0;
    (stored.parked, stored.requested) = (row.count(7)?, row.count(8)?);
    (stored.dead_letters, stored.letters_requested) = (row.count(9)?, row.count(10)?);
    let segments = segments.iter().map(|row| stored_segment(row, 1));
    stored.segments = segments.collect::<Result<_, _>>()?;
    stored.runners = runners.iter().map(|row| runner(row)).collect::<Result<_, _>>()?;
    Ok(stored)
}

fn id(row: &Row) -> Result<ProjectionId, sqlx::Error> {
    let id = ProjectionId::new(
        &row.text(0)?,
        small::<u32>(row, 1)?.try_into().map_err(|_| Row::damaged(1, "0 is not a version"))?,
    );
    id.map_err(|error: InvalidProjectionId| Row::damaged(0, error.to_string()))
}

fn runner(row: &Row) -> Result<RunnerRow, sqlx::Error> {
    Ok(RunnerRow::new(row.text(1)?, row.count(2)?))
}

fn sources(row: &Row, index: usize) -> Result<Vec<String>, sqlx::Error> {
    let text = row.text(index)?;
    let damaged = |_| Row::damaged(index, format!("`{text}` is not a list of kinds"));
    serde_json::from_str(&text).map_err(damaged)
}

fn layout(row: &Row, index: usize) -> Result<JournalLayout, sqlx::Error> {
    let partitions = PartitionCount::new(small(row, index)?);
    let lanes = LaneCount::new(small(row, index + 1)?);
    match (partitions, lanes) {
        (Some(partitions), Some(lanes)) => Ok(JournalLayout { partitions, lanes }),
        _ => Err(Row::damaged(index, "a journal has at least one partition and one lane")),
    }
}
