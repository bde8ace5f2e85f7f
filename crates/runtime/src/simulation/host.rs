use super::{
    Board, Chain, Log, Note, Order, SimJob, Subject,
    desk::Desk,
    journal::{Found, number_of},
};
use crate::{
    Failure,
    cell::{ByEvents, ByState, Cell, Job, Life, Model, Moment, Outputs, Ticket, Turn},
    kind::KindContext,
};
use actum_model::{EntityKey, Lane, Partition, Timestamp};
use actum_persistence::{
    group_commit::{CommitError, Committed},
    store::StoreError,
};
use std::{collections::VecDeque, sync::Arc};

/// The cells of one kind in one partition, and what is left for them: the simulation's counterpart of a partition.
pub(crate) struct Host<M: Hosted> {
    place: Place,
    context: Arc<KindContext<M::Entity>>,
    inbox: VecDeque<(EntityKey, Order)>,
    committed: VecDeque<(Ticket, Result<Committed, CommitError>)>,
    found: VecDeque<(Ticket, Result<Found, StoreError>)>,
    cells: Vec<Resident<M>>,
    out: Outputs<M>,
    touched: Vec<Ticket>,
    windows: VecDeque<(Moment, Ticket)>,
    next_deadline: Moment,
    generations: u32,
    draining: bool,
    log: Log,
}

/// Which host it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Which life of the process.
    pub(crate) life: u32,
    /// Its number among the hosts of the process.
    pub(crate) nr: u16,
    pub(crate) partition: Partition,
    pub(crate) lane: Lane,
    pub(crate) cells_max: usize,
}

/// What one turn is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beat {
    pub(crate) now: Moment,
    pub(crate) wall: Timestamp,
    pub(crate) room: usize,
    /// How much of everything that was left is taken.
    pub(crate) take: usize,
}

struct Resident<M: Model> {
    entity: u32,
    ticket: Ticket,
    cell: Cell<M>,
    used: Moment,
}

/// A model whose cells a host can keep.
pub(crate) trait Hosted: Model<Entity: Subject> {
    /// Hands a write over.
    fn submit(write: Self::Write, ticket: Ticket, lane: Lane, desk: &mut Desk);

    /// Whose write it is, and what it adds to the entity: behind which number, up to which.
    fn span(write: &Self::Write) -> (&EntityKey, u64, u64);

    fn found(found: Found) -> Self::Found;
}

impl Hosted for ByEvents<Chain> {
    fn submit(write: Self::Write, ticket: Ticket, lane: Lane, desk: &mut Desk) {
        desk.lanes[lane.index()].submit(write, ticket);
    }

    fn span(write: &Self::Write) -> (&EntityKey, u64, u64) {
        (&write.entity, write.expected.get(), write.last_sequence_nr().get())
    }

    fn found(found: Found) -> Self::Found {
        let Found::Events(found) = found else { unreachable!("the journal knows the models") };
        found
    }
}

impl Hosted for ByState<Board> {
    fn submit(write: Self::Write, ticket: Ticket, _: Lane, desk: &mut Desk) {
        desk.states.submit(write, ticket);
    }

    fn span(write: &Self::Write) -> (&EntityKey, u64, u64) {
        (&write.entity, write.expected.get(), write.revision.get())
    }

    fn found(found: Found) -> Self::Found {
        let Found::State(found) = found else { unreachable!("the journal knows the models") };
        found
    }
}

/// A host, whatever the model.
pub(crate) trait Hosting {
    fn send(&mut self, key: EntityKey, order: Order);
    fn leave_committed(&mut self, ticket: Ticket, result: Result<Committed, CommitError>);
    fn leave_found(&mut self, ticket: Ticket, found: Result<Found, StoreError>);

    /// Takes what was left and steps the cells with it.
    fn turn(&mut self, beat: &Beat, desk: &mut Desk);

    /// Calls what may be called at any time.
    fn nudge(&mut self, nth: usize, beat: &Beat, desk: &mut Desk);

    /// From now on lets every cell leave.
    fn drain(&mut self);

    /// Fails everything.
    fn abandon(&mut self, beat: &Beat, desk: &mut Desk);

    /// When it must take a turn at the latest.
    fn due(&self) -> Moment;

    /// Whether something was left for it.
    fn has_mail(&self) -> bool;

    /// How many cells it has, and how many of them are idle.
    fn cells(&self) -> (usize, usize);
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

    fn at(&self, ticket: Ticket) -> Option<usize> {
        self.cells.iter().position(|resident| resident.ticket == ticket)
    }

