//! Events of entities, and the snapshots they follow: many entities in one statement, which sees one state of the file.

use crate::{fault::cause, place::Places, readers::Reader, session::column, values};
use actum_model::{EntityKey, Position, SequenceNr, Timestamp};
use actum_persistence::store::{
    CoveredEvent, EntityPage, PageLimit, PageRoom, Recovered, Snapshot, SnapshotFit, SnapshotRow,
    StoredEvent,
};
use sqlx::sqlite::SqliteRow;
use std::error::Error;

/// What is wanted of one entity.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) entity: &'a EntityKey,
    /// Events behind this one.
    pub(crate) after: SequenceNr,
    /// The newest snapshot, and events behind that instead.
    pub(crate) snapshot: bool,
}

/// First a row for each entity that was ever written, told by its missing `place`: head, floor, and the newest snapshot if
/// it has one, with the timestamp of the event it covers. Then the events, in order. The numbers of an entity are contiguous, so a range of them is as good as a
/// `LIMIT` for each entity, which SQL has not.
const QUERY: &str = "
    WITH
    asked (nr, entity, floor, after, snapshot) AS MATERIALIZED (
        SELECT w.key, e.entity, e.floor, max(e.floor, w.value ->> 2),
            CASE WHEN w.value ->> 3 THEN (SELECT max(sequence_nr) FROM snapshots WHERE entity = e.entity) END
        FROM json_each(?) AS w CROSS JOIN entities AS e ON e.kind = w.value ->> 0 AND e.id = w.value ->> 1
    )
    SELECT a.nr, s.sequence_nr, NULL AS place,
        max(a.floor, ifnull((SELECT max(sequence_nr) FROM events WHERE entity = a.entity), 0)), a.floor,
        s.timestamp, s.codec, s.manifest, s.schema_version, s.state, s.recent_commands,
        (SELECT timestamp FROM events WHERE entity = a.entity AND sequence_nr = a.snapshot)
    FROM asked AS a LEFT JOIN snapshots AS s ON s.entity = a.entity AND s.sequence_nr = a.snapshot
    UNION ALL
    SELECT a.nr, e.sequence_nr, e.place, e.incarnation, e.event_nr,
        e.timestamp, e.codec, e.manifest, e.schema_version, e.payload, e.metadata, NULL
    FROM asked AS a CROSS JOIN events AS e ON e.entity = a.entity
        AND e.sequence_nr > max(a.after, ifnull(a.snapshot, 0))
        AND e.sequence_nr <= max(a.after, ifnull(a.snapshot, 0)) + ?";

/// One entity's answer while it is put together.
struct Answer<'a> {
    wanted: Wanted<'a>,
    recovered: Recovered,
    room: PageRoom,
    /// The number of the last event so far; before the first one, the number in front of the page.
    last: SequenceNr,
    /// Whether the snapshot cannot be used.
    needs_care: bool,
}

/// What was read of an entity.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are of the large one, and none lives long"
)]
pub(crate) enum Answered {
    /// The snapshot that fits, if any, and the events behind it.
    Recovered(Recovered),
    /// Its newest snapshot cannot be used: see [`actum_persistence::store::recover_carefully`].
    NeedsCare,
}

impl Answered {
    /// The page of an entity that was read without a snapshot.
    pub(crate) fn into_page(self) -> EntityPage {
        match self {
            Self::Recovered(recovered) => recovered.page,
            Self::NeedsCare => unreachable!("no snapshot was read"),
        }
    }
}

/// Reads what is wanted, answers in its order.
pub(crate) async fn read(
    reader: &mut Reader<'_>,
    wanted: &[Wanted<'_>],
    limit: PageLimit,
    places: Places,
) -> Result<Vec<Answered>, sqlx::Error> {
    let query = sqlx::query(QUERY).bind(list(wanted)).bind(limit.events.get());
    let mut answers: Vec<_> = wanted.iter().map(|wanted| Answer::new(*wanted, limit)).collect();
    let (mut unfilled, mut failed) = (answers.len(), None);
    let rows = reader.rows_while(query, |row| {
        let filled = place_row(&mut answers, row, places);
        unfilled -= usize::from(matches!(filled, Ok(true)));
        failed = filled.err();
        failed.is_none() && unfilled > 0
    });
    rows.await?;
    match failed {
        Some(error) => Err(error),
        None => answers.into_iter().map(|answer| answer.finish(limit)).collect(),
    }
}

/// What is wanted, as the JSON array that the statement takes apart: `[[kind, id, after, snapshot], …]`.
fn list<'a>(wanted: &[Wanted<'a>]) -> String {
    let entry =
        |w: &Wanted<'a>| (w.entity.kind(), w.entity.id(), values::bound(w.after.get()), w.snapshot);
    let list: Vec<_> = wanted.iter().map(entry).collect();
    serde_json::to_string(&list).expect("texts and numbers have a JSON form")
}

