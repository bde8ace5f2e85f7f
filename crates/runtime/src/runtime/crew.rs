use super::JournalReaders;
use crate::{
    gate::Gate, journal::Saver, partition::Door, supervisor::SupervisorMessage, tasks::Tasks,
    watchdog::Watch,
};
use actum_host::{Failure, Load, cell::Ticket};
use actum_persistence::{
    commits::{Commits, StateCommits},
    group_commit::{LaneWriter, StateWriter},
};
use ractor::ActorRef;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Everybody who works for a runtime: they end with it.
pub(super) struct Crew {
    pub(super) gate: Arc<Gate>,
    pub(super) supervisor: ActorRef<SupervisorMessage>,
    pub(super) doors: Arc<[Arc<Door>]>,
    pub(super) lanes: Vec<LaneWriter<Ticket>>,
    pub(super) states: Option<StateWriter<Ticket>>,
    pub(super) saver: Arc<Saver>,
    pub(super) saving: Option<JoinHandle<()>>,
    /// Readers, alarm and lease: nothing is lost when they are aborted. `None` once they were.
    pub(super) tasks: Option<Tasks>,
    pub(super) load: Arc<Load>,
    pub(super) watch: Option<Watch>,
    pub(super) readers: JournalReaders,
}

impl Crew {
    /// What its writers commit.
    pub(super) fn commits(&self) -> Commits {
        let lanes = self.lanes.iter().map(|lane| Arc::clone(lane.commits())).collect();
        let states = self.states.as_ref().map(|states| Arc::clone(states.commits()));
        Commits::new(lanes, states.unwrap_or_else(|| Arc::new(StateCommits::new())))
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.readers.end();
        self.tasks = None; // first: what they require ends now
        self.saving.iter().for_each(JoinHandle::abort);
        self.gate.shut(&Failure::unavailable("the engine has ended"));
        self.supervisor.stop(None); // its partitions end with it
        self.gate.clear();
        self.load.watchdog().end();
    }
}
