use super::{AppendBatch, JournalLayout, StateBatch, StoreError};
use actum_model::{EntityKey, Lane, Partition};
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
    /// [`StoreError::Invalid`] when the journal has no such lane, an entity is in another lane or partition than said or
    /// named twice, an append has no event, or its event numbers pass 2^64 - 1.
    pub fn check(&self, layout: JournalLayout) -> Result<(), StoreError> {
        layout.check_lane(self.lane)?;
        for append in &self.appends {
            let entity = &append.entity;
            check_partition(entity, append.partition, layout)?;
            if layout.lane_of(entity) != self.lane {
                let lane = self.lane;
                return Err(StoreError::invalid(format!("{entity} does not write to lane {lane}")));
            }
            let Some(others) = (append.events.len() as u64).checked_sub(1) else {
                return Err(StoreError::invalid(format!("the append of {entity} has no event")));
            };
            if append.first_event_nr.checked_add(others).is_none() {
                let what = format!("the event numbers of {entity} pass 2^64 - 1");
                return Err(StoreError::invalid(what));
            }
        }
        check_each_once(self.appends.iter().map(|append| &append.entity))
    }
}

impl StateBatch {
    /// Checks what every store must refuse, before anything of the batch is written.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when an entity is in another partition than said or named twice, or a write does not move
    /// its revision forward.
    pub fn check(&self, layout: JournalLayout) -> Result<(), StoreError> {
        for write in &self.writes {
            check_partition(&write.entity, write.partition, layout)?;
            if write.revision <= write.expected {
                let (entity, revision, expected) = (&write.entity, write.revision, write.expected);
                return Err(StoreError::invalid(format!(
                    "the write of {entity} gives it revision {revision}, which is not behind {expected}"
                )));
            }
        }
        check_each_once(self.writes.iter().map(|write| &write.entity))
    }
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
