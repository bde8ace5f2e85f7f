//! What rows amount to, where a database answers with these columns:
//!
//! ```text
//!                0          1            2         3            4         5          6 … 9    10               11       12
//! entity         entry      snapshot nr            head         floor     timestamp  state    recent commands  covered
//! event of one   entry      sequence nr  position  incarnation  event nr  timestamp  payload  metadata
//! event of lane  partition  sequence nr  position  incarnation  event nr  timestamp  payload  metadata         kind     id
//! state          entry      revision     incarnation, write nr            timestamp  state 5 … 8, recent commands 9, position 10
//! change         partition  revision     incarnation, write nr            timestamp  state 5 … 8, kind 9, id 10
//! last event     entry      position     incarnation, event nr  floor
//! last write     entry      revision     incarnation, write nr
//! command        entry      revision     id hash   incarnation  uptime
//! listed entity  id         head         floor
//! listed state   id         revision     timestamp codec
//! ```

use super::{
    ChangedState, EntityAnswer, EventAt, Incarnation, JournalEvent, LastWrite, ListedEntity,
    ListedState, NewestSnapshot, Snapshot, SnapshotRow, StateRecord, StoredCommand, StoredEvent,
    StoredRow,
};
use actum_model::{EntityKey, Partition, Position, Revision, SequenceNr, Timestamp};

impl EntityAnswer<'_> {
    /// Takes the row that comes before the events of an entity: see [`begin`](Self::begin).
    ///
    /// # Errors
    /// When it is damaged; a snapshot that cannot be read is not an error.
    pub fn begin_row<R: StoredRow>(&mut self, row: &R) -> Result<(), R::Error> {
        let newest = match row.optional_number(1)? {
            None => None,
            Some(_) => Some(NewestSnapshot {
                snapshot: Snapshot::of_row(row, self.entity()).ok(),
                covered: row.optional_number(11)?.map(Timestamp::from_micros),
            }),
        };
        self.begin(row.reached(3)?, row.reached(4)?, newest);
        Ok(())
    }

    /// Takes the row of the next event, which is at `position`: see [`add`](Self::add).
    ///
    /// # Errors
    /// When it is damaged, or events are missing before it.
    pub fn add_row<R: StoredRow>(&mut self, row: &R, position: Position) -> Result<bool, R::Error> {
        self.add(StoredEvent::of_row(row, position)?).map_err(R::unfit)
    }
}

impl StoredEvent {
    /// The event of a row, which is at `position`.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn of_row<R: StoredRow>(row: &R, position: Position) -> Result<Self, R::Error> {
        if position == Position::ZERO {
            return Err(R::damaged(2, "an event lies in front of its lane"));
        }
        Ok(Self {
            sequence_nr: row.sequence_nr(1)?,
            position,
            event_id: row.event_id(3)?,
            timestamp: row.timestamp(5)?,
            payload: row.payload(6)?,
            metadata: row.bytes(10)?,
        })
    }
}

impl JournalEvent {
    /// The event of a row, which is at `position` of its lane.
    ///
    /// # Errors
    /// When it is damaged, or its entity is missing.
    pub fn of_row<R: StoredRow>(row: &R, position: Position) -> Result<Self, R::Error> {
        let (partition, entity) = owner_of_row(row, 11, "event", position)?;
        let event = StoredEvent::of_row(row, position)?;
        Ok(Self { entity, partition, event })
    }
}

/// The partition in the first column, and the entity whose kind and id are in the columns `kind` and behind it.
fn owner_of_row<R: StoredRow>(
    row: &R,
    kind: usize,
    what: &str,
    position: Position,
) -> Result<(Partition, EntityKey), R::Error> {
    let (Some(of_kind), Some(id)) = (row.optional_text(kind)?, row.optional_text(kind + 1)?) else {
        return Err(R::damaged(kind, format!("the {what} at {position} has no entity")));
    };
    let entity = EntityKey::new(of_kind, id).map_err(R::unfit)?;
    let partition = row.number(0)?;
    let nr = u16::try_from(partition)
        .map_err(|_| R::damaged(0, format!("{partition} is not a partition")))?;
    Ok((Partition::new(nr), entity))
}

impl Snapshot {
    /// The snapshot of a row that has one.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn of_row<R: StoredRow>(row: &R, entity: &EntityKey) -> Result<Self, R::Error> {
        Ok(Self {
            entity: entity.clone(),
            sequence_nr: row.sequence_nr(1)?,
            timestamp: row.timestamp(5)?,
            state: row.payload(6)?,
            recent_commands: row.bytes(10)?,
        })
    }
}

impl SnapshotRow {
    /// The snapshot of a row that has one, which may be damaged.
    ///
    /// # Errors
    /// When it has no number by which an older one could be found.
    pub fn of_row<R: StoredRow>(row: &R, entity: &EntityKey) -> Result<Self, R::Error> {
        let snapshot = Snapshot::of_row(row, entity).map_err(R::describe);
        Ok(Self { sequence_nr: row.sequence_nr(1)?, snapshot })
    }
}

