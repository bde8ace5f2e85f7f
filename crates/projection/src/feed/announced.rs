use actum_model::{Lane, Offset};
use actum_persistence::commits::{Commits, LaneCommits, TailReader};
use std::{future::pending, sync::Arc};

/// What is followed, and what this process announces of its commits, if it does.
#[derive(Clone)]
pub(crate) enum Announced {
    /// Events: the head of each lane, and the newest of them.
    Events(Option<Commits>),
    /// Changes of durable states: that some were written.
    States(Option<Commits>),
}

impl Announced {
    /// The lanes whose heads are announced.
    pub(super) fn lanes(&self) -> &[Arc<LaneCommits>] {
        match self {
            Self::Events(Some(commits)) => commits.lanes(),
            Self::Events(None) | Self::States(_) => &[],
        }
    }

    /// What was just committed to a lane, if that is announced.
    pub(super) fn follow(&self, lane: Lane) -> Option<TailReader> {
        let Self::Events(Some(commits)) = self else { return None };
        commits.lane(lane).map(LaneCommits::follow)
    }

    /// How often other processes have said that they have committed something.
    pub(super) fn said(&self) -> u64 {
        match self {
            Self::Events(Some(commits)) => commits.others().events(),
            Self::States(Some(commits)) => commits.others().states(),
            Self::Events(None) | Self::States(None) => 0,
        }
    }

    /// Waits until they have said so more often than `seen`, and returns how often they have.
    pub(super) async fn said_behind(&self, seen: u64) -> u64 {
        match self {
            Self::Events(Some(commits)) => commits.others().events_behind(seen).await,
            Self::States(Some(commits)) => commits.others().states_behind(seen).await,
            Self::Events(None) | Self::States(None) => pending().await,
        }
    }

    /// Whether that may be further than these heads.
    pub(super) fn is_news(&self, known: &Offset) -> bool {
        match self {
            Self::Events(Some(commits)) => commits.others().is_news(known),
            Self::Events(None) | Self::States(_) => true,
        }
    }

    /// How many states were written.
    pub(super) fn writes(&self) -> u64 {
        match self {
            Self::States(Some(commits)) => commits.states().writes(),
            Self::States(None) | Self::Events(_) => 0,
        }
    }

    /// Waits until more states than `seen` are written, and returns how many are.
    pub(super) async fn written(&self, seen: u64) -> u64 {
        match self {
            Self::States(Some(commits)) => commits.states().behind(seen).await,
            Self::States(None) | Self::Events(_) => pending().await,
        }
    }
}
