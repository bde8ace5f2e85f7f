use super::all_parked::all_parked;
use actum_model::{Lane, Offset, Position};
use actum_persistence::{
    progress::{DeadLetterPlace, ProgressStore, Segment, StoredProjection},
    store::StoreError,
};

/// Up to where a projection needs no event of the journal any more: what lies behind the slowest segment is to be handled, and
/// what is parked or a dead letter may be replayed.
pub(crate) async fn needed(
    progress: &dyn ProgressStore,
    stored: &StoredProjection,
) -> Result<Offset, StoreError> {
    let (lanes, all) = (stored.layout.lanes, Segment::all(stored.layout.partitions));
    let mut needed = stored.read_to().positions().to_vec();
    let mut need = |lane: Lane, position: Position| {
        if let Some(needed) = needed.get_mut(lane.index()) {
            *needed = Position::new(position.get().saturating_sub(1)).min(*needed);
        }
    };
    if stored.parked > 0 {
        let parked = all_parked(progress, &stored.id, all).await?;
        parked.iter().for_each(|parked| need(parked.lane, parked.position));
    }
    if stored.dead_letters > 0 {
        for lane in lanes.iter() {
            let after = Some(DeadLetterPlace { lane, position: Position::ZERO });
            let first = progress.dead_letters(&stored.id, all, false, after, 1).await?;
            let of_lane = first.iter().filter(|letter| letter.place.lane == lane);
            of_lane.for_each(|letter| need(lane, letter.place.position));
        }
    }
    Ok(Offset::of_positions(needed))
}
