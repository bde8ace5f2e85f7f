/// What may be broken on the side of those who read: each must be found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(test), expect(dead_code, reason = "only tests break something"))]
pub(crate) enum ReaderFlaw {
    #[default]
    None,
    /// What is saved under an older epoch is kept.
    StaleSaveKept,
    /// The offset is saved over an event that was not handled.
    OffsetAhead,
    /// What is parked is not known to the next runner of its segment.
    ParkedForgotten,
    /// Who claims does not wait for a whole lease.
    ClaimedEarly,
    /// An event is given up without all of its tries.
    RetriesSkipped,
    /// Rows are kept without their progress.
    RowsWithoutProgress,
    /// Progress is kept without its rows.
    ProgressWithoutRows,
    /// Nobody asks how far the journal goes, whatever was announced.
    HeadsNotPolled,
    /// A rewind leaves the rows as they are.
    RowsNotCleared,
    /// Segments become one though they are not level.
    MergedUnlevelled,
    /// A replay of a parked entity is done when it has begun.
    ReplayCutOff,
}
