//! Events of entities, and the snapshots they follow: many entities in one statement, which sees one state of the file.

use crate::{place::Places, readers::Reader, row::Row};
use actum_persistence::store::{Answered, EntityAnswer, PageLimit, StoredRow, Wanted, integer};

/// First a row for each entity that was ever written, recognised by its missing `place`: head, floor, and the newest
/// snapshot if it has one, with the timestamp of the event it covers. Then the events, in order. The numbers of an
/// entity are contiguous, so a range of them is as good as a `LIMIT` for each entity, which SQL has not.
const QUERY: &str = "
    WITH
    asked (nr, entity, floor, after, snapshot) AS MATERIALIZED (
        SELECT w.key, e.entity, e.floor, max(e.floor, w.value ->> 2),
            CASE WHEN w.value ->> 3 THEN (SELECT max(sequence_nr) FROM snapshots WHERE entity = e.entity) END
        FROM json_each(?) AS w CROSS JOIN entities AS e ON e.kind = w.value ->> 0 AND e.id = w.value ->> 1
    )
    SELECT a.nr, s.sequence_nr, NULL AS place,
        max(a.floor, ifnull((SELECT max(sequence_nr) FROM events WHERE entity = a.entity), 0)), a.floor,
        s.timestamp, s.codec, s.manifest, s.schema_version, s.state, s.recent_commands,
        (SELECT timestamp FROM events WHERE entity = a.entity AND sequence_nr = a.snapshot)
    FROM asked AS a LEFT JOIN snapshots AS s ON s.entity = a.entity AND s.sequence_nr = a.snapshot
    UNION ALL
    SELECT a.nr, e.sequence_nr, e.place, e.incarnation, e.event_nr,
        e.timestamp, e.codec, e.manifest, e.schema_version, e.payload, e.metadata, NULL
    FROM asked AS a CROSS JOIN events AS e ON e.entity = a.entity
        AND e.sequence_nr > max(a.after, ifnull(a.snapshot, 0))
        AND e.sequence_nr <= max(a.after, ifnull(a.snapshot, 0)) + ?";

/// Reads what is wanted, answers in its order.
pub(crate) async fn read(
    reader: &mut Reader<'_>,
    wanted: &[Wanted<'_>],
    limit: PageLimit,
    places: Places,
) -> Result<Vec<Answered>, sqlx::Error> {
    let query = sqlx::query(QUERY).bind(list(wanted)).bind(limit.events.get());
    let mut answers: Vec<_> =
        wanted.iter().map(|wanted| EntityAnswer::new(*wanted, limit)).collect();
    let (mut unfilled, mut failed) = (answers.len(), None);
    let rows = reader.rows_while(query, |row| {
        let filled = place_row(&mut answers, row, places);
        unfilled -= usize::from(matches!(filled, Ok(true)));
        failed = filled.err();
        failed.is_none() && unfilled > 0
    });
    rows.await?;
    match failed {
        Some(error) => Err(error),
        None => answers.into_iter().map(|answer| answer.finish().map_err(Row::unfit)).collect(),
    }
}

/// What is wanted, as the JSON array that the statement takes apart: `[[kind, id, after, snapshot], …]`.
fn list<'a>(wanted: &[Wanted<'a>]) -> String {
    let entry = |w: &Wanted<'a>| {
        (w.entity.kind(), w.entity.id(), integer::bound(w.after.get()), w.snapshot)
    };
    let list: Vec<_> = wanted.iter().map(entry).collect();
    serde_json::to_string(&list).expect("texts and numbers have a JSON form")
}

/// Puts a row where it belongs; true when it finds the page full for the first time.
fn place_row(
    answers: &mut [EntityAnswer<'_>],
    row: &Row,
    places: Places,
) -> Result<bool, sqlx::Error> {
    let answer = &mut answers[row.entry(answers.len())?];
    match row.optional_number(2)? {
        None => answer.begin_row(row).map(|()| false),
        Some(place) => answer.add_row(row, places.position(place)),
    }
}
