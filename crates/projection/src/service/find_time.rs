use actum_model::{Lane, Offset, Position, Timestamp};
use actum_persistence::store::{EventFilter, EventStore, PageLimit, StoreError};

/// About where events of this time begin, in each lane: found by halving, since a lane is ordered by commits and times
/// follow that but for the differences between clocks. A read for each halving.
pub(super) async fn offset_at(
    events: &dyn EventStore,
    time: Timestamp,
) -> Result<Offset, StoreError> {
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
        let page =
            events.read_lane(lane, middle, &EventFilter::default(), PageLimit::one_event()).await?;
        match page.events.first() {
            Some(event) if event.event.timestamp < time => before = event.event.position.min(from),
            _ => from = middle, // also where everything behind was deleted
        }
    }
    Ok(before)
}
