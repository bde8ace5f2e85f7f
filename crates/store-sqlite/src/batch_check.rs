//! What makes a whole batch invalid.

use actum_model::{EntityKey, Lane, Partition};
use actum_persistence::store::{AppendBatch, JournalLayout, StateBatch, StoreError};
use std::collections::HashSet;

/// The lane that `entity` writes to.
pub(crate) fn lane_of(entity: &EntityKey, layout: JournalLayout) -> Lane {
    Lane::of_partition(entity.partition(layout.partitions), layout.lanes)
}

/// Checks that the journal has `lane`.
pub(crate) fn lane(lane: Lane, layout: JournalLayout) -> Result<(), StoreError> {
    if lane.nr() >= layout.lanes.get() {
        return Err(StoreError::invalid(format!("the journal has no lane {lane}")));
    }
    Ok(())
}

/// Checks a batch of events.
pub(crate) fn appends(batch: &AppendBatch, layout: JournalLayout) -> Result<(), StoreError> {
    lane(batch.lane, layout)?;
    for append in &batch.appends {
        placed(&append.entity, append.partition, layout)?;
        if Lane::of_partition(append.partition, layout.lanes) != batch.lane {
            let (entity, lane) = (&append.entity, batch.lane);
            return Err(StoreError::invalid(format!("{entity} does not write to lane {lane}")));
        }
        if append.events.is_empty() {
            let entity = &append.entity;
            return Err(StoreError::invalid(format!("the append of {entity} has no event")));
        }
        if append.first_event_nr.checked_add(append.events.len() as u64 - 1).is_none() {
            let entity = &append.entity;
            return Err(StoreError::invalid(format!(
                "the event numbers of {entity} pass 2^64 - 1"
            )));
        }
    }
    each_once(batch.appends.iter().map(|append| &append.entity))
}

/// Checks a batch of durable states.
pub(crate) fn writes(batch: &StateBatch, layout: JournalLayout) -> Result<(), StoreError> {
    for write in &batch.writes {
        placed(&write.entity, write.partition, layout)?;
        if write.revision <= write.expected {
            let (entity, revision, expected) = (&write.entity, write.revision, write.expected);
            return Err(StoreError::invalid(format!(
                "the write of {entity} gives it revision {revision}, which is not behind {expected}"
            )));
        }
    }
    each_once(batch.writes.iter().map(|write| &write.entity))
}

fn placed(
    entity: &EntityKey,
    partition: Partition,
    layout: JournalLayout,
) -> Result<(), StoreError> {
    let own = entity.partition(layout.partitions);
    if own != partition {
        return Err(StoreError::invalid(format!(
            "{entity} belongs to partition {own}, not {partition}"
        )));
    }
    Ok(())
}

fn each_once<'a>(keys: impl ExactSizeIterator<Item = &'a EntityKey>) -> Result<(), StoreError> {
    if keys.len() < 2 {
        return Ok(());
    }
    let mut seen = HashSet::with_capacity(keys.len());
    for key in keys {
        if !seen.insert(key) {
            return Err(StoreError::invalid(format!("the batch names {key} twice")));
        }
    }
    Ok(())
}
