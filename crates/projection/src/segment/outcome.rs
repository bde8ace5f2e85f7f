use std::sync::Arc;

/// The outcome of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BatchOutcome {
    /// The first `handled` were handled, and their progress is saved.
    Saved { handled: usize },
    /// Event `at` could not be handled. Those in front of it were: undone, where a batch is all or nothing.
    Failed { at: usize, error: Arc<str>, cause: FailedBy },
    /// The batch failed, and it is not known at which event.
    FailedSomewhere { error: Arc<str> },
    /// Something could not be reached. The first `handled` were handled, and undone where a batch is all or nothing.
    Unavailable { handled: usize, error: Arc<str> },
    /// It is not known whether what was handled was saved, and that may still happen.
    Unknown { error: Arc<str> },
    /// The segment was claimed by another runner, released or rewound. Nothing was saved.
    Stale,
}

/// Why an event could not be handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailedBy {
    /// Its handler returned an error, panicked or took too long: another try may help.
    Handler,
    /// It cannot be decoded.
    Damage,
    /// It is of a type, or in a schema version, that this program does not know.
    UnknownType,
}
