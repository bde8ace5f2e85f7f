use super::all_parked::all_parked;
use actum_model::{Lane, Offset, Position};
use actum_persistence::{
    progress::{DeadLetterPlace, ProgressStore, Segment, StoredProjection},
    store::StoreError,
};

/// Up to where a projection needs no event of the journal any more, as it was found last: it is not asked for again while
/// nothing was saved.
#[derive(Debug, Default)]
pub(crate) struct Needed(Option<(StoredProjection, Offset)>);

impl Needed {
    /// As what is kept now says: what lies behind the slowest segment is to be handled, and what is parked or a dead letter may
    /// be replayed.
    pub(crate) async fn of(
        &mut self,
        progress: &dyn ProgressStore,
        stored: &StoredProjection,
    ) -> Result<&Offset, StoreError> {
        let mut kept = stored.clone();
        kept.runners.clear();
        let known = self.0.take().filter(|(known, _)| *known == kept);
        let known = match known {
            Some(known) => known,
            // what comes to be parked or a dead letter comes with a save, and what goes is counted
            None => {
                let needed = needed(progress, stored).await?;
                (kept, needed)
            }
        };
        Ok(&self.0.insert(known).1)
    }
}

async fn needed(
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
