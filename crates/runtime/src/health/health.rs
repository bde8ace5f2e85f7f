use std::time::Duration;

/// How an engine is at the moment. Made from what its parts have reported: asking for it reads and writes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Whether it serves.
    pub state: HealthState,
    /// Why it does not serve, or what else is wrong, a sentence each; empty if all is well.
    pub reasons: Vec<String>,
    /// Its right to be the only writer.
    pub lease: LeaseHealth,
    /// Its writes.
    pub store: StoreHealth,
    /// Its partitions.
    pub partitions: PartitionHealth,
}

impl Health {
    /// Whether it takes commands. Commands may still fail for one of the [`reasons`](Self::reasons).
    #[must_use]
    pub fn is_serving(&self) -> bool {
        self.state == HealthState::Serving
    }
}

/// Whether an engine serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HealthState {
    /// It takes commands.
    Serving,
    /// It takes no commands until it has renewed its lease.
    Suspended,
    /// Another engine has taken over the journal. Nothing but a new start helps.
    Fenced,
    /// A part of it that cannot be restarted has ended, or its store is lost. Nothing but a new start helps.
    Failed,
    /// It was shut down, or is being shut down.
    ShutDown,
}

/// The lease on the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseHealth {
    /// How much longer it is held unless renewed; zero when it has lapsed.
    pub held_for: Duration,
    /// How its renewals fail; `None` if the last one succeeded.
    pub failing: Option<Failing>,
}

/// The store, as far as the engine writes to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreHealth {
    /// How writes fail; `None` if the last one succeeded.
    pub failing: Option<Failing>,
}

/// Something that fails again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failing {
    /// For how long it has failed without a success in between.
    pub lasting: Duration,
    /// The last error, with everything that caused it.
    pub error: String,
}

/// How many of the partitions that are open here are in which state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionHealth {
    /// They serve.
    pub running: usize,
    /// They have failed and are being restarted; commands wait.
    pub restarting: usize,
    /// They are in a handler, or other code of an entity, that has run for longer than handlers may before they are named
    /// as slow.
    pub stuck: usize,
}
