//! How much one read returns.

use super::{
    StoreFixture,
    reading::{at_most, head},
    sample::{account, accounts, event, event_of_size},
    seed,
    writer::Writer,
};
use actum_model::{EntityKey, Lane, Position, SequenceNr};
use actum_persistence::store::{
    EntityPage, EntityRead, EventFilter, PageLimit, StoredEvent, Stores,
};
use bytes::Bytes;

/// Pages of at most so many events, chained, are everything once; the page that ends at the head says so.
pub async fn a_page_has_at_most_as_many_events_as_asked_for(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.write(&account(1), 0, 25).await;
    writer.write(&account(2), 0, 3).await; // between the events of the other
    writer.write(&account(1), 25, 25).await;
    for limit in [1, 7, 10, 25, 49, 50, 51] {
        let pages = entity_pages(&stores, &account(1), at_most(limit)).await;
        let numbers: Vec<_> = pages.concat().iter().map(|event| event.sequence_nr.get()).collect();
        assert!(numbers.iter().copied().eq(1..=50), "pages of {limit}: {numbers:?}");
        assert!(pages.iter().all(|page| page.len() <= limit as usize));
        let pages = lane_pages(&stores, at_most(limit)).await;
        let positions: Vec<_> = pages.concat().iter().map(|event| event.position.get()).collect();
        assert!(positions.iter().copied().eq(1..=53), "pages of {limit}: {positions:?}");
        assert!(pages.iter().all(|page| page.len() <= limit as usize));
    }
}

/// Pages of at most so many bytes, payload and metadata together; an event that is larger than that comes alone.
pub async fn a_page_has_at_most_as_many_bytes_as_asked_for(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let mut rng = seed::random();
    let sizes: Vec<usize> =
        (0..60).map(|_| if rng.bool() { rng.usize(..100) } else { rng.usize(..2000) }).collect();
    let events = sizes.iter().map(|size| {
        let mut event = event_of_size(size - size / 3);
        event.metadata = Bytes::from(vec![1; size / 3]);
        event
    });
    let stored = writer.store_one(&account(1), 0, events.collect()).await;
    stored.expect("the store accepts the batch");
    for bytes in [0, 1, 99, 1000, 2500, 10_000, usize::MAX] {
        let limit = PageLimit::default().with_bytes(bytes);
        let of_entity = entity_pages(&stores, &account(1), limit).await;
        let of_lane = lane_pages(&stores, limit).await;
        for pages in [of_entity, of_lane] {
            let read: Vec<_> = pages.concat().iter().map(size_of_event).collect();
            assert_eq!(read, sizes, "pages of {bytes} bytes");
            for page in &pages {
                let size: usize = page.iter().map(size_of_event).sum();
                assert!(size <= bytes || page.len() == 1, "{size} bytes where {bytes} were asked");
            }
        }
    }
}

/// A page starts right behind `after`, wherever that is; behind the head it is empty and has no more.
pub async fn a_page_starts_right_behind_what_the_reader_has(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    for round in 0..10 {
        writer.write(&account(1), round * 3, 3).await;
        writer.write(&account(2), round, 1).await;
    }
    for after in 0..=32 {
        let page = read(&stores, &[(account(1), after)], PageLimit::default()).await.remove(0);
        let numbers: Vec<_> = page.events.iter().map(|event| event.sequence_nr.get()).collect();
        assert!(numbers.iter().copied().eq(after + 1..=30), "after {after}: {numbers:?}");
        assert_eq!(page.head, SequenceNr::new(30));
        assert_eq!(page.floor, SequenceNr::ZERO);
        assert!(!page.has_more(SequenceNr::new(after)));
    }
    for after in [i64::MAX as u64, u64::MAX] {
        let page = read(&stores, &[(account(1), after)], at_most(1)).await.remove(0);
        assert_eq!((page.events.len(), page.head), (0, SequenceNr::new(30)));
    }
    let behind = Position::new(1 << 40);
    let (lane, filter) = (Lane::default(), EventFilter::default());
    let page = stores.events.read_lane(lane, behind, &filter, at_most(1)).await;
    let page = page.expect("the lane can be read");
    assert_eq!((page.events.len(), page.read_to), (0, behind));
}

/// Many reads in one call are answered in their order, each with a page of its own: unknown entities, the same entity
/// twice, each from its own place.
pub async fn many_entities_are_read_in_one_call(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let known = accounts(900);
    let count = |nr: usize| nr % 5 + 1;
    let appends = known.iter().enumerate();
    let own = |nr: usize| vec![event(known[nr].id()); count(nr)];
    let appends = appends.map(|(nr, key)| writer.append(key, 0, own(nr))).collect();
    writer.store(appends).await.expect("the store accepts the batch");

    let mut rng = seed::random();
    let reads: Vec<_> = (0..1500).map(|_| (account(rng.usize(..1000)), rng.u64(..4))).collect();
    let pages = read(&stores, &reads, at_most(2)).await;
    for ((key, after), page) in reads.iter().zip(pages) {
        let nr = known.iter().position(|other| other == key);
        let head = nr.map_or(0, |nr| count(nr) as u64);
        assert_eq!(page.head.get(), head, "{key}");
        let numbers: Vec<_> = page.events.iter().map(|event| event.sequence_nr.get()).collect();
        assert!(numbers.iter().copied().eq((after + 1..=head).take(2)), "{key}: {numbers:?}");
        assert!(page.events.iter().all(|event| event.payload.bytes == key.id()), "{key}");
    }
    assert_eq!(read(&stores, &[], at_most(2)).await, []);
}

async fn read(stores: &Stores, reads: &[(EntityKey, u64)], limit: PageLimit) -> Vec<EntityPage> {
    let asked = reads.iter();
    let asked: Vec<_> = asked
        .map(|(key, after)| EntityRead { entity: key.clone(), after: SequenceNr::new(*after) })
        .collect();
    let pages = stores.events.read_entities(&asked, limit).await.expect("entities can be read");
    assert_eq!(pages.len(), reads.len(), "each read has an answer");
    pages
}

/// The pages of an entity up to its head.
async fn entity_pages(
    stores: &Stores,
    entity: &EntityKey,
    limit: PageLimit,
) -> Vec<Vec<StoredEvent>> {
    let (mut pages, mut after) = (Vec::new(), SequenceNr::ZERO);
    loop {
        let page = read(stores, &[(entity.clone(), after.get())], limit).await.remove(0);
        let more = page.has_more(after);
        assert!(!page.events.is_empty() || !more, "a page has at least one event");
        after = page.events.last().map_or(after, |event| event.sequence_nr);
        pages.push(page.events);
        if !more {
            return pages;
        }
    }
}

/// The pages of lane 0 up to its head.
async fn lane_pages(stores: &Stores, limit: PageLimit) -> Vec<Vec<StoredEvent>> {
    let (mut pages, mut after) = (Vec::new(), Position::ZERO);
    let filter = EventFilter::default();
    while after < head(stores, Lane::default()).await {
        let page = stores.events.read_lane(Lane::default(), after, &filter, limit).await;
        let page = page.expect("the lane can be read");
        assert!(page.read_to > after, "a page has at least one event");
        after = page.read_to;
        pages.push(page.events.into_iter().map(|event| event.event).collect());
    }
    pages
}

fn size_of_event(event: &StoredEvent) -> usize {
    event.payload.bytes.len() + event.metadata.len()
}
