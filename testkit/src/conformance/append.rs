//! What is appended, and how it comes back.

use super::{
    StoreFixture,
    reading::{events_of, head, journal, page},
    sample::{account, accounts, entity, event, events},
    writer::Writer,
};
use actum_model::{Lane, Offset, Position, SequenceNr, StoredPayload, Timestamp};
use actum_persistence::store::{
    AppendOutcome, EntityPage, EventFilter, EventId, LanePage, NewEvent, PageLimit,
};
use bytes::Bytes;

/// A new journal has heads at zero, lanes that end where the reader stands, and entities without events.
pub async fn a_journal_no_one_has_written_to_is_empty(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let heads = stores.events.heads().await.expect("the heads can be read");
    assert_eq!(heads, Offset::beginning(stores.events.layout().lanes));
    assert_eq!(page(&stores, &account(1), 0).await, EntityPage::default());
    for after in [Position::ZERO, Position::new(7), Position::new(u64::MAX)] {
        let (filter, limit) = (EventFilter::default(), PageLimit::default());
        let read = stores.events.read_lane(Lane::default(), after, &filter, limit).await;
        let empty = LanePage::new(Vec::new(), after);
        assert_eq!(read.expect("an empty lane can be read"), empty);
    }
}

/// Sequence numbers and positions are contiguous and start at 1, over appends of one event and of several.
pub async fn the_events_of_an_entity_count_from_one_without_a_gap(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let mut expected = 0;
    for count in [1, 3, 1, 2] {
        let last = writer.write(&account(1), expected, count).await;
        expected += count as u64;
        assert_eq!(last, Position::new(expected), "the only entity's positions are its numbers");
    }
    let numbers: Vec<_> = events_of(&stores, &account(1))
        .await
        .iter()
        .map(|event| (event.sequence_nr.get(), event.position.get()))
        .collect();
    assert_eq!(numbers, [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7)]);
}

/// Every field of an event survives, at the edges of its type too.
pub async fn an_event_comes_back_as_it_was_written(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let odd = NewEvent {
        timestamp: Timestamp::from_micros(i64::MIN),
        payload: StoredPayload {
            codec: "ç".repeat(16).into(),
            manifest: "m%_".repeat(85).into(),
            schema_version: u32::MAX,
            bytes: Bytes::from_static(b"\0\xff'\"\\\x80"),
        },
        metadata: Bytes::from(vec![0; 64 << 10]),
    };
    let plain = event("plain");
    let mut append = writer.append(&account(1), 0, vec![odd.clone(), plain.clone()]);
    append.first_event_nr = u64::MAX - 1;
    writer.store(vec![append]).await.expect("the store accepts the batch");

    let stored = events_of(&stores, &account(1)).await;
    for (index, (stored, new)) in stored.iter().zip([odd, plain]).enumerate() {
        let nr = u64::MAX - 1 + index as u64;
        assert_eq!(stored.event_id, EventId { incarnation: writer.incarnation, nr });
        assert_eq!(stored.timestamp, new.timestamp);
        assert_eq!(stored.payload, new.payload);
        assert_eq!(stored.metadata, new.metadata);
    }
    let seen = journal(&stores).await;
    assert_eq!(seen.len(), 2);
    for (seen, stored) in seen.iter().zip(&stored) {
        assert_eq!(&seen.event, stored, "entity and lane show the same event");
        assert_eq!(seen.entity, account(1));
        assert_eq!(seen.partition, account(1).partition(stores.events.layout().partitions));
    }
}

/// Positions follow the order of the appends in a batch and of the events in an append, and each outcome names the
/// last position of its own append.
pub async fn the_events_of_a_batch_lie_side_by_side_in_its_order(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.write(&account(9), 0, 4).await;
    let sizes = [2, 1, 5, 1, 3];
    // last first, so that an order by id or hash would show
    let keys: Vec<_> = accounts(sizes.len()).into_iter().rev().collect();
    let appends = keys.iter().zip(sizes).map(|(key, n)| writer.append(key, 0, events(n))).collect();
    let outcomes = writer.store(appends).await.expect("the store accepts the batch");

    let mut position = 4;
    let seen = journal(&stores).await;
    for ((key, size), outcome) in keys.iter().zip(sizes).zip(outcomes) {
        for index in 0..size {
            let event = &seen[position];
            position += 1;
            assert_eq!(event.event.position, Position::new(position as u64));
            assert_eq!(&event.entity, key);
            assert_eq!(event.event.payload.bytes, index.to_string().as_bytes());
        }
        let last = Position::new(position as u64);
        assert_eq!(outcome, AppendOutcome::Appended { last });
    }
    assert_eq!(seen.len(), position);
}

/// When `append` has returned, heads, lane and entity show its events, through any handle.
pub async fn a_confirmed_append_is_seen_through_every_handle_at_once(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let writer = Writer::claim(&stores).await;
    for round in 1..=20 {
        let last = writer.write(&account(1), round - 1, 1).await;
        for handle in [&stores, &other] {
            assert_eq!(head(handle, Lane::default()).await, last);
            assert_eq!(page(handle, &account(1), 0).await.head, SequenceNr::new(round));
            assert_eq!(journal(handle).await.len() as u64, round);
        }
    }
}

/// Kind and id name an entity together.
pub async fn two_kinds_with_the_same_id_are_two_entities(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let kinds = ["account", "Account", "accounts", "a"].map(|kind| entity(kind, "7"));
    for (n, key) in kinds.iter().enumerate() {
        writer.write(key, 0, n + 1).await;
    }
    for (n, key) in kinds.iter().enumerate() {
        assert_eq!(events_of(&stores, key).await.len(), n + 1, "{key}");
    }
}
