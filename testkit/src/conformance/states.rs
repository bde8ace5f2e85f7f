//! Durable states.

use super::{
    StoreFixture,
    reading::journal,
    refusal::assert_invalid,
    sample::{account, accounts, entity, payload},
    writer::Writer,
};
use actum_model::{EntityKey, Partition, Position, Revision, SequenceNr, StoredPayload, Timestamp};
use actum_persistence::store::{
    EventId, StateChange, StateOutcome, StateRecord, StoreError, Stores,
};
use bytes::Bytes;

/// A state comes back with every field as it was, and is no event.
pub async fn a_state_comes_back_as_it_was_written(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let state = StoredPayload {
        codec: "ç".repeat(16).into(),
        manifest: "m%_".repeat(85).into(),
        schema_version: u32::MAX,
        bytes: Bytes::from_static(b"\0\xff'"),
    };
    let mut write = writer.change(&account(1), (0, 1), StateChange::Put(state.clone()));
    write.write_nr = u64::MAX;
    write.timestamp = Timestamp::from_micros(i64::MIN);
    let outcomes = writer.store_states(vec![write]).await.expect("the store accepts the write");
    assert_eq!(outcomes, [StateOutcome::Written]);
    let record = StateRecord {
        revision: Revision::new(1),
        timestamp: Timestamp::from_micros(i64::MIN),
        state: Some(state),
        commands: Vec::new(),
        recent_commands: Bytes::new(),
        write_id: EventId { incarnation: writer.incarnation, nr: u64::MAX },
        position: Position::new(1),
    };
    assert_eq!(load(&stores, &account(1)).await, Some(record));
    assert_eq!(load(&stores, &account(2)).await, None);
    assert_eq!(journal(&stores).await, []);
}

/// A write replaces the state, and its revision may be several ahead when it carries the changes of several commands.
pub async fn a_write_moves_the_revision_as_far_as_it_says(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    for (expected, revision) in [(0, 3), (3, 7), (7, 8), (8, 1 << 33), (1 << 33, (1 << 33) + 1)] {
        let text = revision.to_string();
        let outcome = writer.put(&account(1), (expected, revision), &text).await;
        assert_eq!(outcome.expect("the store accepts the write"), StateOutcome::Written);
        let record = load(&stores, &account(1)).await.expect("the state is there");
        assert_eq!(record.revision, Revision::new(revision));
        assert_eq!(record.state, Some(payload(&text)));
    }
}

/// A deleted state leaves a tombstone, which keeps the revision; a later write goes on from there.
pub async fn a_tombstone_keeps_the_revision(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.put(&account(1), (0, 2), "alive").await.expect("the store accepts the write");
    let delete = writer.change(&account(1), (2, 3), StateChange::Delete);
    let write_id = EventId { incarnation: writer.incarnation, nr: delete.write_nr };
    writer.store_states(vec![delete]).await.expect("the store accepts the write");
    let tombstone = load(&stores, &account(1)).await.expect("a tombstone is a record");
    assert_eq!(tombstone.state, None);
    assert_eq!(tombstone.revision, Revision::new(3));
    assert_eq!(tombstone.write_id, write_id);

    for expected in [0, 2, 4] {
        let outcome = writer.put(&account(1), (expected, 9), "late").await;
        assert_eq!(outcome.expect("a conflict is no error"), conflict(3));
    }
    writer.put(&account(1), (3, 4), "again").await.expect("the store accepts the write");
    let record = load(&stores, &account(1)).await.expect("the state is there");
    assert_eq!((record.revision, record.state), (Revision::new(4), Some(payload("again"))));
}

/// An entity can be deleted that was never there: the tombstone counts.
pub async fn a_state_that_never_was_can_be_deleted(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let delete = writer.change(&account(1), (0, 1), StateChange::Delete);
    let outcomes = writer.store_states(vec![delete]).await.expect("the store accepts the write");
    assert_eq!(outcomes, [StateOutcome::Written]);
    let tombstone = load(&stores, &account(1)).await.expect("a tombstone is a record");
    assert_eq!((tombstone.revision, tombstone.state), (Revision::new(1), None));
}

