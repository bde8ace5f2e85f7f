use super::{PartitionHandle, Surroundings};
use crate::term::{Term, lapsed};
use actum_host::{
    Failure, Moment, Observer,
    cell::{Read, TakenSnapshot, Ticket},
    partition::{Cap, NextToLeave, Shell, Turned},
};
use actum_model::{Lane, Partition, Timestamp};
use actum_persistence::store::{EntityAppend, StateWrite};
use std::sync::Arc;

/// What a turn leaves to do.
#[derive(Clone, Copy)]
pub(super) struct TurnEnd {
    /// Whether it woke tasks.
    pub(super) woke: bool,
    /// Whether something was left meanwhile: another turn follows, which no message asks for.
    pub(super) has_more: bool,
}

/// What is around a partition that an actor serves.
pub(super) struct PartitionShell {
    around: Arc<Surroundings>,
    pub(super) handle: Arc<PartitionHandle>,
    term: Arc<Term>,
}

impl PartitionShell {
    pub(super) fn new(around: Arc<Surroundings>, handle: Arc<PartitionHandle>) -> Self {
        let term = handle.term();
        Self { around, handle, term }
    }

    pub(super) fn end_turn(&self, Turned { due, oldest_use, woke }: Turned) -> TurnEnd {
        self.handle.set_due(due);
        self.handle.set_oldest_use(oldest_use);
        self.handle.end_turn();
        TurnEnd { woke, has_more: self.handle.has_more() }
    }

    /// Whether the engine holds no commands beside those of these `writes`, so that the journal need not wait for more.
    fn is_alone(&self, writes: usize) -> bool {
        self.around.load.commands() <= writes
    }
}

impl Shell for PartitionShell {
    fn now(&self) -> Moment {
        self.around.clock.now()
    }

    fn wall(&self) -> Timestamp {
        self.around.clock.wall()
    }

    fn room(&self) -> usize {
        self.around.load.room(self.around.journal.queued_bytes())
    }

    fn refusal(&self, now: Moment) -> Option<Failure> {
        self.term.is_over_at(now).then(lapsed)
    }

    fn regressions(&self) -> u64 {
        self.handle.regressions()
    }

    fn observer(&self) -> Option<&dyn Observer> {
        self.around.observer.as_deref()
    }

    fn next_generation(&self) -> u32 {
        self.handle.next_generation()
    }

    fn append(&self, lane: Lane, appends: &mut Vec<(EntityAppend, Ticket)>) -> bool {
        if self.handle.is_given_up() {
            appends.clear(); // their callers got their failure: the journal is not to change any more
            return false;
        }
        let is_alone = self.is_alone(appends.len());
        self.handle.note_sent(appends.len());
        self.around.journal.append(lane, appends.drain(..), is_alone)
    }

    fn write(&self, writes: &mut Vec<(StateWrite, Ticket)>) -> bool {
        if self.handle.is_given_up() {
            writes.clear();
            return false;
        }
        let is_alone = self.is_alone(writes.len());
        self.handle.note_sent(writes.len());
        self.around.journal.write(writes.drain(..), is_alone)
    }

    fn read(&self, partition: Partition, reads: &mut Vec<(Read, Ticket)>) {
        self.around.journal.read(partition, reads.drain(..));
    }

    fn save(&self, snapshots: &mut Vec<TakenSnapshot>) {
        self.around.journal.save(snapshots.drain(..));
    }
}

impl Cap for PartitionShell {
    fn is_mine(&self) -> bool {
        self.around.cap.is_mine(&self.handle)
    }

    fn next(&self, oldest_use: Moment) -> NextToLeave {
        self.handle.set_oldest_use(oldest_use);
        self.around.cap.next(&self.handle)
    }

    fn end(&self) {
        self.around.cap.end();
    }
}
