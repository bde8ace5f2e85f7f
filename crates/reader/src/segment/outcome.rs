use std::sync::Arc;

/// The outcome of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchOutcome {
    /// The first `handled` were handled, and their progress is saved.
    Saved {
        /// How many.
        handled: usize,
    },
    /// Event `at` could not be handled. Those in front of it were: undone, where a batch is all or nothing.
    Failed {
        /// Its place in the batch.
        at: usize,
        /// What went wrong.
        error: Arc<str>,
        /// Why.
        cause: FailedBy,
    },
    /// The batch failed, and it is not known at which event.
    FailedSomewhere {
        /// What went wrong.
        error: Arc<str>,
    },
    /// Something could not be reached. The first `handled` were handled, and undone where a batch is all or nothing.
    Unavailable {
        /// How many.
        handled: usize,
        /// What went wrong.
        error: Arc<str>,
    },
    /// It is not known whether what was handled was saved, and that may still happen.
    Unknown {
        /// What went wrong.
        error: Arc<str>,
    },
    /// The segment was claimed by another runner, released or rewound. Nothing was saved.
    Stale,
}

/// Why an event could not be handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedBy {
    /// Its handler returned an error, panicked or took too long: another try may help.
    Handler,
    /// It cannot be decoded.
    Damage,
    /// It is of a type, or in a schema version, that this program does not know.
    UnknownType,
}
