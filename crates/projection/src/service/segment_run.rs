use super::{
    controls::Controls, live_from::live_from, segment_task::SegmentTask, shared::SharedProjection,
    work::Hurry,
};
use actum_model::Offset;
use actum_persistence::{
    error_chain::full_text,
    panics::log_safely,
    progress::{StoredProjection, StoredSegment},
};
use actum_reader::segment::SegmentEnd;
use std::sync::Arc;

/// What runs a segment that was claimed to its end, which is at `until`, if it is to go no further, and else when it is
/// asked to.
pub(super) fn run_segment(
    shared: &Arc<SharedProjection>,
    claimed: StoredSegment,
    stored: &StoredProjection,
    until: Option<Offset>,
) -> (Controls, impl Future<Output = SegmentEnd> + Send + use<>) {
    let (segment, epoch) = (claimed.segment, claimed.epoch);
    let hurry = Hurry::default();
    let (controls, wanted) = Controls::new(hurry.clone());
    let shared = Arc::clone(shared);
    let limits = shared.limits(live_from(stored), hurry);
    let follows = !stored.is_active;
    log_safely(|| tracing::info!(projection = %shared.id, %segment, %epoch, "segment claimed"));
    let runs_itself = shared.registration.work.runs_itself(&claimed, &wanted);
    let run = async move {
        if let Some(run) = runs_itself {
            return run.await;
        }
        let id = shared.id.clone();
        let work = shared.registration.work.worker(&shared.progress, limits);
        match SegmentTask::begin(shared, claimed, follows, until, work, wanted).await {
            Ok(task) => task.run().await,
            Err(error) => {
                log_safely(|| {
                    tracing::warn!(projection = %id, %segment, error = full_text(&error), "segment not begun");
                });
                SegmentEnd::Lost
            }
        }
    };
    (controls, run)
}
