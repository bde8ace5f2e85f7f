use super::{Counts, Fault, Operation, Rates, fault::Act};
use actum_model::Lane;
use actum_persistence::store::{AppendBatch, Incarnation, StateBatch};
use fastrand::Rng;
use std::collections::{HashMap, VecDeque};

/// What is to go wrong, what has gone through, and what is still under way.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) next: HashMap<Operation, VecDeque<Fault>>,
    pub(super) standing: HashMap<Operation, Fault>,
    pub(super) chance: Option<(Rng, Rates)>,
    pub(super) counts: Counts,
    pub(super) under_way: HashMap<Lane, usize>,
    /// Writes that commit when they are resolved.
    pub(super) late_appends: Vec<AppendBatch>,
    pub(super) late_states: Vec<StateBatch>,
    pub(super) foreign_writer: ForeignWriter,
}

/// Another writer of the journal.
#[derive(Debug, Default)]
pub(super) struct ForeignWriter {
    pub(super) incarnation: Option<Incarnation>,
    pub(super) writes: u64,
}

impl Script {
    /// Counts a call and says what is to happen in it.
    pub(super) fn begin(&mut self, operation: Operation) -> Fault {
        self.counts.count_call(operation);
        let fault = self.decide(operation);
        if !matches!(fault.act, Act::Work) {
            self.counts.faults += 1;
        }
        fault
    }

    fn decide(&mut self, operation: Operation) -> Fault {
        if let Some(fault) = self.next.get_mut(&operation).and_then(VecDeque::pop_front) {
            return fault;
        }
        if let Some(fault) = self.standing.get(&operation) {
            return fault.clone();
        }
        match &mut self.chance {
            Some((rng, rates)) => rates.draw(operation, rng),
            None => Fault::none(),
        }
    }

    /// Takes back a fault that found nothing to damage: one that was scripted waits for the next call.
    pub(super) fn put_back(&mut self, operation: Operation, fault: Fault) {
        self.counts.faults -= 1;
        if fault.scripted {
            self.next.entry(operation).or_default().push_front(fault);
        }
    }
}
