use super::{LaneCommits, OtherCommits, StateCommits};
use actum_model::{Lane, Offset};
use std::sync::Arc;

/// What the writers of one engine commit. Clones are one.
#[derive(Clone, Debug)]
pub struct Commits {
    lanes: Arc<[Arc<LaneCommits>]>,
    states: Arc<StateCommits>,
    others: Arc<OtherCommits>,
}

impl Commits {
    /// Those of the lanes of a journal, in order, and of the durable states.
    #[must_use]
    pub fn new(lanes: Vec<Arc<LaneCommits>>, states: Arc<StateCommits>) -> Self {
        let others = Arc::new(OtherCommits::new(lanes.len()));
        Self { lanes: lanes.into(), states, others }
    }

    /// Those of `lane`; `None` for a lane that the journal does not have.
    #[must_use]
    pub fn lane(&self, lane: Lane) -> Option<&Arc<LaneCommits>> {
        self.lanes.get(lane.index())
    }

    /// Those of all lanes, in order.
    #[must_use]
    pub fn lanes(&self) -> &[Arc<LaneCommits>] {
        &self.lanes
    }

    /// Those of the durable states.
    #[must_use]
    pub fn states(&self) -> &StateCommits {
        &self.states
    }

    /// What other processes say of their commits.
    #[must_use]
    pub fn others(&self) -> &OtherCommits {
        &self.others
    }

    /// The [head](LaneCommits::head) of every lane.
    #[must_use]
    pub fn heads(&self) -> Offset {
        Offset::of_positions(self.lanes.iter().map(|lane| lane.head()).collect::<Vec<_>>())
    }
}
