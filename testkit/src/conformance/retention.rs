//! Deleting events that a snapshot covers.

use super::{
    StoreFixture,
    reading::{at_most, events_of, filtered, head, journal, page},
    refusal::assert_invalid,
    sample::{account, accounts, events},
    writer::Writer,
};
use actum_model::{Lane, Position, SequenceNr};
use actum_persistence::store::{
    AppendOutcome, EventDeletion, EventFilter, SnapshotDeletion, bounds::DELETIONS_MAX,
};

/// Deleted events are gone, from the entity and from the lane; the head stays, the floor shows it, and a read from
/// before the floor starts behind it.
pub async fn deleted_events_are_gone_and_the_floor_tells(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.write(&account(1), 0, 10).await;
    writer.write(&account(2), 0, 3).await;
    for floor in [1, 4, 4, 9] {
        delete(&writer, 1, floor).await;
        for after in [0, 1, floor - 1, floor] {
            let page = page(&stores, &account(1), after).await;
            let numbers = page.events.iter().map(|event| event.sequence_nr.get());
            assert!(numbers.eq(after.max(floor) + 1..=10), "after {after}, floor {floor}");
            assert_eq!((page.head.get(), page.floor.get()), (10, floor));
        }
        let positions = journal(&stores).await.into_iter().map(|event| event.event.position.get());
        assert!(positions.eq(floor + 1..=13), "the lane shows what is left");
    }
    assert_eq!(events_of(&stores, &account(2)).await.len(), 3, "a neighbour keeps its events");
    assert_eq!(page(&stores, &account(2), 0).await.floor, SequenceNr::ZERO);
}

/// When all events are deleted, head and floor meet, nothing more is to be read, and the numbers go on where they were.
pub async fn numbers_go_on_after_everything_was_deleted(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.write(&account(1), 0, 5).await;
    delete(&writer, 1, 5).await;
    let empty = page(&stores, &account(1), 0).await;
    assert_eq!((empty.events.len(), empty.head.get(), empty.floor.get()), (0, 5, 5));
    assert!(!empty.has_more(SequenceNr::ZERO), "a reader that comes from before must not wait");
    assert_eq!(head(&stores, Lane::default()).await, Position::new(5));
    assert_eq!(journal(&stores).await, []);

    for expected in [0, 4, 6] {
        let outcome = writer.store_one(&account(1), expected, events(1)).await;
        let conflict = AppendOutcome::Conflict { actual: SequenceNr::new(5) };
        assert_eq!(outcome.expect("a conflict is no error"), conflict);
    }
    assert_eq!(writer.write(&account(1), 5, 2).await, Position::new(7));
    let page = page(&stores, &account(1), 0).await;
    let numbers: Vec<_> = page.events.iter().map(|event| event.sequence_nr.get()).collect();
    assert_eq!(numbers, [6, 7]);
    assert_eq!((page.head.get(), page.floor.get()), (7, 5));
}

/// The same when the journal is opened again, by the numbers alone.
pub async fn numbers_go_on_after_everything_was_deleted_and_reopened(fixture: &dyn StoreFixture) {
    for round in 0..3 {
        let stores = fixture.open().await;
        let writer = Writer::claim(&stores).await;
        for (nr, key) in accounts(5).iter().enumerate() {
            let last = writer.write(key, round * 2, 2).await;
            assert_eq!(last, Position::new(round * 10 + (nr as u64 + 1) * 2));
            delete(&writer, nr, round * 2 + 2).await;
        }
        stores.writers.release(writer.incarnation).await.expect("a slot can be released");
        stores.close().await;
    }
    let stores = fixture.open().await;
    assert_eq!(head(&stores, Lane::default()).await, Position::new(30));
    let page = page(&stores, &account(1), 0).await;
    assert_eq!((page.events.len(), page.head.get(), page.floor.get()), (0, 6, 6));
}

/// Nothing can be deleted past the head, and what the call asks besides stays undeleted.
pub async fn deleting_past_the_head_is_invalid(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.write(&account(1), 0, 3).await;
    for (nr, up_to) in [(1, 4), (1, i64::MAX as u64), (1, u64::MAX), (2, 1)] {
        let up_to = SequenceNr::new(up_to);
        let deleted = stores.events.delete_events(writer.incarnation, &account(nr), up_to).await;
        assert_invalid(deleted);
    }
    assert_eq!(events_of(&stores, &account(1)).await.len(), 3);
    assert_eq!(page(&stores, &account(1), 0).await.floor, SequenceNr::ZERO);
}

/// Deleting less than is deleted changes nothing, nor does deleting nothing.
pub async fn the_floor_never_sinks(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.write(&account(1), 0, 6).await;
    delete(&writer, 1, 4).await;
    for up_to in [3, 1, 0, 4] {
        delete(&writer, 1, up_to).await;
        let page = page(&stores, &account(1), 0).await;
        assert_eq!((page.events.len(), page.floor.get()), (2, 4), "up to {up_to}");
    }
    delete(&writer, 2, 0).await; // of an entity that was never written
    writer.write(&account(2), 0, 1).await;
}