/// An entity that is named twice, a revision that does not grow or a foreign partition: the whole batch is refused.
pub async fn an_invalid_batch_of_states_stores_nothing(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let keys = accounts(100);
    let put = || StateChange::Put(payload("state"));
    let good = || keys.iter().map(|key| writer.change(key, (0, 1), put())).collect::<Vec<_>>();
    for place in [0, 50, 99] {
        let mut twice = good();
        twice.insert((place + 31) % 100, writer.change(&keys[place], (1, 2), put()));
        assert_invalid(writer.store_states(twice).await);
        for (expected, revision) in [(0, 0), (5, 5), (5, 4), (u64::MAX, 1)] {
            let mut backwards = good();
            backwards[place] = writer.change(&keys[place], (expected, revision), put());
            assert_invalid(writer.store_states(backwards).await);
        }
        let mut misplaced = good();
        misplaced[place].partition = Partition::new(misplaced[place].partition.nr() ^ 1);
        assert_invalid(writer.store_states(misplaced).await);
    }
    let loaded = stores.states.load(&keys).await.expect("states can be loaded");
    assert_eq!(loaded, vec![None; 100]);
    writer.store_states(good()).await.expect("without a mistake the store accepts it");
}

/// Many states are written and loaded in one call, unknown ones and one asked for twice among them.
pub async fn many_states_are_written_and_loaded_together(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let keys = accounts(3000);
    let writes =
        keys.iter().map(|key| writer.change(key, (0, 1), StateChange::Put(payload(key.id()))));
    let outcomes = writer.store_states(writes.collect()).await.expect("the store accepts them");
    assert_eq!(outcomes, vec![StateOutcome::Written; 3000]);
    let asked: Vec<_> = (0..4000).map(|n| account(n * 7 % 3500)).collect();
    let loaded = stores.states.load(&asked).await.expect("states can be loaded");
    assert_eq!(loaded.len(), asked.len());
    for (key, record) in asked.iter().zip(loaded) {
        let state = keys.contains(key).then(|| payload(key.id()));
        assert_eq!(record.and_then(|record| record.state), state, "{key}");
    }
    assert_eq!(stores.states.load(&[]).await.expect("states can be loaded"), []);
}

/// A record that has lost a part of its payload is corrupt. It is not taken for a tombstone, which has no part of it,
/// and would be written over.
pub async fn a_damaged_state_is_corrupt_and_no_tombstone(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.put(&account(1), (0, 1), "alive").await.expect("the store accepts the write");
    let delete = writer.change(&account(2), (0, 1), StateChange::Delete);
    writer.store_states(vec![delete]).await.expect("the store accepts the write");
    stores.close().await;
    if !fixture.damage_state(&account(1)).await {
        return;
    }
    let stores = fixture.open().await;
    let loaded = stores.states.load(&[account(1)]).await;
    assert!(matches!(loaded, Err(StoreError::Corrupt { .. })), "{loaded:?}");
    assert_eq!(load(&stores, &account(2)).await.expect("a tombstone is a record").state, None);
}

/// A store knows which kinds are kept as states and which as events, also when all that is left are tombstones or the
/// numbers of deleted events.
pub async fn the_model_of_a_kind_is_known(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    assert_eq!(models(&stores, "account").await, (false, false));
    assert_eq!(models(&stores, "").await, (false, false));
    let (order, note, memo) = (entity("order", "1"), entity("note", "1"), entity("memo", "1"));
    writer.write(&account(1), 0, 3).await;
    writer.write(&order, 0, 3).await;
    let deleted = stores.events.delete_events(writer.incarnation, &order, SequenceNr::new(3)).await;
    deleted.expect("events can be deleted");
    writer.put(&note, (0, 1), "text").await.expect("the store accepts the write");
    let delete = writer.change(&memo, (0, 1), StateChange::Delete);
    writer.store_states(vec![delete]).await.expect("the store accepts the write");
    for (kind, known) in [
        ("account", (true, false)),
        ("order", (true, false)),
        ("note", (false, true)),
        ("memo", (false, true)),
        ("accoun", (false, false)),
        ("Account", (false, false)),
    ] {
        assert_eq!(models(&stores, kind).await, known, "{kind}");
    }
}

async fn models(stores: &Stores, kind: &str) -> (bool, bool) {
    let events = stores.events.has_events_of(kind).await;
    let states = stores.states.has_states_of(kind).await;
    (events.expect("the store can say"), states.expect("the store can say"))
}

fn conflict(actual: u64) -> StateOutcome {
    StateOutcome::Conflict { actual: Revision::new(actual) }
}

async fn load(stores: &Stores, entity: &EntityKey) -> Option<StateRecord> {
    let loaded = stores.states.load(std::slice::from_ref(entity)).await;
    loaded.expect("states can be loaded").remove(0)
}
