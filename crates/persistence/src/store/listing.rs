use super::EntitySearch;
use actum_model::{EntityKey, Revision, SequenceNr, Timestamp};

/// A page of the entities of a kind, in the order of their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listing<T> {
    /// Those that are wanted, of those that were looked at.
    pub entities: Vec<T>,
    /// The id up to which the page looked at entities: the next page starts behind it. `None` when there are no more.
    pub listed_to: Option<String>,
}

/// An event-sourced entity of a [`Listing`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedEntity {
    /// The entity.
    pub entity: EntityKey,
    /// The number of its last event, deleted or not.
    pub head: SequenceNr,
    /// Its events up to this one were deleted after a snapshot; zero if none was.
    pub floor: SequenceNr,
}

/// A durable-state entity of a [`Listing`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedState {
    /// The entity.
    pub entity: EntityKey,
    /// How often it was written.
    pub revision: Revision,
    /// When it was written last.
    pub timestamp: Timestamp,
    /// Whether its state was deleted.
    pub is_deleted: bool,
}

impl<T> Listing<T> {
    /// A page of these entities, behind which there is more if it says how far it reaches.
    #[must_use]
    pub fn new(entities: Vec<T>, listed_to: Option<String>) -> Self {
        Self { entities, listed_to }
    }

    /// The page that a store has put together from the entities it looked at, in the order of their ids; `None` for one
    /// that is left out.
    #[must_use]
    pub fn of_looked_at(search: &EntitySearch, looked_at: Vec<(String, Option<T>)>) -> Self {
        let is_full = looked_at.len() >= search.limit.get() as usize;
        let listed_to = looked_at.last().filter(|_| is_full).map(|(id, _)| id.clone());
        Self::new(looked_at.into_iter().filter_map(|(_, listed)| listed).collect(), listed_to)
    }
}

impl ListedEntity {
    /// An entity whose last event is `head` and of which those up to `floor` are deleted.
    #[must_use]
    pub fn new(entity: EntityKey, head: SequenceNr, floor: SequenceNr) -> Self {
        Self { entity, head, floor }
    }
}

impl ListedState {
    /// An entity that was written for the `revision`th time at `timestamp`, and has a state now.
    #[must_use]
    pub fn new(entity: EntityKey, revision: Revision, timestamp: Timestamp) -> Self {
        Self { entity, revision, timestamp, is_deleted: false }
    }

    /// The same, of an entity whose state was deleted if `is_deleted` says so.
    #[must_use]
    pub fn deleted(self, is_deleted: bool) -> Self {
        Self { is_deleted, ..self }
    }
}
