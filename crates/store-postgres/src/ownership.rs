//! What a member owns, read where it is not known.

use crate::{
    fault::store_error,
    known_owners::Owners,
    row::{Row, column},
    store::Shared,
    tokens::Token,
};
use actum_persistence::{
    members::OwnerRow,
    store::{Incarnation, StoreError, StoredRow, integer},
};
use std::sync::Arc;

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
    shared.owners.remember(key, &owners);
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
