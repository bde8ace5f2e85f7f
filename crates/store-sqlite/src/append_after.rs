//! Appends of one event behind what this store has left in the lane: by one statement that is a transaction of its own,
//! in one trip to the thread of the connection.

use crate::{
    append::AppendError,
    connection::PAGE_BYTES,
    fault::{Fault, commit_error},
    known_heads::KnownHeads,
    place::Places,
    session::Statement,
    writer::WriteTx,
};
use actum_model::Position;
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EntityAppend, EntityHead, NewEvent, integer,
};

/// The text of an append, with one condition more.
macro_rules! append_if {
    ($more:literal) => {
        concat!(
            "INSERT INTO events (place, entity, sequence_nr, incarnation, event_nr, timestamp, codec, manifest,
                schema_version, payload, metadata)
            SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11
            WHERE EXISTS (SELECT 1 FROM writers WHERE incarnation = ?4 AND revoked_at IS NULL)
                AND max(
                    ifnull((SELECT max(place) FROM events WHERE place BETWEEN ?12 AND ?13), ?12),
                    ?12 + (SELECT kept FROM lanes WHERE lane = ?14)
                ) = ?1 - 1",
            $more
        )
    };
}

/// Writes the row if the writer may write and the place before is the head of the lane.
const APPEND: &str = append_if!("");

/// As [`APPEND`], if the owners of partitions are as they were at this version of the cluster, too.
const APPEND_OWNED: &str = append_if!(" AND (SELECT version FROM cluster) = ?15");

/// One event of an entity whose head is known, with the head of its lane.
pub(crate) struct Following<'a> {
    batch: &'a AppendBatch,
    append: &'a EntityAppend,
    event: &'a NewEvent,
    incarnation: i64,
    places: Places,
    /// Where it goes.
    position: Position,
    place: i64,
    /// Where its entity is then.
    head: EntityHead,
    /// The version of the cluster at which the writer owns the partition, where that matters.
    version: Option<i64>,
}

impl<'a> Following<'a> {
    /// The only event of a batch.
    pub(crate) fn may_be(batch: &AppendBatch) -> bool {
        matches!(&batch.appends[..], [append] if append.events.len() == 1)
    }

    /// None when something has to be read first, or refused.
    pub(crate) fn of(
        batch: &'a AppendBatch,
        known: &mut KnownHeads,
        places: Places,
        version: Option<i64>,
    ) -> Option<Self> {
        let [append] = &batch.appends[..] else { return None };
        let [event] = &append.events[..] else { return None };
        let position = known.head(batch.lane)?.plus(1);
        let found = known.find(&append.entity, batch.lane)?;
        if found.head != append.expected {
            return None;
        }
        let head = EntityHead { head: append.expected.next(), ..found };
        integer::stored(head.head.get())?;
        let (incarnation, place) =
            (integer::stored(batch.incarnation.get())?, places.place(batch.lane, position)?);
        Some(Self { batch, append, event, incarnation, places, position, place, head, version })
    }

    /// Stores it; none when something is not as it is known, or the writer may not write, and nothing was done.
    pub(crate) async fn run(
        &self,
        tx: &mut WriteTx<'_>,
    ) -> Result<Option<Vec<AppendOutcome>>, AppendError> {
        let bytes = PAGE_BYTES + self.append.bytes() as u64;
        let statement = match self.version {
            None => self.bind(sqlx::query(APPEND)),
            Some(version) => self.bind(sqlx::query(APPEND_OWNED)).bind(version),
        };
        let rows = match tx.run_alone(statement).await {
            Ok(rows) => rows,
            Err(error) => {
                return Err(match Fault::of(&error) {
                    Fault::Taken => AppendError::Taken(tx.failed(error)),
                    // found before anything is committed
                    Fault::TooBig | Fault::Corrupt | Fault::NotADatabase => tx.failed(error).into(),
                    _ => commit_error(tx.doing(), error).into(),
                });
            }
        };
        if rows == 0 {
            return Ok(None);
        }
        tx.confirm(bytes).await?;
        let known = tx.known();
        known.advance(self.batch.lane, self.position);
        known.remember(&self.append.entity, self.batch.lane, self.head);
        Ok(Some(vec![AppendOutcome::Appended { last: self.position }]))
    }

    fn bind(&self, statement: Statement<'a>) -> Statement<'a> {
        let (lane, event) = (self.batch.lane, self.event);
        statement
            .bind(self.place)
            .bind(self.head.entity)
            .bind(integer::bound(self.head.head.get()))
            .bind(self.incarnation)
            .bind(self.append.first_event_nr.cast_signed())
            .bind(event.timestamp.as_micros())
            .bind(&*event.payload.codec)
            .bind(&*event.payload.manifest)
            .bind(i64::from(event.payload.schema_version))
            .bind(event.payload.bytes.as_ref())
            .bind(event.metadata.as_ref())
            .bind(self.places.before(lane))
            .bind(self.places.end(lane))
            .bind(lane.nr())
    }
}

#[cfg(test)]
mod tests;