impl StateRecord {
    /// The state of a row, with `commands`.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn of_row<R: StoredRow>(row: &R, commands: Vec<StoredCommand>) -> Result<Self, R::Error> {
        Ok(Self {
            revision: row.revision(1)?,
            timestamp: row.timestamp(4)?,
            state: row.optional_payload(5)?,
            commands,
            recent_commands: row.bytes(9)?,
            write_id: row.event_id(2)?,
            position: Position::new(row.ordinal(10)?),
        })
    }
}

impl ChangedState {
    /// The change of a row, which is at `position` of its lane.
    ///
    /// # Errors
    /// When it is damaged, or its entity is missing.
    pub fn of_row<R: StoredRow>(row: &R, position: Position) -> Result<Self, R::Error> {
        let (partition, entity) = owner_of_row(row, 9, "change", position)?;
        Ok(Self {
            entity,
            partition,
            position,
            revision: row.revision(1)?,
            timestamp: row.timestamp(4)?,
            write_id: row.event_id(2)?,
            state: row.optional_payload(5)?,
        })
    }
}

impl StoredCommand {
    /// The command of a row.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn of_row<R: StoredRow>(row: &R) -> Result<Self, R::Error> {
        let numbers = [row.number(1)?, row.number(2)?, row.number(3)?, row.number(4)?];
        Self::of_numbers::<R>(1, numbers)
    }

    /// The command of four numbers, which stand in the order of a row in the columns from `index`.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn of_numbers<R: StoredRow>(
        index: usize,
        [revision, id_hash, incarnation, uptime]: [i64; 4],
    ) -> Result<Self, R::Error> {
        let unfit = |at, what| R::damaged(index + at, format!("a command has {what}"));
        let ordinal = u64::try_from(revision).ok().filter(|revision| *revision > 0);
        let revision = ordinal.ok_or_else(|| unfit(0, format!("revision {revision}")))?;
        let writer = u64::try_from(incarnation)
            .map_err(|_| unfit(2, format!("incarnation {incarnation}")))?;
        let seconds =
            u32::try_from(uptime).map_err(|_| unfit(3, format!("an uptime of {uptime} s")))?;
        Ok(Self {
            revision: Revision::new(revision),
            id_hash: id_hash.cast_unsigned(),
            incarnation: Incarnation::new(writer),
            uptime_seconds: seconds,
        })
    }
}

impl EventAt {
    /// The event of a row, which is at `position`.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn of_row<R: StoredRow>(row: &R, position: Position) -> Result<Self, R::Error> {
        Ok(Self { position, event_id: row.event_id(2)? })
    }
}

impl LastWrite {
    /// The write of a row.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn of_row<R: StoredRow>(row: &R) -> Result<Self, R::Error> {
        Ok(Self { revision: row.revision(1)?, write_id: row.event_id(2)? })
    }
}

impl ListedEntity {
    /// The id of a row of a list of `kind`, and the entity if it has events.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn of_row<R: StoredRow>(row: &R, kind: &str) -> Result<(String, Option<Self>), R::Error> {
        let (id, entity) = listed_key(row, kind)?;
        let (head, floor) = (row.reached(1)?, row.reached(2)?);
        let listed = (head > SequenceNr::ZERO).then(|| Self::new(entity, head, floor));
        Ok((id, listed))
    }
}

impl ListedState {
    /// The id of a row of a list of `kind`, and the entity if it has a state or a tombstone.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn of_row<R: StoredRow>(row: &R, kind: &str) -> Result<(String, Option<Self>), R::Error> {
        let (id, entity) = listed_key(row, kind)?;
        if row.optional_number(1)?.is_none() {
            return Ok((id, None));
        }
        let is_deleted = row.optional_text(3)?.is_none();
        let listed = Self::new(entity, row.revision(1)?, row.timestamp(2)?);
        Ok((id, Some(listed.deleted(is_deleted))))
    }
}

