use std::fmt;

/// How the state of an entity is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateModel {
    /// As its events.
    EventSourced,
    /// Whole, in one record.
    DurableState,
}

/// A kind that the journal holds in another model than it is registered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelConflict {
    /// The kind.
    pub kind: String,
    /// How it is registered.
    pub registered: StateModel,
    /// How entities of this kind are stored.
    pub stored: StateModel,
}

impl StateModel {
    /// The one that it is not.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::EventSourced => Self::DurableState,
            Self::DurableState => Self::EventSourced,
        }
    }
}

impl fmt::Display for StateModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EventSourced => "event-sourced",
            Self::DurableState => "durable-state",
        })
    }
}

impl fmt::Display for ModelConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, registered, stored } = self;
        write!(
            f,
            "kind `{}` is registered as {registered}, and the journal holds {stored} entities of it",
            kind.escape_debug()
        )
    }
}
