//! The largest requests that a store takes, and a little more.

use super::{
    StoreFixture,
    reading::{commands_of, events_of, head, head_of, journal, page},
    refusal::assert_invalid,
    sample::{account, accounts, event, payload, timestamp},
    writer::Writer,
};
use actum_model::{Lane, Position, Revision, SequenceNr};
use actum_persistence::store::{
    AppendOutcome, CommandRead, CommandRecord, NewEvent, Resolution, Snapshot, StateChange,
    StateOutcome, Stores,
    bounds::{
        BATCH_BYTES_MAX, BATCH_ENTITIES_MAX, BATCH_EVENTS_MAX, METADATA_BYTES_MAX,
        PAYLOAD_BYTES_MAX,
    },
};
use bytes::Bytes;

/// As many events as a batch may hold, of one entity, behind others: they are stored, found when their outcome is asked
/// for, and read back; sent again they conflict. One more is refused.
pub async fn the_append_of_most_events_is_stored(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.write(&account(1), 0, 5).await;
    let events: Vec<NewEvent> = (0..BATCH_EVENTS_MAX).map(|nr| event(&nr.to_string())).collect();
    let mut more = events.clone();
    more.push(event("one more"));
    assert_invalid(writer.store_one(&account(1), 5, more).await);

    let batch = writer.batch(vec![writer.append(&account(1), 5, events.clone())]);
    let last = Position::new(5 + BATCH_EVENTS_MAX as u64);
    let stored = stores.events.append(&batch).await.expect("the store accepts the batch");
    assert_eq!(stored, [AppendOutcome::Appended { last }]);
    let settled = stores.events.resolve(&batch).await.expect("the batch can be settled");
    assert_eq!(settled, [Resolution::Stored(AppendOutcome::Appended { last })]);
    let again = stores.events.append(&batch).await.expect("a conflict is no error");
    assert_eq!(again, [AppendOutcome::Conflict { actual: SequenceNr::new(last.get()) }]);
    assert_eq!(head(&stores, Lane::default()).await, last);

    let read = events_of(&stores, &account(1)).await.split_off(5);
    assert_eq!(read.len(), events.len());
    let first_nr = batch.appends[0].first_event_nr;
    for ((nr, read), new) in read.iter().enumerate().zip(&events) {
        assert_eq!((&read.payload, read.timestamp), (&new.payload, new.timestamp));
        assert_eq!(read.position, Position::new(6 + nr as u64));
        assert_eq!(read.event_id.nr, first_nr + nr as u64);
    }
    writer.write(&account(1), last.get(), 1).await;
}

/// As many bytes as a batch may hold, in payloads as large as they may be: they are stored and read back.
pub async fn the_append_of_most_bytes_is_stored(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let events = (0..BATCH_BYTES_MAX / PAYLOAD_BYTES_MAX).map(|nr| {
        let mut event = event("");
        event.payload.bytes = Bytes::from(vec![nr as u8; PAYLOAD_BYTES_MAX]);
        event
    });
    let events: Vec<NewEvent> = events.collect();
    let mut more = events.clone();
    more.push(event("x"));
    assert_invalid(writer.store_one(&account(1), 0, more).await);
    let stored = writer.store_one(&account(1), 0, events.clone()).await;
    let last = Position::new(events.len() as u64);
    assert_eq!(stored.expect("the store accepts the batch"), AppendOutcome::Appended { last });
    for (nr, new) in events.iter().enumerate() {
        let read = page(&stores, &account(1), nr as u64).await.events;
        assert!(read.len() == 1 && read[0].payload == new.payload, "event {nr} is whole");
    }
}

