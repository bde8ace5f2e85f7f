//! How an incarnation ends: it writes nothing any more, and is no member of a cluster.

use crate::{PostgresStore, holder::REVOCATION, texts::Texts, transaction::Transaction};
use actum_persistence::store::StoreError;

/// The length of the leases of the cluster and its name. One at a time changes members and owners, from here to its commit.
pub(crate) const LOCK: &str = "SELECT lease_millis, name FROM @cluster FOR UPDATE";

/// Counts a change of members or owners.
pub(crate) const CHANGED: &str = "UPDATE @cluster SET version = version + 1";

/// The member as it was seen. A renewal that is under way is waited for, and then it is another.
const SEEN_MEMBER: &str = "SELECT FROM @members WHERE incarnation = $1 AND renewal = $2 FOR UPDATE";

impl PostgresStore {
    /// Whether a member, whose fence the transaction holds, has not renewed since it was seen.
    pub(crate) async fn is_unrenewed(
        &self,
        tx: &mut Transaction<'_>,
        member: i64,
        renewal: i64,
    ) -> Result<bool, StoreError> {
        let texts = &self.shared.texts;
        tx.rows(sqlx::query(texts.of(LOCK))).await?;
        let seen = sqlx::query(texts.of(SEEN_MEMBER)).bind(member).bind(renewal);
        Ok(!tx.rows(seen).await?.is_empty())
    }

    /// Revokes an incarnation whose fence the transaction holds, and ends its membership in a cluster; only if it has not
    /// renewed since, where a renewal is named.
    pub(crate) async fn revoke_held(
        &self,
        tx: &mut Transaction<'_>,
        incarnation: i64,
        renewal: Option<i64>,
    ) -> Result<(), StoreError> {
        let revocation = sqlx::query(self.shared.texts.of(REVOCATION)).bind(incarnation);
        if tx.rows(revocation.bind(renewal)).await?.is_empty() {
            return Ok(());
        }
        end_membership(tx, &self.shared.texts, incarnation).await
    }
}

/// Removes a member, and frees what it owns.
async fn end_membership(
    tx: &mut Transaction<'_>,
    texts: &Texts,
    nr: i64,
) -> Result<(), StoreError> {
    tx.rows(sqlx::query(texts.of(LOCK))).await?;
    let member = "DELETE FROM @members WHERE incarnation = $1 RETURNING incarnation";
    if tx.rows(sqlx::query(texts.of(member)).bind(nr)).await?.is_empty() {
        return Ok(());
    }
    let free = "UPDATE @owners SET owner = NULL, epoch = epoch + 1 WHERE owner = $1";
    tx.rows(sqlx::query(texts.of(free)).bind(nr)).await?;
    tx.rows(sqlx::query(texts.of(CHANGED))).await.map(drop)
}
