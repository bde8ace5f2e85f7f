//! Kinds and ids, and the integers that stand for them.

use crate::writer::WriteTx;
use actum_model::{EntityKey, PartitionCount};
use actum_persistence::store::{StoreError, StoredRow, in_order_asked};

/// A list of entities as the JSON array that the statements take apart: `[[kind, id], …]`.
pub(crate) fn list<'a>(keys: impl Iterator<Item = &'a EntityKey>) -> String {
    let pairs: Vec<(&str, &str)> = keys.map(|key| (key.kind(), key.id())).collect();
    serde_json::to_string(&pairs).expect("texts have a JSON form")
}

/// The integer keys of `keys`, in their order; those that have none get one.
pub(crate) async fn keys_of(
    tx: &mut WriteTx<'_>,
    keys: &[&EntityKey],
    partitions: PartitionCount,
) -> Result<Vec<i64>, StoreError> {
    let query = "SELECT w.key, e.entity
        FROM json_each(?) AS w CROSS JOIN entities AS e ON e.kind = w.value ->> 0 AND e.id = w.value ->> 1";
    let rows = tx.rows(sqlx::query(query).bind(list(keys.iter().copied()))).await?;
    let found = in_order_asked(&rows, keys.len(), |row| row.number(1));
    let found = found.map_err(|error| tx.failed(error))?;
    let new: Vec<&EntityKey> =
        keys.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(key, _)| *key).collect();
    let mut created = create(tx, &new, partitions).await?.into_iter();
    let keys = found.into_iter().map(|found| found.or_else(|| created.next()));
    Ok(keys.map(|key| key.expect("every entity was found or created")).collect())
}

/// Creates entities that the table does not have, and says their integer keys in their order.
///
/// Keys count on from the greatest one, so rows are written side by side; no one else can choose the same, since the
/// transaction has the lock on the file.
pub(crate) async fn create<'k>(
    tx: &mut WriteTx<'_>,
    keys: &[&'k EntityKey],
    partitions: PartitionCount,
) -> Result<Vec<i64>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let query = sqlx::query("SELECT ifnull(max(entity), 0) FROM entities");
    let rows = tx.rows(query).await?;
    let last = rows.first().ok_or(sqlx::Error::RowNotFound).and_then(|row| row.number(0));
    let last = last.map_err(|error| tx.failed(error))?;
    let created: Vec<i64> = (last + 1..).take(keys.len()).collect();
    let row = |(entity, key): (&i64, &&'k EntityKey)| {
        (*entity, key.kind(), key.id(), key.partition(partitions).nr())
    };
    let rows: Vec<_> = created.iter().zip(keys).map(row).collect();
    let rows = serde_json::to_string(&rows).expect("texts and numbers have a JSON form");
    let statement = "INSERT INTO entities (entity, kind, id, partition, floor)
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, 0 FROM json_each(?)";
    tx.execute(sqlx::query(statement).bind(rows)).await?;
    tx.will_write(keys.len() as u64 * 256);
    Ok(created)
}
