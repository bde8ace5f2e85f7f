use crate::gate::Gate;
use actum_model::{Lane, Offset};
use actum_persistence::{
    commits::{Commits, JournalRegress},
    store::{DurableStateStore, EventStore, StoreError, Stores},
};
use parking_lot::Mutex;
use std::sync::Arc;

/// Finds out whether the journal has lost what this engine knows of: an asynchronous replica has taken over, or a backup
/// was restored. Nothing else would tell entities that are only read; what they hold was acknowledged, and is gone.
///
/// Events are compared with what this engine has committed, so none that is lost goes unnoticed: a loss shows at the next
/// check, or at the first commit that gets a position again. Changes of durable states have no positions here; they are
/// compared with what the last check found, so a loss that was written over in between shows when a lost state is written.
pub(crate) struct JournalCheck {
    events: Arc<dyn EventStore>,
    states: Arc<dyn DurableStateStore>,
    commits: Commits,
    /// Where the changes of states ended at the last check.
    changes: Mutex<Option<Offset>>,
    gate: Arc<Gate>,
}

impl JournalCheck {
    pub(crate) fn new(stores: &Stores, commits: Commits, gate: Arc<Gate>) -> Self {
        let (events, states) = (Arc::clone(&stores.events), Arc::clone(&stores.states));
        Self { events, states, commits, changes: Mutex::default(), gate }
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
        let found = self.states.change_heads().await?;
        let known = self.changes.lock().replace(found.clone());
        if let Some(regress) = known.and_then(|known| regress(&known, &found)) {
            self.gate.states_regress(regress);
        }
        Ok(())
    }
}

/// The first lane that ends in front of where it had ended.
fn regress(known: &Offset, found: &Offset) -> Option<JournalRegress> {
    let positions = known.positions().iter().zip(found.positions());
    let mut lanes = (0..).map(Lane::new).zip(positions);
    let (lane, (known, found)) = lanes.find(|(_, (known, found))| found < known)?;
    Some(JournalRegress { lane, known: *known, found: *found })
}
