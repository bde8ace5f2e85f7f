use super::{CommitError, Committed, Weight};
use crate::store::{AppendOutcome, EntityAppend, StateOutcome, StateWrite};
use actum_model::{EntityKey, Partition};

/// One entity's write: what group commit has to know about it.
pub trait GroupWrite: Send + 'static {
    /// The outcome that the store reports for it.
    type Outcome: Send + 'static;

    /// Whose write it is. No entity is twice in a batch.
    fn entity(&self) -> &EntityKey;

    /// The partition of the entity.
    fn partition(&self) -> Partition;

    /// How much it adds to a batch.
    fn weight(&self) -> Weight;

    /// Numbers what it stores from `first` on, and says how many numbers it used.
    fn number(&mut self, first: u64) -> u64;

    /// What an outcome means to the entity.
    ///
    /// # Errors
    /// [`CommitError::Conflict`] when the entity was not where it was expected.
    fn commit_of(outcome: Self::Outcome) -> Result<Committed, CommitError>;
}

impl GroupWrite for EntityAppend {
    type Outcome = AppendOutcome;

    fn entity(&self) -> &EntityKey {
        &self.entity
    }

    fn partition(&self) -> Partition {
        self.partition
    }

    fn weight(&self) -> Weight {
        Weight { events: self.events.len(), bytes: self.bytes() }
    }

    fn number(&mut self, first: u64) -> u64 {
        self.first_event_nr = first;
        self.events.len() as u64
    }

    fn commit_of(outcome: AppendOutcome) -> Result<Committed, CommitError> {
        match outcome {
            AppendOutcome::Appended { last } => Ok(Committed { last: Some(last) }),
            AppendOutcome::Conflict { actual } => Err(CommitError::Conflict { actual }),
        }
    }
}

impl GroupWrite for StateWrite {
    type Outcome = StateOutcome;

    fn entity(&self) -> &EntityKey {
        &self.entity
    }

    fn partition(&self) -> Partition {
        self.partition
    }

    fn weight(&self) -> Weight {
        Weight { events: 1 + self.commands.len(), bytes: self.bytes() }
    }

    fn number(&mut self, first: u64) -> u64 {
        self.write_nr = first;
        1
    }

    fn commit_of(outcome: StateOutcome) -> Result<Committed, CommitError> {
        match outcome {
            StateOutcome::Written => Ok(Committed { last: None }),
            StateOutcome::Conflict { actual } => {
                Err(CommitError::Conflict { actual: actual.into() })
            }
        }
    }
}
