use crate::{
    connection::Connector,
    fault::{Fault, store_error},
    fence::{self, TOKENS_MAX, Verdict},
    known_heads::KnownHeads,
    session::{Session, Statement, column},
    store::Shared,
    transaction::{self, Failed},
    values,
};
use actum_model::{Position, SequenceNr};
use actum_persistence::store::{AppendBatch, AppendOutcome, EntityAppend, StoreError};
use sqlx::postgres::PgRow;
use std::collections::HashMap;

const DOING: &str = "appending events";

/// The function of the schema does it all in one round trip; see `schema/v1.sql`.
const APPEND: &str = "SELECT _verdict, _settled_now, _head_before, _keys, _guilty, _actual FROM @append_v1(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23
)";

/// A batch as arrays, a column each. What an array says of an append is at the append's place in the batch.
#[derive(Default)]
struct Columns<'a> {
    entities: Vec<i64>,
    expected: Vec<i64>,
    /// The appends whose heads are to be looked at, counted from 1.
    checked: Vec<i32>,
    /// Those among them whose entities this store does not know, and what these are called.
    new: Vec<i32>,
    kinds: Vec<&'a str>,
    ids: Vec<&'a str>,
    partitions: Vec<i32>,
    /// An entry for each event from here on: the append it belongs to, counted from 1.
    of: Vec<i32>,
    sequence_nrs: Vec<i64>,
    event_nrs: Vec<i64>,
    timestamps: Vec<i64>,
    codecs: Vec<&'a str>,
    manifests: Vec<&'a str>,
    schema_versions: Vec<i64>,
    payloads: Vec<&'a [u8]>,
    metadata: Vec<&'a [u8]>,
}

/// What the server has done with a batch.
struct Answer {
    head_before: Position,
    /// The keys of the entities that were new, in their order.
    keys: Vec<i64>,
    /// The appends that were refused, counted from 1, and where their entities are.
    guilty: HashMap<i32, SequenceNr>,
}

/// Stores what does not conflict of a batch that was checked.
///
/// The server looks at the heads of entities that this store does not know. So a conflict costs its own entity only, and a
/// number that is too high is found as well as one that is too low. Where the store knows a head it inserts
/// optimistically: while nobody else writes to the lane what it knows is true, and otherwise the number is taken, and the
/// batch goes again with all heads looked at.
pub(crate) async fn append(
    shared: &Shared,
    (session, known): (&mut Session, &mut KnownHeads),
    batch: &AppendBatch,
) -> Result<Vec<AppendOutcome>, StoreError> {
    let mut taken = false;
    loop {
        let columns = Columns::of(batch, known);
        match send(shared, session, known, (batch, &columns)).await {
            // what is remembered of the heads was wrong, and is forgotten: this time they are read
            Err(Failed { fault: Fault::Taken, .. }) if !taken => {
                known.doubt();
                taken = true;
            }
            Err(failed) => return Err(failed.error),
            Ok(answer) => return Ok(settle(batch, &columns, &answer, known)),
        }
    }
}

