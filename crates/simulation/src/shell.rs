use super::{Desk, Log, Note, NoteTaker, Seen, journal::number_of};
use actum_host::{
    Failure, Moment, Observer,
    cell::{Read, TakenSnapshot, Ticket},
    partition::Shell,
};
use actum_model::{Lane, Partition, Timestamp};
use actum_persistence::store::{EntityAppend, StateWrite};
use std::cell::{Cell, RefCell};

/// What is around a partition in one turn.
pub(crate) struct SimShell<'a> {
    /// By the clock of its process.
    pub(crate) now: Moment,
    pub(crate) wall: Timestamp,
    pub(crate) room: usize,
    /// Whether commands that are taken now are refused.
    pub(crate) refuses: bool,
    pub(crate) generations: &'a Cell<u32>,
    /// Counts the writes of the partition that are not settled.
    pub(crate) unsettled: &'a Cell<usize>,
    pub(crate) desk: &'a RefCell<Desk>,
    pub(crate) note_taker: &'a NoteTaker,
    pub(crate) log: &'a Log,
    pub(crate) life: u32,
    /// Whether the partition takes its mail or commands, and sends nothing yet but what it reads ahead.
    pub(crate) takes: Cell<bool>,
}

impl SimShell<'_> {
    /// The partition has taken its mail and commands.
    pub(crate) fn commands_are_taken(&self) {
        self.takes.set(false);
    }

    fn note_sent(&self, writes: usize) {
        self.unsettled.set(self.unsettled.get() + writes);
    }

    fn note_read(&self, read: &Read, ticket: Ticket, partition: Partition) {
        let entity = match read {
            Read::Page { .. } if self.takes.get() => {
                return self.log.write(Note::Saw(Seen::ReadAhead));
            }
            Read::Start { entity, .. } | Read::State { entity } => number_of(entity),
            _ => return,
        };
        self.log.write(Note::Recovers { life: self.life, entity });
        let is_first = self.desk.borrow_mut().recoveries.insert((partition, ticket));
        if !is_first {
            self.log.write(Note::Saw(Seen::RecoveredWithCommandsWaiting));
        }
    }
}

impl Shell for SimShell<'_> {
    fn now(&self) -> Moment {
        self.now
    }

    fn wall(&self) -> Timestamp {
        self.wall
    }

    fn room(&self) -> usize {
        self.room
    }

    fn refusal(&self, _: Moment) -> Option<Failure> {
        self.refuses.then(|| Failure::unavailable("the term of this engine is over"))
    }

    /// The model of the journal loses nothing.
    fn regressions(&self) -> u64 {
        0
    }

    fn observer(&self) -> Option<&dyn Observer> {
        Some(self.note_taker)
    }

    fn next_generation(&self) -> u32 {
        self.generations.set(self.generations.get() + 1);
        self.generations.get()
    }

    fn append(&self, lane: Lane, appends: &mut Vec<(EntityAppend, Ticket)>) -> bool {
        self.note_sent(appends.len());
        let mut desk = self.desk.borrow_mut();
        for (append, ticket) in appends.drain(..) {
            desk.lanes[lane.index()].submit(append, ticket);
        }
        true // its writer has something to do
    }

    fn write(&self, writes: &mut Vec<(StateWrite, Ticket)>) -> bool {
        self.note_sent(writes.len());
        let mut desk = self.desk.borrow_mut();
        for (write, ticket) in writes.drain(..) {
            desk.states.submit(write, ticket);
        }
        true
    }

    fn read(&self, partition: Partition, reads: &mut Vec<(Read, Ticket)>) {
        for (read, ticket) in reads.drain(..) {
            self.note_read(&read, ticket, partition);
            self.desk.borrow_mut().read(read, partition, ticket);
        }
    }

    fn save(&self, snapshots: &mut Vec<TakenSnapshot>) {
        for taken in snapshots.drain(..) {
            let (life, entity) = (self.life, number_of(&taken.snapshot.entity));
            let snapshot = Box::new(taken.snapshot.clone());
            self.log.write(Note::Taken { life, entity, snapshot });
            self.desk.borrow_mut().snapshots.push(taken);
        }
    }
}