/// As many entities and events as a batch may hold. Those that conflict, some of many events among them, cost no one
/// else anything, and positions stay dense.
pub async fn the_batch_of_most_entities_and_events_is_stored(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let keys = accounts(BATCH_ENTITIES_MAX + 1);
    let ones = keys.iter().map(|key| writer.append(key, 0, vec![event("x")]));
    assert_invalid(writer.store(ones.collect()).await);

    // three of many events, so that they lie across whatever a store divides a batch into
    let many = BATCH_EVENTS_MAX / 5;
    let count = |nr: usize| if nr % 4_000 == 1_500 { many } else { 1 };
    let conflicts = |nr: usize| nr % 97 == 5 || nr == 5_500;
    let appends = keys[..BATCH_ENTITIES_MAX].iter().enumerate().map(|(nr, key)| {
        let expected = u64::from(conflicts(nr));
        writer.append(key, expected, vec![event(key.id()); count(nr)])
    });
    let outcomes = writer.store(appends.collect()).await.expect("the store accepts the batch");
    let mut last = 0;
    for (nr, outcome) in outcomes.iter().enumerate() {
        if conflicts(nr) {
            assert_eq!(*outcome, AppendOutcome::Conflict { actual: SequenceNr::ZERO }, "{nr}");
        } else {
            last += count(nr) as u64;
            assert_eq!(*outcome, AppendOutcome::Appended { last: Position::new(last) }, "{nr}");
        }
    }
    let all = journal(&stores).await;
    assert!(all.iter().map(|event| event.event.position.get()).eq(1..=last));
    assert!(all.iter().all(|event| event.event.payload == payload(event.entity.id())));
    for nr in [0, 5, 1_500, 5_500, 9_500] {
        let stored = if conflicts(nr) { 0 } else { count(nr) as u64 };
        assert_eq!(head_of(&stores, &keys[nr]).await, stored, "entity {nr}");
    }
    writer.write(&keys[1_500], many as u64, 1).await;
}

/// As many states as a batch may hold, and states as large as they may be, with one that conflicts among them.
pub async fn the_largest_batches_of_states_are_written(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let keys = accounts(BATCH_ENTITIES_MAX + 1);
    let put = |nr: usize| {
        let expected = u64::from(nr == 7_000);
        writer.change(&keys[nr], (expected, 2), StateChange::Put(payload(keys[nr].id())))
    };
    assert_invalid(writer.store_states((0..keys.len()).map(put).collect()).await);
    let all: Vec<_> = (0..BATCH_ENTITIES_MAX).map(put).collect();
    let outcomes = writer.store_states(all).await.expect("the store accepts the batch");
    let conflicting = StateOutcome::Conflict { actual: Revision::ZERO };
    let expected = |nr| if nr == 7_000 { conflicting } else { StateOutcome::Written };
    assert!(outcomes.into_iter().eq((0..BATCH_ENTITIES_MAX).map(expected)));
    for (key, record) in keys.iter().zip(states(&stores, &keys).await) {
        let state = record.is_some_and(|state| state == payload(key.id()));
        assert_eq!(state, *key != keys[7_000] && *key != keys[BATCH_ENTITIES_MAX], "{key}");
    }

    let large = |nr: usize| {
        let mut state = payload("");
        state.bytes = Bytes::from(vec![nr as u8; PAYLOAD_BYTES_MAX]);
        state
    };
    let count = BATCH_BYTES_MAX / PAYLOAD_BYTES_MAX;
    let put = |nr: usize| writer.change(&keys[nr], (2, 3), StateChange::Put(large(nr)));
    let mut more: Vec<_> = (0..count).map(put).collect();
    more.push(writer.change(&account(count), (2, 3), StateChange::Put(payload("x"))));
    assert_invalid(writer.store_states(more).await);
    let outcomes = writer.store_states((0..count).map(put).collect()).await;
    let outcomes = outcomes.expect("the store accepts the batch");
    assert_eq!(outcomes, vec![StateOutcome::Written; count]);
    for nr in 0..count {
        let state = states(&stores, &keys[nr..=nr]).await.remove(0);
        assert!(state == Some(large(nr)), "state {nr} is whole");
    }
}

