use super::{
    projection_row::{about, about_segment, entity, lane, partition, small, stored},
    target_file::TargetFile,
    target_tx::SqliteTx,
};
use crate::{fault::store_error, room::Need, row::Row};
use actum_model::{EntityKey, Position};
use actum_persistence::{
    progress::{ParkedEntity, ParkedRequest, ProjectionId, ReplayedTo, Segment},
    store::{StoreError, StoredRow},
};

const KEEP: &str = "INSERT OR REPLACE INTO actum_parked (name, version, kind, id, partition, lane, from_nr, position, error,
        attempts, parked_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

const ADVANCE: &str = "UPDATE actum_parked SET from_nr = ?5 WHERE name = ?1 AND version = ?2 AND kind = ?3 AND id = ?4";

const REMOVE: &str =
    "DELETE FROM actum_parked WHERE name = ?1 AND version = ?2 AND kind = ?3 AND id = ?4";

const FORGET: &str = "DELETE FROM actum_parked WHERE name = ?1 AND version = ?2";

const LIST: &str = "SELECT kind, id, partition, lane, from_nr, position, error, attempts, parked_at, request FROM actum_parked
    WHERE name = ?1 AND version = ?2 AND partition BETWEEN ?3 AND ?4 AND (kind, id) > (?5, ?6)
    ORDER BY kind, id LIMIT ?7";

const REQUEST_ALL: &str = "UPDATE actum_parked SET request = ?3 WHERE name = ?1 AND version = ?2";

const REQUEST: &str = "UPDATE actum_parked SET request = ?3
    WHERE name = ?1 AND version = ?2 AND kind = ?4 AND id = ?5";

/// Parks an entity, in place of what was kept of it.
pub(super) async fn keep(
    tx: &mut SqliteTx,
    projection: &ProjectionId,
    parked: &ParkedEntity,
) -> Result<(), StoreError> {
    let (from, position) = (
        stored(parked.from.get(), "the sequence number")?,
        stored(parked.position.get(), "the position")?,
    );
    let statement = about(KEEP, projection)
        .bind(parked.entity.kind())
        .bind(parked.entity.id())
        .bind(parked.partition.nr())
        .bind(parked.lane.nr())
        .bind(from)
        .bind(position)
        .bind(&*parked.error)
        .bind(i64::from(parked.attempts))
        .bind(parked.parked_at.as_micros());
    tx.change(statement).await.map(drop)
}

/// Notes how far the events of a parked entity were handled.
pub(super) async fn advance(
    tx: &mut SqliteTx,
    projection: &ProjectionId,
    replayed: &ReplayedTo,
) -> Result<(), StoreError> {
    let key = &replayed.entity;
    let statement = |sql| about(sql, projection).bind(key.kind()).bind(key.id());
    let statement = match replayed.from {
        Some(from) => statement(ADVANCE).bind(stored(from.get(), "the sequence number")?),
        None => statement(REMOVE),
    };
    tx.change(statement).await.map(drop)
}

/// Forgets all that is parked.
pub(super) async fn forget(tx: &mut SqliteTx, projection: &ProjectionId) -> Result<(), StoreError> {
    tx.change(about(FORGET, projection)).await.map(drop)
}

pub(super) async fn list(
    file: &TargetFile,
    projection: &ProjectionId,
    segment: Segment,
    after: Option<&EntityKey>,
    limit: u32,
) -> Result<Vec<ParkedEntity>, StoreError> {
    let doing = "listing parked entities";
    // no kind is empty
    let (kind, id) = after.map_or(("", ""), |after| (after.kind(), after.id()));
    let statement = about_segment(LIST, projection, segment).bind(kind).bind(id);
    let rows = file.reader(doing).await?.rows(statement.bind(i64::from(limit))).await;
    let parked = rows.and_then(|rows| rows.iter().map(parked).collect());
    parked.map_err(|error| store_error(doing, error))
}

pub(super) async fn request(
    file: &TargetFile,
    projection: &ProjectionId,
    entity: Option<&EntityKey>,
    request: ParkedRequest,
) -> Result<u64, StoreError> {
    let request = match request {
        ParkedRequest::Replay => "replay",
        ParkedRequest::Discard => "discard",
    };
    let statement = |sql| about(sql, projection).bind(request);
    let statement = match entity {
        Some(key) => statement(REQUEST).bind(key.kind()).bind(key.id()),
        None => statement(REQUEST_ALL),
    };
    let mut tx = file.begin("asking for parked entities", Need::Growth).await?;
    let done = tx.change(statement).await;
    tx.finish(done).await
}

fn parked(row: &Row) -> Result<ParkedEntity, sqlx::Error> {
    Ok(ParkedEntity {
        entity: entity(row, 0)?,
        partition: partition(row, 2)?,
        lane: lane(row, 3)?,
        from: row.reached(4)?,
        position: Position::new(row.count(5)?),
        error: row.text(6)?.into(),
        attempts: small(row, 7)?,
        parked_at: row.timestamp(8)?,
        request: match row.optional_text(9)?.as_deref() {
            None => None,
            Some("replay") => Some(ParkedRequest::Replay),
            Some("discard") => Some(ParkedRequest::Discard),
            Some(other) => return Err(Row::damaged(9, format!("`{other}` is not a request"))),
        },
    })
}
