use std::time::Duration;

/// How long an engine that starts waits for a journal that another engine holds. While it waits it asks about ten times a
/// second, and takes over within 100 milliseconds when the other engine releases the journal as it shuts down.
///
/// An engine that does not renew its lease for one lease is dead, by the clock of the engine that waits: one that
/// waits as long takes over from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum JournalWait {
    /// Until it is known whether the holder is alive: for one lease of its own or of the holder, whichever is longer. Not
    /// at all where the store sees that by itself, as SQLite does.
    #[default]
    UntilKnown,
    /// For this long, whatever becomes known about the holder. What is shorter than the lease of a holder that was killed
    /// may be too short to take over from it.
    AtMost(Duration),
    /// For ever, as a standby does. Errors of the store while it waits do not end the wait.
    Forever,
}
