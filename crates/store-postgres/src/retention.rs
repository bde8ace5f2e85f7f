use crate::{
    fault::store_error,
    fence::{self, TOKENS_MAX, Verdict},
    store::Shared,
    transaction, values,
};
use actum_model::{EntityKey, Lane, SequenceNr};
use actum_persistence::store::{Incarnation, StoreError};

const DOING: &str = "deleting events";

/// How many events one transaction deletes, so that it stays short.
const DELETED_MAX: i64 = 1_000;

const DELETE: &str = "SELECT _verdict, _settled_now, _head, _floor
    FROM @delete_events_v1($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// Deletes events of `entity`, which writes to `lane`, up to `up_to`, some of them if they are many, and says up to which they are deleted.
pub(crate) async fn delete_some(
    shared: &Shared,
    incarnation: Incarnation,
    (lane, entity): (Lane, &EntityKey),
    up_to: SequenceNr,
) -> Result<SequenceNr, StoreError> {
    let writer = fence::key_of(incarnation)?;
    let mut session = shared.connections.lend(DOING).await?;
    for _ in 0..TOKENS_MAX {
        let token = shared.tokens.of(writer);
        let statement = || {
            sqlx::query(shared.texts.of(DELETE))
                .bind(shared.lock_space)
                .bind(fence::writer_key(writer))
                .bind(writer)
                .bind(token)
                .bind(i32::from(lane.nr()))
                .bind(entity.kind())
                .bind(entity.id())
                .bind(values::bound(up_to.get()))
                .bind(DELETED_MAX)
        };
        let rows = transaction::call(&mut session, shared.connector(), DOING, statement).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound);
        let row = row.map_err(|error| store_error(DOING, error))?;
        match fence::verdict(row, incarnation).map_err(|error| error.while_doing(DOING))? {
            Verdict::Settled { token } => shared.tokens.learn(writer, token),
            Verdict::Done => {
                let numbers = values::sequence_nr(row, 2)
                    .and_then(|head| Ok((head, values::sequence_nr(row, 3)?)));
                let (head, floor) = numbers.map_err(|error| store_error(DOING, error))?;
                return check(entity, up_to, head).map(|()| floor);
            }
        }
    }
    Err(fence::overtaken(DOING))
}

fn check(entity: &EntityKey, up_to: SequenceNr, head: SequenceNr) -> Result<(), StoreError> {
    if up_to > head {
        return Err(StoreError::invalid(format!(
            "events of {entity} cannot be deleted up to {up_to}, it has {head}"
        )));
    }
    Ok(())
}
