use super::control_state::ControlState;
use actum_model::{Offset, Position};
use actum_persistence::progress::{ProgressStore, Rewind, StoredProjection, StoredSegment};
use actum_reader::segment::{Batch, BatchOutcome, SegmentEnd};
use async_trait::async_trait;
use std::{
    num::NonZeroU32,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::sync::watch;

/// A projection without its types: what makes the workers of its segments.
#[async_trait]
pub(crate) trait WorkPlace: Send + Sync + 'static {
    /// Whether rows and progress are committed together.
    fn is_exact(&self) -> bool;

    /// Where its progress is kept, if that is not the database of the journal.
    fn progress(&self) -> Option<Arc<dyn ProgressStore>>;

    /// Whether it has written something that is to be removed with it.
    fn has_rows(&self) -> bool {
        true
    }

    /// One that handles the events of a segment.
    fn worker(&self, progress: &Arc<dyn ProgressStore>, limits: WorkLimits) -> Box<dyn Work>;

    /// What runs a segment from its claim to its end, where that is not handling one batch after the other; none by default.
    fn runs_itself(
        &self,
        _claimed: &StoredSegment,
        _wanted: &watch::Receiver<ControlState>,
    ) -> Option<SegmentRun> {
        None
    }

    /// Whether it was entered before its runner starts, which enters it otherwise.
    fn has_entered(&self) -> bool {
        false
    }

    /// What is kept was read by the runner, whose name is `me`.
    fn has_read(&self, _stored: &StoredProjection, _me: &str) {}

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

/// Runs a segment from its claim to its end.
pub(crate) type SegmentRun = Pin<Box<dyn Future<Output = SegmentEnd> + Send>>;

/// Handles the events of a segment.
#[async_trait]
pub(crate) trait Work: Send {
    /// Handles a batch and saves its progress.
    async fn run(&mut self, batch: &Batch) -> BatchOutcome;
}

/// What handlers are bound to.
#[derive(Clone, Debug)]
pub(crate) struct WorkLimits {
    /// What the ids of commands begin with.
    pub(crate) command_ids: Arc<str>,
    /// The version of the projection.
    pub(crate) version: NonZeroU32,
    /// Where live begins.
    pub(crate) live_from: Offset,
    /// How long one event may take.
    pub(crate) handler_timeout: Duration,
    /// How long the events of a batch may take together.
    pub(crate) batch_time: Duration,
    /// Ends a batch behind the event that is being handled.
    pub(crate) hurry: Hurry,
}

/// Whether a batch should end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hurry(Arc<AtomicBool>);

/// Where live begins for a version that follows the active one.
pub(super) const NEVER: Position = Position::new(u64::MAX);

impl Hurry {
    pub(crate) fn set(&self) {
        self.0.store(true, Relaxed);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Why something was not done.
#[derive(Clone, Debug)]
pub(crate) struct NotDone {
    pub(crate) why: Arc<str>,
    /// Whether the projection was changed by another meanwhile.
    pub(crate) is_stale: bool,
}
