use super::{Beat, Door, EntityCap, HostedKind, door::Mail, entity_cap::Next, hosted::Finished};
use crate::{cell::Moment, clock::Clock, journal::Journal, load::Load, writer_lease::Term};
use std::{sync::Arc, time::Duration};

/// Sweeps look at everything that is due by then, and come no closer together than this.
const SWEEP_INTERVAL_MIN: Duration = Duration::from_millis(1);

/// The cells of a partition and the turns they take together.
pub(crate) struct Partition {
    door: Arc<Door>,
    journal: Arc<Journal>,
    load: Arc<Load>,
    cap: Arc<EntityCap>,
    term: Arc<Term>,
    clock: Clock,
    kinds: Vec<Box<dyn HostedKind>>,
    mail: Mail,
    swept_at: Moment,
    sweep_at: Moment,
    draining: bool,
}

impl Partition {
    pub(crate) fn new(
        door: Arc<Door>,
        journal: Arc<Journal>,
        load: Arc<Load>,
        cap: Arc<EntityCap>,
        term: Arc<Term>,
        clock: Clock,
        kinds: Vec<Box<dyn HostedKind>>,
    ) -> Self {
        cap.end(); // the former life may have failed in the middle of one
        Self {
            door,
            journal,
            load,
            cap,
            term,
            clock,
            kinds,
            mail: Mail::default(),
            swept_at: Moment::default(),
            sweep_at: Moment::NEVER,
            draining: false,
        }
    }

    /// Takes everything that was left at the door and steps the cells with it. Says whether it woke tasks by that.
    pub(crate) fn turn(&mut self) -> bool {
        self.door.answer();
        let (journal, now) = (Arc::clone(&self.journal), self.clock.now());
        let mut beat = self.beat(&journal, now);
        self.door.take_mail(&mut self.mail);
        for (ticket, result) in self.mail.committed.drain(..) {
            self.kinds[usize::from(ticket.kind)].committed(ticket, result, &beat);
        }
        for (ticket, found, held) in self.mail.found.drain(..) {
            self.kinds[usize::from(ticket.kind)].found(ticket, found, &beat);
            drop(held);
        }
        for kind in &mut self.kinds {
            kind.commands(&self.term, &mut beat);
        }
        if self.draining {
            self.kinds.iter_mut().for_each(|kind| kind.drain(&beat));
        }
        if beat.now >= self.sweep_at {
            self.kinds.iter_mut().for_each(|kind| kind.sweep(&beat));
            self.swept_at = beat.now;
        }
        self.keep_cap(&beat);
        let woke = self.finish(&beat);
        self.door.end_turn();
        woke
    }

    /// Whether something was left meanwhile, so that the next turn follows at once.
    pub(crate) fn is_awake(&self) -> bool {
        self.door.is_awake()
    }

    /// From now on lets every cell leave once it has nothing under way. Says whether it woke tasks.
    pub(crate) fn drain(&mut self) -> bool {
        self.draining = true;
        self.turn()
    }

    /// Whether nothing is under way and nobody waits.
    pub(crate) fn is_drained(&self) -> bool {
        self.draining && self.kinds.iter().all(|kind| kind.live() == 0 && kind.unanswered() == 0)
    }

    /// Fails everything that waits; says how many commands that were.
    pub(crate) fn abandon(&mut self, reason: &'static str) -> usize {
        self.door.begin_turn();
        let (journal, now) = (Arc::clone(&self.journal), self.clock.now());
        let beat = self.beat(&journal, now);
        let unanswered = self.kinds.iter().map(|kind| kind.unanswered()).sum();
        self.kinds.iter_mut().for_each(|kind| kind.abandon(reason, &beat));
        self.finish(&beat);
        self.door.end_turn();
        unanswered
    }

    fn beat<'a>(&self, journal: &'a Journal, now: Moment) -> Beat<'a> {
        Beat {
            now,
            clock: self.clock,
            wall: self.clock.wall(),
            partition: self.door.partition,
            lane: self.door.lane,
            room: self.load.room(journal.queued_bytes()),
            journal,
        }
    }

    /// Lets the least recently used entities leave while the engine holds too many, those of other partitions included.
    fn keep_cap(&mut self, beat: &Beat<'_>) {
        if !self.cap.is_mine(&self.door) {
            return;
        }
        loop {
            self.door.set_oldest_use(self.oldest_use());
            match self.cap.next(&self.door) {
                Next::Mine if self.passivate_oldest(beat) => {}
                Next::Mine => return self.cap.end(), // all at work: they take turns when they are done
                Next::NotMine => return,
            }
        }
    }

    fn passivate_oldest(&mut self, beat: &Beat<'_>) -> bool {
        let kinds = self.kinds.iter_mut().filter(|kind| kind.oldest_use() != Moment::NEVER);
        kinds.min_by_key(|kind| kind.oldest_use()).is_some_and(|kind| kind.passivate_oldest(beat))
    }

    /// When the least recently used cell was used; never, without cells.
    fn oldest_use(&self) -> Moment {
        self.kinds.iter().map(|kind| kind.oldest_use()).min().unwrap_or(Moment::NEVER)
    }

    fn finish(&mut self, beat: &Beat<'_>) -> bool {
        let (mut due, mut any_woke) = (Moment::NEVER, false);
        for kind in &mut self.kinds {
            let Finished { due: next, woke } = kind.finish(beat);
            due = due.min(next);
            any_woke |= woke;
        }
        self.sweep_at = due.max(self.swept_at.after(SWEEP_INTERVAL_MIN));
        self.door.set_due(self.sweep_at);
        self.door.set_oldest_use(self.oldest_use());
        any_woke
    }
}
