use crate::{bench::Bench, measurement::Measurement, medium::Medium, name::Name, round::Round};
use anyhow::{Context, Result};

/// One row: how it is measured, and what it is held against.
pub(crate) struct Case {
    pub(crate) name: Name,
    pub(crate) unit: Unit,
    pub(crate) beside: Vec<Beside>,
    /// The aim of a row that stands for itself.
    pub(crate) at_most: Option<f64>,
    /// The aim of what half of the callers wait at most, in microseconds.
    pub(crate) p50_at_most: Option<f64>,
    /// The aim of what 99 of 100 callers wait at most, in microseconds.
    pub(crate) p99_at_most: Option<f64>,
    pub(crate) measure: Measure,
}

pub(crate) type Measure = Box<dyn Fn(&Bench, &Round) -> Result<Measurement>>;

/// A limit, and which part or multiple of it is the aim.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beside {
    pub(crate) limit: Name,
    pub(crate) at_least: Option<f64>,
    /// Whether the aim is a part of what is left when the processor time is taken off that the row uses more.
    pub(crate) of_cpu: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    PerSecond,
    Allocations,
    Bytes,
    /// Of calls of the store: one or two statements each.
    Queries,
}

impl Case {
    pub(crate) fn new(
        name: Name,
        measure: impl Fn(&Bench, &Round) -> Result<Measurement> + 'static,
    ) -> Self {
        let measure = Box::new(measure);
        Self {
            name,
            unit: Unit::PerSecond,
            beside: Vec::new(),
            at_most: None,
            p50_at_most: None,
            p99_at_most: None,
            measure,
        }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.name.medium, Some(Medium::Postgres { .. }))
    }

    pub(crate) fn in_unit(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    pub(crate) fn beside(mut self, limit: Name, at_least: Option<f64>) -> Self {
        self.beside.push(Beside { limit, at_least, of_cpu: false });
        self
    }

    /// The aim is a part of what the limit has when both use as much processor time for one.
    pub(crate) fn beside_of_cpu(mut self, limit: Name, at_least: f64) -> Self {
        self.beside.push(Beside { limit, at_least: Some(at_least), of_cpu: true });
        self
    }

    pub(crate) fn at_most(self, aim: f64) -> Self {
        Self { at_most: Some(aim), ..self }
    }

    pub(crate) fn p50_at_most(self, aim: Option<f64>) -> Self {
        Self { p50_at_most: aim, ..self }
    }

    pub(crate) fn p99_at_most(self, aim: Option<f64>) -> Self {
        Self { p99_at_most: aim, ..self }
    }
}

impl Unit {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::Allocations => "allocations",
            Self::Bytes => "bytes",
            Self::Queries => "queries/s",
        }
    }
}

/// Measures all of `cases` once, in their order.
pub(crate) fn measure(
    cases: &[Case],
    bench: &Bench,
    mut announce: impl FnMut(&Name),
) -> Result<Round> {
    let mut round = Round::default();
    for case in cases {
        announce(&case.name);
        let measured =
            (case.measure)(bench, &round).with_context(|| format!("measuring `{}`", case.name))?;
        round.record(case.name, measured);
    }
    Ok(round)
}
