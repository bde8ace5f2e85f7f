use super::{Cap, Found, HostedKind, NextToLeave, Shell, TurnContext, hosted_kind::Finished};
use crate::{
    Moment, TurnSummary,
    cell::{GivenUp, Ticket},
};
use actum_model::{Lane, Partition};
use actum_persistence::{
    group_commit::{CommitError, Committed},
    store::StoreError,
};
use std::time::Duration;

/// Sweeps cover everything that is due by then, and come no closer together than this.
pub const SWEEP_INTERVAL_MIN: Duration = Duration::from_millis(1);

/// The cells of a partition and the turns they take together.
pub struct PartitionHost {
    partition: Partition,
    lane: Lane,
    kinds: Vec<Box<dyn HostedKind>>,
    swept_at: Moment,
    sweep_at: Moment,
    draining: bool,
}

/// Results of reads and writes. What a read brought comes with `H`, which is dropped when it was taken in.
pub struct Mail<H> {
    pub committed: Vec<(Ticket, Result<Committed, CommitError>)>,
    pub found: Vec<(Ticket, Result<Found, StoreError>, H)>,
}

/// What a partition reports at the end of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turned {
    /// When it wants its next turn at the latest.
    pub due: Moment,
    /// When the least recently used of its cells was used; never, without cells.
    pub oldest_use: Moment,
    /// Whether the turn woke tasks.
    pub woke: bool,
}

impl<H> Default for Mail<H> {
    fn default() -> Self {
        Self { committed: Vec::new(), found: Vec::new() }
    }
}

impl PartitionHost {
    /// A partition without cells. Tickets name its kinds by their places.
    pub fn new(partition: Partition, lane: Lane, kinds: Vec<Box<dyn HostedKind>>) -> Self {
        let (swept_at, sweep_at) = (Moment::default(), Moment::NEVER);
        Self { partition, lane, kinds, swept_at, sweep_at, draining: false }
    }

    /// Takes the mail and whatever waits in the inboxes, and steps the cells with it.
    pub fn turn<H>(&mut self, mail: &mut Mail<H>, shell: &dyn Shell, cap: &dyn Cap) -> Turned {
        let mut ctx = self.context(shell);
        let began = ctx.now;
        for (ticket, result) in mail.committed.drain(..) {
            self.kinds[usize::from(ticket.kind)].committed(ticket, result, &ctx);
        }
        for (ticket, found, held) in mail.found.drain(..) {
            self.kinds[usize::from(ticket.kind)].found(ticket, found, &ctx);
            drop(held);
        }
        let mut commands = 0;
        for kind in &mut self.kinds {
            commands += kind.commands(&mut ctx);
        }
        if self.draining {
            self.kinds.iter_mut().for_each(|kind| kind.drain(&ctx));
        }
        if ctx.now >= self.sweep_at {
            self.kinds.iter_mut().for_each(|kind| kind.sweep(&ctx));
            self.swept_at = ctx.now;
        }
        self.keep_cap(cap, &ctx);
        let turned = self.finish(&ctx);
        ctx.observe(|observer| {
            let took = ctx.now.since(began);
            observer.turn_ended(self.partition, TurnSummary { commands, took });
        });
        turned
    }

    /// From the next turn on lets every cell leave once it has nothing under way.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Whether nothing is under way and no caller waits.
    pub fn is_drained(&self) -> bool {
        self.draining && self.kinds.iter().all(|kind| kind.live() == 0 && kind.unanswered() == 0)
    }

    /// Fails everything that waits; says how many commands that were.
    pub fn abandon(&mut self, why: &GivenUp, shell: &dyn Shell) -> (usize, Turned) {
        let ctx = self.context(shell);
        let unanswered = self.kinds.iter().map(|kind| kind.unanswered()).sum();
        self.kinds.iter_mut().for_each(|kind| kind.abandon(why, &ctx));
        (unanswered, self.finish(&ctx))
    }

    fn context<'a>(&self, shell: &'a dyn Shell) -> TurnContext<'a> {
        let (partition, lane) = (self.partition, self.lane);
        let (now, wall, room) = (shell.now(), shell.wall(), shell.room());
        TurnContext { now, wall, partition, lane, room, shell, observer: shell.observer() }
    }

    /// Lets the least recently used entities leave while the engine holds too many, those of other partitions included.
    fn keep_cap(&mut self, cap: &dyn Cap, ctx: &TurnContext<'_>) {
        if !cap.is_mine() {
            return;
        }
        loop {
            match cap.next(self.oldest_use()) {
                NextToLeave::Mine if self.leave_oldest(ctx) => {}
                NextToLeave::Mine => return cap.end(), // all at work: they take turns when they are done
                NextToLeave::NotMine => return,
            }
        }
    }

    fn leave_oldest(&mut self, ctx: &TurnContext<'_>) -> bool {
        let kinds = self.kinds.iter_mut().filter(|kind| kind.oldest_use() != Moment::NEVER);
        kinds.min_by_key(|kind| kind.oldest_use()).is_some_and(|kind| kind.leave_oldest(ctx))
    }

    fn oldest_use(&self) -> Moment {
        self.kinds.iter().map(|kind| kind.oldest_use()).min().unwrap_or(Moment::NEVER)
    }

    fn finish(&mut self, ctx: &TurnContext<'_>) -> Turned {
        let (mut due, mut any_woke) = (Moment::NEVER, false);
        for kind in &mut self.kinds {
            let Finished { due: next, woke } = kind.finish(ctx);
            due = due.min(next);
            any_woke |= woke;
        }
        self.sweep_at = due.max(self.swept_at.after(SWEEP_INTERVAL_MIN));
        Turned { due: self.sweep_at, oldest_use: self.oldest_use(), woke: any_woke }
    }
}
