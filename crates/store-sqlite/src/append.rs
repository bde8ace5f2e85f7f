use crate::{
    connection::PAGE_BYTES, entities, fault::Fault, insert, known_heads::KnownHeads, place::Places,
    row::Row, session::Statement, shared_texts::SharedTexts, writer::WriteTx,
};
use actum_model::{EntityKey, Lane, PartitionCount, Position, SequenceNr};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EntityAppend, EntityHead, NewEvent, StoreError, StoredRow,
    in_order_asked, integer,
};
use std::sync::Arc;

/// A batch to be appended, and what is known before its first row is written.
#[derive(Clone, Copy)]
pub(crate) struct Appending<'a> {
    pub(crate) batch: &'a AppendBatch,
    /// The head of the lane.
    pub(crate) head: Position,
    pub(crate) places: Places,
    pub(crate) partitions: PartitionCount,
}

/// What a batch has done, once it is committed.
pub(crate) struct Appended {
    pub(crate) outcomes: Vec<AppendOutcome>,
    /// The head of the lane.
    head: Position,
    /// Where the entities are now, those in conflict too unless they were never written.
    heads: Vec<Option<EntityHead>>,
}

/// Why a batch was not appended.
pub(crate) enum AppendError {
    /// A number that was to be free is taken: what is known of the heads is wrong.
    Taken(StoreError),
    /// Anything else.
    Store(StoreError),
}

impl From<StoreError> for AppendError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<AppendError> for StoreError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Taken(error) | AppendError::Store(error) => error,
        }
    }
}

/// A row of the table `events`.
struct NewEventRow<'a> {
    place: i64,
    entity: i64,
    sequence_nr: i64,
    /// The incarnation, and which of its events it is.
    id: (i64, u64),
    event: &'a NewEvent,
    codec: Arc<str>,
    manifest: Arc<str>,
}

impl<'a> Appending<'a> {
    /// Stores what does not conflict of a batch that was checked, in a transaction that the caller ends.
    ///
    /// Every entity's head is known before a row is written: from memory, or else from the tables, in one query for all
    /// that are not known. So a conflict costs its own entity only, nothing is inserted and taken back, and a number
    /// that is too high is found as well as one that is too low. That numbers are unique in the tables is a second
    /// line.
    pub(crate) async fn run(self, tx: &mut WriteTx<'_>) -> Result<Appended, AppendError> {
        let (appended, rows) = self.prepare(tx).await?;
        if let Err(error) = insert::EVENTS.run(tx.session(), &rows, bind).await {
            let taken = Fault::of(&error) == Fault::Taken;
            let error = tx.failed(error);
            return Err(if taken { AppendError::Taken(error) } else { AppendError::Store(error) });
        }
        // each entity has its own page of the index; payloads go side by side to the end of the table
        let bytes: usize = self.batch.appends.iter().map(EntityAppend::bytes).sum();
        tx.will_write(self.batch.appends.len() as u64 * PAGE_BYTES + bytes as u64);
        Ok(appended)
    }

    async fn prepare(
        self,
        tx: &mut WriteTx<'_>,
    ) -> Result<(Appended, Vec<NewEventRow<'a>>), StoreError> {
        tx.known().observe(self.batch.lane, self.head);
        let mut heads = self.heads(tx).await?;
        self.create_new(tx, &mut heads).await?;
        self.plan(heads)
    }

    /// Where the entities are; none for those that were never written.
    async fn heads(self, tx: &mut WriteTx<'_>) -> Result<Vec<Option<EntityHead>>, StoreError> {
        let lane = self.batch.lane;
        let appends = self.batch.appends.iter();
        let mut heads: Vec<_> =
            appends.map(|append| tx.known().find(&append.entity, lane)).collect();
        let unknown: Vec<usize> = (0..heads.len()).filter(|nr| heads[*nr].is_none()).collect();
        let keys: Vec<_> = unknown.iter().map(|nr| &self.batch.appends[*nr].entity).collect();
        for (nr, head) in unknown.into_iter().zip(look_up(tx, &keys).await?) {
            heads[nr] = head;
        }
        Ok(heads)
    }

