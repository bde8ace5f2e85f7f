use crate::{
    Failure, cell::Ticket, gate::Gate, journal::Saver, partition::Door,
    supervisor::SupervisorMessage,
};
use actum_persistence::group_commit::{LaneWriter, StateWriter};
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
    /// Readers, alarm and lease: nothing is lost when they are aborted.
    pub(super) attendants: Vec<JoinHandle<()>>,
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.attendants.iter().chain(&self.saving).for_each(JoinHandle::abort);
        self.gate.shut(&Failure::unavailable("the engine has ended"));
        self.supervisor.stop(None); // its partitions end with it
        self.gate.clear();
    }
}
