use crate::gate::Gate;
use actum_persistence::{
    commits::Commits,
    store::{DurableStateStore, EventStore, StoreError, Stores},
};
use std::sync::Arc;

/// Finds out whether the journal has lost what this engine knows of: an asynchronous replica has taken over, or a backup
/// was restored. Nothing else would tell entities that are only read; what they hold was acknowledged, and is gone.
///
/// It is compared with what this engine has committed, so nothing that is lost goes unnoticed: a loss of events shows at the
/// next check, or at the first commit that gets a position again, one of durable states at the next check.
pub(crate) struct JournalCheck {
    events: Arc<dyn EventStore>,
    states: Arc<dyn DurableStateStore>,
    commits: Commits,
    gate: Arc<Gate>,
}

impl JournalCheck {
    pub(crate) fn new(stores: &Stores, commits: Commits, gate: Arc<Gate>) -> Self {
        let (events, states) = (Arc::clone(&stores.events), Arc::clone(&stores.states));
        Self { events, states, commits, gate }
    }

    /// Asks the store where the journal ends, and has entities recover again where that is in front of something known.
    ///
    /// Dropping the future has no effect.
    pub(crate) async fn check(&self) -> Result<(), StoreError> {
        let known: Vec<_> = self.commits.lanes().iter().map(|lane| lane.known()).collect();
        let found = self.events.heads().await?;
        let lanes = self.commits.lanes().iter();
        let regressed = lanes
            .zip(known)
            .filter_map(|(lane, known)| lane.regressed(known, found.position(lane.lane())));
        regressed.for_each(|regress| self.gate.regress(regress));
        let states = self.commits.states();
        let known = states.known();
        if let Some(regress) = states.regressed(known, &self.states.change_heads().await?) {
            self.gate.states_regress(regress);
        }
        Ok(())
    }
}
