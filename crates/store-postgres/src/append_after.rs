//! Appends behind the last event of a lane, where this store left it: nothing is looked up.

use crate::{
    event_columns::{EventColumns, event_nr, sequence_nr},
    fault::Fault,
    fence::{unreadable, writer_key},
    known_heads::{KnownHeads, LaneHead},
    row::column,
    session::{Session, Statement},
    store::Shared,
    tokens::Token,
    transaction::{self, Failed},
};
use actum_persistence::store::{AppendBatch, AppendOutcome, EntityAppend, EntityHead, integer};
use std::sync::atomic::Ordering;

/// What errors of an append say was being done.
pub(crate) const DOING: &str = "appending events";

/// See `schema/append_after.sql`.
const APPEND_ONE: &str = "SELECT @append_one_after_v1(
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18
    )";
const APPEND_MANY: &str = "SELECT @append_many_after_v1(
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19
    )";

/// A batch whose entities are all known, with the last event of the lane.
pub(crate) struct Following<'a> {
    batch: &'a AppendBatch,
    head: LaneHead,
    /// The entity of each append, by its key.
    entities: Vec<i64>,
    /// What the writer shows, if it must be this.
    token: Option<Token>,
}

/// A batch as arrays, with an entry for each event.
struct PlacedColumns<'a> {
    positions: Vec<i64>,
    entities: Vec<i64>,
    events: EventColumns<'a>,
}

impl<'a> Following<'a> {
    /// None when something has to be looked up: the end of the lane or an entity is not known, an entity is not where it
    /// is expected, or others write to the lane too.
    pub(crate) fn of(
        batch: &'a AppendBatch,
        known: &mut KnownHeads,
        token: Option<Token>,
    ) -> Option<Self> {
        let head = known.undisturbed_lane()?;
        let entity = |append: &EntityAppend| {
            let found = known.find(&append.entity)?;
            (found.head == append.expected).then_some(found.entity)
        };
        let entities: Vec<i64> = batch.appends.iter().map(entity).collect::<Option<_>>()?;
        (!entities.is_empty()).then_some(Self { batch, head, entities, token })
    }

    /// Stores it by one statement. False when something is not as it is known, or the writer may not write; nothing was
    /// done then.
    pub(crate) async fn append(
        &self,
        shared: &Shared,
        session: &mut Session,
    ) -> Result<bool, Failed> {
        let sent = match (&self.batch.appends[..], &self.entities[..]) {
            ([append], [entity]) if append.events.len() == 1 => {
                let bind = |query| bind_one(query, *entity, append);
                self.send(shared, session, APPEND_ONE, bind).await
            }
            _ => {
                let columns = self.columns();
                self.send(shared, session, APPEND_MANY, |query| columns.bind(query)).await
            }
        };
        match sent {
            // it was dropped, or the database was put back to before it was made
            Err(Failed { fault: Fault::Missing, .. }) => {
                shared.shortcuts.store(false, Ordering::Relaxed);
                Ok(false)
            }
            sent => sent,
        }
    }

    /// Remembers where the lane and the entities are once it is stored, and returns the outcome of each append.
    pub(crate) fn settle(&self, known: &mut KnownHeads) -> Vec<AppendOutcome> {
        let (mut last, mut outcomes) =
            (self.head.position, Vec::with_capacity(self.entities.len()));
        let Some(end) = self.batch.appends.last() else { return outcomes };
        for (append, entity) in self.batch.appends.iter().zip(&self.entities) {
            last = last.plus(append.events.len() as u64);
            let head = EntityHead { entity: *entity, head: append.last_sequence_nr() };
            known.remember(&append.entity, head);
            outcomes.push(AppendOutcome::Appended { last });
        }
        known.moved(Some(LaneHead::of(end, self.batch.incarnation, last)));
        outcomes
    }

    async fn send<'q>(
        &self,
        shared: &Shared,
        session: &mut Session,
        query: &'static str,
        bind: impl Fn(Statement<'q>) -> Statement<'q>,
    ) -> Result<bool, Failed> {
        let incarnation = integer::incarnation(self.batch.incarnation)?;
        let token = self.token.unwrap_or_else(|| shared.tokens.of(incarnation));
        let statement = || {
            let query = sqlx::query(shared.texts.of(query))
                .bind(shared.lock_space)
                .bind(writer_key(incarnation))
                .bind(incarnation)
                .bind(token.nonce)
                .bind(token.settled)
                .bind(i32::from(self.batch.lane.nr()))
                .bind(integer::bound(self.head.position.get()))
                .bind(self.head.incarnation)
                .bind(self.head.event_nr);
            bind(query)
        };
        let rows = transaction::call(session, shared.connector(), DOING, statement).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound);
        let stored = row.and_then(|row| column(row, 0));
        stored.map_err(|error| unreadable(DOING, error).into())
    }

    fn columns(&self) -> PlacedColumns<'a> {
        let events = self.batch.events();
        let mut columns = PlacedColumns {
            positions: Vec::with_capacity(events),
            entities: Vec::with_capacity(events),
            events: EventColumns::with_capacity(events),
        };
        let mut position = self.head.position;
        for (append, entity) in self.batch.appends.iter().zip(&self.entities) {
            for (event, index) in append.events.iter().zip(0..) {
                position = position.plus(1);
                columns.positions.push(integer::bound(position.get()));
                columns.entities.push(*entity);
                columns.events.add(append, index, event);
            }
        }
        columns
    }
}

/// Binds the only event of an append of `entity`.
fn bind_one<'q>(query: Statement<'q>, entity: i64, append: &'q EntityAppend) -> Statement<'q> {
    let event = &append.events[0];
    query
        .bind(entity)
        .bind(sequence_nr(append, 0))
        .bind(event_nr(append, 0))
        .bind(event.timestamp.as_micros())
        .bind(&*event.payload.codec)
        .bind(&*event.payload.manifest)
        .bind(i64::from(event.payload.schema_version))
        .bind(&*event.payload.bytes)
        .bind(&*event.metadata)
}

impl PlacedColumns<'_> {
    fn bind<'q>(&'q self, query: Statement<'q>) -> Statement<'q> {
        self.events.bind(query.bind(&self.positions).bind(&self.entities))
    }
}
