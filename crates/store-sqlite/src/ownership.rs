//! What a member owns, read where it is not known.

use crate::{row::Row, writer::WriteTx};
use actum_persistence::{
    members::{OwnedPartitions, OwnerRow},
    store::{Incarnation, StoreError, integer},
};
use std::sync::Arc;

/// What `incarnation` owns, in a transaction that has found the cluster at `version`; nothing where no one has asked for that.
pub(crate) async fn look(
    tx: &mut WriteTx<'_>,
    incarnation: Incarnation,
    version: Option<i64>,
) -> Result<Option<Arc<OwnedPartitions>>, StoreError> {
    let Some(version) = version else { return Ok(None) };
    if let Some(owned) = tx.owners().at(incarnation, version) {
        return Ok(Some(owned));
    }
    let query = "SELECT 2, partition, owner, epoch, role FROM owners WHERE owner = ?";
    let rows = tx.rows(sqlx::query(query).bind(integer::incarnation(incarnation)?)).await?;
    let of = |row: &Row| Ok(OwnerRow::of_row(row)?.of);
    let owned = rows.iter().map(of).collect::<Result<OwnedPartitions, _>>();
    let owned = Arc::new(owned.map_err(|error: sqlx::Error| tx.failed(error))?);
    tx.owners().remember(incarnation, version, &owned);
    Ok(Some(owned))
}
