use actum_model::{Lane, Position};
use actum_persistence::store::{EventFilter, EventStore, JournalEvent, PageLimit, StoreError};

/// The event at a place of the journal; none if it was deleted, or was not committed yet.
pub(crate) async fn event_at(
    events: &dyn EventStore,
    lane: Lane,
    position: Position,
) -> Result<Option<JournalEvent>, StoreError> {
    let before = Position::new(position.get().saturating_sub(1));
    Ok(event_behind(events, lane, before).await?.filter(|event| event.event.position == position))
}

/// The first event of a lane behind a place; none if there is none.
pub(super) async fn event_behind(
    events: &dyn EventStore,
    lane: Lane,
    after: Position,
) -> Result<Option<JournalEvent>, StoreError> {
    let page =
        events.read_lane(lane, after, &EventFilter::default(), PageLimit::one_event()).await?;
    Ok(page.events.into_iter().next())
}
