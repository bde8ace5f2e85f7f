use super::{Door, EntityCap, door::Mail};
use crate::{
    clock::Clock,
    journal::Journal,
    writer_lease::{Term, lapsed},
};
use actum_host::{
    Failure, Load, Observer,
    cell::{Moment, Read, TakenSnapshot, Ticket},
    partition::{Cap, HostedKind, NextToLeave, Partition, Shell, Turned},
};
use actum_model::{Lane, Partition as PartitionNr, Timestamp};
use actum_persistence::store::{EntityAppend, StateWrite};
use std::sync::Arc;

/// A partition with what is around it: it takes its mail at its door, and its outputs go to the journal.
pub(crate) struct ServedPartition {
    around: Around,
    partition: Partition,
    mail: Mail,
}

/// What is around a partition.
#[derive(Clone)]
pub(crate) struct Around {
    pub(crate) door: Arc<Door>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) load: Arc<Load>,
    pub(crate) cap: Arc<EntityCap>,
    pub(crate) term: Arc<Term>,
    pub(crate) clock: Clock,
}

impl ServedPartition {
    pub(crate) fn new(around: Around, kinds: Vec<Box<dyn HostedKind>>) -> Self {
        around.cap.end(); // the former life may have failed in the middle of one
        let partition = Partition::new(around.door.partition, around.door.lane, kinds);
        Self { around, partition, mail: Mail::default() }
    }

    /// Takes everything that was left at the door, and a turn with it. Says whether it woke tasks by that.
    pub(crate) fn turn(&mut self) -> bool {
        let Self { around, partition, mail } = self;
        around.door.answer();
        around.door.take_mail(mail);
        let turned = partition.turn(mail, around, around);
        around.end_turn(turned)
    }

    /// Whether something was left meanwhile, so that the next turn follows at once.
    pub(crate) fn is_awake(&self) -> bool {
        self.around.door.is_awake()
    }

    /// From now on lets every cell leave once it has nothing under way. Says whether it woke tasks.
    pub(crate) fn drain(&mut self) -> bool {
        self.partition.drain();
        self.turn()
    }

    /// Whether nothing is under way and no caller waits.
    pub(crate) fn is_drained(&self) -> bool {
        self.partition.is_drained()
    }

    /// Fails everything that waits; says how many commands that were.
    pub(crate) fn abandon(&mut self, reason: &'static str) -> usize {
        let Self { around, partition, .. } = self;
        around.door.begin_turn();
        let (unanswered, turned) = partition.abandon(reason, around);
        around.end_turn(turned);
        unanswered
    }
}

impl Around {
    fn end_turn(&self, Turned { due, oldest_use, woke }: Turned) -> bool {
        self.door.set_due(due);
        self.door.set_oldest_use(oldest_use);
        self.door.end_turn();
        woke
    }
}

impl Shell for Around {
    fn now(&self) -> Moment {
        self.clock.now()
    }

    fn wall(&self) -> Timestamp {
        self.clock.wall()
    }

    fn room(&self) -> usize {
        self.load.room(self.journal.queued_bytes())
    }

    fn refusal(&self, now: Moment) -> Option<Failure> {
        self.term.is_over_at(now).then(lapsed)
    }

    fn observer(&self) -> Option<&dyn Observer> {
        None
    }

    fn next_generation(&self) -> u32 {
        self.door.next_generation()
    }

    fn append(&self, lane: Lane, appends: &mut Vec<(EntityAppend, Ticket)>) {
        self.journal.append(lane, appends.drain(..));
    }

    fn write(&self, writes: &mut Vec<(StateWrite, Ticket)>) {
        self.journal.write(writes.drain(..));
    }

    fn read(&self, partition: PartitionNr, reads: &mut Vec<(Read, Ticket)>) {
        self.journal.read(partition, reads.drain(..));
    }

    fn save(&self, snapshots: &mut Vec<TakenSnapshot>) {
        self.journal.save(snapshots.drain(..));
    }
}

impl Cap for Around {
    fn is_mine(&self) -> bool {
        self.cap.is_mine(&self.door)
    }

    fn next(&self, oldest_use: Moment) -> NextToLeave {
        self.door.set_oldest_use(oldest_use);
        self.cap.next(&self.door)
    }

    fn end(&self) {
        self.cap.end();
    }
}