async fn send(
    shared: &Shared,
    session: &mut Session,
    known: &KnownHeads,
    (batch, columns): (&AppendBatch, &Columns<'_>),
) -> Result<Answer, Failed> {
    let store = |error| Failed { fault: Fault::Other, error };
    let connector: &Connector = shared.connector();
    let incarnation = fence::key_of(batch.incarnation).map_err(store)?;
    // a proxy may have changed to another server unnoticed; otherwise what is known was learned on this connection
    let optimistic = !connector.settings.transaction_pooling;
    for _ in 0..TOKENS_MAX {
        let token = shared.tokens.of(incarnation);
        let statement = || {
            let head = known.lane_head().map_or(-1, |head| values::bound(head.get()));
            let query = sqlx::query(shared.texts.of(APPEND))
                .bind(shared.lock_space)
                .bind(fence::writer_key(incarnation))
                .bind(incarnation)
                .bind(token)
                .bind(i32::from(batch.lane.nr()))
                .bind(head)
                .bind(optimistic);
            columns.bind(query)
        };
        let rows = transaction::call(session, connector, DOING, statement).await?;
        let row = rows.first().ok_or_else(|| store(no_answer()))?;
        match fence::verdict(row, batch.incarnation) {
            Ok(Verdict::Done) => {
                return answer(row).map_err(|error| store(store_error(DOING, error)));
            }
            Ok(Verdict::Settled { token }) => shared.tokens.learn(incarnation, token),
            Err(error) => {
                shared.tokens.forget(incarnation);
                return Err(store(error.while_doing(DOING)));
            }
        }
    }
    Err(store(fence::overtaken(DOING)))
}

fn no_answer() -> StoreError {
    StoreError::corrupt(format!("{DOING}: a function has no answer"))
}

fn answer(row: &PgRow) -> Result<Answer, sqlx::Error> {
    let guilty: Option<Vec<i32>> = column(row, 4)?;
    let actual: Option<Vec<i64>> = column(row, 5)?;
    let actual = actual.unwrap_or_default().into_iter().map(values::sequence_nr_of);
    Ok(Answer {
        head_before: Position::new(values::count(row, 2)?),
        keys: column::<Option<Vec<i64>>>(row, 3)?.unwrap_or_default(),
        guilty: guilty.unwrap_or_default().into_iter().zip(actual).collect(),
    })
}

/// Tells what became of each append, and remembers where the lane and its entities are now.
fn settle(
    batch: &AppendBatch,
    columns: &Columns<'_>,
    answer: &Answer,
    known: &mut KnownHeads,
) -> Vec<AppendOutcome> {
    let mut last = answer.head_before;
    let mut found = answer.keys.iter();
    let mut heads = Vec::with_capacity(batch.appends.len());
    let mut outcomes = Vec::with_capacity(batch.appends.len());
    for ((append, entity), nr) in batch.appends.iter().zip(&columns.entities).zip(1..) {
        let entity = if *entity == 0 { found.next().copied().unwrap_or(0) } else { *entity };
        let (head, outcome) = match answer.guilty.get(&nr) {
            Some(actual) => (*actual, AppendOutcome::Conflict { actual: *actual }),
            None => {
                last = last.plus(append.events.len() as u64);
                (append.last_sequence_nr(), AppendOutcome::Appended { last })
            }
        };
        heads.push((entity, head));
        outcomes.push(outcome);
    }
    known.moved(last);
    for (append, (entity, head)) in batch.appends.iter().zip(heads) {
        if entity != 0 {
            known.remember(&append.entity, entity, head);
        }
    }
    outcomes
}

impl<'a> Columns<'a> {
    fn of(batch: &'a AppendBatch, known: &mut KnownHeads) -> Self {
        let (appends, events) = (batch.appends.len(), batch.events());
        let mut columns = Self {
            entities: Vec::with_capacity(appends),
            expected: Vec::with_capacity(appends),
            of: Vec::with_capacity(events),
            sequence_nrs: Vec::with_capacity(events),
            event_nrs: Vec::with_capacity(events),
            timestamps: Vec::with_capacity(events),
            codecs: Vec::with_capacity(events),
            manifests: Vec::with_capacity(events),
            schema_versions: Vec::with_capacity(events),
            payloads: Vec::with_capacity(events),
            metadata: Vec::with_capacity(events),
            ..Self::default()
        };
        for (append, nr) in batch.appends.iter().zip(1..) {
            columns.add(nr, append, known);
        }
        columns
    }

    fn add(&mut self, nr: i32, append: &'a EntityAppend, known: &mut KnownHeads) {
        let first = append.expected.get();
        let last = first.checked_add(append.events.len() as u64).and_then(values::stored);
        let found = known.find(&append.entity);
        self.entities.push(found.map_or(0, |found| found.entity));
        self.expected.push(values::bound(first));
        if last.is_none() || found.and_then(|found| found.head) != Some(append.expected) {
            self.checked.push(nr);
        }
        if found.is_none() {
            self.new.push(nr);
            self.kinds.push(append.entity.kind());
            self.ids.push(append.entity.id());
            self.partitions.push(append.partition.nr().into());
        }
        // no entity is where such an append expects it: it conflicts, and needs no rows
        let events = if last.is_some() { &append.events[..] } else { &[] };
        for (event, index) in events.iter().zip(0..) {
            self.of.push(nr);
            self.sequence_nrs.push(values::bound(first + index + 1));
            self.event_nrs.push((append.first_event_nr + index).cast_signed());
            self.timestamps.push(event.timestamp.as_micros());
            self.codecs.push(&event.payload.codec);
            self.manifests.push(&event.payload.manifest);
            self.schema_versions.push(event.payload.schema_version.into());
            self.payloads.push(&event.payload.bytes);
            self.metadata.push(&event.metadata);
        }
    }

    fn bind<'q>(&'q self, query: Statement<'q>) -> Statement<'q> {
        query
            .bind(&self.entities)
            .bind(&self.expected)
            .bind(&self.checked)
            .bind(&self.new)
            .bind(&self.kinds)
            .bind(&self.ids)
            .bind(&self.partitions)
            .bind(&self.of)
            .bind(&self.sequence_nrs)
            .bind(&self.event_nrs)
            .bind(&self.timestamps)
            .bind(&self.codecs)
            .bind(&self.manifests)
            .bind(&self.schema_versions)
            .bind(&self.payloads)
            .bind(&self.metadata)
    }
}
