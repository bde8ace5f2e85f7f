//! The entities of a kind, in the order of their ids.

use crate::{readers::Reader, row::Row, session::Statement};
use actum_persistence::store::{
    EntitySearch, ListedEntity, ListedState, Listing, StoredRow, bounds::KINDS_LISTED_MAX,
};

/// The entities that are looked at: a range of the index over kind and id. Of two lower bounds SQLite would take the first,
/// so the index is asked for one.
macro_rules! looked_at {
    () => {
        "(
            SELECT * FROM entities
            WHERE kind = ?1 AND id >= max(?2, ?3) AND +id > ?2 AND id < ?4
            ORDER BY id LIMIT ?5
        ) AS n"
    };
}

const EVENTS: &str = concat!(
    "SELECT n.id, max(n.floor, ifnull((SELECT max(sequence_nr) FROM events WHERE entity = n.entity), 0)), n.floor
    FROM ",
    looked_at!(),
    " ORDER BY n.id"
);

const STATES: &str = concat!(
    "SELECT n.id, s.revision, s.timestamp, s.codec FROM ",
    looked_at!(),
    " LEFT JOIN states AS s ON s.entity = n.entity ORDER BY n.id"
);

/// From each kind to the next one by the index, however many entities lie between.
const KINDS: &str = "
    WITH RECURSIVE kinds (kind) AS (
        SELECT min(kind) FROM entities
        UNION ALL
        SELECT (SELECT min(n.kind) FROM entities AS n WHERE n.kind > k.kind)
        FROM kinds AS k WHERE k.kind IS NOT NULL
    )
    SELECT kind FROM kinds WHERE kind IS NOT NULL LIMIT ?";

/// Lists kinds.
pub(crate) async fn kinds(reader: &mut Reader<'_>) -> Result<Vec<String>, sqlx::Error> {
    let rows = reader.rows(sqlx::query(KINDS).bind(KINDS_LISTED_MAX as i64)).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// Lists entities that have events.
pub(crate) async fn events(
    reader: &mut Reader<'_>,
    search: &EntitySearch,
) -> Result<Listing<ListedEntity>, sqlx::Error> {
    read(reader, EVENTS, search, ListedEntity::of_row).await
}

/// Lists entities that have a state or a tombstone.
pub(crate) async fn states(
    reader: &mut Reader<'_>,
    search: &EntitySearch,
) -> Result<Listing<ListedState>, sqlx::Error> {
    read(reader, STATES, search, ListedState::of_row).await
}

async fn read<T>(
    reader: &mut Reader<'_>,
    query: &'static str,
    search: &EntitySearch,
    listed: impl Fn(&Row, &str) -> Result<(String, Option<T>), sqlx::Error>,
) -> Result<Listing<T>, sqlx::Error> {
    let end = search.id_end();
    let rows = reader.rows(bind(sqlx::query(query), search, &end)).await?;
    let looked_at: Result<Vec<_>, _> = rows.iter().map(|row| listed(row, &search.kind)).collect();
    Ok(Listing::of_looked_at(search, looked_at?))
}

fn bind<'q>(query: Statement<'q>, search: &'q EntitySearch, end: &'q str) -> Statement<'q> {
    query
        .bind(&search.kind)
        .bind(&search.after)
        .bind(&search.id_prefix)
        .bind(end)
        .bind(search.limit.get())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SqliteStore, backward};
    use sqlx::AssertSqlSafe;

    /// What SQLite says that it will do.
    async fn plan(query: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("journal.db")).await.unwrap();
        let mut reader = store.readers().reader("explaining").await.unwrap();
        let explained = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}"));
        let rows = reader.rows(sqlx::query(explained)).await.unwrap();
        let steps: Vec<_> = rows.iter().map(|row| row.text(3).unwrap()).collect();
        steps.join("\n")
    }

    #[tokio::test]
    async fn a_list_reads_a_range_of_an_index_and_sorts_nothing() {
        for query in [EVENTS, STATES] {
            let plan = plan(query).await;
            assert!(plan.contains("(kind=? AND id>? AND id<?)"), "{plan}");
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN entities"), "{plan}");
        }
    }

    #[tokio::test]
    async fn an_entity_is_read_backward_along_an_index() {
        let plan = plan(backward::QUERY).await;
        assert!(plan.contains("(entity=? AND sequence_nr<?)"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
}
