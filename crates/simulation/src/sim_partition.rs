use super::{Desk, Log, Note, NoteTaker, Order, Seat, SimCap, SimEntrance, SimShell, Tally};
use actum_host::{
    Failure, Load, Moment,
    cell::{GivenUp, Ticket},
    partition::{CapKeeper, Found, HostedKind, Mail, PartitionHost, Turned},
};
use actum_model::{EntityKey, Lane, Partition, Timestamp};
use actum_persistence::{
    group_commit::{CommitError, Committed},
    store::StoreError,
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
};

/// A real partition of a process, and what is on its way to it.
pub(crate) struct SimPartition {
    nr: Partition,
    lane: Lane,
    /// None while it is down.
    partition: Option<PartitionHost>,
    /// By kind.
    entrances: Vec<SimEntrance>,
    /// Commands that have not come to an inbox, and for which kind they are.
    queued: VecDeque<(usize, EntityKey, Order)>,
    committed: VecDeque<(Ticket, Result<Committed, CommitError>)>,
    pub(crate) found: VecDeque<(Ticket, Result<Found, StoreError>)>,
    mail: Mail<()>,
    generations: Cell<u32>,
    /// Writes that were sent and are not settled, in former lives too.
    unsettled: Cell<usize>,
    /// When it wants its next turn at the latest, in the time of the world.
    due: Moment,
    is_draining: bool,
    /// Whether it has taken a turn in this life.
    has_turned: bool,
    /// What was found wrong.
    pub(crate) misuses: Vec<String>,
}

/// What is around a partition.
pub(crate) struct Around<'a> {
    pub(crate) life: u32,
    pub(crate) desk: &'a RefCell<Desk>,
    pub(crate) note_taker: &'a NoteTaker,
    pub(crate) log: &'a Log,
    pub(crate) load: &'a Load,
    pub(crate) keeper: &'a CapKeeper,
    pub(crate) seats: &'a [Seat],
    pub(crate) terms: TurnTerms,
}

/// What one turn is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TurnTerms {
    /// The time of the world.
    pub(crate) now: Moment,
    /// By how much the monotonic clock of the process is ahead of it, in microseconds.
    pub(crate) ahead: u64,
    pub(crate) wall: Timestamp,
    pub(crate) room: usize,
    /// Whether commands that are taken are refused.
    pub(crate) refuses: bool,
    /// How much of everything that is on its way arrives before.
    pub(crate) take: usize,
}

impl TurnTerms {
    /// A moment of the world, by the clock of the process.
    pub(crate) fn own(&self, moment: Moment) -> Moment {
        if moment == Moment::NEVER {
            return moment;
        }
        Moment::from_micros(moment.as_micros().saturating_add(self.ahead))
    }

    /// A moment by the clock of the process, in the time of the world.
    fn of_world(&self, moment: Moment) -> Moment {
        if moment == Moment::NEVER {
            return moment;
        }
        Moment::from_micros(moment.as_micros().saturating_sub(self.ahead))
    }
}

impl SimPartition {
    pub(crate) fn new(nr: Partition, lane: Lane, entrances: Vec<SimEntrance>) -> Self {
        let mut new = Self {
            nr,
            lane,
            partition: None,
            entrances,
            queued: VecDeque::new(),
            committed: VecDeque::new(),
            found: VecDeque::new(),
            mail: Mail::default(),
            generations: Cell::new(0),
            unsettled: Cell::new(0),
            due: Moment::NEVER,
            is_draining: false,
            has_turned: false,
            misuses: Vec::new(),
        };
        new.start();
        new
    }

    pub(crate) fn send(&mut self, kind: usize, key: EntityKey, order: Order) {
        self.queued.push_back((kind, key, order));
    }

    /// Whether something is on its way to it, or waits in it.
    pub(crate) fn has_mail(&self) -> bool {
        let Self { queued, committed, found, entrances, .. } = self;
        let is_empty = queued.is_empty() && committed.is_empty() && found.is_empty();
        !(is_empty && entrances.iter().all(SimEntrance::is_empty))
    }

    pub(crate) fn is_down(&self) -> bool {
        self.partition.is_none()
    }

    /// When it must take a turn at the latest: what has arrived by its deadline is late.
    pub(crate) fn due(&self) -> Moment {
        let queued = self.queued.iter().map(|(_, _, order)| order.deadline).min();
        queued.unwrap_or(Moment::NEVER).min(self.due)
    }

    pub(crate) fn tallies(&self) -> impl Iterator<Item = &Tally> {
        self.entrances.iter().map(|entrance| &*entrance.tally)
    }

    /// Some of what is on its way arrives, and it takes a turn with it.
    pub(crate) fn turn(&mut self, around: &Around<'_>) {
        around.note_turn();
        self.arrive(around);
        let Some(partition) = &mut self.partition else { return };
        for _ in 0..around.terms.take {
            let Some(settled) = self.committed.pop_front() else { break };
            self.mail.committed.push(settled);
        }
        for _ in 0..around.terms.take {
            let Some((ticket, found)) = self.found.pop_front() else { break };
            self.mail.found.push((ticket, found, ()));
        }
        self.entrances.iter_mut().for_each(|entrance| entrance.taken(around.log));
        let shell = around.shell(&self.generations, &self.unsettled);
        let (keeper, seats, mine) = (around.keeper, around.seats, self.nr.index());
        let cap = SimCap { keeper, seats, mine, shell: &shell };
        let turned = partition.turn(&mut self.mail, &shell, &cap);
        self.turned(turned, around);
        let waits = self.entrances.iter().filter_map(SimEntrance::check_waits);
        self.misuses.extend(waits);
    }

