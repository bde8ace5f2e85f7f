use super::{StoreError, bounds::DELETIONS_MAX};
use actum_model::{EntityKey, Position, SequenceNr};
use std::ops::RangeInclusive;

/// Events of an entity that may go, since a confirmed snapshot covers them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventDeletion {
    /// The entity.
    pub entity: EntityKey,
    /// Events up to and including this one.
    pub up_to: SequenceNr,
    /// Of those only the ones that all readers of the journal have: at or before this position of the entity's lane.
    /// `None` while no reader is behind.
    pub read_to: Option<Position>,
}

/// Snapshots of an entity that may go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnapshotDeletion {
    /// The entity.
    pub entity: EntityKey,
    /// Those with these sequence numbers, as far as there are any.
    pub numbers: RangeInclusive<SequenceNr>,
}

impl EventDeletion {
    /// The events of `entity` up to and including `up_to`, wherever readers are.
    #[must_use]
    pub fn new(entity: &EntityKey, up_to: SequenceNr) -> Self {
        Self { entity: entity.clone(), up_to, read_to: None }
    }

    /// Leaves those behind `position` of the entity's lane.
    #[must_use]
    pub fn with_read_to(self, position: Option<Position>) -> Self {
        Self { read_to: position, ..self }
    }

    /// Checks what every store must refuse, before anything is deleted.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when there are more than [`DELETIONS_MAX`].
    pub fn check_all(deletions: &[Self]) -> Result<(), StoreError> {
        check_count(deletions.len())
    }

    /// Checks that `up_to` is not past the head of the entity.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] otherwise.
    pub fn check_head(&self, head: SequenceNr) -> Result<(), StoreError> {
        let Self { entity, up_to, .. } = self;
        if *up_to > head {
            return Err(StoreError::invalid(format!(
                "events of {entity} cannot be deleted up to {up_to}, it has {head}"
            )));
        }
        Ok(())
    }
}

impl SnapshotDeletion {
    /// The snapshots of `entity` with these sequence numbers.
    #[must_use]
    pub fn new(entity: &EntityKey, numbers: RangeInclusive<SequenceNr>) -> Self {
        Self { entity: entity.clone(), numbers }
    }

    /// Checks what every store must refuse, before anything is deleted.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when there are more than [`DELETIONS_MAX`].
    pub fn check_all(deletions: &[Self]) -> Result<(), StoreError> {
        check_count(deletions.len())
    }
}

fn check_count(count: usize) -> Result<(), StoreError> {
    if count > DELETIONS_MAX {
        return Err(StoreError::invalid(format!(
            "one call may delete of {DELETIONS_MAX} entities, this one is for {count}"
        )));
    }
    Ok(())
}
