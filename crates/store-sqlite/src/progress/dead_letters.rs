use super::{
    projection_row::{about, about_segment, entity, lane, partition, small, stored},
    target_file::TargetFile,
    target_tx::SqliteTx,
};
use crate::{fault::store_error, room::Need, row::Row, session::Statement};
use actum_model::{Offset, Position};
use actum_persistence::{
    progress::{DeadLetter, DeadLetterPlace, ProjectionId, Segment},
    store::{StoreError, StoredRow, integer},
};

const KEEP: &str = "INSERT OR REPLACE INTO actum_dead_letters (name, version, lane, position, kind, id, partition, sequence_nr,
        incarnation, event_nr, manifest, error, attempts, skipped_at, is_requested)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, FALSE)";

const REMOVE: &str = "DELETE FROM actum_dead_letters
    WHERE name = ?1 AND version = ?2 AND lane = ?3 AND position = ?4";

const REMOVE_ALL: &str = "DELETE FROM actum_dead_letters WHERE name = ?1 AND version = ?2";

/// `?3` is a list of positions in JSON, one a lane. Lanes that it does not have are at their beginning.
const FORGET_BEHIND: &str = "DELETE FROM actum_dead_letters
    WHERE name = ?1 AND version = ?2
        AND position > ifnull((SELECT value FROM json_each(?3) WHERE key = lane), 0)";

const LIST: &str = "SELECT lane, position, kind, id, partition, sequence_nr, incarnation, event_nr, manifest, error, attempts,
        skipped_at, is_requested
    FROM actum_dead_letters
    WHERE name = ?1 AND version = ?2 AND partition BETWEEN ?3 AND ?4 AND (lane, position) > (?5, ?6)
        AND is_requested >= ?7
    ORDER BY lane, position LIMIT ?8";

const REQUEST: &str = "UPDATE actum_dead_letters SET is_requested = TRUE
    WHERE name = ?1 AND version = ?2 AND lane = ?3 AND position = ?4";

const REQUEST_ALL: &str =
    "UPDATE actum_dead_letters SET is_requested = TRUE WHERE name = ?1 AND version = ?2";

/// Keeps a letter, in place of the one that was kept of the event.
pub(super) async fn keep(
    tx: &mut SqliteTx,
    projection: &ProjectionId,
    letter: &DeadLetter,
) -> Result<(), StoreError> {
    let statement = about(KEEP, projection)
        .bind(letter.place.lane.nr())
        .bind(stored(letter.place.position.get(), "the position")?)
        .bind(letter.entity.kind())
        .bind(letter.entity.id())
        .bind(letter.partition.nr())
        .bind(stored(letter.sequence_nr.get(), "the sequence number")?)
        .bind(stored(letter.event_id.incarnation.get(), "the incarnation")?)
        .bind(letter.event_id.nr.cast_signed())
        .bind(&*letter.manifest)
        .bind(&*letter.error)
        .bind(i64::from(letter.attempts))
        .bind(letter.skipped_at.as_micros());
    tx.change(statement).await.map(drop)
}

/// Removes a letter.
pub(super) async fn remove(
    tx: &mut SqliteTx,
    projection: &ProjectionId,
    place: DeadLetterPlace,
) -> Result<(), StoreError> {
    tx.change(at(REMOVE, projection, place)).await.map(drop)
}

/// Forgets the letters behind an offset.
pub(super) async fn forget_behind(
    tx: &mut SqliteTx,
    projection: &ProjectionId,
    offset: &Offset,
) -> Result<(), StoreError> {
    let positions = offset.positions().iter().map(|position| integer::bound(position.get()));
    let positions = serde_json::to_string(&positions.collect::<Vec<_>>());
    let positions = positions.map_err(|error| StoreError::invalid(error.to_string()))?;
    tx.change(about(FORGET_BEHIND, projection).bind(positions)).await.map(drop)
}

pub(super) async fn list(
    file: &TargetFile,
    projection: &ProjectionId,
    segment: Segment,
    is_requested: bool,
    after: Option<DeadLetterPlace>,
    limit: u32,
) -> Result<Vec<DeadLetter>, StoreError> {
    let doing = "listing dead letters";
    let (lane, position) = after.map_or((-1, 0), |after| {
        (i64::from(after.lane.nr()), integer::bound(after.position.get()))
    });
    let statement = about_segment(LIST, projection, segment).bind(lane).bind(position);
    let statement = statement.bind(is_requested).bind(i64::from(limit));
    let rows = file.reader(doing).await?.rows(statement).await;
    let letters = rows.and_then(|rows| rows.iter().map(letter).collect());
    letters.map_err(|error| store_error(doing, error))
}

pub(super) async fn request(
    file: &TargetFile,
    projection: &ProjectionId,
    place: Option<DeadLetterPlace>,
) -> Result<u64, StoreError> {
    let statement = one_or_all(projection, place, REQUEST, REQUEST_ALL);
    let mut tx = file.begin("asking for dead letters", Need::Growth).await?;
    let done = tx.change(statement).await;
    tx.finish(done).await
}

pub(super) async fn discard(
    file: &TargetFile,
    projection: &ProjectionId,
    place: Option<DeadLetterPlace>,
) -> Result<u64, StoreError> {
    let statement = one_or_all(projection, place, REMOVE, REMOVE_ALL);
    let mut tx = file.begin("discarding dead letters", Need::Relief).await?;
    let done = tx.change(statement).await;
    tx.finish(done).await
}

fn one_or_all<'q>(
    projection: &'q ProjectionId,
    place: Option<DeadLetterPlace>,
    one: &'static str,
    all: &'static str,
) -> Statement<'q> {
    place.map_or_else(|| about(all, projection), |place| at(one, projection, place))
}

fn at<'q>(
    sql: &'static str,
    projection: &'q ProjectionId,
    place: DeadLetterPlace,
) -> Statement<'q> {
    // a position that cannot be stored has no letter
    let position = integer::stored(place.position.get()).unwrap_or(-1);
    about(sql, projection).bind(place.lane.nr()).bind(position)
}

fn letter(row: &Row) -> Result<DeadLetter, sqlx::Error> {
    Ok(DeadLetter {
        place: DeadLetterPlace { lane: lane(row, 0)?, position: Position::new(row.count(1)?) },
        entity: entity(row, 2)?,
        partition: partition(row, 4)?,
        sequence_nr: row.reached(5)?,
        event_id: row.event_id(6)?,
        manifest: row.text(8)?.into(),
        error: row.text(9)?.into(),
        attempts: small(row, 10)?,
        skipped_at: row.timestamp(11)?,
        is_requested: row.number(12)? != 0,
    })
}