    /// Some of the commands that are on their way come to the inboxes.
    fn arrive(&mut self, around: &Around<'_>) {
        for _ in 0..around.terms.take {
            let Some((kind, key, order)) = self.queued.pop_front() else { return };
            let deadline = around.terms.own(order.deadline);
            let wrong = self.entrances[kind].push(key, order, deadline, around.load, around.log);
            self.misuses.extend(wrong);
        }
    }

    fn turned(&mut self, turned: Turned, around: &Around<'_>) {
        self.has_turned = true;
        self.due = around.terms.of_world(turned.due);
        around.seats[self.nr.index()].set_oldest_use(turned.oldest_use);
    }

    /// A write of it is settled.
    pub(crate) fn settled(&mut self, ticket: Ticket, result: Result<Committed, CommitError>) {
        self.unsettled.set(self.unsettled.get() - 1);
        self.committed.push_back((ticket, result));
    }

    /// Whether what it has sent is not settled: then it must not begin another life.
    pub(crate) fn has_unsettled(&self) -> bool {
        self.unsettled.get() > 0
    }

    /// It begins a life, with empty cells and what waits in its inboxes.
    pub(crate) fn start(&mut self) {
        let kinds = self.entrances.iter().enumerate().map(|(nr, entrance)| {
            entrance.entrance().host(u16::try_from(nr).expect("there are few kinds"))
        });
        let kinds: Vec<Box<dyn HostedKind>> = kinds.collect();
        let mut partition = PartitionHost::new(self.nr, self.lane, kinds);
        if self.is_draining {
            partition.drain();
        }
        self.partition = Some(partition);
        (self.has_turned, self.due) = (false, Moment::default()); // it looks at once
    }

    /// Its life ends in the middle of whatever it does; what waits in its inboxes stays.
    pub(crate) fn fail(&mut self) {
        self.partition = None;
        self.due = Moment::NEVER;
        let waits = self.entrances.iter().filter_map(SimEntrance::check_no_waits);
        self.misuses.extend(waits);
    }

    /// Answers late commands while it is down.
    pub(crate) fn expire(&mut self, now: Moment) {
        self.entrances.iter_mut().for_each(|entrance| entrance.expire(now));
    }

    /// Ends late waits from outside, as a watchdog does while a handler is stuck.
    pub(crate) fn end_late(&mut self, now: Moment) {
        self.entrances.iter().for_each(|entrance| entrance.entrance().inbox().end_late(now));
    }

    /// Takes no command any more, and lets every cell leave.
    pub(crate) fn drain(&mut self, around: &Around<'_>) {
        self.close(around, &Failure::unavailable("the engine stops"));
        self.is_draining = true;
        if let Some(partition) = &mut self.partition {
            partition.drain();
        }
        self.has_turned = false;
    }

    /// Whether it says that no caller waits and nothing is under way.
    pub(crate) fn is_drained(&self) -> bool {
        // before its first turn it has not looked at what waits
        self.has_turned && self.partition.as_ref().is_some_and(PartitionHost::is_drained)
    }

    /// Fails everything.
    pub(crate) fn abandon(&mut self, around: &Around<'_>) {
        const REASON: &str = "the engine has lost its journal";
        around.note_turn();
        self.close(around, &Failure::unavailable(REASON));
        if let Some(partition) = &mut self.partition {
            let shell = around.shell(&self.generations, &self.unsettled);
            let held: usize = self.entrances.iter().map(SimEntrance::held_by_partition).sum();
            let (unanswered, turned) = partition.abandon(&GivenUp::because(REASON), &shell);
            if unanswered != held {
                let what = format!("{unanswered} commands are said to be abandoned, not {held}");
                self.misuses.push(what);
            }
            self.turned(turned, around);
        }
        self.entrances.iter_mut().for_each(SimEntrance::clear);
    }

    fn close(&mut self, around: &Around<'_>, failure: &Failure) {
        self.entrances.iter_mut().for_each(|entrance| entrance.close(failure));
        let all = Around { terms: TurnTerms { take: usize::MAX, ..around.terms }, ..*around };
        self.arrive(&all);
    }
}

impl<'a> Around<'a> {
    fn note_turn(&self) {
        let (life, TurnTerms { now, wall, room, refuses, .. }) = (self.life, self.terms);
        self.log.write(Note::Turn { life, now, wall, room, refuses });
    }

    fn shell(&self, generations: &'a Cell<u32>, unsettled: &'a Cell<usize>) -> SimShell<'a> {
        let Self { life, desk, note_taker, log, terms, .. } = *self;
        let TurnTerms { now, wall, room, refuses, .. } = terms;
        let (now, takes) = (terms.own(now), Cell::new(true));
        SimShell {
            now,
            wall,
            room,
            refuses,
            generations,
            unsettled,
            desk,
            note_taker,
            log,
            life,
            takes,
        }
    }
}
