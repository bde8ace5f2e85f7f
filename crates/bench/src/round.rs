use crate::{measurement::Measurement, name::Name};
use std::collections::HashMap;

/// What was measured in one round so far.
#[derive(Debug, Default)]
pub(crate) struct Round {
    measured: HashMap<Name, Measurement>,
}

impl Round {
    pub(crate) fn record(&mut self, name: Name, measured: Measurement) {
        self.measured.insert(name, measured);
    }

    pub(crate) fn find(&self, name: &Name) -> Option<&Measurement> {
        self.measured.get(name)
    }

    /// How many events the transactions of a row had on average.
    pub(crate) fn batch_of(&self, name: &Name) -> Option<usize> {
        let batch = self.find(name)?.batch?;
        Some((batch.round() as usize).max(1))
    }
}
