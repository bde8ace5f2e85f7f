//! What a member owns, as it was read last. Whoever changes it holds the fence of the member, and changes its token: a write
//! that shows the token at which it was read is stored only if it is still so. Nothing is looked up for it.

use crate::{
    fault::store_error,
    row::{Row, column},
    store::Shared,
    tokens::Token,
};
use actum_persistence::{
    members::{OwnedPartitions, OwnerRow},
    store::{Incarnation, StoreError, StoredRow, integer},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the member has owned that wrote last.
#[derive(Debug, Default)]
pub(crate) struct KnownOwners(Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    incarnation: i64,
    owners: Owners,
}

/// What a member owns, and what it must show so that this is still so.
#[derive(Clone, Debug)]
pub(crate) struct Owners {
    pub(crate) token: Token,
    pub(crate) owned: Arc<OwnedPartitions>,
}

impl KnownOwners {
    fn at(&self, incarnation: i64, token: Token) -> Option<Owners> {
        let known = self.known();
        let known = known.as_ref().filter(|known| known.incarnation == incarnation)?;
        (known.owners.token == token).then(|| known.owners.clone())
    }

    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        // nothing panics while it is held
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What `incarnation` owns, read where that is not known at the token of the moment.
pub(crate) async fn look(
    shared: &Shared,
    doing: &str,
    incarnation: Incarnation,
) -> Result<Owners, StoreError> {
    let key = integer::incarnation(incarnation)?;
    let token = shared.tokens.of(key);
    if let Some(owners) = shared.owners.at(key, token) {
        return Ok(owners);
    }
    // both at one moment
    let query = "SELECT w.nonce, o.partition::bigint, o.owner, o.epoch, o.role, w.settled
        FROM @writers AS w LEFT JOIN @owners AS o ON o.owner = w.incarnation
        WHERE w.incarnation = $1 AND w.revoked_at IS NULL AND ($2::bigint IS NULL OR w.nonce = $2)";
    let read = || sqlx::query(shared.texts.of(query)).bind(key).bind(token.nonce);
    let rows = shared.connections.read(doing, read).await?;
    let Some(first) = rows.first() else { return Err(StoreError::Fenced { incarnation }) };
    let owners = owners(first, &rows).map_err(|error| store_error(doing, error))?;
    shared.tokens.learn(key, owners.token);
    *shared.owners.known() = Some(Known { incarnation: key, owners: owners.clone() });
    Ok(owners)
}

fn owners(first: &Row, rows: &[Row]) -> Result<Owners, sqlx::Error> {
    let token = Token { nonce: column(first, 0)?, settled: column(first, 5)? };
    let mut owned = Vec::with_capacity(rows.len());
    for row in rows {
        if row.optional_number(2)?.is_some() {
            owned.push(OwnerRow::of_row(row)?.of);
        }
    }
    Ok(Owners { token, owned: Arc::new(owned.into_iter().collect()) })
}
