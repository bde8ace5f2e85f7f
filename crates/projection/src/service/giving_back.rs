use super::shared::SharedProjection;
use actum_persistence::{
    error_chain::full_text,
    panics::log_safely,
    progress::{Epoch, SaveError, Segment},
};
use actum_reader::segment::SegmentEnd;

/// Gives a segment back as its end says.
pub(crate) async fn give_back(
    shared: &SharedProjection,
    segment: Segment,
    epoch: Epoch,
    end: SegmentEnd,
) -> SegmentEnd {
    let SharedProjection { progress, id, .. } = shared;
    let ended = match &end {
        SegmentEnd::Released => progress.release(id, segment, epoch).await,
        SegmentEnd::Stopped(why) => {
            log_safely(|| tracing::error!(projection = %id, %segment, %why, "projection stopped"));
            progress.stop(id, segment, epoch, why).await
        }
        SegmentEnd::Lost => Ok(()),
    };
    if let Err(error) = ended
        && !matches!(error, SaveError::Stale)
    {
        log_safely(|| {
            tracing::warn!(projection = %id, %segment, error = full_text(&error), "segment not given back, its lease ends anyway");
        });
        return SegmentEnd::Lost; // so that it is not claimed again at once
    }
    end
}
