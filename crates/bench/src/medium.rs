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
