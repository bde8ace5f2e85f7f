//! From rounds to rows: medians, and whether aims are met.

use crate::{
    case::{Beside, Case, Unit},
    measurement::{Latency, Measurement, median},
    name::Name,
    round::Round,
};

/// A row of the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: Name,
    pub(crate) unit: Unit,
    pub(crate) value: f64,
    /// The value of each round.
    pub(crate) rounds: Vec<f64>,
    pub(crate) latency: Option<Latency>,
    pub(crate) cpu_micros: Option<f64>,
    pub(crate) batch: Option<f64>,
    pub(crate) beside: Vec<Held>,
    pub(crate) at_most: Option<f64>,
    pub(crate) p50_at_most: Option<f64>,
    pub(crate) p99_at_most: Option<f64>,
}

/// A row against one of its limits.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) limit: Name,
    pub(crate) value: f64,
    /// The median of the ratios of the rounds.
    pub(crate) ratio: f64,
    /// The ratio of processor times for one, as much as the row is better when it is larger.
    pub(crate) cpu_ratio: Option<f64>,
    pub(crate) at_least: Option<f64>,
    pub(crate) of_cpu: bool,
}

pub(crate) fn rows(cases: &[Case], rounds: &[Round]) -> Vec<Row> {
    cases.iter().filter_map(|case| row(case, rounds)).collect()
}

fn row(case: &Case, rounds: &[Round]) -> Option<Row> {
    let measured: Vec<&Measurement> =
        rounds.iter().filter_map(|round| round.find(&case.name)).collect();
    let each = |of: fn(&Measurement) -> Option<f64>| {
        median(measured.iter().filter_map(|measured| of(measured)))
    };
    let p50 = each(|measured| Some(measured.latency?.p50));
    let p99 = each(|measured| Some(measured.latency?.p99));
    Some(Row {
        name: case.name,
        unit: case.unit,
        value: each(|measured| Some(measured.value))?,
        rounds: measured.iter().map(|measured| measured.value).collect(),
        latency: p50.zip(p99).map(|(p50, p99)| Latency { p50, p99 }),
        cpu_micros: each(|measured| measured.cpu_micros),
        batch: each(|measured| measured.batch),
        beside: case.beside.iter().filter_map(|beside| held(case, *beside, rounds)).collect(),
        at_most: case.at_most,
        p50_at_most: case.p50_at_most,
        p99_at_most: case.p99_at_most,
    })
}

fn held(case: &Case, beside: Beside, rounds: &[Round]) -> Option<Held> {
    let pairs: Vec<(&Measurement, &Measurement)> = rounds
        .iter()
        .filter_map(|round| round.find(&case.name).zip(round.find(&beside.limit)))
        .collect();
    let cpu =
        |(own, limit): &(&Measurement, &Measurement)| Some(limit.cpu_micros? / own.cpu_micros?);
    Some(Held {
        limit: beside.limit,
        value: median(pairs.iter().map(|(_, limit)| limit.value))?,
        ratio: median(pairs.iter().map(|(own, limit)| own.value / limit.value))?,
        cpu_ratio: median(pairs.iter().filter_map(cpu)),
        at_least: beside.at_least,
        of_cpu: beside.of_cpu,
    })
}

impl Row {
    /// Whether the aim of the row itself is met; `None` without one.
    pub(crate) fn is_met(&self) -> Option<bool> {
        Some(self.value <= self.at_most?)
    }

    /// Whether half of the callers wait no longer than they may; `None` where nothing is said about it.
    pub(crate) fn is_p50_met(&self) -> Option<bool> {
        Some(self.latency?.p50 <= self.p50_at_most?)
    }

    /// Whether callers wait no longer than they may; `None` where nothing is said about it.
    pub(crate) fn is_p99_met(&self) -> Option<bool> {
        Some(self.latency?.p99 <= self.p99_at_most?)
    }
}

impl Held {
    /// Whether the aim is met; `None` without one.
    pub(crate) fn is_met(&self) -> Option<bool> {
        let left = if self.of_cpu { self.cpu_ratio?.min(1.0) } else { 1.0 };
        Some(self.ratio >= self.at_least? * left)
    }
}
