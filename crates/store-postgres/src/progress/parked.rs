use super::{
    database::ProgressDatabase,
    key::{of_projection, of_segment, partition, without_nul},
    row_arrays::{Array, RowArrays, counts, numbers, texts},
};
use crate::{fault::store_error, row::Row};
use actum_model::{EntityKey, Lane, Position, SequenceNr};
use actum_persistence::{
    progress::{ParkedEntity, ParkedRequest, ProjectionId, ReplayedTo, Segment},
    store::{StoreError, StoredRow},
};
use std::collections::BTreeMap;

const LISTING: &str = "listing parked entities";

const LIST: &str = "SELECT kind, id, partition::bigint, lane::bigint, sequence_nr, position, error, attempts, parked_at, request
    FROM @parked
    WHERE name = $1 AND version = $2 AND partition BETWEEN $3 AND $4 AND (kind, id) > ($5, $6)
    ORDER BY kind, id LIMIT $7";

const REQUEST: &str = "WITH asked AS (
        UPDATE @parked SET request = $3
        WHERE name = $1 AND version = $2 AND ($4::text IS NULL OR (kind, id) = ($4, $5)) RETURNING 1
    )
    SELECT count(*) FROM asked";

// of one kind each: the entities are found by their primary key, however many there are
const REPLAYED: &str =
    "UPDATE @parked SET sequence_nr = ($5::bigint[])[array_position($4::text[], id)]
    WHERE name = $1 AND version = $2 AND kind = $3 AND id = ANY ($4)";
const REPLAYED_TO_THE_END: &str = "DELETE FROM @parked
    WHERE name = $1 AND version = $2 AND kind = $3 AND id = ANY ($4::text[])";

const PARK: &str = "INSERT INTO @parked AS p
        (name, version, kind, id, partition, lane, sequence_nr, position, error, attempts, parked_at)
    SELECT $1, $2, r.* FROM unnest($3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
        $9::text[], $10::bigint[], $11::bigint[]) AS r
    ON CONFLICT (name, version, kind, id) DO UPDATE SET (partition, lane, sequence_nr, position, error, attempts, parked_at,
        request) = (excluded.partition, excluded.lane, excluded.sequence_nr, excluded.position, excluded.error,
        excluded.attempts, excluded.parked_at, NULL)";

impl ProgressDatabase {
    pub(super) async fn parked(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        after: Option<&EntityKey>,
        limit: u32,
    ) -> Result<Vec<ParkedEntity>, StoreError> {
        // no kind is empty
        let (kind, id) = after.map_or(("", ""), |after| (after.kind(), after.id()));
        let list = || {
            let list = of_segment(sqlx::query(self.texts.of(LIST)), projection, segment);
            list.bind(kind).bind(id).bind(i64::from(limit))
        };
        let rows = self.read(LISTING, list).await?;
        let parked: Result<Vec<_>, _> = rows.iter().map(parked_entity).collect();
        parked.map_err(|error| store_error(LISTING, error))
    }

    pub(super) async fn request(
        &self,
        projection: &ProjectionId,
        entity: Option<&EntityKey>,
        request: ParkedRequest,
    ) -> Result<u64, StoreError> {
        let doing = "asking the runners of parked entities";
        let rows = self.call(doing, || {
            let asked = of_projection(sqlx::query(self.texts.of(REQUEST)), projection);
            let asked = asked.bind(request_name(request));
            asked.bind(entity.map(EntityKey::kind)).bind(entity.map(EntityKey::id))
        });
        counted(&rows.await?, doing)
    }
}

/// The number that a statement returns as its only row.
pub(super) fn counted(rows: &[Row], doing: &str) -> Result<u64, StoreError> {
    let row = rows.first().ok_or(sqlx::Error::RowNotFound);
    row.and_then(|row| row.count(0)).map_err(|error| store_error(doing, error))
}

fn request_name(request: ParkedRequest) -> &'static str {
    match request {
        ParkedRequest::Replay => "replay",
        ParkedRequest::Discard => "discard",
    }
}

