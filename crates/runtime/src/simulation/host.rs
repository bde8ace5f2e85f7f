use super::{
    Beat, Desk, Hosted, Log, Note, Order, Place, Seen, SimJob,
    journal::{Found, number_of},
};
use actum_host::{
    Failure, KindContext,
    cell::{
        AfterCommit, Cell, FoundRecord, Job, LeaveReason, Life, Model, Moment, Outputs, Read,
        Ticket, Turn,
    },
};
use actum_model::{EntityKey, Revision, SequenceNr};
use actum_persistence::{
    group_commit::{CommitError, Committed},
    store::StoreError,
};
use std::{collections::VecDeque, sync::Arc};

/// The cells of one kind in one partition, and what is left for them: the simulation's counterpart of a partition.
pub(crate) struct Host<M: Hosted> {
    pub(super) place: Place,
    pub(super) context: Arc<KindContext<M::Entity>>,
    pub(super) inbox: VecDeque<(EntityKey, Order)>,
    pub(super) committed: VecDeque<(Ticket, Result<Committed, CommitError>)>,
    pub(super) found: VecDeque<(Ticket, Result<Found, StoreError>)>,
    pub(super) cells: Vec<Resident<M>>,
    pub(super) out: Outputs<M>,
    pub(super) touched: Vec<Ticket>,
    pub(super) windows: VecDeque<(Moment, Ticket)>,
    pub(super) next_deadline: Moment,
    generations: u32,
    pub(super) draining: bool,
    pub(super) log: Log,
}

/// A cell in memory.
pub(super) struct Resident<M: Model> {
    pub(super) entity: u32,
    pub(super) ticket: Ticket,
    pub(super) cell: Cell<M>,
    pub(super) used: Moment,
    /// How often it has begun to recover.
    recoveries: u32,
}

impl<M: Hosted> Host<M> {
    pub(crate) fn new(place: Place, context: Arc<KindContext<M::Entity>>, log: Log) -> Self {
        Self {
            place,
            context,
            inbox: VecDeque::new(),
            committed: VecDeque::new(),
            found: VecDeque::new(),
            cells: Vec::new(),
            out: Outputs::default(),
            touched: Vec::new(),
            windows: VecDeque::new(),
            next_deadline: Moment::NEVER,
            generations: 0,
            draining: false,
            log,
        }
    }

    pub(super) fn at(&self, ticket: Ticket) -> Option<usize> {
        self.cells.iter().position(|resident| resident.ticket == ticket)
    }

