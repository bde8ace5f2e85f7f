//! What a member owns, as it was read last. Whoever changes it counts the version of the cluster up, so what was read at the
//! version of the moment is true: a write reads one number, and the owners only where that has moved.

use crate::{row::Row, writer::WriteTx};
use actum_persistence::{
    members::{OwnedPartitions, OwnerRow},
    store::{AppendBatch, Incarnation, StoreError, integer},
};
use std::sync::Arc;

/// What the member has owned that wrote last.
#[derive(Debug, Default)]
pub(crate) struct KnownOwners {
    known: Option<Known>,
}

#[derive(Debug)]
struct Known {
    incarnation: Incarnation,
    /// The version of the cluster at which it was so.
    version: i64,
    owned: Arc<OwnedPartitions>,
}

impl KnownOwners {
    /// The version at which the writer of a batch was known to own everything that it writes; none if it was not.
    pub(crate) fn version_for(&self, batch: &AppendBatch) -> Option<i64> {
        let known = self.known.as_ref().filter(|known| known.incarnation == batch.incarnation)?;
        let owned = batch.appends.iter().all(|append| {
            let role = append.owned_as.as_ref();
            role.is_none_or(|role| known.owned.has(role, append.partition))
        });
        owned.then_some(known.version)
    }

    fn at(&self, incarnation: Incarnation, version: i64) -> Option<Arc<OwnedPartitions>> {
        let known = self.known.as_ref()?;
        let holds = (known.incarnation, known.version) == (incarnation, version);
        holds.then(|| Arc::clone(&known.owned))
    }
}

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
    let known = Known { incarnation, version, owned: Arc::clone(&owned) };
    tx.owners().known = Some(known);
    Ok(Some(owned))
}
