use actum_model::{EntityKey, Lane, Position, Revision, SequenceNr};
use actum_persistence::store::{
    CommandRead, EntityPage, EntityRead, EventFilter, JournalEvent, PageLimit, StoredEvent, Stores,
};
use std::num::NonZeroU32;

/// At most so many events, of any size.
pub(crate) fn at_most(events: u32) -> PageLimit {
    let events = NonZeroU32::new(events).expect("a page has events");
    PageLimit::default().with_events(events).with_bytes(usize::MAX)
}

/// One page of an entity, read behind `after`.
pub(crate) async fn page(stores: &Stores, entity: &EntityKey, after: u64) -> EntityPage {
    let read = EntityRead { entity: entity.clone(), after: SequenceNr::new(after) };
    let pages = stores.events.read_entities(&[read], PageLimit::default()).await;
    let mut pages = pages.expect("the entity can be read");
    assert_eq!(pages.len(), 1, "one read has one answer");
    pages.remove(0)
}

/// The sequence number of the entity's last event.
pub(crate) async fn head_of(stores: &Stores, entity: &EntityKey) -> u64 {
    page(stores, entity, 0).await.head.get()
}

/// All events of an entity, read page by page, of which it checks that they are contiguous up to the head.
pub(crate) async fn events_of(stores: &Stores, entity: &EntityKey) -> Vec<StoredEvent> {
    let mut events = Vec::new();
    let mut after = SequenceNr::ZERO;
    loop {
        let page = page(stores, entity, after.get()).await;
        let more = page.has_more(after);
        assert!(!more || !page.events.is_empty(), "{entity} has more behind {after}: {page:?}");
        after = after.max(page.floor);
        for event in page.events {
            assert_eq!(event.sequence_nr, after.next(), "{entity} has a gap or an overlap");
            after = event.sequence_nr;
            events.push(event);
        }
        if !more {
            assert_eq!(after, page.head, "{entity} ends before its head");
            return events;
        }
    }
}

/// The revisions of all commands that are kept of a state, read page by page.
pub(crate) async fn commands_of(stores: &Stores, entity: &EntityKey) -> Vec<u64> {
    let mut revisions = Vec::new();
    let mut before = Revision::new(u64::MAX);
    loop {
        let read = [CommandRead { entity: entity.clone(), revision: before }];
        let page = stores.states.commands_before(&read).await;
        let page = page.expect("commands can be read").remove(0);
        let Some(oldest) = page.first() else { break };
        assert!(oldest.revision < before, "a page holds what is before");
        before = oldest.revision;
        revisions.extend(page.iter().rev().map(|command| command.revision.get()));
    }
    revisions.reverse();
    revisions
}

/// The head of a lane.
pub(crate) async fn head(stores: &Stores, lane: Lane) -> Position {
    stores.events.heads().await.expect("the heads can be read").position(lane)
}

/// All events of lane 0 behind `after` that pass `filter`, read until the lane has nothing more; at most `limit` a
/// page. It checks that positions grow and that the pages reach the head.
pub(crate) async fn filtered(
    stores: &Stores,
    after: Position,
    filter: &EventFilter,
    limit: PageLimit,
) -> Vec<JournalEvent> {
    lane_events(stores, Lane::default(), after, filter, limit).await
}

/// All events of lane 0.
pub(crate) async fn journal(stores: &Stores) -> Vec<JournalEvent> {
    filtered(stores, Position::ZERO, &EventFilter::default(), PageLimit::default()).await
}

/// As [`filtered`], for any lane.
pub(crate) async fn lane_events(
    stores: &Stores,
    lane: Lane,
    mut after: Position,
    filter: &EventFilter,
    limit: PageLimit,
) -> Vec<JournalEvent> {
    let until = head(stores, lane).await;
    let mut events: Vec<JournalEvent> = Vec::new();
    loop {
        let page = stores.events.read_lane(lane, after, filter, limit).await;
        let page = page.expect("the lane can be read");
        for event in page.events {
            assert!(event.event.position > after, "a page starts behind where the last one ended");
            assert!(event.event.position <= page.read_to, "a page reaches its own last event");
            let last = events.last().map_or(Position::ZERO, |event| event.event.position);
            assert!(event.event.position > last, "positions grow");
            events.push(event);
        }
        if page.read_to == after {
            assert!(after >= until, "the reader stalls at {after}, before the head {until}");
            return events;
        }
        assert!(page.read_to > after, "a reader never regresses");
        after = page.read_to;
    }
}
