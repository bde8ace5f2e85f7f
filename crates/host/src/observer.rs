use crate::{CommittedBatch, Failure, LeaveReason, Outcome, Recovery, SentWrite, TurnSummary};
use actum_model::{EntityKey, Lane, Partition, SequenceNr};
use actum_persistence::{
    commits::{JournalRegress, StatesRegress},
    group_commit::{CommitError, Committed},
    store::{Incarnation, Snapshot, StoreError},
};
use std::time::Duration;

/// Sees what an engine does, where it arises: for counts, times and traces.
///
/// Every method does nothing unless it is implemented. An engine without an observer pays one branch at each of these
/// places: nothing is formatted or allocated for an observer, and no clock is read for one. So durations end at the
/// reading of the clock that was made last anyway, which the methods say.
///
/// # Contract
/// * A method returns at once: it runs in the turn of a partition, in a writer's task or in that of the caller.
/// * It does not panic: what it interrupts would be lost with it.
/// * It is called from several threads; about one entity from one at a time, in the order it happened.
#[expect(unused_variables, reason = "the names are the documentation of methods that do nothing")]
pub trait Observer: Send + Sync {
    // on the side of the caller

    /// A command was taken into the inbox of its entity's partition.
    fn admitted(&self, kind: &'static str, command: &'static str) {}

    /// A command was not taken: a bound is reached ([`Failure::Overloaded`] says which), or the engine takes none.
    fn refused(&self, kind: &'static str, command: &'static str, failure: &Failure) {}

    // in the turn of a partition

    /// A partition has taken a turn.
    fn turn_ended(&self, partition: Partition, turn: TurnSummary) {}

    /// The handler of a command has run. `took` covers all that the entity did with the command: looking for its id,
    /// the handler, encoding, and taking the change into the state.
    fn handled(&self, kind: &'static str, command: &'static str, took: Duration) {}

    /// A command that was taken was answered: the partition has released it. A caller that stopped waiting has its
    /// timeout from elsewhere, maybe earlier.
    fn answered(&self, kind: &'static str, command: &'static str, outcome: Outcome) {}

    /// An entity came into memory and asks for what is stored of it.
    fn activated(&self, entity: &EntityKey) {}

    /// An entity has recovered and handles commands from now on. One that is activated once may recover several times:
    /// commands that come while it leaves bring it back.
    fn recovered(&self, entity: &EntityKey, recovery: Recovery) {}

    /// A read for an entity has failed: of its events or state, or of the recorded reply of a command.
    fn read_failed(&self, entity: &EntityKey, error: &StoreError) {}

    /// An entity left memory. Those of a partition that fails are dropped with it, without this.
    fn left(&self, entity: &EntityKey, reason: LeaveReason) {}

    /// An entity sent what it had staged to its writer.
    fn write_sent(&self, entity: &EntityKey, write: SentWrite) {}

    /// An entity takes in the outcome of its write. One that left memory meanwhile takes in nothing.
    fn write_settled(&self, entity: &EntityKey, result: &Result<Committed, CommitError>) {}

    /// A snapshot was taken whose events are stored, and goes to be saved.
    fn snapshot_taken(&self, snapshot: &Snapshot) {}

    // in the tasks around the partitions; the lane is none for the writer of durable states

    /// A batch was committed.
    fn batch_committed(&self, lane: Option<Lane>, batch: CommittedBatch) {}

    /// The store did not say whether a batch of this many writes was committed.
    fn outcome_unknown(&self, lane: Option<Lane>, writes: usize) {}

    /// The outcome of such a batch was found out: this many of its writes are stored.
    fn outcome_resolved(&self, lane: Option<Lane>, writes: usize, stored: usize) {}

    /// A snapshot was saved.
    fn snapshot_saved(&self, entity: &EntityKey, sequence_nr: SequenceNr) {}

    /// A snapshot was not saved.
    fn snapshot_failed(&self, entity: &EntityKey, sequence_nr: SequenceNr, error: &StoreError) {}

    /// The journal has lost events of a lane: all entities recover again from what is left.
    fn journal_regressed(&self, regress: JournalRegress) {}

    /// As [`journal_regressed`](Self::journal_regressed), of changes of durable states.
    fn states_regressed(&self, regress: StatesRegress) {}

    /// The engine was fenced: another incarnation writes to its journal.
    fn fenced(&self, incarnation: Incarnation) {}
}