    /// Gives the cell at `at` an input.
    pub(super) fn step(
        &mut self,
        at: usize,
        beat: &Beat,
        input: impl FnOnce(&mut Cell<M>, &mut Turn<'_, M>) -> Life,
    ) {
        let resident = &mut self.cells[at];
        let turn = &mut turn(&self.context, &mut self.out, self.place, beat);
        match input(&mut resident.cell, turn) {
            Life::Stays => {
                if !self.touched.contains(&resident.ticket) {
                    self.touched.push(resident.ticket);
                }
            }
            Life::Gone(_) => {
                let entity = self.cells.swap_remove(at).entity;
                self.log.write(Note::Left { life: self.place.life, entity });
            }
        }
    }

    pub(super) fn take_committed(&mut self, beat: &Beat) {
        for _ in 0..beat.take {
            let Some((ticket, result)) = self.committed.pop_front() else { return };
            let Some(at) = self.at(ticket) else { continue };
            let noted = result.clone().map(|committed| committed.last).map_err(failure_of);
            let (life, entity) = (self.place.life, self.cells[at].entity);
            self.log.write(Note::Committed { life, entity, result: noted });
            self.step(at, beat, |cell, turn| cell.committed(result, turn));
        }
    }

    pub(super) fn take_found(&mut self, beat: &Beat, desk: &mut Desk) {
        for _ in 0..beat.take {
            let Some((ticket, found)) = self.found.pop_front() else { return };
            let Some(at) = self.at(ticket) else { continue };
            if let Ok(Found::Record { sequence_nr, found }) = found {
                self.take_record(at, sequence_nr, &found, beat);
                continue;
            }
            let found = found.map(M::found);
            match &found {
                Ok(found) => {
                    if let Some(read) = self.cells[at].cell.read_ahead(found) {
                        self.log.write(Note::Saw(Seen::ReadAhead));
                        desk.read(read, ticket);
                    }
                }
                Err(error) => self.note_unread(at, error),
            }
            self.step(at, beat, |cell, turn| cell.found(found, turn));
            self.resume(ticket, beat);
        }
    }

    /// Delivers commands that waited for their entity again: one of them may make it leave, and the next brings it back.
    fn resume(&mut self, ticket: Ticket, beat: &Beat) {
        let resumed = std::mem::take(&mut self.out.resumed);
        if resumed.is_empty() {
            return;
        }
        let at = self.at(ticket).expect("a cell that has just recovered is in memory");
        let (entity, key) = (self.cells[at].entity, self.cells[at].cell.key().clone());
        for job in resumed {
            self.next_deadline = self.next_deadline.min(job.envelope().deadline);
            let at = self.resident(&key, entity, beat);
            self.step(at, beat, |cell, turn| cell.command(job, turn));
        }
    }

    fn take_record(
        &mut self,
        at: usize,
        sequence_nr: SequenceNr,
        found: &FoundRecord,
        beat: &Beat,
    ) {
        if let Err(error) = found {
            self.note_unread(at, error);
            self.log.write(Note::Saw(Seen::RecordUnread));
        }
        self.step(at, beat, |cell, turn| cell.recorded(sequence_nr, found, turn));
    }

    fn note_unread(&self, at: usize, error: &StoreError) {
        let (life, entity) = (self.place.life, self.cells[at].entity);
        let failure = Failure::of_read(error.clone());
        self.log.write(Note::Unread { life, entity, failure });
    }

    pub(super) fn take_commands(&mut self, beat: &Beat) {
        for _ in 0..beat.take {
            let Some((key, order)) = self.inbox.pop_front() else { return };
            self.next_deadline = self.next_deadline.min(order.deadline);
            let (entity, nr) = (order.entity, order.nr);
            let job: Box<dyn Job<M::Entity>> = Box::new(SimJob::new(order, self.log.clone()));
            let at = self.resident(&key, entity, beat);
            self.cells[at].used = beat.now;
            self.log.write(Note::Reached { nr });
            self.step(at, beat, |cell, turn| cell.command(job, turn));
        }
    }

    /// Where the cell of an entity is; activates one if need be.
    fn resident(&mut self, key: &EntityKey, entity: u32, beat: &Beat) -> usize {
        let here = self.cells.iter().position(|resident| resident.entity == entity);
        let Some(at) = here.or_else(|| self.activate(key.clone(), entity, beat)) else {
            unreachable!("the initial states of the simulation do not panic");
        };
        at
    }

    fn activate(&mut self, key: EntityKey, entity: u32, beat: &Beat) -> Option<usize> {
        self.generations += 1;
        let ticket = Ticket { kind: self.place.nr, slot: entity, generation: self.generations };
        let turn = &mut turn(&self.context, &mut self.out, self.place, beat);
        let cell = Cell::activate(key, ticket, turn).ok()?;
        self.log.write(Note::Came { life: self.place.life, entity });
        let resident = Resident { entity, ticket, cell, used: beat.now, recoveries: 0 };
        self.cells.push(resident);
        Some(self.cells.len() - 1)
    }

    pub(super) fn flush_windows(&mut self, beat: &Beat) {
        while let Some((_, ticket)) = self.windows.pop_front_if(|(due, _)| *due <= beat.now) {
            self.flush(ticket, beat);
        }
    }

    pub(super) fn flush(&mut self, ticket: Ticket, beat: &Beat) {
        let Some(at) = self.at(ticket) else { return };
        let turn = &mut turn(&self.context, &mut self.out, self.place, beat);
        let again = self.cells[at].cell.flush(turn);
        if again == Moment::NEVER {
            return;
        }
        assert!(again > beat.now, "a window that has ended is not waited for");
        self.log.write(Note::Saw(Seen::WindowWaited));
        // what was staged behind a write waits since then: its window may end before that of others
        let place = self.windows.partition_point(|window| *window <= (again, ticket));
        if place == 0 || self.windows[place - 1] != (again, ticket) {
            self.windows.insert(place, (again, ticket));
        }
    }

    pub(super) fn expire(&mut self, beat: &Beat) {
        if beat.now < self.next_deadline {
            return;
        }
        self.next_deadline = Moment::NEVER;
        for resident in &mut self.cells {
            let turn = &mut turn(&self.context, &mut self.out, self.place, beat);
            self.next_deadline = self.next_deadline.min(resident.cell.expire(turn));
        }
    }

    pub(super) fn leave_idle(&mut self, beat: &Beat) {
        let Some(timeout) = self.context.settings.idle_timeout else { return };
        for ticket in self.tickets() {
            let Some(at) = self.at(ticket) else { continue };
            if self.cells[at].used.after(timeout) > beat.now {
                continue;
            }
            if self.cells[at].cell.is_idle() {
                self.step(at, beat, |cell, turn| cell.passivate(LeaveReason::Idle, turn));
            } else {
                self.cells[at].used = beat.now;
            }
        }
    }

    /// Lets the least recently used idle cells leave while there are too many.
    pub(super) fn keep_cap(&mut self, beat: &Beat) {
        while self.cells.len() > self.place.cells_max {
            let idle = (0..self.cells.len()).filter(|at| self.cells[*at].cell.is_idle());
            let Some(at) = idle.min_by_key(|at| self.cells[*at].used) else { return };
            self.step(at, beat, |cell, turn| cell.passivate(LeaveReason::Idle, turn));
        }
    }

    pub(super) fn tickets(&self) -> Vec<Ticket> {
        self.cells.iter().map(|resident| resident.ticket).collect()
    }

    /// Carries the outputs out, in the order of the real partition.
    pub(super) fn ship(&mut self, desk: &mut Desk) {
        let Place { life, lane, .. } = self.place;
        for (write, ticket) in self.out.writes.drain(..) {
            let (key, expected, last) = M::span(&write);
            let entity = number_of(key);
            self.log.write(Note::Sent { life, entity, expected, last });
            M::submit(write, ticket, lane, desk);
        }
        for (read, ticket) in std::mem::take(&mut self.out.reads) {
            self.note_recovery(&read, ticket);
            desk.read(read, ticket);
        }
        for taken in self.out.snapshots.drain(..) {
            let entity = number_of(&taken.snapshot.entity);
            let snapshot = Box::new(taken.snapshot.clone());
            self.log.write(Note::Taken { life, entity, snapshot });
            desk.snapshots.push(taken);
        }
        desk.bytes_staged += std::mem::take(&mut self.out.bytes_staged);
        desk.bytes_unstaged += std::mem::take(&mut self.out.bytes_unstaged);
        self.out.actions.drain(..).for_each(AfterCommit::run);
        self.out.settled.drain(..).for_each(|(job, verdict)| job.settle(verdict));
    }

    /// A cell that begins to recover a second time was waited for while it left.
    fn note_recovery(&mut self, read: &Read, ticket: Ticket) {
        let is_first = match read {
            Read::Start { snapshot_at_most, .. } => *snapshot_at_most == SequenceNr::new(u64::MAX),
            Read::State { .. } => true,
            _ => false,
        };
        let Some(at) = self.at(ticket) else { return };
        if is_first {
            self.cells[at].recoveries += 1;
        }
        if is_first && self.cells[at].recoveries > 1 {
            self.log.write(Note::Saw(Seen::RecoveredWithCommandsWaiting));
        }
    }

    pub(super) fn note_turn(&self, beat: &Beat) {
        let (life, Beat { now, wall, room, .. }) = (self.place.life, *beat);
        self.log.write(Note::Turn { life, now, wall, room });
    }
}

/// A turn of one cell.
pub(super) fn turn<'a, M: Model>(
    kind: &'a KindContext<M::Entity>,
    out: &'a mut Outputs<M>,
    place: Place,
    beat: &Beat,
) -> Turn<'a, M> {
    let (Place { partition, lane, .. }, Beat { now, wall, uptime, room, .. }) = (place, *beat);
    Turn { now, wall, uptime, partition, lane, room, observer: None, kind, out }
}

/// What a failed write means to the commands in it.
fn failure_of(error: CommitError) -> Failure {
    match error {
        CommitError::Conflict { actual } => {
            Failure::Conflict { expected: Revision::ZERO, actual: actual.into() }
        }
        CommitError::Store(error) => Failure::of_store(error),
    }
}
