use super::{
    AfterCommit, Job, KindContext, ModelTypes, Settlements, SparePlaces, TakenSnapshot, Verdict,
    Waiting,
};
use crate::{Moment, Observer};
use actum_model::{EntityKey, Lane, Partition, SequenceNr, Timestamp};
use actum_persistence::store::CommandRead;

/// Where the results of a cell's reads and writes come back to: a place that is used again, and which of its users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket {
    /// The kind of entity, as an index.
    pub kind: u16,
    /// The place among the cells of that kind in the partition.
    pub slot: u32,
    /// Which user of the place.
    pub generation: u32,
}

/// What a cell may look at while it takes one input, and where its outputs go.
pub struct Turn<'a, M: ModelTypes> {
    /// The clock as the host read it last, at most one run of a handler ago.
    pub now: Moment,
    /// The wall clock, for timestamps.
    pub wall: Timestamp,
    /// For how many whole seconds the engine has been running.
    pub uptime: u32,
    /// The partition of the cell.
    pub partition: Partition,
    /// Its lane.
    pub lane: Lane,
    /// How many bytes may be staged before commands are refused.
    pub room: usize,
    /// Who sees what happens, if anyone does.
    pub observer: Option<&'a dyn Observer>,
    /// What all cells of the kind share.
    pub kind: &'a KindContext<M::Entity>,
    /// What the turn brings forth.
    pub out: &'a mut Outputs<M>,
}

/// What turns bring forth, collected until the shell carries it out.
pub struct Outputs<M: ModelTypes> {
    /// To be written to the journal.
    pub writes: Vec<(M::Write, Ticket)>,
    /// To be read from the journal.
    pub reads: Vec<(Read, Ticket)>,
    /// To be saved, without hurry.
    pub snapshots: Vec<TakenSnapshot>,
    /// To be run now that their changes are durable.
    pub actions: Vec<AfterCommit>,
    /// Commands that waited for their entity and can be handled now, in order: to be delivered again, at once.
    pub resumed: Waiting<M::Entity>,
    /// The commands whose handlers have run, for an observer only.
    pub handled: Vec<&'static str>,
    /// To be answered.
    pub settled: Settlements<M::Entity>,
    /// Bytes of changes that began to wait in cells.
    pub bytes_staged: usize,
    /// Bytes of changes that no longer wait in cells: they were sent, or failed.
    pub bytes_unstaged: usize,
    /// Not brought forth, but kept for the next turns.
    pub spare: SparePlaces<M>,
}

/// What a cell wants to know from the store. Its entity comes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// The newest snapshot at or before this number, and the events behind it. [`SequenceNr::ZERO`]: no snapshot, all
    /// events.
    Start {
        /// The entity.
        entity: EntityKey,
        /// The newest snapshot that is wanted.
        snapshot_at_most: SequenceNr,
    },
    /// The next page of events.
    Page {
        /// The entity.
        entity: EntityKey,
        /// The last event that was read.
        after: SequenceNr,
    },
    /// A durable state.
    State {
        /// The entity.
        entity: EntityKey,
    },
    /// The metadata of one event: what was recorded of the command whose last event it is.
    EventRecord {
        /// The entity.
        entity: EntityKey,
        /// The event.
        sequence_nr: SequenceNr,
    },
    /// What was recorded of a command of a durable state.
    CommandRecord(CommandRead),
    /// Which commands of a durable state came before a revision.
    CommandsBefore(CommandRead),
}

impl Read {
    /// Whose record it asks for, if it asks for one.
    pub fn record_of(&self) -> Option<SequenceNr> {
        match self {
            Self::EventRecord { sequence_nr, .. } => Some(*sequence_nr),
            Self::CommandRecord(read) => Some(read.revision.into()),
            _ => None,
        }
    }
}

impl<M: ModelTypes> Turn<'_, M> {
    pub fn has_room(&self) -> bool {
        self.out.bytes_staged < self.room
    }

    /// Shows something to the observer, if there is one.
    pub(super) fn observe(&self, show: impl FnOnce(&dyn Observer)) {
        if let Some(observer) = self.observer {
            show(observer);
        }
    }
}

impl<M: ModelTypes> Outputs<M> {
    /// Answers a command.
    pub fn settle(&mut self, job: Box<dyn Job<M::Entity>>, verdict: Verdict) {
        self.settled.settle(job, verdict);
    }
}

impl<M: ModelTypes> Default for Outputs<M> {
    fn default() -> Self {
        Self {
            writes: vec![],
            reads: vec![],
            snapshots: vec![],
            actions: vec![],
            resumed: Waiting::none(),
            handled: vec![],
            settled: Settlements::default(),
            bytes_staged: 0,
            bytes_unstaged: 0,
            spare: SparePlaces::default(),
        }
    }
}
