use super::{CommitError, Committed};
use crate::{
    Weight,
    commits::{JournalRegress, LaneCommits, StateCommits},
    store::{AppendOutcome, EntityAppend, StateOutcome, StateWrite},
};
use actum_model::{EntityKey, Partition};

/// One entity's write: what group commit has to know about it.
pub trait GroupWrite: Send + Sized + 'static {
    /// The outcome that the store reports for it.
    type Outcome: Send + 'static;

    /// Where those who read beside the writer learn of it.
    type Commits: Send + Sync + 'static;

    /// Whose write it is. No entity is twice in a batch.
    fn entity(&self) -> &EntityKey;

    /// The partition of the entity.
    fn partition(&self) -> Partition;

    /// How much it adds to a batch.
    fn weight(&self) -> Weight;

    /// How many events it adds, or revisions.
    fn changes(&self) -> u64;

    /// Numbers what it stores from `first` on, and says how many numbers it used.
    fn number(&mut self, first: u64) -> u64;

    /// Whether an outcome says that it is stored.
    fn is_stored(outcome: &Self::Outcome) -> bool;

    /// What an outcome means to the entity.
    ///
    /// # Errors
    /// [`CommitError::Conflict`] when the entity was not where it was expected; [`CommitError::NotOwned`] when the writer does
    /// not own its partition.
    fn commit_of(outcome: Self::Outcome) -> Result<Committed, CommitError>;

    /// Announces those of a batch that are stored; `None` stands for one that is not. Says so where they show that the
    /// journal has regressed.
    fn announce<'a>(
        commits: &Self::Commits,
        writes: &[Self],
        outcomes: impl Iterator<Item = Option<&'a Self::Outcome>> + Clone,
    ) -> Option<JournalRegress>;
}

impl GroupWrite for EntityAppend {
    type Outcome = AppendOutcome;
    type Commits = LaneCommits;

    fn entity(&self) -> &EntityKey {
        &self.entity
    }

    fn partition(&self) -> Partition {
        self.partition
    }

    fn weight(&self) -> Weight {
        Weight { events: self.events.len(), bytes: self.bytes() }
    }

    fn changes(&self) -> u64 {
        self.events.len() as u64
    }

    fn number(&mut self, first: u64) -> u64 {
        self.first_event_nr = first;
        self.events.len() as u64
    }

    fn is_stored(outcome: &AppendOutcome) -> bool {
        matches!(outcome, AppendOutcome::Appended { .. })
    }

    fn commit_of(outcome: AppendOutcome) -> Result<Committed, CommitError> {
        match outcome {
            AppendOutcome::Appended { last } => Ok(Committed { last: Some(last) }),
            AppendOutcome::Conflict { actual } => Err(CommitError::Conflict { actual }),
            AppendOutcome::NotOwned => Err(CommitError::NotOwned),
        }
    }

    fn announce<'a>(
        commits: &LaneCommits,
        appends: &[Self],
        outcomes: impl Iterator<Item = Option<&'a AppendOutcome>> + Clone,
    ) -> Option<JournalRegress> {
        commits.announce(appends, outcomes)
    }
}

impl GroupWrite for StateWrite {
    type Outcome = StateOutcome;
    type Commits = StateCommits;

    fn entity(&self) -> &EntityKey {
        &self.entity
    }

    fn partition(&self) -> Partition {
        self.partition
    }

    fn weight(&self) -> Weight {
        Weight { events: 1 + self.commands.len(), bytes: self.bytes() }
    }

    fn changes(&self) -> u64 {
        self.revision.get().saturating_sub(self.expected.get())
    }

    fn number(&mut self, first: u64) -> u64 {
        self.write_nr = first;
        1
    }

    fn is_stored(outcome: &StateOutcome) -> bool {
        *outcome == StateOutcome::Written
    }

    fn commit_of(outcome: StateOutcome) -> Result<Committed, CommitError> {
        match outcome {
            StateOutcome::Written => Ok(Committed { last: None }),
            StateOutcome::Conflict { actual } => {
                Err(CommitError::Conflict { actual: actual.into() })
            }
            StateOutcome::NotOwned => Err(CommitError::NotOwned),
        }
    }

    fn announce<'a>(
        commits: &StateCommits,
        _: &[Self],
        outcomes: impl Iterator<Item = Option<&'a StateOutcome>> + Clone,
    ) -> Option<JournalRegress> {
        commits.announce(outcomes);
        None // states have no positions here
    }
}