fn listed_key<R: StoredRow>(row: &R, kind: &str) -> Result<(String, EntityKey), R::Error> {
    let id = row.text(0)?;
    let entity = EntityKey::new(kind.to_owned(), id.as_str()).map_err(R::unfit)?;
    Ok((id, entity))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        Answered, PageLimit, Wanted,
        test_row::{Column, TestRow, numbers},
    };
    use actum_model::SequenceNr;
    use bytes::Bytes;

    /// An event at position 7 of a lane, with the columns that were put in place of its own.
    fn event(damage: &[(usize, Column)]) -> Result<JournalEvent, String> {
        let number = |value| Column::Number(value);
        let mut columns = vec![
            number(3),
            number(2),
            number(7),
            number(1),
            number(-1),
            number(99),
            Column::Text("utf8"),
            Column::Text("deposited"),
            number(1),
            Column::Bytes(b"5 EUR"),
            Column::Bytes(b""),
            Column::Text("account"),
            Column::Text("a"),
        ];
        for (index, column) in damage {
            columns[*index] = column.clone();
        }
        let row = TestRow(columns);
        JournalEvent::of_row(&row, Position::new(row.count(2)?))
    }

    #[test]
    fn an_event_is_read_with_its_entity() {
        let found = event(&[]).unwrap();
        assert_eq!(found.entity, EntityKey::new("account", "a").unwrap());
        assert_eq!((found.partition.nr(), found.event.position.get()), (3, 7));
        assert_eq!((found.event.sequence_nr.get(), found.event.event_id.nr), (2, u64::MAX));
        assert_eq!(found.event.timestamp, Timestamp::from_micros(99));
        assert_eq!(found.event.payload.bytes, Bytes::from_static(b"5 EUR"));
    }

    #[test]
    fn an_event_that_cannot_be_is_damage() {
        let says = |damage: &[(usize, Column)], expected: &str| {
            assert_eq!(event(damage).unwrap_err(), expected);
        };
        says(&[(2, Column::Number(0))], "column 2: an event lies in front of its lane");
        says(&[(1, Column::Number(0))], "column 1: 0 is the number of nothing");
        says(&[(0, Column::Number(1 << 16))], "column 0: 65536 is not a partition");
        says(&[(10, Column::None)], "column 10: there is no value");
        for missing in [&[11, 12][..], &[11], &[12]] {
            let damage: Vec<_> = missing.iter().map(|index| (*index, Column::None)).collect();
            says(&damage, "column 11: the event at 7 has no entity");
        }
        assert!(event(&[(11, Column::Text(""))]).is_err(), "no kind is called that");
    }

    #[test]
    fn an_event_that_does_not_follow_is_missing_one() {
        let entity = EntityKey::new("account", "a").unwrap();
        let wanted = Wanted { entity: &entity, after: SequenceNr::ZERO, snapshot: false };
        let mut answer = EntityAnswer::new(wanted, PageLimit::default());
        answer.begin_row(&TestRow(head_and_floor(2, 0))).unwrap();
        let row =
            TestRow([0, 2, 7, 1, 1, 99].map(Column::Number).into_iter().chain(payload()).collect());
        let error = answer.add_row(&row, Position::new(7)).unwrap_err();
        assert_eq!(error, "events of account/a are missing between 0 and 2");
    }

    #[test]
    fn a_snapshot_that_cannot_be_read_is_one_that_cannot_be_used() {
        let entity = EntityKey::new("account", "a").unwrap();
        let wanted = Wanted { entity: &entity, after: SequenceNr::ZERO, snapshot: true };
        for (version, needs_care) in [(1, false), (-1, true)] {
            let mut answer = EntityAnswer::new(wanted, PageLimit::default());
            let mut columns = head_and_floor(2, 0);
            columns[1] = Column::Number(2);
            columns[5] = Column::Number(99);
            columns.splice(6..=10, payload());
            columns[8] = Column::Number(version);
            columns[11] = Column::Number(99);
            let row = TestRow(columns);
            answer.begin_row(&row).unwrap();
            let answered = answer.finish().unwrap();
            assert_eq!(matches!(answered, Answered::NeedsCare), needs_care, "{answered:?}");
            let row = SnapshotRow::of_row(&row, &entity).unwrap();
            assert_eq!((row.sequence_nr.get(), row.snapshot.is_err()), (2, needs_care));
        }
    }

    /// The row before the events of an entity without a snapshot.
    fn head_and_floor(head: i64, floor: i64) -> Vec<Column> {
        let mut columns = vec![Column::None; 12];
        columns[0] = Column::Number(0);
        columns[3] = Column::Number(head);
        columns[4] = Column::Number(floor);
        columns
    }

    /// Codec, manifest, schema version and bytes, and what comes behind them.
    fn payload() -> [Column; 5] {
        let (bytes, text) = (Column::Bytes(b""), Column::Text("utf8"));
        [text.clone(), text, Column::Number(1), bytes.clone(), bytes]
    }

    #[test]
    fn a_command_that_cannot_be_is_damage() {
        let found = StoredCommand::of_row(&numbers([1, 9, -1, 0, 60])).unwrap();
        assert_eq!((found.revision.get(), found.id_hash), (9, u64::MAX));
        assert_eq!((found.incarnation.get(), found.uptime_seconds), (0, 60));
        for (row, expected) in [
            ([1, 0, 5, 1, 60], "column 1: a command has revision 0"),
            ([1, -1, 5, 1, 60], "column 1: a command has revision -1"),
            ([1, 9, 5, -1, 60], "column 3: a command has incarnation -1"),
            ([1, 9, 5, 1, -1], "column 4: a command has an uptime of -1 s"),
            ([1, 9, 5, 1, 1 << 32], "column 4: a command has an uptime of 4294967296 s"),
        ] {
            assert_eq!(StoredCommand::of_row(&numbers(row)).unwrap_err(), expected);
        }
        let later = StoredCommand::of_numbers::<TestRow>(10, [9, 5, 1, -1]);
        assert_eq!(later.unwrap_err(), "column 13: a command has an uptime of -1 s");
    }
}