    /// Gives the cell at `at` an input.
    fn step(
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
            Life::Gone => {
                let entity = self.cells.swap_remove(at).entity;
                self.log.write(Note::Left { life: self.place.life, entity });
            }
        }
    }

    fn take_committed(&mut self, beat: &Beat) {
        for _ in 0..beat.take {
            let Some((ticket, result)) = self.committed.pop_front() else { return };
            let Some(at) = self.at(ticket) else { continue };
            let failure = result.as_ref().err().map(|error| failure_of(error.clone()));
            let (life, entity) = (self.place.life, self.cells[at].entity);
            self.log.write(Note::Committed { life, entity, failure });
            self.step(at, beat, |cell, turn| cell.committed(result, turn));
        }
    }

    fn take_found(&mut self, beat: &Beat, desk: &mut Desk) {
        for _ in 0..beat.take {
            let Some((ticket, found)) = self.found.pop_front() else { return };
            let Some(at) = self.at(ticket) else { continue };
            let found = found.map(M::found);
            match &found {
                Ok(found) => {
                    if let Some(read) = self.cells[at].cell.read_ahead(found) {
                        desk.read(read, ticket, true);
                    }
                }
                Err(error) => {
                    let (life, entity) = (self.place.life, self.cells[at].entity);
                    let failure = Failure::of_store(error.clone());
                    self.log.write(Note::Unread { life, entity, failure });
                }
            }
            self.step(at, beat, |cell, turn| cell.found(found, turn));
        }
    }

    fn take_commands(&mut self, beat: &Beat) {
        for _ in 0..beat.take {
            let Some((key, order)) = self.inbox.pop_front() else { return };
            self.next_deadline = self.next_deadline.min(order.deadline);
            let entity = order.entity;
            let job: Box<dyn Job<M::Entity>> = Box::new(SimJob::new(order, self.log.clone()));
            let here = self.cells.iter().position(|resident| resident.entity == entity);
            let Some(at) = here.or_else(|| self.activate(key, entity, beat)) else {
                unreachable!("the initial states of the simulation do not panic");
            };
            self.cells[at].used = beat.now;
            self.step(at, beat, |cell, turn| cell.command(job, turn));
        }
    }

    fn activate(&mut self, key: EntityKey, entity: u32, beat: &Beat) -> Option<usize> {
        self.generations += 1;
        let ticket = Ticket { kind: self.place.nr, slot: entity, generation: self.generations };
        let turn = &mut turn(&self.context, &mut self.out, self.place, beat);
        let cell = Cell::activate(key, ticket, turn).ok()?;
        self.log.write(Note::Came { life: self.place.life, entity });
        self.cells.push(Resident { entity, ticket, cell, used: beat.now });
        Some(self.cells.len() - 1)
    }

    fn flush_windows(&mut self, beat: &Beat) {
        while let Some((_, ticket)) = self.windows.pop_front_if(|(due, _)| *due <= beat.now) {
            self.flush(ticket, beat);
        }
    }

    fn flush(&mut self, ticket: Ticket, beat: &Beat) {
        let Some(at) = self.at(ticket) else { return };
        let turn = &mut turn(&self.context, &mut self.out, self.place, beat);
        let again = self.cells[at].cell.flush(turn);
        if again != Moment::NEVER && self.windows.back() != Some(&(again, ticket)) {
            self.windows.push_back((again, ticket));
        }
    }

    fn expire(&mut self, beat: &Beat) {
        if beat.now < self.next_deadline {
            return;
        }
        self.next_deadline = Moment::NEVER;
        for resident in &mut self.cells {
            let turn = &mut turn(&self.context, &mut self.out, self.place, beat);
            self.next_deadline = self.next_deadline.min(resident.cell.expire(turn));
        }
    }

    fn leave_idle(&mut self, beat: &Beat) {
        let Some(timeout) = self.context.settings.idle_timeout else { return };
        for ticket in self.tickets() {
            let Some(at) = self.at(ticket) else { continue };
            if self.cells[at].used.after(timeout) > beat.now {
                continue;
            }
            if self.cells[at].cell.is_idle() {
                self.step(at, beat, Cell::passivate);
            } else {
                self.cells[at].used = beat.now;
            }
        }
    }

    /// Lets the least recently used idle cells leave while there are too many.
    fn evict(&mut self, beat: &Beat) {
        while self.cells.len() > self.place.cells_max {
            let idle = (0..self.cells.len()).filter(|at| self.cells[*at].cell.is_idle());
            let Some(at) = idle.min_by_key(|at| self.cells[*at].used) else { return };
            self.step(at, beat, Cell::passivate);
        }
    }

    fn tickets(&self) -> Vec<Ticket> {
        self.cells.iter().map(|resident| resident.ticket).collect()
    }

    /// Carries the outputs out, in the order of the real partition.
    fn ship(&mut self, desk: &mut Desk) {
        let Place { life, lane, .. } = self.place;
        for (write, ticket) in self.out.writes.drain(..) {
            let (key, expected, last) = M::span(&write);
            let entity = number_of(key);
            self.log.write(Note::Sent { life, entity, expected, last, ticket });
            M::submit(write, ticket, lane, desk);
        }
        for (read, ticket) in self.out.reads.drain(..) {
            desk.read(read, ticket, false);
        }
        for snapshot in self.out.snapshots.drain(..) {
            let entity = number_of(&snapshot.entity);
            let snapshot = Box::new(snapshot);
            self.log.write(Note::Taken { life, entity, snapshot: snapshot.clone() });
            desk.snapshots.push(*snapshot);
        }
        desk.bytes_staged += std::mem::take(&mut self.out.bytes_staged);
        desk.bytes_unstaged += std::mem::take(&mut self.out.bytes_unstaged);
        self.out.actions.drain(..).for_each(|action| action());
        self.out.settled.drain(..).for_each(|(job, verdict)| job.settle(verdict));
    }

    fn note_turn(&self, beat: &Beat) {
        let (life, Beat { now, wall, room, .. }) = (self.place.life, *beat);
        self.log.write(Note::Turn { life, now, wall, room });
    }
}