/// Puts a row where it belongs; true when it finds the page full for the first time.
fn place_row(
    answers: &mut [Answer<'_>],
    row: &SqliteRow,
    places: Places,
) -> Result<bool, sqlx::Error> {
    let nr = usize::try_from(column::<i64>(row, 0)?).ok().and_then(|nr| answers.get_mut(nr));
    let answer = nr.ok_or_else(|| wrong("an answer names an entity that was not asked for"))?;
    match column::<Option<i64>>(row, 2)? {
        None => answer.begin(row).map(|()| false),
        Some(place) => answer.add(stored_event(row, places.position(place))?),
    }
}

/// An event from the columns behind the first: sequence number, place, incarnation, event number, timestamp, codec,
/// manifest, schema version, payload, metadata.
pub(crate) fn stored_event(
    row: &SqliteRow,
    position: Position,
) -> Result<StoredEvent, sqlx::Error> {
    Ok(StoredEvent {
        sequence_nr: values::sequence_nr(row, 1)?,
        position: match position {
            Position::ZERO => return Err(wrong("an event lies in front of its lane")),
            position => position,
        },
        event_id: values::event_id(row, 3)?,
        timestamp: values::timestamp(row, 5)?,
        payload: values::payload(row, 6)?,
        metadata: values::bytes(row, 10)?,
    })
}

impl<'a> Answer<'a> {
    fn new(wanted: Wanted<'a>, limit: PageLimit) -> Self {
        let (recovered, room) = (Recovered::default(), PageRoom::new(limit));
        Self { wanted, recovered, room, last: wanted.after, needs_care: false }
    }

    /// Takes the row that comes before the events.
    fn begin(&mut self, row: &SqliteRow) -> Result<(), sqlx::Error> {
        let page = &mut self.recovered.page;
        page.head = values::reached(row, 3)?;
        page.floor = values::reached(row, 4)?;
        if column::<Option<i64>>(row, 1)?.is_some() {
            let covered = column::<Option<i64>>(row, 11)?.map(Timestamp::from_micros);
            let covered = CoveredEvent { head: page.head, floor: page.floor, timestamp: covered };
            match snapshot(row, self.wanted.entity) {
                Ok(snapshot) if snapshot.fit(&covered) == SnapshotFit::Fits => {
                    self.last = self.last.max(snapshot.sequence_nr);
                    self.recovered.snapshot = Some(snapshot);
                }
                Ok(_) | Err(_) => self.needs_care = true,
            }
        }
        self.last = self.last.max(page.floor);
        Ok(())
    }

    /// Takes an event if there is room; true when there is none for the first time.
    fn add(&mut self, event: StoredEvent) -> Result<bool, sqlx::Error> {
        if self.needs_care || self.room.is_full() {
            return Ok(false);
        }
        if event.sequence_nr != self.last.next() {
            return Err(self.gap(event.sequence_nr));
        }
        if self.room.take(&event) {
            self.last = event.sequence_nr;
            self.recovered.page.events.push(event);
        }
        Ok(self.room.is_full())
    }

    fn finish(self, limit: PageLimit) -> Result<Answered, sqlx::Error> {
        if self.needs_care {
            return Ok(Answered::NeedsCare);
        }
        let page = &self.recovered.page;
        let more = self.last < page.head && page.events.len() < limit.events.get() as usize;
        if more && !self.room.is_full() {
            return Err(self.gap(page.head));
        }
        Ok(Answered::Recovered(self.recovered))
    }

    fn gap(&self, next: SequenceNr) -> sqlx::Error {
        let (entity, last) = (self.wanted.entity, self.last);
        wrong(format!("events of {entity} are missing between {last} and {next}"))
    }
}

/// A snapshot from a row that has one.
pub(crate) fn snapshot(row: &SqliteRow, entity: &EntityKey) -> Result<Snapshot, sqlx::Error> {
    Ok(Snapshot {
        entity: entity.clone(),
        sequence_nr: values::sequence_nr(row, 1)?,
        timestamp: values::timestamp(row, 5)?,
        state: values::payload(row, 6)?,
        recent_commands: values::bytes(row, 10)?,
    })
}

/// A row that may be damaged, as [`snapshot`] reads it.
pub(crate) fn snapshot_row(
    row: &SqliteRow,
    entity: &EntityKey,
) -> Result<SnapshotRow, sqlx::Error> {
    let snapshot = snapshot(row, entity).map_err(|error| cause(error).to_string());
    Ok(SnapshotRow { sequence_nr: values::sequence_nr(row, 1)?, snapshot })
}

fn wrong(what: impl Into<Box<dyn Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(what.into())
}
