//! Events of an entity, the newest first.

use crate::{place::Places, readers::Reader, row::Row};
use actum_model::{EntityKey, SequenceNr};
use actum_persistence::store::{
    BackwardAnswer, EntityPage, PageLimit, StoredEvent, StoredRow, integer,
};

/// First a row with head and floor, recognised by its missing `place`, then the events up to `?3`: by the
/// index, so that reading stops where the page is full.
pub(crate) const QUERY: &str = "
    WITH asked (entity, floor, head) AS MATERIALIZED (
        SELECT e.entity, e.floor,
            max(e.floor, ifnull((SELECT max(sequence_nr) FROM events WHERE entity = e.entity), 0))
        FROM entities AS e WHERE e.kind = ?1 AND e.id = ?2
    )
    SELECT floor, head, NULL AS place, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM asked
    UNION ALL
    SELECT * FROM (
        SELECT NULL, e.sequence_nr, e.place, e.incarnation, e.event_nr, e.timestamp, e.codec, e.manifest,
            e.schema_version, e.payload, e.metadata
        FROM events AS e WHERE e.entity = (SELECT entity FROM asked) AND e.sequence_nr <= ?3
        ORDER BY e.sequence_nr DESC LIMIT ?4
    )";

/// Reads the page in front of `before`.
pub(crate) async fn read(
    reader: &mut Reader<'_>,
    entity: &EntityKey,
    before: SequenceNr,
    limit: PageLimit,
    places: Places,
) -> Result<EntityPage, sqlx::Error> {
    let query = sqlx::query(QUERY).bind(entity.kind()).bind(entity.id());
    let query = query.bind(integer::bound(before.previous().get())).bind(limit.events.get());
    let (mut answer, mut failed) = (None, None);
    let take = |row: &Row| match &mut answer {
        None => match numbers(row) {
            Ok(numbers) => {
                answer = Some(BackwardAnswer::new(entity, numbers, before, limit));
                true
            }
            Err(error) => fail(&mut failed, error),
        },
        Some(answer) => match add(answer, row, places) {
            Ok(is_full) => !is_full,
            Err(error) => fail(&mut failed, error),
        },
    };
    reader.rows_while(query, take).await?;
    match (failed, answer) {
        (Some(error), _) => Err(error),
        (None, Some(answer)) => answer.finish().map_err(Row::unfit),
        (None, None) => Ok(EntityPage::default()),
    }
}

/// Keeps the error; the rows behind it are not wanted.
fn fail(failed: &mut Option<sqlx::Error>, error: sqlx::Error) -> bool {
    *failed = Some(error);
    false
}

/// Head and floor.
fn numbers(row: &Row) -> Result<(SequenceNr, SequenceNr), sqlx::Error> {
    Ok((row.reached(1)?, row.reached(0)?))
}

fn add(answer: &mut BackwardAnswer<'_>, row: &Row, places: Places) -> Result<bool, sqlx::Error> {
    let position = places.position(row.number(2)?);
    answer.add(StoredEvent::of_row(row, position)?).map_err(Row::unfit)
}
