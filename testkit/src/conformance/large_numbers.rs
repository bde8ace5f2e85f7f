//! Positions and sequence numbers that do not fit into 31, 32 or 53 bits.

use super::{
    StoreFixture,
    reading::{at_most, events_of, filtered, head, journal, page},
    sample::{account, accounts, events, payload, timestamp},
    writer::Writer,
};
use actum_model::{Lane, Position, SequenceNr};
use actum_persistence::store::{
    AppendOutcome, EventFilter, PageLimit, RecoveryRead, Resolution, Snapshot,
};
use bytes::Bytes;

const EDGES: [u64; 3] = [1 << 31, 1 << 32, 1 << 53];

/// A lane goes on past each edge: appends, reads from before and behind it, settling, reopening.
pub async fn positions_go_on_past_what_fits_into_a_number_of_32_bits(fixture: &dyn StoreFixture) {
    let lane = Lane::default();
    let mut stored = Vec::new();
    for (round, edge) in EDGES.into_iter().enumerate() {
        fixture.advance_lane(lane, Position::new(edge - 3)).await;
        let stores = fixture.open().await;
        assert_eq!(head(&stores, lane).await, Position::new(edge - 3));
        let writer = Writer::claim(&stores).await;
        let expected = 2 * round as u64;
        let appends =
            accounts(3).iter().map(|key| writer.append(key, expected, events(2))).collect();
        let batch = writer.batch(appends);
        let outcomes = stores.events.append(&batch).await.expect("the store accepts the batch");
        let last = [edge - 1, edge + 1, edge + 3].map(Position::new);
        assert_eq!(outcomes, last.map(|last| AppendOutcome::Appended { last }));
        let settled = stores.events.resolve(&batch).await.expect("the batch can be settled");
        let found = last.map(|last| Resolution::Stored(AppendOutcome::Appended { last }));
        assert_eq!(settled, found);
        stored.extend(edge - 2..=edge + 3);

        let positions = journal(&stores).await.into_iter().map(|event| event.event.position.get());
        assert!(positions.eq(stored.iter().copied()));
        for after in edge - 4..edge + 3 {
            let all = EventFilter::default();
            let behind = filtered(&stores, Position::new(after), &all, at_most(2)).await;
            let behind = behind.into_iter().map(|event| event.event.position.get());
            assert!(behind.eq((after + 1).max(edge - 2)..=edge + 3), "after {after}");
        }
        assert_eq!(events_of(&stores, &account(1)).await.len(), 2 * (round + 1));
        stores.writers.release(writer.incarnation).await.expect("a slot can be released");
        stores.close().await;
    }
}

/// An entity goes on past each edge: appends, conflicts, reads, snapshots, retention, reopening.
pub async fn sequence_numbers_go_on_past_what_fits_into_32_bits(fixture: &dyn StoreFixture) {
    for (nr, edge) in EDGES.into_iter().enumerate() {
        fixture.advance_entity(&account(nr), SequenceNr::new(edge - 2)).await;
        let stores = fixture.open().await;
        let key = account(nr);
        let writer = Writer::claim(&stores).await;
        let old = page(&stores, &key, 0).await;
        assert_eq!((old.events.len(), old.head.get(), old.floor.get()), (0, edge - 2, edge - 2));
        for expected in [0, edge - 3, edge - 1] {
            let outcome = writer.store_one(&key, expected, events(1)).await;
            let conflict = AppendOutcome::Conflict { actual: SequenceNr::new(edge - 2) };
            assert_eq!(outcome.expect("a conflict is no error"), conflict);
        }
        writer.write(&key, edge - 2, 5).await;
        let numbers = page(&stores, &key, edge - 1).await.events;
        assert!(numbers.iter().map(|event| event.sequence_nr.get()).eq(edge..=edge + 3));

        let snapshot = Snapshot {
            entity: key.clone(),
            sequence_nr: SequenceNr::new(edge + 1),
            timestamp: timestamp(),
            state: payload("state"),
            recent_commands: Bytes::new(),
        };
        stores.snapshots.save(std::slice::from_ref(&snapshot)).await.expect("it can be saved");
        let up_to = SequenceNr::new(edge);
        let deleted = stores.events.delete_events(writer.incarnation, &key, up_to).await;
        deleted.expect("events can be deleted");
        let read = RecoveryRead { entity: key.clone(), snapshot: true };
        let found = stores.recovery.recover(&[read], PageLimit::default()).await;
        let found = found.expect("entities can recover").remove(0);
        assert_eq!(found.snapshot, Some(snapshot));
        let tail = found.page.events.iter().map(|event| event.sequence_nr.get());
        assert!(tail.eq(edge + 2..=edge + 3));
        assert_eq!((found.page.head.get(), found.page.floor), (edge + 3, up_to));
        stores.writers.release(writer.incarnation).await.expect("a slot can be released");
        stores.close().await;
    }
}
