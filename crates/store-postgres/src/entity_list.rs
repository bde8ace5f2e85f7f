//! The entities of a kind, in the order of their ids.

use crate::{fault::store_error, row::Row, session::Statement, store::Shared};
use actum_persistence::store::{
    EntitySearch, ListedEntity, ListedState, Listing, StoreError, StoredRow,
    bounds::KINDS_LISTED_MAX,
};

/// The entities that are looked at: a range of the index over kind and id.
macro_rules! looked_at {
    () => {
        "(
            SELECT * FROM @entities AS n
            WHERE n.kind = $1 AND n.id > $2 AND n.id >= $3 AND n.id < $4
            ORDER BY n.kind, n.id LIMIT $5
        ) AS n"
    };
}

const EVENTS: &str = concat!(
    "SELECT n.id, coalesce((
        SELECT e.sequence_nr FROM @events AS e
        WHERE e.entity = n.entity AND e.sequence_nr > n.floor ORDER BY e.sequence_nr DESC LIMIT 1
    ), n.floor), n.floor
    FROM ",
    looked_at!(),
    " ORDER BY n.id"
);

const STATES: &str = concat!(
    "SELECT n.id, s.revision, s.timestamp, s.codec FROM ",
    looked_at!(),
    " LEFT JOIN LATERAL (SELECT * FROM @states AS s WHERE s.entity = n.entity LIMIT 1) AS s ON TRUE
    ORDER BY n.id"
);

/// From each kind to the next one by the index, however many entities lie between.
const KINDS: &str = "
    WITH RECURSIVE kinds (kind) AS (
        (SELECT n.kind FROM @entities AS n ORDER BY n.kind, n.id LIMIT 1)
        UNION ALL
        SELECT (
            SELECT n.kind FROM @entities AS n WHERE n.kind > k.kind ORDER BY n.kind, n.id LIMIT 1
        ) FROM kinds AS k WHERE k.kind IS NOT NULL
    )
    SELECT k.kind FROM kinds AS k WHERE k.kind IS NOT NULL LIMIT $1";

/// Lists kinds.
pub(crate) async fn kinds(shared: &Shared) -> Result<Vec<String>, StoreError> {
    let doing = "listing kinds";
    let statement = || sqlx::query(shared.texts.of(KINDS)).bind(KINDS_LISTED_MAX as i64);
    let rows = shared.connections.read(doing, statement).await?;
    let kinds: Result<Vec<_>, _> = rows.iter().map(|row| row.text(0)).collect();
    kinds.map_err(|error| store_error(doing, error))
}

/// Lists entities that have events.
pub(crate) async fn events(
    shared: &Shared,
    search: &EntitySearch,
) -> Result<Listing<ListedEntity>, StoreError> {
    read(shared, "listing entities", EVENTS, search, ListedEntity::of_row).await
}

/// Lists entities that have a state or a tombstone.
pub(crate) async fn states(
    shared: &Shared,
    search: &EntitySearch,
) -> Result<Listing<ListedState>, StoreError> {
    read(shared, "listing states", STATES, search, ListedState::of_row).await
}

async fn read<T>(
    shared: &Shared,
    doing: &str,
    query: &'static str,
    search: &EntitySearch,
    listed: impl Fn(&Row, &str) -> Result<(String, Option<T>), sqlx::Error>,
) -> Result<Listing<T>, StoreError> {
    let end = search.id_end();
    let statement = || bind(sqlx::query(shared.texts.of(query)), search, &end);
    let rows = shared.connections.read(doing, statement).await?;
    let looked_at: Result<Vec<_>, _> = rows.iter().map(|row| listed(row, &search.kind)).collect();
    let looked_at = looked_at.map_err(|error| store_error(doing, error))?;
    Ok(Listing::of_looked_at(search, looked_at))
}

fn bind<'q>(query: Statement<'q>, search: &'q EntitySearch, end: &'q str) -> Statement<'q> {
    query
        .bind(&search.kind)
        .bind(&search.after)
        .bind(&search.id_prefix)
        .bind(end)
        .bind(i64::from(search.limit.get()))
}
