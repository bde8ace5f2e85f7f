use crate::{
    fault::store_error,
    fence::{self, Write},
    row::Row,
    store::Shared,
};
use actum_model::SequenceNr;
use actum_persistence::store::{
    EventDeletion, Incarnation, JournalLayout, StoreError, StoredRow, integer,
};

const DOING: &str = "deleting events";

/// How many events one transaction deletes, so that it stays short: appends to its lanes wait for it.
const DELETED_MAX: usize = 1_000;

/// Of how many entities one transaction deletes events.
const ENTITIES_MAX: usize = 50;

/// Calls the function of the schema for each entity, in one transaction. What not everyone has read stays: positions grow
/// with sequence numbers, so the newest event that may go has all the others before it. The sums keep the server from
/// walking the lane instead of the entity.
const DELETE: &str = "SELECT d._verdict, d._nonce_now, d._settled_now, d._head, d._floor, w.up_to
    FROM (
        SELECT w.lane, w.kind, w.id, w.nr, CASE WHEN w.read_to IS NULL THEN w.up_to ELSE coalesce((
            SELECT e.sequence_nr FROM @entities AS n JOIN @events AS e ON e.entity = n.entity
            WHERE n.kind = w.kind AND n.id = w.id AND e.sequence_nr <= w.up_to AND e.position + 0 <= w.read_to
            ORDER BY e.sequence_nr DESC LIMIT 1
        ), 0) END AS up_to
        FROM unnest($6::integer[], $7::text[], $8::text[], $9::bigint[], $10::bigint[])
            WITH ORDINALITY AS w (lane, kind, id, up_to, read_to, nr)
        ORDER BY w.nr OFFSET 0
    ) AS w
    CROSS JOIN LATERAL @delete_events_v1($1, $2, $3, $4, $5, w.lane, w.kind, w.id, w.up_to, $11) AS d
    ORDER BY w.nr";

/// Deletes events of entities, as many transactions as it takes.
pub(crate) async fn delete_events(
    shared: &Shared,
    incarnation: Incarnation,
    layout: JournalLayout,
    deletions: &[EventDeletion],
) -> Result<(), StoreError> {
    // in one order, so that two of them never wait for each other
    let mut rest: Vec<_> = deletions.iter().collect();
    rest.sort_by_key(|deletion| (layout.lane_of(&deletion.entity), &deletion.entity));
    while !rest.is_empty() {
        let now = &rest[..rest.len().min(ENTITIES_MAX)];
        let mut is_done = delete_some(shared, incarnation, layout, now).await?.into_iter();
        rest.retain(|_| !is_done.next().unwrap_or(false));
    }
    Ok(())
}

/// Deletes some of their events, and says of which entities all are deleted.
async fn delete_some(
    shared: &Shared,
    incarnation: Incarnation,
    layout: JournalLayout,
    deletions: &[&EventDeletion],
) -> Result<Vec<bool>, StoreError> {
    let of = || deletions.iter();
    let lanes: Vec<i32> =
        of().map(|deletion| i32::from(layout.lane_of(&deletion.entity).nr())).collect();
    let kinds: Vec<&str> = of().map(|deletion| deletion.entity.kind()).collect();
    let ids: Vec<&str> = of().map(|deletion| deletion.entity.id()).collect();
    let up_to: Vec<i64> = of().map(|deletion| integer::bound(deletion.up_to.get())).collect();
    let read_to: Vec<Option<i64>> =
        of().map(|deletion| deletion.read_to.map(|to| integer::bound(to.get()))).collect();
    let many = i64::try_from(DELETED_MAX / deletions.len().max(1)).unwrap_or(1);
    let mut session = shared.connections.acquire(DOING).await?;
    let write = Write { doing: DOING, incarnation, query: DELETE, token: None };
    let rows = fence::write_rows(shared, &mut session, write, |query| {
        query.bind(&lanes).bind(&kinds).bind(&ids).bind(&up_to).bind(&read_to).bind(many)
    });
    let rows = rows.await?;
    of().zip(&rows).map(|(deletion, row)| is_done(deletion, row)).collect()
}

fn is_done(deletion: &EventDeletion, row: &Row) -> Result<bool, StoreError> {
    let numbers = || -> Result<[SequenceNr; 3], sqlx::Error> {
        Ok([row.reached(3)?, row.reached(4)?, row.reached(5)?])
    };
    let [head, floor, up_to] = numbers().map_err(|error| store_error(DOING, error))?;
    deletion.check_head(head)?;
    Ok(floor >= up_to)
}
