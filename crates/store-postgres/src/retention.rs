use crate::{
    fault::store_error,
    fence::{self, Write},
    store::Shared,
    values,
};
use actum_model::{EntityKey, Lane, SequenceNr};
use actum_persistence::store::{Incarnation, StoreError};

const DOING: &str = "deleting events";

/// How many events one transaction deletes, so that it stays short.
const DELETED_MAX: i64 = 1_000;

/// How many events one transaction deletes, so that it stays short.
const DELETE: &str = "SELECT _verdict, _nonce_now, _settled_now, _head, _floor
    FROM @delete_events_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// Deletes events of `entity`, which writes to `lane`, up to `up_to`, some of them if they are many, and says up to
/// which they are deleted.
pub(crate) async fn delete_some(
    shared: &Shared,
    incarnation: Incarnation,
    (lane, entity): (Lane, &EntityKey),
    up_to: SequenceNr,
) -> Result<SequenceNr, StoreError> {
    let mut session = shared.connections.lend(DOING).await?;
    let write = Write { doing: DOING, incarnation, query: DELETE };
    let row = fence::write(shared, &mut session, write, |query| {
        query
            .bind(i32::from(lane.nr()))
            .bind(entity.kind())
            .bind(entity.id())
            .bind(values::bound(up_to.get()))
            .bind(DELETED_MAX)
    });
    let row = row.await?;
    let numbers = values::reached(&row, 3).and_then(|head| Ok((head, values::reached(&row, 4)?)));
    let (head, floor) = numbers.map_err(|error| store_error(DOING, error))?;
    check(entity, up_to, head).map(|()| floor)
}

fn check(entity: &EntityKey, up_to: SequenceNr, head: SequenceNr) -> Result<(), StoreError> {
    if up_to > head {
        return Err(StoreError::invalid(format!(
            "events of {entity} cannot be deleted up to {up_to}, it has {head}"
        )));
    }
    Ok(())
}
