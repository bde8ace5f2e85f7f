//! Settles writes whose outcome is unknown.
//!
//! Both first wait until no write of the incarnation is under way, and change its token: what was sent before, and has
//! not arrived, is not carried out any more. So what is not there then will not come.

use crate::{
    entities::Names, fence, row::Row, store::Shared, tokens::Token, transaction::Transaction,
};
use actum_model::Position;
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EntityAppend, EventAt, Incarnation, LastWrite, Resolution,
    StateBatch, StateOutcome, StoreError, StoredRow, in_order_asked, integer,
};

/// The outcome of each append of a batch.
pub(crate) async fn appends(
    shared: &Shared,
    batch: &AppendBatch,
) -> Result<Vec<Resolution<AppendOutcome>>, StoreError> {
    let doing = "settling an append";
    let mut session = shared.connections.begin(doing).await?;
    let mut tx = Transaction::of(&mut session, doing);
    let found = appends_in(shared, &mut tx, batch).await;
    let (found, token) = tx.finish(found).await?;
    learn(shared, batch.incarnation, token);
    Ok(found)
}

/// The outcome of each write of a batch.
pub(crate) async fn writes(
    shared: &Shared,
    batch: &StateBatch,
) -> Result<Vec<Resolution<StateOutcome>>, StoreError> {
    let doing = "settling a state write";
    let mut session = shared.connections.begin(doing).await?;
    let mut tx = Transaction::of(&mut session, doing);
    let found = writes_in(shared, &mut tx, batch).await;
    let (found, token) = tx.finish(found).await?;
    learn(shared, batch.incarnation, token);
    Ok(found)
}

async fn appends_in(
    shared: &Shared,
    tx: &mut Transaction<'_>,
    batch: &AppendBatch,
) -> Result<(Vec<Resolution<AppendOutcome>>, Option<Token>), StoreError> {
    let Some(token) = settle(shared, tx, batch.incarnation).await? else {
        return Ok((vec![Resolution::NotStored; batch.appends.len()], None));
    };
    let last = |append: &EntityAppend| integer::bound(append.last_sequence_nr().get());
    let lasts: Vec<i64> = batch.appends.iter().map(last).collect();
    let names = Names::of(batch.appends.iter().map(|append| &append.entity));
    let query = "SELECT a.nr, v.position, v.incarnation, v.event_nr, e.floor
        FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS a (kind, id, last, nr)
        CROSS JOIN LATERAL (
            SELECT * FROM @entities AS e WHERE e.kind = a.kind AND e.id = a.id LIMIT 1
        ) AS e
        LEFT JOIN LATERAL (
            SELECT * FROM @events AS v WHERE v.entity = e.entity AND v.sequence_nr = a.last LIMIT 1
        ) AS v ON TRUE";
    let query = sqlx::query(shared.texts.of(query)).bind(&names.kinds).bind(&names.ids);
    let rows = tx.rows(query.bind(&lasts)).await?;
    let found = |row: &Row| Ok((last_event(row)?, row.reached(4)?));
    let found = in_order_asked(&rows, batch.appends.len(), found);
    let found = found.map_err(|error| tx.failed(error))?;
    Ok((Resolution::of_appends(batch, found), Some(token)))
}

async fn writes_in(
    shared: &Shared,
    tx: &mut Transaction<'_>,
    batch: &StateBatch,
) -> Result<(Vec<Resolution<StateOutcome>>, Option<Token>), StoreError> {
    let Some(token) = settle(shared, tx, batch.incarnation).await? else {
        return Ok((vec![Resolution::NotStored; batch.writes.len()], None));
    };
    let names = Names::of(batch.writes.iter().map(|write| &write.entity));
    let query = "SELECT a.nr, s.revision, s.incarnation, s.write_nr
        FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS a (kind, id, nr)
        CROSS JOIN LATERAL (
            SELECT e.entity FROM @entities AS e WHERE e.kind = a.kind AND e.id = a.id LIMIT 1
        ) AS e
        CROSS JOIN LATERAL (SELECT * FROM @states AS s WHERE s.entity = e.entity LIMIT 1) AS s";
    let query = sqlx::query(shared.texts.of(query)).bind(&names.kinds).bind(&names.ids);
    let rows = tx.rows(query).await?;
    let found = in_order_asked(&rows, batch.writes.len(), LastWrite::of_row);
    let found = found.map_err(|error| tx.failed(error))?;
    Ok((Resolution::of_writes(batch, found), Some(token)))
}

/// Shuts out what is still on its way, and says the new token; none if there is no such writer, whose writes are not
/// there then, and will not be.
async fn settle(
    shared: &Shared,
    tx: &mut Transaction<'_>,
    incarnation: Incarnation,
) -> Result<Option<Token>, StoreError> {
    let Some(incarnation) = integer::stored(incarnation.get()) else { return Ok(None) };
    fence::hold(tx, shared.lock_space, incarnation).await?;
    let count = "UPDATE @writers SET settled = settled + 1
        WHERE incarnation = $1 AND ($2::bigint IS NULL OR nonce = $2) RETURNING nonce, settled";
    let count = sqlx::query(shared.texts.of(count)).bind(incarnation);
    let rows = tx.rows(count.bind(shared.tokens.of(incarnation).nonce)).await?;
    rows.first().map(Token::of_row).transpose().map_err(|error| tx.failed(error))
}

fn learn(shared: &Shared, incarnation: Incarnation, token: Option<Token>) {
    if let (Some(incarnation), Some(token)) = (integer::stored(incarnation.get()), token) {
        shared.tokens.learn(incarnation, token);
    }
}

/// What the table has at the number of the last event of an append.
fn last_event(row: &Row) -> Result<Option<EventAt>, sqlx::Error> {
    if row.optional_number(1)?.is_none() {
        return Ok(None);
    }
    EventAt::of_row(row, Position::new(row.count(1)?)).map(Some)
}
