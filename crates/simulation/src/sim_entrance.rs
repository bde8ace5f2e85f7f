use super::{Entrance, Log, Note, Order, SimAsk, SimJob, Tally};
use actum_host::{Bound, Failure, Load, Moment, partition::WAITS_SLACK};
use actum_model::EntityKey;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// Where commands for one kind of entity enter a partition, with what its inbox must count.
pub(crate) struct SimEntrance {
    entrance: Box<dyn Entrance>,
    commands_max: usize,
    /// The commands in the inbox, and their deadlines.
    inside: Vec<(u32, Moment)>,
    /// How many waits of its commands are in memory.
    waits: Arc<AtomicUsize>,
    pub(crate) tally: Arc<Tally>,
}

impl SimEntrance {
    pub(crate) fn new(entrance: Box<dyn Entrance>, commands_max: usize) -> Self {
        let (waits, tally) = Default::default();
        Self { entrance, commands_max, inside: Vec::new(), waits, tally }
    }

    pub(crate) fn entrance(&self) -> &dyn Entrance {
        &*self.entrance
    }

    /// How many commands its partition holds.
    pub(crate) fn held_by_partition(&self) -> usize {
        self.tally.held().saturating_sub(self.inside.len())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.inside.is_empty()
    }

    /// A command comes in, or is refused; says what is wrong with that.
    pub(crate) fn push(
        &mut self,
        key: EntityKey,
        order: Order,
        deadline: Moment,
        load: &Load,
        log: &Log,
    ) -> Option<String> {
        let nr = order.nr;
        // some callers do not wait
        let ask = (!nr.is_multiple_of(4))
            .then(|| Arc::new(SimAsk::new(nr, deadline, log.clone(), self.waits.clone())));
        let job = SimJob::new(order, deadline, ask, log.clone(), self.tally.clone());
        let (in_engine, answered) = (load.commands(), self.tally.answered());
        let full = match self.entrance.push(key, job) {
            Ok(()) => {
                self.inside.push((nr, deadline));
                return (self.inside.len() > self.commands_max)
                    .then(|| format!("{nr}: taken into an inbox that is full"));
            }
            Err(Failure::Overloaded { bound: Bound::PartitionCommands }) => {
                self.inside.len() >= self.commands_max
            }
            Err(Failure::Overloaded { bound }) => {
                bound == Bound::EngineCommands && load.has_too_many_commands(in_engine)
            }
            Err(_) => true, // it is closed, as the ledger knows
        };
        self.tally.answered_outside(self.tally.answered() - answered);
        (!full).then(|| format!("{nr}: refused for a bound that is not reached, {in_engine}"))
    }

    /// The partition takes all that is inside.
    pub(crate) fn taken(&mut self, log: &Log) {
        self.inside.drain(..).for_each(|(nr, _)| log.write(Note::Reached { nr }));
    }

    /// Answers late commands, as is done while the partition is down.
    pub(crate) fn expire(&mut self, now: Moment) {
        let before = self.tally.answered();
        self.entrance.inbox().expire(now);
        self.inside.retain(|(_, deadline)| *deadline > now);
        self.tally.answered_outside(self.tally.answered() - before);
    }

    /// Refuses what comes, and what is inside if no partition will take it.
    pub(crate) fn close(&mut self, failure: &Failure) {
        self.entrance.inbox().close(failure.clone());
    }

    pub(crate) fn clear(&mut self) {
        let before = self.tally.answered();
        self.entrance.inbox().clear();
        self.inside.clear();
        self.tally.answered_outside(self.tally.answered() - before);
    }

    /// Says what is wrong with the waits that the inbox notes: besides those of the commands inside and of those the
    /// partition holds there are few.
    pub(crate) fn check_waits(&self) -> Option<String> {
        let (held, unanswered) = (self.tally.held(), self.held_by_partition());
        let waits = self.waits.load(Relaxed);
        let max = held + 2 * unanswered + WAITS_SLACK;
        (waits > max).then(|| format!("{waits} waits are noted of {held} commands"))
    }

    /// Says what is wrong with the waits after the partition has gone.
    pub(crate) fn check_no_waits(&self) -> Option<String> {
        let (waits, inside) = (self.waits.load(Relaxed), self.inside.len());
        (waits > inside).then(|| format!("{waits} waits are noted of no partition"))
    }
}