/// One call deletes of many entities, in every lane, of some more than of others, and named more than once.
pub async fn events_of_many_entities_are_deleted_in_one_call(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let keys = accounts(150);
    for key in &keys {
        writer.write(key, 0, 20).await;
    }
    let up_to = |nr: usize| SequenceNr::new(nr as u64 % 21);
    let mut deletions: Vec<_> =
        keys.iter().enumerate().map(|(nr, key)| EventDeletion::new(key, up_to(nr))).collect();
    deletions.push(EventDeletion::new(&keys[20], SequenceNr::new(7)));
    deletions.push(EventDeletion::new(&account(1000), SequenceNr::ZERO)); // was never written
    let heads = stores.events.heads().await.expect("the heads can be read");
    for _ in 0..2 {
        let deleted = stores.events.prune_events(writer.incarnation, &deletions).await;
        deleted.expect("events can be deleted");
        for (nr, key) in keys.iter().enumerate() {
            let page = page(&stores, key, 0).await;
            assert_eq!((page.floor, page.head), (up_to(nr), SequenceNr::new(20)), "{key}");
            assert_eq!(page.events.len() as u64, 20 - up_to(nr).get(), "{key}");
        }
    }
    assert_eq!(stores.events.heads().await.expect("the heads can be read"), heads);
    let nothing = stores.events.prune_events(writer.incarnation, &[]).await;
    nothing.expect("there may be nothing to delete");
}

/// Events behind the position up to which all readers have read stay, whatever snapshots cover.
pub async fn what_a_reader_has_not_read_is_kept(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    // positions 1 to 4 are of the first, 5 to 8 of the second, 9 to 12 of the first, and so on
    for round in 0..3 {
        for nr in [1, 2] {
            writer.write(&account(nr), 4 * round, 4).await;
        }
    }
    let steps = [(0, 0, 0), (2, 2, 0), (8, 4, 4), (10, 6, 4), (10, 6, 4), (16, 8, 8), (24, 10, 10)];
    for (read_to, first, second) in steps {
        let read_to = Some(Position::new(read_to));
        let of = |nr| EventDeletion::new(&account(nr), SequenceNr::new(10)).with_read_to(read_to);
        let deleted = stores.events.prune_events(writer.incarnation, &[of(1), of(2)]).await;
        deleted.expect("events can be deleted");
        for (nr, floor) in [(1, first), (2, second)] {
            let page = page(&stores, &account(nr), 0).await;
            assert_eq!((page.floor.get(), page.head.get()), (floor, 12), "read to {read_to:?}");
        }
    }
}

/// More entities than the bound are refused before anything is deleted.
pub async fn a_call_for_too_many_entities_is_refused(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.write(&account(0), 0, 1).await;
    let keys = accounts(DELETIONS_MAX + 1);
    let events: Vec<_> = keys.iter().map(|key| EventDeletion::new(key, SequenceNr::ZERO)).collect();
    assert_invalid(stores.events.prune_events(writer.incarnation, &events).await);
    let none = SequenceNr::ZERO..=SequenceNr::ZERO;
    let snapshots: Vec<_> =
        keys.iter().map(|key| SnapshotDeletion::new(key, none.clone())).collect();
    assert_invalid(stores.snapshots.prune_snapshots(&snapshots).await);
    let most = stores.events.prune_events(writer.incarnation, &events[1..]).await;
    most.expect("as many as the bound says are deleted");
    let most = stores.snapshots.prune_snapshots(&snapshots[1..]).await;
    most.expect("as many as the bound says are deleted");
}

/// Readers get past long stretches of deleted events, in small pages and from any place.
pub async fn readers_get_past_what_was_deleted(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.write(&account(1), 0, 9000).await;
    writer.write(&account(2), 0, 1).await;
    writer.write(&account(1), 9000, 9000).await;
    delete(&writer, 1, 18_000).await;
    for after in [0, 1, 4096, 8999, 9000] {
        // `filtered` fails when a page stops before the head
        let all = EventFilter::default();
        let left = filtered(&stores, Position::new(after), &all, at_most(1)).await;
        let positions: Vec<_> = left.iter().map(|event| event.event.position.get()).collect();
        assert_eq!(positions, [9001], "from {after}");
    }
}

async fn delete(writer: &Writer, nr: usize, up_to: u64) {
    let (entity, up_to) = (account(nr), SequenceNr::new(up_to));
    let deleted = writer.stores.events.delete_events(writer.incarnation, &entity, up_to).await;
    deleted.expect("events can be deleted");
}