    /// Gives a key to entities that are written for the first time.
    async fn create_new(
        self,
        tx: &mut WriteTx<'_>,
        heads: &mut [Option<EntityHead>],
    ) -> Result<(), StoreError> {
        let is_new = |nr: &usize| {
            heads[*nr].is_none() && self.batch.appends[*nr].expected == SequenceNr::ZERO
        };
        let new: Vec<usize> = (0..heads.len()).filter(is_new).collect();
        let keys: Vec<_> = new.iter().map(|nr| &self.batch.appends[*nr].entity).collect();
        let created = entities::create(tx, &keys, self.partitions).await?;
        for (nr, entity) in new.into_iter().zip(created) {
            heads[nr] = Some(EntityHead { entity, head: SequenceNr::ZERO });
        }
        Ok(())
    }

    /// Numbers the events: what is written where, and what is to be returned.
    fn plan(
        self,
        mut heads: Vec<Option<EntityHead>>,
    ) -> Result<(Appended, Vec<NewEventRow<'a>>), StoreError> {
        let incarnation = integer::incarnation(self.batch.incarnation)?;
        let mut rows = Vec::with_capacity(self.batch.events());
        let mut outcomes = Vec::with_capacity(heads.len());
        let (mut last, mut texts) = (self.head, SharedTexts::default());
        for (append, known) in self.batch.appends.iter().zip(&mut heads) {
            let actual = known.map_or(SequenceNr::ZERO, |known| known.head);
            let (None, Some(known)) = (append.conflict_at(actual), known.as_mut()) else {
                outcomes.push(AppendOutcome::Conflict { actual });
                continue;
            };
            for (index, event) in append.events.iter().enumerate() {
                last = last.plus(1);
                known.head = known.head.next();
                let place = self.places.place(self.batch.lane, last);
                let place = place.ok_or_else(|| lane_full(self.batch.lane, last))?;
                let sequence_nr = integer::bound(known.head.get());
                let event_nr = append.first_event_nr + index as u64;
                let codec = texts.share(&event.payload.codec);
                let manifest = texts.share(&event.payload.manifest);
                let (entity, id) = (known.entity, (incarnation, event_nr));
                rows.push(NewEventRow { place, entity, sequence_nr, id, event, codec, manifest });
            }
            outcomes.push(AppendOutcome::Appended { last });
        }
        Ok((Appended { outcomes, head: last, heads }, rows))
    }
}

impl Appended {
    /// Takes note of where the batch has left the lane and its entities.
    pub(crate) fn remember(&self, batch: &AppendBatch, known: &mut KnownHeads) {
        known.advance(batch.lane, self.head);
        for (append, head) in batch.appends.iter().zip(&self.heads) {
            if let Some(head) = head {
                known.remember(&append.entity, batch.lane, *head);
            }
        }
    }
}

/// Reads where entities are, from the tables.
async fn look_up(
    tx: &mut WriteTx<'_>,
    keys: &[&EntityKey],
) -> Result<Vec<Option<EntityHead>>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let query = "SELECT w.key, e.entity,
            max(e.floor, ifnull((SELECT max(sequence_nr) FROM events WHERE entity = e.entity), 0))
        FROM json_each(?) AS w CROSS JOIN entities AS e ON e.kind = w.value ->> 0 AND e.id = w.value ->> 1";
    let rows = tx.rows(sqlx::query(query).bind(entities::list(keys.iter().copied()))).await?;
    let head = |row: &Row| Ok(EntityHead { entity: row.number(1)?, head: row.reached(2)? });
    in_order_asked(&rows, keys.len(), head).map_err(|error| tx.failed(error))
}

fn bind<'q>(statement: Statement<'q>, row: &'q NewEventRow<'_>) -> Statement<'q> {
    let (event, (incarnation, event_nr)) = (row.event, row.id);
    statement
        .bind(row.place)
        .bind(row.entity)
        .bind(row.sequence_nr)
        .bind(incarnation)
        .bind(event_nr.cast_signed())
        .bind(event.timestamp.as_micros())
        .bind(Arc::clone(&row.codec))
        .bind(Arc::clone(&row.manifest))
        .bind(i64::from(event.payload.schema_version))
        .bind(event.payload.bytes.as_ref())
        .bind(event.metadata.as_ref())
}

fn lane_full(lane: Lane, last: Position) -> StoreError {
    StoreError::invalid(format!("lane {lane} cannot reach position {last}"))
}
