use crate::segment::{Batch, BatchOutcome};
use actum_model::Offset;
use actum_persistence::progress::{ProgressStore, Rewind};
use async_trait::async_trait;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

/// A projection without its types: what makes the workers of its segments.
#[async_trait]
pub(super) trait WorkPlace: Send + Sync + 'static {
    /// Whether rows and progress are committed together.
    fn is_exact(&self) -> bool;

    /// Where its progress is kept, if that is not the database of the journal.
    fn progress(&self) -> Option<Arc<dyn ProgressStore>>;

    /// One that handles the events of a segment.
    fn worker(&self, progress: &Arc<dyn ProgressStore>, limits: WorkLimits) -> Box<dyn Work>;

    /// Prepares what the projection writes to.
    async fn set_up(&self, limits: &WorkLimits) -> Result<(), NotDone>;

    /// Removes what the projection has written, and lets it begin as `rewind` says.
    async fn clear(
        &self,
        progress: &Arc<dyn ProgressStore>,
        rewind: Rewind,
        limits: &WorkLimits,
    ) -> Result<(), NotDone>;
}

/// Handles the events of a segment.
#[async_trait]
pub(super) trait Work: Send {
    /// Handles a batch and saves its progress.
    async fn run(&mut self, batch: &Batch) -> BatchOutcome;
}

/// What handlers are bound to.
#[derive(Clone, Debug)]
pub(super) struct WorkLimits {
    /// What the ids of commands begin with.
    pub(super) command_ids: Arc<str>,
    /// Where live begins.
    pub(super) live_from: Offset,
    /// How long one event may take.
    pub(super) handler_timeout: Duration,
    /// How long the events of a batch may take together.
    pub(super) batch_time: Duration,
    /// Ends a batch behind the event that is being handled.
    pub(super) hurry: Hurry,
}

/// Whether a batch should end.
#[derive(Clone, Debug, Default)]
pub(super) struct Hurry(Arc<AtomicBool>);

impl Hurry {
    pub(super) fn set(&self) {
        self.0.store(true, Relaxed);
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Why something was not done.
#[derive(Clone, Debug)]
pub(super) struct NotDone {
    pub(super) why: Arc<str>,
    /// Whether the projection was changed by another meanwhile.
    pub(super) is_stale: bool,
}