impl<M: Hosted> Hosting for Host<M> {
    fn send(&mut self, key: EntityKey, order: Order) {
        self.inbox.push_back((key, order));
    }

    fn leave_committed(&mut self, ticket: Ticket, result: Result<Committed, CommitError>) {
        self.committed.push_back((ticket, result));
    }

    fn leave_found(&mut self, ticket: Ticket, found: Result<Found, StoreError>) {
        self.found.push_back((ticket, found));
    }

    fn turn(&mut self, beat: &Beat, desk: &mut Desk) {
        self.note_turn(beat);
        self.take_committed(beat);
        self.take_found(beat, desk);
        self.take_commands(beat);
        if self.draining {
            for ticket in self.tickets() {
                let Some(at) = self.at(ticket) else { continue };
                self.step(at, beat, Cell::drain);
            }
        }
        self.flush_windows(beat);
        self.expire(beat);
        self.leave_idle(beat);
        self.evict(beat);
        for ticket in std::mem::take(&mut self.touched) {
            self.flush(ticket, beat);
        }
        self.ship(desk);
    }

    fn nudge(&mut self, nth: usize, beat: &Beat, desk: &mut Desk) {
        if self.cells.is_empty() {
            return;
        }
        self.note_turn(beat);
        let at = nth % self.cells.len();
        let ticket = self.cells[at].ticket;
        let turn = &mut turn(&self.context, &mut self.out, self.place, beat);
        let _ = self.cells[at].cell.expire(turn);
        self.flush(ticket, beat);
        self.ship(desk);
    }

    fn drain(&mut self) {
        self.draining = true;
    }

    fn abandon(&mut self, beat: &Beat, desk: &mut Desk) {
        self.note_turn(beat);
        for mut resident in std::mem::take(&mut self.cells) {
            let (life, entity) = (self.place.life, resident.entity);
            self.log.write(Note::Abandoned { life, entity });
            let turn = &mut turn(&self.context, &mut self.out, self.place, beat);
            resident.cell.abandon("the engine has lost its journal", turn);
        }
        for (_, order) in self.inbox.drain(..) {
            let job: Box<dyn Job<M::Entity>> = Box::new(SimJob::new(order, self.log.clone()));
            self.out.settle(job, Err(Failure::unavailable("the engine stops")));
        }
        self.ship(desk);
    }

    fn due(&self) -> Moment {
        let window = self.windows.front().map_or(Moment::NEVER, |(due, _)| *due);
        let inbox = self.inbox.iter().map(|(_, order)| order.deadline).min();
        let idle = self.context.settings.idle_timeout.and_then(|timeout| {
            self.cells.iter().map(|resident| resident.used.after(timeout)).min()
        });
        let dues = [inbox, idle].into_iter().flatten();
        dues.fold(window.min(self.next_deadline), Moment::min)
    }

    fn has_mail(&self) -> bool {
        !(self.inbox.is_empty() && self.committed.is_empty() && self.found.is_empty())
    }

    fn cells(&self) -> (usize, usize) {
        let idle = self.cells.iter().filter(|resident| resident.cell.is_idle()).count();
        (self.cells.len(), idle)
    }
}

fn turn<'a, M: Model>(
    kind: &'a KindContext<M::Entity>,
    out: &'a mut Outputs<M>,
    place: Place,
    beat: &Beat,
) -> Turn<'a, M> {
    let (Place { partition, lane, .. }, Beat { now, wall, room, .. }) = (place, *beat);
    Turn { now, wall, partition, lane, room, kind, out }
}

/// What a failed write means to the commands in it.
fn failure_of(error: CommitError) -> Failure {
    match error {
        CommitError::Conflict { actual } => Failure::Conflict { expected: 0, actual: actual.get() },
        CommitError::Store(error) => Failure::of_store(error),
    }
}
