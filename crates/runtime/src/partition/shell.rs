use super::{PartitionFactory, PartitionHandle};
use crate::term::{Term, lapsed};
use actum_host::{
    Failure, Observer,
    cell::{Moment, Read, TakenSnapshot, Ticket},
    partition::{Cap, NextToLeave, Shell, Turned},
};
use actum_model::{Lane, Partition, Timestamp};
use actum_persistence::store::{EntityAppend, StateWrite};
use std::sync::Arc;

/// What is around a partition that an actor serves.
pub(super) struct PartitionShell {
    parts: Arc<PartitionFactory>,
    pub(super) handle: Arc<PartitionHandle>,
    term: Arc<Term>,
}

impl PartitionShell {
    pub(super) fn new(parts: Arc<PartitionFactory>, handle: Arc<PartitionHandle>) -> Self {
        let term = handle.term();
        Self { parts, handle, term }
    }

    pub(super) fn end_turn(&self, Turned { due, oldest_use, woke }: Turned) -> bool {
        self.handle.set_due(due);
        self.handle.set_oldest_use(oldest_use);
        self.handle.end_turn();
        woke
    }
}

impl Shell for PartitionShell {
    fn now(&self) -> Moment {
        self.parts.clock.now()
    }

    fn wall(&self) -> Timestamp {
        self.parts.clock.wall()
    }

    fn room(&self) -> usize {
        self.parts.load.room(self.parts.journal.queued_bytes())
    }

    fn refusal(&self, now: Moment) -> Option<Failure> {
        self.term.is_over_at(now).then(lapsed)
    }

    fn observer(&self) -> Option<&dyn Observer> {
        self.parts.observer.as_deref()
    }

    fn next_generation(&self) -> u32 {
        self.handle.next_generation()
    }

    fn append(&self, lane: Lane, appends: &mut Vec<(EntityAppend, Ticket)>) {
        if self.handle.is_given_up() {
            return appends.clear(); // their callers got their failure: the journal is not to change any more
        }
        self.parts.journal.append(lane, appends.drain(..));
    }

    fn write(&self, writes: &mut Vec<(StateWrite, Ticket)>) {
        if self.handle.is_given_up() {
            return writes.clear();
        }
        self.parts.journal.write(writes.drain(..));
    }

    fn read(&self, partition: Partition, reads: &mut Vec<(Read, Ticket)>) {
        self.parts.journal.read(partition, reads.drain(..));
    }

    fn save(&self, snapshots: &mut Vec<TakenSnapshot>) {
        self.parts.journal.save(snapshots.drain(..));
    }
}

impl Cap for PartitionShell {
    fn is_mine(&self) -> bool {
        self.parts.cap.is_mine(&self.handle)
    }

    fn next(&self, oldest_use: Moment) -> NextToLeave {
        self.handle.set_oldest_use(oldest_use);
        self.parts.cap.next(&self.handle)
    }

    fn end(&self) {
        self.parts.cap.end();
    }
}