/// As many commands as one write may hold, whether they are many or large: they are stored with it, found when its
/// outcome is asked for, and read back. One that conflicts stores none of them, and one command more is refused.
pub async fn the_writes_of_most_commands_are_stored(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let most = BATCH_EVENTS_MAX as u64 - 1; // and the state
    let many = |nr: usize, commands: u64| {
        let mut write = writer.change(&account(nr), (0, commands), StateChange::Put(payload("x")));
        write.commands =
            (1..=commands).map(|nr| command(nr, Bytes::from(nr.to_string()))).collect();
        write
    };
    assert_invalid(writer.store_states(vec![many(1, most + 1)]).await);
    assert_invalid(writer.store_states(vec![many(1, most), many(2, 1)]).await);
    let batch = writer.state_batch(vec![many(1, most)]);
    let written = stores.states.write(&batch).await.expect("the store accepts the batch");
    assert_eq!(written, [StateOutcome::Written]);
    let settled = stores.states.resolve(&batch).await.expect("the batch can be settled");
    assert_eq!(settled, [Resolution::Stored(StateOutcome::Written)]);
    let again = stores.states.write(&batch).await.expect("a conflict is no error");
    assert_eq!(again, [StateOutcome::Conflict { actual: Revision::new(most) }]);
    assert!(
        commands_of(&stores, &account(1)).await.into_iter().eq(1..=most),
        "every command is there"
    );
    let asked = [1, most / 2, most];
    let reads = asked.map(|revision| command_read(1, revision));
    let records = stores.states.command_records(&reads).await.expect("records can be read");
    assert_eq!(records, asked.map(|revision| Some(Bytes::from(revision.to_string()))));

    // a conflict of such a write leaves no command behind
    let mut late = many(2, most);
    late.expected = Revision::new(1);
    let late = writer.store_states(vec![late]).await.expect("a conflict is no error");
    assert_eq!(late, [StateOutcome::Conflict { actual: Revision::ZERO }]);
    let first = writer.put(&account(2), (0, most), "y").await.expect("the store accepts it");
    assert_eq!(first, StateOutcome::Written);
    assert_eq!(commands_of(&stores, &account(2)).await, [0; 0]);

    let record = |nr: u64| Bytes::from(vec![nr as u8; METADATA_BYTES_MAX]);
    let count = (BATCH_BYTES_MAX / METADATA_BYTES_MAX) as u64;
    let mut large = writer.change(&account(3), (0, count), StateChange::Delete);
    large.commands = (1..=count).map(|nr| command(nr, record(nr))).collect();
    let written = writer.store_states(vec![large]).await.expect("the store accepts the batch");
    assert_eq!(written, [StateOutcome::Written]);
    for revision in 1..=count {
        let read = [command_read(3, revision)];
        let found = stores.states.command_records(&read).await.expect("records can be read");
        assert!(found == [Some(record(revision))], "record {revision} is whole");
    }
}

/// Large snapshots are saved together, those of one entity too.
pub async fn many_large_snapshots_are_saved_together(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let snapshot = |nr: usize| {
        let mut state = payload("");
        state.bytes = Bytes::from(vec![nr as u8; 2 << 20]);
        Snapshot {
            entity: account(nr / 2),
            sequence_nr: SequenceNr::new(1 + nr as u64),
            timestamp: timestamp(),
            state,
            recent_commands: Bytes::from(vec![nr as u8; 1 << 10]),
        }
    };
    let all: Vec<Snapshot> = (0..64).rev().map(snapshot).collect();
    stores.snapshots.save(&all).await.expect("snapshots can be saved");
    for saved in all {
        let loaded = stores.snapshots.load(&saved.entity, saved.sequence_nr).await;
        assert!(loaded.expect("snapshots can be loaded") == Some(saved), "it is whole");
    }
}

fn command(revision: u64, record: Bytes) -> CommandRecord {
    CommandRecord {
        revision: Revision::new(revision),
        id_hash: revision,
        uptime_seconds: 0,
        record,
    }
}

fn command_read(nr: usize, revision: u64) -> CommandRead {
    CommandRead { entity: account(nr), revision: Revision::new(revision) }
}

async fn states(
    stores: &Stores,
    keys: &[actum_model::EntityKey],
) -> Vec<Option<actum_model::StoredPayload>> {
    let loaded = stores.states.load(keys).await.expect("states can be loaded");
    loaded.into_iter().map(|record| record.and_then(|record| record.state)).collect()
}
