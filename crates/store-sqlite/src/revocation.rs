//! How an incarnation ends: it writes nothing any more, and is no member of a cluster.

use crate::writer::WriteTx;
use actum_persistence::store::StoreError;

/// Counts a change of members or owners.
pub(crate) const CHANGED: &str = "UPDATE cluster SET version = version + 1";

/// Revokes an incarnation, and ends its membership in a cluster.
pub(crate) async fn revoke(tx: &mut WriteTx<'_>, incarnation: i64) -> Result<(), StoreError> {
    let statement = "UPDATE writers SET revoked_at = unixepoch()
        WHERE incarnation = ? AND revoked_at IS NULL";
    tx.execute(sqlx::query(statement).bind(incarnation)).await?;
    end_membership(tx, incarnation).await
}

/// Removes a member, and frees what it owns.
async fn end_membership(tx: &mut WriteTx<'_>, incarnation: i64) -> Result<(), StoreError> {
    let member = "DELETE FROM members WHERE incarnation = ? RETURNING 1";
    if tx.rows(sqlx::query(member).bind(incarnation)).await?.is_empty() {
        return Ok(());
    }
    let free = "UPDATE owners SET owner = NULL, epoch = epoch + 1 WHERE owner = ?";
    tx.execute(sqlx::query(free).bind(incarnation)).await?;
    tx.execute(sqlx::query(CHANGED)).await
}
