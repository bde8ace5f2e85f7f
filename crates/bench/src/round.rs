use crate::{
    bench::Bench,
    case::{Case, Name},
    measurement::Measurement,
};
use anyhow::{Context, Result};
use std::collections::HashMap;

/// What was measured in one round so far.
#[derive(Debug, Default)]
pub(crate) struct Round {
    measured: HashMap<Name, Measurement>,
}

impl Round {
    /// Measures all of `cases` once, in their order.
    pub(crate) fn run(
        cases: &[Case],
        bench: &Bench,
        mut announce: impl FnMut(&Name),
    ) -> Result<Self> {
        let mut round = Self::default();
        for case in cases {
            announce(&case.name);
            let measured = (case.measure)(bench, &round)
                .with_context(|| format!("measuring `{}`", case.name))?;
            round.measured.insert(case.name, measured);
        }
        Ok(round)
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