fn parked_entity(row: &Row) -> Result<ParkedEntity, sqlx::Error> {
    let attempts = row.number(7)?;
    let request = match row.optional_text(9)?.as_deref() {
        None => None,
        Some("replay") => Some(ParkedRequest::Replay),
        Some("discard") => Some(ParkedRequest::Discard),
        Some(other) => return Err(Row::damaged(9, format!("`{other}` cannot be asked"))),
    };
    Ok(ParkedEntity {
        entity: entity(row, 0)?,
        partition: partition(row, 2)?,
        lane: lane(row, 3)?,
        from: row.sequence_nr(4)?,
        position: Position::new(row.count(5)?),
        error: row.text(6)?.into(),
        attempts: attempts.try_into().map_err(|_| Row::damaged(7, "it is too large"))?,
        parked_at: row.timestamp(8)?,
        request,
    })
}

/// The entity whose kind is in the column `index`, and the id in the next.
pub(super) fn entity(row: &Row, index: usize) -> Result<EntityKey, sqlx::Error> {
    let entity = EntityKey::new(row.text(index)?, row.text(index + 1)?);
    entity.map_err(|error| Row::damaged(index, error.to_string()))
}

/// The lane in the column `index`.
pub(super) fn lane(row: &Row, index: usize) -> Result<Lane, sqlx::Error> {
    let nr = row.number(index)?;
    let nr = u16::try_from(nr).map_err(|_| Row::damaged(index, format!("{nr} is not a lane")));
    nr.map(Lane::new)
}

/// Writes how far the events of parked entities were handled, and removes those that are not parked any more.
pub(super) fn replayed(replayed: &[ReplayedTo]) -> Result<Vec<RowArrays>, StoreError> {
    let mut kinds: BTreeMap<&str, BTreeMap<&str, Option<SequenceNr>>> = BTreeMap::new();
    for ReplayedTo { entity, from } in replayed {
        kinds.entry(entity.kind()).or_default().insert(entity.id(), *from);
    }
    let mut statements = Vec::new();
    for (kind, ids) in kinds {
        let kind = || Array::Text(kind.to_owned());
        let (stay, gone): (Vec<_>, Vec<_>) = ids.into_iter().partition(|(_, from)| from.is_some());
        let ids = |rows: &[(&str, _)]| texts(rows, |(id, _)| (*id).to_owned());
        if !stay.is_empty() {
            let from = |(_, from): &(_, Option<SequenceNr>)| from.map_or(0, SequenceNr::get);
            let from = counts(&stay, "a sequence number", from)?;
            let columns = vec![kind(), ids(&stay), from];
            statements.push(RowArrays { text: REPLAYED, columns });
        }
        if !gone.is_empty() {
            let columns = vec![kind(), ids(&gone)];
            statements.push(RowArrays { text: REPLAYED_TO_THE_END, columns });
        }
    }
    Ok(statements)
}

/// Writes entities that are parked from now on, each once.
pub(super) fn parked(parked: &[ParkedEntity]) -> Result<Option<RowArrays>, StoreError> {
    let each: BTreeMap<_, _> = parked.iter().map(|one| (&one.entity, one)).collect();
    let rows: Vec<_> = each.into_values().collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let [kinds, ids] = keys(&rows, |one| &one.entity);
    let columns = vec![
        kinds,
        ids,
        numbers(&rows, |one| one.partition.nr().into()),
        numbers(&rows, |one| one.lane.nr().into()),
        counts(&rows, "a sequence number", |one| one.from.get())?,
        counts(&rows, "a position", |one| one.position.get())?,
        texts(&rows, |one| without_nul(&one.error)),
        numbers(&rows, |one| one.attempts.into()),
        numbers(&rows, |one| one.parked_at.as_micros()),
    ];
    Ok(Some(RowArrays { text: PARK, columns }))
}

/// The columns of kinds and ids.
pub(super) fn keys<T>(rows: &[T], key: impl Fn(&T) -> &EntityKey) -> [Array; 2] {
    [texts(rows, |row| key(row).kind().to_owned()), texts(rows, |row| key(row).id().to_owned())]
}
