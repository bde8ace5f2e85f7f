use crate::{bench::Bench, measurement::Measurement, round::Round};
use anyhow::Result;
use std::fmt;

/// What a row is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) what: &'static str,
    pub(crate) medium: Option<Medium>,
    pub(crate) callers: Option<u32>,
    pub(crate) entities: Option<u32>,
    /// Whether the journal holds many more entities.
    pub(crate) held: bool,
}

/// Where the journal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Medium {
    Memory,
    Sqlite,
    Postgres {
        /// How many the journal has; so many connections write beside it.
        lanes: u16,
    },
}

/// PostgreSQL as an engine uses it that says nothing else.
pub(crate) const POSTGRES: Medium = Medium::Postgres { lanes: 1 };

/// One row: how it is measured, and what it is held against.
pub(crate) struct Case {
    pub(crate) name: Name,
    pub(crate) unit: Unit,
    pub(crate) beside: Vec<Beside>,
    /// The aim of a row that stands for itself.
    pub(crate) at_most: Option<f64>,
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    PerSecond,
    Allocations,
    Bytes,
}

impl Name {
    pub(crate) fn of(what: &'static str) -> Self {
        Self { what, medium: None, callers: None, entities: None, held: false }
    }

    pub(crate) fn on(self, medium: Medium) -> Self {
        Self { medium: Some(medium), ..self }
    }

    pub(crate) fn callers(self, callers: u32) -> Self {
        Self { callers: Some(callers), ..self }
    }

    pub(crate) fn entities(self, entities: u32) -> Self {
        Self { entities: Some(entities), ..self }
    }

    pub(crate) fn held(self, held: bool) -> Self {
        Self { held, ..self }
    }

    /// Whether the row has all of these words.
    pub(crate) fn has(&self, words: &str) -> bool {
        let own = self.to_string();
        words.split_whitespace().all(|word| own.split([' ', ',']).any(|other| other == word))
    }
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
        self.beside.push(Beside { limit, at_least });
        self
    }

    pub(crate) fn at_most(self, aim: f64) -> Self {
        Self { at_most: Some(aim), ..self }
    }

    pub(crate) fn p99_at_most(self, aim: Option<f64>) -> Self {
        Self { p99_at_most: aim, ..self }
    }
}

impl Medium {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
            Self::Postgres { .. } => "postgres",
        }
    }

    /// How many lanes a journal has, where there is a choice.
    pub(crate) fn lanes(self) -> Option<u16> {
        match self {
            Self::Memory | Self::Sqlite => None,
            Self::Postgres { lanes } => Some(lanes),
        }
    }
}

impl Unit {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::Allocations => "allocations",
            Self::Bytes => "bytes",
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        if let Some(medium) = self.medium {
            write!(f, ", {}", medium.word())?;
        }
        if let Some(lanes) = self.medium.and_then(Medium::lanes) {
            write!(f, " l{lanes}")?;
        }
        if let Some(callers) = self.callers {
            write!(f, " c{callers}")?;
        }
        if let Some(entities) = self.entities {
            write!(f, " e{entities}")?;
        }
        if self.held { f.write_str(" held") } else { Ok(()) }
    }
}
