use actum_persistence::progress::ProjectionId;
use std::sync::Arc;

/// A projection, or a durable subscription, whose progress is kept beside the journal: no event is deleted that it has not
/// read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegisteredProjection {
    /// Its name and version; the name of a subscription begins with `subscription:`.
    pub id: ProjectionId,
    /// Whether it is the active version of its name.
    pub is_active: bool,
    /// How many events it has not looked at, in all lanes together.
    pub lag: u64,
    /// How many events it keeps from being deleted: those it has not looked at, and those behind the first that is parked or a
    /// dead letter.
    pub holds_back: u64,
    /// How many entities are parked.
    pub parked: u64,
    /// How many dead letters there are.
    pub dead_letters: u64,
    /// Who runs it, or has run it and may be alive: a runner that shows no sign of life for a minute is not among them.
    pub runners: Vec<Arc<str>>,
}

impl RegisteredProjection {
    /// Whether no one runs it: it keeps events until it is run again or
    /// [forgotten](crate::Registry::forget).
    #[must_use]
    pub fn is_forgotten(&self) -> bool {
        self.runners.is_empty()
    }
}
