use crate::{
    Failure,
    cell::{Moment, Ticket},
    partition::{Door, PartitionMessage, Refuses},
};
use actum_model::Partition;
use actum_persistence::{
    group_commit::{CommitError, CommitSink, Committed},
    store::Incarnation,
};
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::oneshot;

const FENCED: &str = "fenced: another engine has taken over the journal";

/// Opens and shuts the engine to commands, and takes commits to the partitions they are for.
pub(crate) struct Gate {
    doors: Arc<[Arc<Door>]>,
    inboxes: OnceLock<Vec<Arc<dyn Refuses>>>,
    /// Shut for good: shutting down, or fenced.
    shut: AtomicBool,
    fenced: AtomicBool,
}

impl Gate {
    pub(crate) fn new(doors: Arc<[Arc<Door>]>) -> Self {
        let (shut, fenced) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { doors, inboxes: OnceLock::new(), shut, fenced }
    }

    /// Guards the inboxes of each kind, by partition.
    pub(crate) fn guards(&self, inboxes: Vec<Arc<dyn Refuses>>) {
        let _ = self.inboxes.set(inboxes);
    }

    /// Refuses commands for good.
    pub(crate) fn shut(&self, failure: &Failure) {
        self.shut.store(true, Ordering::Release);
        self.refuse(failure);
    }

    /// Refuses commands until [`Gate::reopen`].
    pub(crate) fn suspend(&self, failure: &Failure) {
        if !self.shut.load(Ordering::Acquire) {
            self.refuse(failure);
        }
    }

    pub(crate) fn reopen(&self) {
        for inbox in self.inboxes.get().into_iter().flatten() {
            if self.shut.load(Ordering::Acquire) {
                return;
            }
            inbox.reopen();
        }
    }

    /// Another writer has taken over: nothing this engine holds in memory may be shown any more.
    pub(crate) fn fence(&self, incarnation: Incarnation) {
        if self.fenced.swap(true, Ordering::AcqRel) {
            return;
        }
        tracing::error!(%incarnation, "fenced, another writer has taken over the journal");
        self.shut(&Failure::unavailable(FENCED));
        for door in self.doors.iter() {
            let (count, _) = oneshot::channel();
            door.send(PartitionMessage::Abandon(FENCED, count));
        }
        self.clear();
    }

    /// Answers the commands that nobody will take any more, and says how many. To be called after the gate is shut.
    pub(crate) fn clear(&self) -> usize {
        self.inboxes.get().into_iter().flatten().map(|inbox| inbox.clear()).sum()
    }

    /// Answers late commands to a partition that is down.
    pub(crate) fn expire(&self, partition: usize, now: Moment) {
        let inboxes = self.inboxes.get().into_iter().flatten();
        inboxes.skip(partition).step_by(self.doors.len()).for_each(|inbox| inbox.expire(now));
    }

    pub(crate) fn is_fenced(&self) -> bool {
        self.fenced.load(Ordering::Acquire)
    }

    fn refuse(&self, failure: &Failure) {
        for inbox in self.inboxes.get().into_iter().flatten() {
            inbox.refuse(failure.clone());
        }
    }
}

/// Shuts a gate when it is dropped, with the tokio runtime that everybody of the engine works on: an engine that cannot
/// answer must not take commands.
pub(crate) struct ShutOnDrop(pub(crate) Arc<Gate>);

impl Drop for ShutOnDrop {
    fn drop(&mut self) {
        self.0.shut(&Failure::unavailable("the engine has ended"));
        self.0.clear();
    }
}

impl CommitSink<Ticket> for Gate {
    fn committed(
        &self,
        partition: Partition,
        results: Vec<(Ticket, Result<Committed, CommitError>)>,
    ) {
        self.doors[partition.index()].leave_committed(results);
    }

    fn fenced(&self, incarnation: Incarnation) {
        self.fence(incarnation);
    }
}
