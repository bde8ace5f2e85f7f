//! What makes a whole batch invalid.

use actum_model::{EntityKey, Lane, Partition};
use actum_persistence::store::{AppendBatch, JournalLayout, StateBatch, StoreError};
use hashbrown::{HashTable, hash_table::Entry};

/// The lane that `entity` writes to.
pub(crate) fn lane_of(entity: &EntityKey, layout: JournalLayout) -> Lane {
    Lane::of_partition(entity.partition(layout.partitions), layout.lanes)
}

/// The error for a lane the journal does not have.
pub(crate) fn no_lane(lane: Lane) -> StoreError {
    StoreError::invalid(format!("the journal has no lane {lane}"))
}

/// Checks a batch of events.
pub(crate) fn appends(batch: &AppendBatch, layout: JournalLayout) -> Result<(), StoreError> {
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
    }
    each_once(&batch.appends, |append| &append.entity)
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
    each_once(&batch.writes, |write| &write.entity)
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

fn each_once<T>(items: &[T], entity: impl Fn(&T) -> &EntityKey) -> Result<(), StoreError> {
    if items.len() < 2 {
        return Ok(());
    }
    let mut seen: HashTable<&EntityKey> = HashTable::with_capacity(items.len());
    for item in items {
        let key = entity(item);
        match seen.entry(key.hash64(), |other| *other == key, |other| other.hash64()) {
            Entry::Occupied(_) => {
                return Err(StoreError::invalid(format!("the batch names {key} twice")));
            }
            Entry::Vacant(vacant) => vacant.insert(key),
        };
    }
    Ok(())
}
