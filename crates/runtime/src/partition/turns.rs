use super::{Beat, Door, HostedKind, door::Mail};
use crate::{cell::Moment, clock::Clock, journal::Journal, load::Load};
use std::{sync::Arc, time::Duration};

/// Sweeps look at everything that is due by then, and come no closer together than this.
const SWEEP_INTERVAL_MIN: Duration = Duration::from_millis(1);

/// The cells of a partition and the turns they take together.
pub(crate) struct Partition {
    door: Arc<Door>,
    journal: Arc<Journal>,
    load: Arc<Load>,
    clock: Clock,
    kinds: Vec<Box<dyn HostedKind>>,
    mail: Mail,
    sweep_at: Moment,
    draining: bool,
}

impl Partition {
    pub(crate) fn new(
        door: Arc<Door>,
        journal: Arc<Journal>,
        load: Arc<Load>,
        clock: Clock,
        kinds: Vec<Box<dyn HostedKind>>,
    ) -> Self {
        Self {
            door,
            journal,
            load,
            clock,
            kinds,
            mail: Mail::default(),
            sweep_at: Moment::NEVER,
            draining: false,
        }
    }

    /// Takes everything that was left at the door and steps the cells with it.
    pub(crate) fn turn(&mut self) {
        self.door.answer();
        let (journal, now) = (Arc::clone(&self.journal), self.clock.now());
        let beat = self.beat(&journal, now);
        self.door.take_mail(&mut self.mail);
        for (ticket, result) in self.mail.committed.drain(..) {
            self.kinds[usize::from(ticket.kind)].committed(ticket, result, &beat);
        }
        for (ticket, found) in self.mail.found.drain(..) {
            self.kinds[usize::from(ticket.kind)].found(ticket, found, &beat);
        }
        for kind in &mut self.kinds {
            kind.commands(&beat);
        }
        if self.draining {
            self.kinds.iter_mut().for_each(|kind| kind.drain(&beat));
        }
        if now >= self.sweep_at {
            self.kinds.iter_mut().for_each(|kind| kind.sweep(&beat));
        }
        self.evict(&beat);
        self.finish(&beat);
    }

    /// From now on lets every cell leave once it has nothing under way.
    pub(crate) fn drain(&mut self) {
        self.draining = true;
        self.turn();
    }

    /// Whether nothing is under way and nobody waits.
    pub(crate) fn is_drained(&self) -> bool {
        self.draining && self.kinds.iter().all(|kind| kind.live() == 0 && kind.unanswered() == 0)
    }

    /// Fails everything that waits; says how many commands that were.
    pub(crate) fn abandon(&mut self, reason: &'static str) -> usize {
        let (journal, now) = (Arc::clone(&self.journal), self.clock.now());
        let beat = self.beat(&journal, now);
        let unanswered = self.kinds.iter().map(|kind| kind.unanswered()).sum();
        self.kinds.iter_mut().for_each(|kind| kind.abandon(reason, &beat));
        self.finish(&beat);
        unanswered
    }

    fn beat<'a>(&self, journal: &'a Journal, now: Moment) -> Beat<'a> {
        Beat {
            now,
            wall: self.clock.wall(),
            partition: self.door.partition,
            lane: self.door.lane,
            room: self.load.room(journal.queued_bytes()),
            journal,
        }
    }

    /// Lets the least recently used entities leave while the engine holds too many.
    fn evict(&mut self, beat: &Beat<'_>) {
        while self.load.has_too_many_entities() {
            let coldest = self.kinds.iter_mut().filter(|kind| kind.oldest_use().is_some());
            let Some(kind) = coldest.min_by_key(|kind| kind.oldest_use()) else { return };
            if !kind.evict(beat) {
                return; // all at work: the next turn tries again
            }
        }
    }

    fn finish(&mut self, beat: &Beat<'_>) {
        let due =
            self.kinds.iter_mut().map(|kind| kind.finish(beat)).min().unwrap_or(Moment::NEVER);
        // a sweep looks at everything that is due within a moment: not more often than that
        self.sweep_at = due.max(beat.now.after(SWEEP_INTERVAL_MIN));
        self.door.set_due(self.sweep_at);
    }
}
