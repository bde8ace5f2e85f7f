use actum_model::Lane;
use actum_persistence::store::StoreError;
use actum_reader::division::NotDivided;
use std::{num::NonZeroU32, sync::Arc, time::Duration};

/// Why something asked of a projection was not done.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectionError {
    /// The engine has no projection of this name.
    #[error("the engine has no projection `{name}`")]
    Unknown {
        /// The name.
        name: String,
    },
    /// It has not begun yet, or was deleted.
    #[error("the projection `{name}` has no progress yet{}", after_colon(.why.as_deref()))]
    NotStarted {
        /// Its name.
        name: String,
        /// What it waits for, if something has failed.
        why: Option<Arc<str>>,
    },
    /// Others changed it at the same time, again and again.
    #[error("the projection `{name}` was changed by others at the same time, ask again")]
    Changing {
        /// Its name.
        name: String,
    },
    /// Its handler, or what it writes to, has failed.
    #[error("the projection `{name}` failed: {why}")]
    Failed {
        /// Its name.
        name: String,
        /// Why.
        why: Arc<str>,
    },
    /// It is the active version.
    #[error("version {version} of the projection `{name}` is active")]
    IsActive {
        /// Its name.
        name: String,
        /// The version.
        version: NonZeroU32,
    },
    /// Someone runs it, or may.
    #[error("`{name}` is run by {runner}, or was less than a minute ago")]
    IsRun {
        /// Its name and version.
        name: String,
        /// A runner of it.
        runner: Arc<str>,
    },
    /// It has not handled what the active version has, so it cannot take over from that.
    #[error("version {version} of the projection `{name}` has not come as far as the active one")]
    NotCaughtUp {
        /// Its name.
        name: String,
        /// The version.
        version: NonZeroU32,
    },
    /// It was not divided into other segments.
    #[error("the projection `{name}` was not divided: {why}")]
    NotDivided {
        /// Its name.
        name: String,
        /// Why.
        why: NotDivided,
    },
    /// The engine was shut down.
    #[error("the engine was shut down, and the projection `{name}` with it")]
    Ended {
        /// Its name.
        name: String,
    },
    /// What is asked for cannot be.
    #[error("{what}")]
    Invalid {
        /// What is wrong with it.
        what: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a wait for a projection has ended without it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// It did not get there in time. It goes on.
    #[error("the projection `{name}` has not caught up within {within:?}")]
    Timeout {
        /// Its name.
        name: String,
        /// How long was waited.
        within: Duration,
    },
    /// The engine has no projection of this name.
    #[error("the engine has no projection `{name}`")]
    Unknown {
        /// The name.
        name: String,
    },
    /// Another version is active, and this one has not come to where the journal ended when it began.
    #[error(
        "version {version} of the projection `{name}` is being rebuilt, and another one is active"
    )]
    Rebuilding {
        /// Its name.
        name: String,
        /// The version that is rebuilt.
        version: NonZeroU32,
    },
    /// It is paused.
    #[error("the projection `{name}` is paused")]
    Paused {
        /// Its name.
        name: String,
    },
    /// The segment has stopped, or the journal has regressed or is another one, so that it will. It needs a person.
    #[error("the projection `{name}` has stopped: {why}")]
    Stopped {
        /// Its name.
        name: String,
        /// Why.
        why: Arc<str>,
    },
    /// It was [stopped](crate::ProjectionRef::stop) in this process, and no other one runs it.
    #[error("the projection `{name}` was stopped in this process, and no other runs it")]
    StoppedHere {
        /// Its name.
        name: String,
    },
    /// The events of the entity are held back.
    #[error("the projection `{name}` holds back the events of the entity: {why}")]
    Parked {
        /// Its name.
        name: String,
        /// The error of the first of them.
        why: Arc<str>,
    },
    /// The write says no position: of a durable state, or of an entity without events.
    #[error("the receipt says no position in the journal, so no projection can be waited for")]
    NoPosition,
    /// The receipt is of another journal.
    #[error("the receipt is of lane {}, and the journal has {lanes}, counted from 0", .lane.nr())]
    NoLane {
        /// The lane that it names.
        lane: Lane,
        /// How many there are.
        lanes: u16,
    },
    /// The write is of events, and the projection handles durable states.
    #[error("the receipt is of events, and the projection `{name}` handles durable states")]
    OfEvents {
        /// Its name.
        name: String,
    },
    /// The engine was shut down.
    #[error("the engine was shut down, and the projection `{name}` with it")]
    Ended {
        /// Its name.
        name: String,
    },
}

fn after_colon(why: Option<&str>) -> String {
    why.map_or_else(String::new, |why| format!(": {why}"))
}
