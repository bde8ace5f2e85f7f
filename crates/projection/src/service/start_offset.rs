use super::event_at::event_behind;
use crate::definition::StartAt;
use actum_model::{Lane, Offset, Position, Timestamp};
use actum_persistence::store::{EventStore, StoreError};

/// Where a projection begins that begins like this, in a journal that ends at `heads`.
pub(crate) async fn start_offset(
    events: &dyn EventStore,
    start_at: &StartAt,
    heads: &Offset,
) -> Result<Offset, StoreError> {
    match start_at {
        StartAt::Beginning => Ok(Offset::beginning(events.layout().lanes)),
        StartAt::Now => Ok(heads.clone()),
        StartAt::Behind(offset) => {
            let (positions, ends) = (offset.positions(), heads.positions());
            let is_behind = || positions.iter().zip(ends).any(|(position, end)| position > end);
            if positions.len() != ends.len() {
                let (there, here) = (positions.len(), ends.len());
                return Err(StoreError::invalid(format!(
                    "`start_at` is behind {offset}, an offset of another journal: that has {there} lanes, this one {here}"
                )));
            }
            if is_behind() {
                let what =
                    format!("`start_at` is behind {offset}, and the journal ends at {heads}");
                return Err(StoreError::invalid(what));
            }
            Ok(offset.clone())
        }
        StartAt::Time(time) => offset_at(events, *time).await,
    }
}

/// About where events of this time begin, in each lane: found by halving, since a lane is ordered by commits and times
/// follow that but for the differences between clocks. A read for each halving.
async fn offset_at(events: &dyn EventStore, time: Timestamp) -> Result<Offset, StoreError> {
    let heads = events.heads().await?;
    let mut positions = Vec::with_capacity(heads.positions().len());
    for lane in events.layout().lanes.iter() {
        positions.push(position_at(events, lane, heads.position(lane), time).await?);
    }
    Ok(Offset::of_positions(positions))
}

/// The last position in front of the time.
async fn position_at(
    events: &dyn EventStore,
    lane: Lane,
    head: Position,
    time: Timestamp,
) -> Result<Position, StoreError> {
    // everything up to `before` is older, everything behind `from` is not
    let (mut before, mut from) = (Position::ZERO, head);
    while before < from {
        let middle = Position::new(before.get() + (from.get() - before.get()) / 2);
        match event_behind(events, lane, middle).await? {
            Some(event) if event.event.timestamp < time => before = event.event.position.min(from),
            _ => from = middle, // also where everything behind was deleted
        }
    }
    Ok(before)
}
