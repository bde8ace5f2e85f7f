use super::{
    AppendBatch, EntityAppend, JournalLayout, StateBatch, StateChange, StateWrite, StoreError,
    bounds::{
        BATCH_BYTES_MAX, BATCH_ENTITIES_MAX, BATCH_EVENTS_MAX, METADATA_BYTES_MAX, NUMBER_MAX,
    },
    members::check_role,
    payload_check::{PayloadCheck, check_bytes, of},
};
use actum_model::{EntityKey, Lane, Partition, Revision};
use std::collections::HashSet;

impl JournalLayout {
    /// The lane that `entity` writes to.
    #[must_use]
    pub fn lane_of(&self, entity: &EntityKey) -> Lane {
        Lane::of_partition(entity.partition(self.partitions), self.lanes)
    }

    /// Checks that a journal divided like this has `lane`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when it has not.
    pub fn check_lane(&self, lane: Lane) -> Result<(), StoreError> {
        if lane.nr() >= self.lanes.get() {
            return Err(StoreError::invalid(format!("the journal has no lane {lane}")));
        }
        Ok(())
    }
}

impl AppendBatch {
    /// Checks what every store must refuse, before anything of the batch is written.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the journal has no such lane, an entity is in another lane or partition than said
    /// or named twice, an append has no event, its event numbers pass 2^64 - 1 or its sequence numbers 2^63 - 1, a
    /// payload names no codec or manifest or has schema version 0, a role is not one, or anything is larger than its
    /// [bound](super::bounds).
    pub fn check(&self, layout: JournalLayout) -> Result<(), StoreError> {
        layout.check_lane(self.lane)?;
        let mut payloads = PayloadCheck::default();
        let mut size = BatchSize::default();
        for append in &self.appends {
            let entity = &append.entity;
            check_partition(entity, append.partition, layout)?;
            append.owned_as.as_deref().map_or(Ok(()), check_role)?;
            if layout.lane_of(entity) != self.lane {
                let lane = self.lane;
                return Err(StoreError::invalid(format!("{entity} does not write to lane {lane}")));
            }
            check_numbers(append)?;
            for event in &append.events {
                payloads.check(entity, &event.payload)?;
                check_bytes(entity, "metadata", event.metadata.len(), METADATA_BYTES_MAX)?;
                size.bytes += event.bytes();
            }
            size.rows += append.events.len();
        }
        size.check(self.appends.len(), "events")?;
        check_each_once(self.appends.iter().map(|append| &append.entity))
    }
}

impl StateBatch {
    /// Checks what every store must refuse, before anything of the batch is written.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when an entity is in another partition than said or named twice, a write does not move
    /// its revision forward or moves it past 2^63 - 1, the revisions of its commands do not grow up to its own, a state
    /// names no codec or manifest or has schema version 0, a role is not one, or anything is larger than its
    /// [bound](super::bounds).
    pub fn check(&self, layout: JournalLayout) -> Result<(), StoreError> {
        let mut payloads = PayloadCheck::default();
        let mut size = BatchSize::default();
        for write in &self.writes {
            let entity = &write.entity;
            check_partition(entity, write.partition, layout)?;
            write.owned_as.as_deref().map_or(Ok(()), check_role)?;
            check_revision(write)?;
            if let StateChange::Put(state) = &write.change {
                payloads.check(entity, state)?;
            }
            check_commands(write)?;
            size.rows += 1 + write.commands.len();
            for command in &write.commands {
                let record = command.record.len();
                check_bytes(entity, "the record of a command", record, METADATA_BYTES_MAX)?;
            }
            size.bytes += write.bytes();
        }
        size.check(self.writes.len(), "states and commands")?;
        check_each_once(self.writes.iter().map(|write| &write.entity))
    }
}

/// How much a batch holds.
#[derive(Default)]
struct BatchSize {
    /// Events, or states and what is recorded of their commands.
    rows: usize,
    bytes: usize,
}

impl BatchSize {
    fn check(&self, entities: usize, rows: &str) -> Result<(), StoreError> {
        let parts = [
            ("entities", entities, BATCH_ENTITIES_MAX),
            (rows, self.rows, BATCH_EVENTS_MAX),
            ("bytes", self.bytes, BATCH_BYTES_MAX),
        ];
        match parts.into_iter().find(|(_, count, max)| count > max) {
            Some((what, count, max)) => Err(StoreError::invalid(format!(
                "one batch may hold {max} {what}, this one has {count}"
            ))),
            None => Ok(()),
        }
    }
}

fn check_numbers(append: &EntityAppend) -> Result<(), StoreError> {
    let entity = &append.entity;
    let count = append.events.len() as u64;
    if count == 0 {
        return Err(StoreError::invalid(format!("the append of {entity} has no event")));
    }
    if append.first_event_nr.checked_add(count - 1).is_none() {
        return Err(of(entity, "its event numbers pass 2^64 - 1"));
    }
    let last = append.expected.get().checked_add(count);
    if last.is_none_or(|last| last > NUMBER_MAX) {
        return Err(of(entity, "its sequence numbers pass 2^63 - 1"));
    }
    Ok(())
}

fn check_revision(write: &StateWrite) -> Result<(), StoreError> {
    let (entity, revision, expected) = (&write.entity, write.revision, write.expected);
    if revision <= expected {
        return Err(StoreError::invalid(format!(
            "the write of {entity} gives it revision {revision}, which is not behind {expected}"
        )));
    }
    if revision.get() > NUMBER_MAX {
        return Err(of(entity, &format!("its revision {revision} is past 2^63 - 1")));
    }
    Ok(())
}

fn check_commands(write: &StateWrite) -> Result<(), StoreError> {
    let mut before = Revision::ZERO;
    for command in &write.commands {
        if command.revision <= before || command.revision > write.revision {
            let (entity, at, revision) = (&write.entity, command.revision, write.revision);
            return Err(StoreError::invalid(format!(
                "the write of {entity} has a command at revision {at}, which is not between {before} and {revision}"
            )));
        }
        before = command.revision;
    }
    Ok(())
}

fn check_partition(
    entity: &EntityKey,
    partition: Partition,
    layout: JournalLayout,
) -> Result<(), StoreError> {
    let own = entity.partition(layout.partitions);
    if own != partition {
        let what = format!("{entity} belongs to partition {own}, not {partition}");
        return Err(StoreError::invalid(what));
    }
    Ok(())
}

fn check_each_once<'a>(
    entities: impl ExactSizeIterator<Item = &'a EntityKey>,
) -> Result<(), StoreError> {
    if entities.len() < 2 {
        return Ok(());
    }
    let mut seen = HashSet::with_capacity(entities.len());
    for entity in entities {
        if !seen.insert(entity) {
            return Err(StoreError::invalid(format!("the batch names {entity} twice")));
        }
    }
    Ok(())
}
