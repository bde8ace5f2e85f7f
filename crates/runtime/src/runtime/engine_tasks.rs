use super::engine_parts::EngineParts;
use crate::{
    background_tasks::BackgroundTasks, journal_readers::JournalReaders,
    supervisor::SupervisorMessage, watchdog::Watch,
};
use actum_host::{Failure, cell::Ticket};
use actum_persistence::{
    commits::Commits,
    group_commit::{LaneWriter, StateWriter},
};
use ractor::ActorRef;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Everything that runs for an engine: it ends with it.
pub(super) struct EngineTasks {
    pub(super) parts: Arc<EngineParts>,
    pub(super) supervisor: ActorRef<SupervisorMessage>,
    pub(super) lanes: Vec<LaneWriter<Ticket>>,
    pub(super) states: Option<StateWriter<Ticket>>,
    /// What its writers commit.
    pub(super) commits: Commits,
    pub(super) saving: Option<JoinHandle<()>>,
    /// Readers, alarm and lease: nothing is lost when they are aborted. `None` once they were.
    pub(super) background: Option<BackgroundTasks>,
    pub(super) watch: Option<Watch>,
    pub(super) readers: JournalReaders,
}

impl Drop for EngineTasks {
    fn drop(&mut self) {
        self.readers.end();
        self.background = None; // first: what they require ends now
        self.saving.iter().for_each(JoinHandle::abort);
        self.parts.gate.close(&Failure::unavailable("the engine has ended"));
        self.supervisor.stop(None); // its partitions end with it
        self.parts.gate.clear();
        self.parts.load.watchdog().end();
    }
}
