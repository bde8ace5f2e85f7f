//! Entities read backward.

use super::{
    StoreFixture,
    reading::at_most,
    sample::{account, event_of_size},
    seed,
    writer::Writer,
};
use actum_model::{EntityKey, SequenceNr};
use actum_persistence::store::{EntityPage, EntityRead, EventDeletion, PageLimit, Stores};

/// From the newest event on, or from any place, pages chained are everything once, the newest first, and the last page
/// says that it is.
pub async fn an_entity_is_read_from_its_end(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    for round in 0..10 {
        writer.write(&account(1), round * 3, 3).await;
        writer.write(&account(2), round, 1).await; // between the events of the other
    }
    for limit in [1, 7, 29, 30, 31] {
        for before in [u64::MAX, i64::MAX as u64, 32, 31, 30, 17, 2, 1, 0] {
            let pages = pages(&stores, &account(1), before, at_most(limit)).await;
            assert!(pages.iter().all(|page| page.len() <= limit as usize));
            let first = before.saturating_sub(1).min(30);
            assert!(
                pages.concat().iter().copied().eq((1..=first).rev()),
                "before {before}: {pages:?}"
            );
        }
    }
}

/// Each event comes back as it does forward.
pub async fn an_event_read_backward_is_the_one_read_forward(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.write(&account(1), 0, 4).await;
    let read = EntityRead { entity: account(1), after: SequenceNr::ZERO };
    let forward = stores.events.read_entities(&[read], PageLimit::default()).await;
    let mut forward = forward.expect("the entity can be read").remove(0);
    forward.events.reverse();
    let backward = read_backward(&stores, &account(1), u64::MAX, PageLimit::default()).await;
    assert_eq!(backward, forward);
}

/// A page has at most as many bytes as asked for, or one event.
pub async fn a_page_read_backward_keeps_to_its_bytes(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let mut rng = seed::random();
    let sizes: Vec<usize> = (0..40).map(|_| rng.usize(..2000)).collect();
    let events = sizes.iter().map(|size| event_of_size(*size)).collect();
    let stored = writer.store_one(&account(1), 0, events).await;
    stored.expect("the store accepts the batch");
    for bytes in [0, 1, 1000, 2500, 10_000, usize::MAX] {
        let limit = PageLimit::default().with_bytes(bytes);
        let (mut before, mut read) = (u64::MAX, Vec::new());
        loop {
            let page = read_backward(&stores, &account(1), before, limit).await;
            let of_page: Vec<_> =
                page.events.iter().map(|event| event.payload.bytes.len()).collect();
            let sum: usize = of_page.iter().sum();
            assert!(sum <= bytes || of_page.len() == 1, "{sum} bytes where {bytes} were asked");
            read.extend(of_page);
            if !page.has_older(SequenceNr::new(before)) {
                break;
            }
            before = page.events.last().expect("a page has an event").sequence_nr.get();
        }
        assert!(read.iter().rev().eq(&sizes), "pages of {bytes} bytes");
    }
}

/// What was deleted is not read and not waited for; the page says what there was.
pub async fn reading_backward_ends_at_what_was_deleted(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let nothing = read_backward(&stores, &account(1), u64::MAX, PageLimit::default()).await;
    assert_eq!(nothing, EntityPage::default(), "it was never written");
    writer.write(&account(1), 0, 10).await;
    for up_to in [4, 9, 10] {
        let deletion = EventDeletion::new(&account(1), SequenceNr::new(up_to));
        let deleted = stores.events.prune_events(writer.incarnation, &[deletion]).await;
        deleted.expect("events can be deleted");
        for limit in [1, 3, 20] {
            let pages = pages(&stores, &account(1), u64::MAX, at_most(limit)).await;
            assert!(
                pages.concat().iter().copied().eq((up_to + 1..=10).rev()),
                "{up_to}: {pages:?}"
            );
        }
        let page = read_backward(&stores, &account(1), up_to, PageLimit::default()).await;
        assert_eq!((page.events.len(), page.floor.get(), page.head.get()), (0, up_to, 10));
        assert!(!page.has_older(SequenceNr::new(up_to)));
    }
}

async fn read_backward(
    stores: &Stores,
    entity: &EntityKey,
    before: u64,
    limit: PageLimit,
) -> EntityPage {
    let page = stores.events.read_backward(entity, SequenceNr::new(before), limit).await;
    page.expect("an entity can be read backward")
}

/// The numbers on the pages of an entity in front of `before`, down to the oldest.
async fn pages(
    stores: &Stores,
    entity: &EntityKey,
    mut before: u64,
    limit: PageLimit,
) -> Vec<Vec<u64>> {
    let mut pages = Vec::new();
    loop {
        let page = read_backward(stores, entity, before, limit).await;
        let more = page.has_older(SequenceNr::new(before));
        assert!(!page.events.is_empty() || !more, "a page has at least one event");
        let numbers: Vec<_> = page.events.iter().map(|event| event.sequence_nr.get()).collect();
        before = numbers.last().copied().unwrap_or(before);
        pages.push(numbers);
        if !more {
            return pages;
        }
    }
}
