use super::Operation;
use std::collections::BTreeMap;

/// What has gone through a [`FaultStore`](super::FaultStore).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    calls: BTreeMap<Operation, u64>,
    /// Appends of an entity that were asked for; one call of `append` carries many.
    pub entity_appends: u64,
    /// Events that were asked to be stored.
    pub events: u64,
    /// Events in appends whose caller got the answer that they are stored, by `append` or by `resolve`.
    pub events_confirmed: u64,
    /// The most events in one call of `append`.
    pub events_at_once_max: usize,
    /// The most calls of `append` that were under way at once in one lane.
    pub appends_at_once_max: usize,
    /// Writes of a durable state that were asked for.
    pub state_writes: u64,
    /// Entities that were asked for, by `recover`, `read_entities` and the `load` of durable states.
    pub entities_read: u64,
    /// Events that were handed out, to entities and to consumers.
    pub events_read: u64,
    /// Snapshots that were asked to be saved.
    pub snapshots: u64,
    /// Faults that happened: scripted ones, standing ones and those of chance. Delays are not counted.
    pub faults: u64,
}

impl Counts {
    /// How often `operation` was called, whatever came of it.
    #[must_use]
    pub fn calls(&self, operation: Operation) -> u64 {
        self.calls.get(&operation).copied().unwrap_or(0)
    }

    /// How many calls there were, of whatever operation.
    #[must_use]
    pub fn all_calls(&self) -> u64 {
        self.calls.values().sum()
    }

    pub(super) fn count_call(&mut self, operation: Operation) {
        *self.calls.entry(operation).or_default() += 1;
    }
}
