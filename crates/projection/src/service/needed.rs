use actum_model::{Lane, Offset, Partition, Position};
use actum_persistence::{
    progress::{DeadLetterPlace, ProgressStore, Segment, StoredProjection},
    store::StoreError,
};

/// How many parked entities are read at once.
const PAGE: u32 = 1_000;

/// Up to where a projection needs no event of the journal any more: what lies behind the slowest segment is to be handled, and
/// what is parked or a dead letter may be replayed.
pub(super) async fn needed(
    progress: &dyn ProgressStore,
    stored: &StoredProjection,
) -> Result<Offset, StoreError> {
    let lanes = stored.layout.lanes;
    let read = |lane: Lane| {
        let segments = stored
            .segments
            .iter()
            .filter(|segment| segment.segment.lanes(lanes).any(|own| own == lane));
        segments.map(|segment| segment.progress.offset().position(lane)).min().unwrap_or_default()
    };
    let mut needed: Vec<_> = lanes.iter().map(read).collect();
    let mut need = |lane: Lane, position: Position| {
        if let Some(needed) = needed.get_mut(lane.index()) {
            *needed = Position::new(position.get().saturating_sub(1)).min(*needed);
        }
    };
    let last = Partition::new(stored.layout.partitions.get().saturating_sub(1));
    let Some(all) = Segment::new(Partition::new(0), last) else {
        return Ok(Offset::of_positions(needed));
    };
    if stored.parked > 0 {
        let mut after = None;
        loop {
            let parked = progress.parked(&stored.id, all, after.as_ref(), PAGE).await?;
            parked.iter().for_each(|parked| need(parked.lane, parked.position));
            match parked.into_iter().next_back() {
                Some(last) => after = Some(last.entity),
                None => break,
            }
        }
    }
    if stored.dead_letters > 0 {
        for lane in lanes.iter() {
            let after = Some(DeadLetterPlace { lane, position: Position::ZERO });
            let first = progress.dead_letters(&stored.id, all, false, after, 1).await?;
            first
                .iter()
                .filter(|letter| letter.place.lane == lane)
                .for_each(|letter| need(lane, letter.place.position));
        }
    }
    Ok(Offset::of_positions(needed))
}
