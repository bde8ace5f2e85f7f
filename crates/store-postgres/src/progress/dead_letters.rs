use super::{
    database::ProgressDatabase,
    key::{of_projection, of_segment, partition, without_nul},
    parked::{counted, entity, keys, lane},
    row_arrays::{Array, RowArrays, counts, numbers, texts},
};
use crate::{
    fault::store_error,
    row::{Row, column},
};
use actum_model::{Lane, Position};
use actum_persistence::{
    progress::{DeadLetter, DeadLetterPlace, ProjectionId, Segment},
    store::{StoreError, StoredRow, integer},
};
use std::collections::{BTreeMap, BTreeSet};

const LISTING: &str = "listing dead letters";

const LIST: &str = "SELECT lane::bigint, position, kind, id, partition::bigint, sequence_nr, incarnation, event_nr, manifest, error,
        attempts, skipped_at, is_requested
    FROM @dead_letters
    WHERE name = $1 AND version = $2 AND partition BETWEEN $3 AND $4 AND (lane, position) > ($5, $6)
    ORDER BY lane, position LIMIT $7";

/// As [`LIST`], by the index of those that are requested.
const LIST_REQUESTED: &str = "SELECT lane::bigint, position, kind, id, partition::bigint, sequence_nr, incarnation, event_nr, manifest,
        error, attempts, skipped_at, is_requested
    FROM @dead_letters
    WHERE name = $1 AND version = $2 AND partition BETWEEN $3 AND $4 AND (lane, position) > ($5, $6) AND is_requested
    ORDER BY lane, position LIMIT $7";

const REQUEST: &str = "WITH asked AS (
        UPDATE @dead_letters SET is_requested = TRUE
        WHERE name = $1 AND version = $2 AND ($3::integer IS NULL OR (lane, position) = ($3, $4)) RETURNING 1
    )
    SELECT count(*) FROM asked";

const DISCARD: &str = "WITH gone AS (
        DELETE FROM @dead_letters
        WHERE name = $1 AND version = $2 AND ($3::integer IS NULL OR (lane, position) = ($3, $4)) RETURNING 1
    )
    SELECT count(*) FROM gone";

/// Of one lane: the letters are found by their primary key, however many there are.
const REPLAYED: &str = "DELETE FROM @dead_letters
    WHERE name = $1 AND version = $2 AND lane = $3::bigint::integer AND position = ANY ($4::bigint[])";

const SKIP: &str = "INSERT INTO @dead_letters AS d (name, version, lane, position, kind, id, partition, sequence_nr, incarnation,
        event_nr, manifest, error, attempts, skipped_at)
    SELECT $1, $2, r.* FROM unnest($3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
        $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::bigint[], $14::bigint[]) AS r
    ON CONFLICT (name, version, lane, position) DO UPDATE SET (kind, id, partition, sequence_nr, incarnation, event_nr,
        manifest, error, attempts, skipped_at, is_requested) = (excluded.kind, excluded.id, excluded.partition,
        excluded.sequence_nr, excluded.incarnation, excluded.event_nr, excluded.manifest, excluded.error, excluded.attempts,
        excluded.skipped_at, FALSE)";

impl ProgressDatabase {
    pub(super) async fn dead_letters(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        is_requested: bool,
        after: Option<DeadLetterPlace>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let (lane, position) =
            after.map_or((-1, -1), |after| (after.lane.nr().into(), position(after)));
        let text = if is_requested { LIST_REQUESTED } else { LIST };
        let list = || {
            let list = of_segment(sqlx::query(self.texts.of(text)), projection, segment);
            list.bind::<i32>(lane).bind(position).bind(i64::from(limit))
        };
        let rows = self.read(LISTING, list).await?;
        let letters: Result<Vec<_>, _> = rows.iter().map(dead_letter).collect();
        letters.map_err(|error| store_error(LISTING, error))
    }

    pub(super) async fn request_letter(
        &self,
        projection: &ProjectionId,
        place: Option<DeadLetterPlace>,
    ) -> Result<u64, StoreError> {
        self.count_letters("asking for dead letters", REQUEST, projection, place).await
    }

    pub(super) async fn discard_letter(
        &self,
        projection: &ProjectionId,
        place: Option<DeadLetterPlace>,
    ) -> Result<u64, StoreError> {
        self.count_letters("discarding dead letters", DISCARD, projection, place).await
    }

    /// Runs a statement about one dead letter or all of them, which returns their number.
    async fn count_letters(
        &self,
        doing: &'static str,
        text: &'static str,
        projection: &ProjectionId,
        place: Option<DeadLetterPlace>,
    ) -> Result<u64, StoreError> {
        let rows = self.call(doing, || {
            let statement = of_projection(sqlx::query(self.texts.of(text)), projection);
            let lane = place.map(|place| i32::from(place.lane.nr()));
            statement.bind(lane).bind(place.map(position))
        });
        counted(&rows.await?, doing)
    }
}

/// A position as a bound: no letter is behind one that cannot be stored.
fn position(place: DeadLetterPlace) -> i64 {
    integer::bound(place.position.get())
}

fn dead_letter(row: &Row) -> Result<DeadLetter, sqlx::Error> {
    let attempts = row.number(10)?;
    Ok(DeadLetter {
        place: DeadLetterPlace { lane: lane(row, 0)?, position: Position::new(row.count(1)?) },
        entity: entity(row, 2)?,
        partition: partition(row, 4)?,
        sequence_nr: row.sequence_nr(5)?,
        event_id: row.event_id(6)?,
        manifest: row.text(8)?.into(),
        error: row.text(9)?.into(),
        attempts: attempts.try_into().map_err(|_| Row::damaged(10, "it is too large"))?,
        skipped_at: row.timestamp(11)?,
        is_requested: column(row, 12)?,
    })
}

/// Removes dead letters that were handled.
pub(super) fn replayed(places: &[DeadLetterPlace]) -> Vec<RowArrays> {
    let mut lanes: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for place in places {
        lanes.entry(place.lane).or_default().insert(position(*place));
    }
    let of_lane = |(lane, positions): (Lane, BTreeSet<_>)| {
        let positions = Array::Numbers(positions.into_iter().collect());
        RowArrays { text: REPLAYED, columns: vec![Array::Number(lane.nr().into()), positions] }
    };
    lanes.into_iter().map(of_lane).collect()
}

/// Writes events that are skipped, each once.
pub(super) fn skipped(letters: &[DeadLetter]) -> Result<Option<RowArrays>, StoreError> {
    let each: BTreeMap<_, _> = letters.iter().map(|letter| (letter.place, letter)).collect();
    let rows: Vec<_> = each.into_values().collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let [kinds, ids] = keys(&rows, |letter| &letter.entity);
    let columns = vec![
        numbers(&rows, |letter| letter.place.lane.nr().into()),
        counts(&rows, "a position", |letter| letter.place.position.get())?,
        kinds,
        ids,
        numbers(&rows, |letter| letter.partition.nr().into()),
        counts(&rows, "a sequence number", |letter| letter.sequence_nr.get())?,
        counts(&rows, "an incarnation", |letter| letter.event_id.incarnation.get())?,
        numbers(&rows, |letter| letter.event_id.nr.cast_signed()),
        texts(&rows, |letter| without_nul(&letter.manifest)),
        texts(&rows, |letter| without_nul(&letter.error)),
        numbers(&rows, |letter| letter.attempts.into()),
        numbers(&rows, |letter| letter.skipped_at.as_micros()),
    ];
    Ok(Some(RowArrays { text: SKIP, columns }))
}
