use super::{ProjectionError, shared::SharedProjection, start_offset::start_offset};
use crate::definition::StartAt;
use actum_model::Offset;
use actum_persistence::{
    progress::{Rewind, StoredProjection},
    store::StoreError,
};

/// What lets a projection begin somewhere else; everything it has handled before is a replay then.
pub(super) async fn rewind(
    shared: &SharedProjection,
    stored: &StoredProjection,
    to: &StartAt,
) -> Result<Rewind, ProjectionError> {
    let heads = shared.feed.events().heads().await?;
    let to = match start_offset(&**shared.feed.events(), to, &heads).await {
        Err(StoreError::Invalid { what }) => return Err(ProjectionError::Invalid { what }),
        to => to?,
    };
    let mut live_from = stored.live_from.clone();
    let lanes = stored.layout.lanes;
    for segment in &stored.segments {
        for lane in segment.segment.lanes(lanes) {
            // what was read of a journal that has regressed since is not there any more
            let read = segment.progress.offset().position(lane).min(heads.position(lane));
            live_from.advance(lane, read);
        }
    }
    let live_from = Offset::of_positions(
        live_from
            .positions()
            .iter()
            .zip(heads.positions())
            .map(|(live, head)| *live.min(head))
            .collect::<Vec<_>>(),
    );
    let seen = stored.segments.iter().map(|segment| (segment.segment, segment.epoch)).collect();
    Ok(Rewind { projection: stored.id.clone(), to, live_from, seen })
}
