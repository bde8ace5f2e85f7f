//! Very small and very large payloads.

use super::{
    StoreFixture,
    reading::{events_of, journal},
    sample::{account, event, event_of_size, payload},
    writer::Writer,
};
use actum_model::{SequenceNr, StoredPayload};
use actum_persistence::store::{NewEvent, Snapshot, StateChange, StateOutcome};
use bytes::Bytes;

const MIB: usize = 1 << 20;

/// A payload of no bytes, with no metadata, is not the same as nothing.
pub async fn an_empty_payload_is_stored(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let stored = writer.store_one(&account(1), 0, vec![event(""), event("x"), event("")]).await;
    stored.expect("the store accepts the batch");
    let read = events_of(&stores, &account(1)).await;
    let sizes: Vec<_> = read.iter().map(|event| event.payload.bytes.len()).collect();
    assert_eq!(sizes, [0, 1, 0]);
    assert!(read.iter().all(|event| event.metadata.is_empty()));

    let written = writer.put(&account(2), (0, 1), "").await;
    assert_eq!(written.expect("the store accepts the write"), StateOutcome::Written);
    let records = stores.states.load(&[account(2)]).await.expect("states can be loaded");
    assert_eq!(records[0].as_ref().and_then(|record| record.state.clone()), Some(payload("")));
}

/// Events of 1 MiB and of 16 MiB come back whole, alone and among small ones.
pub async fn payloads_of_sixteen_mebibytes_come_back_whole(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let events: Vec<NewEvent> = [MIB, 0, 16 * MIB, 10, MIB + 1].map(event_of_size).into();
    let stored = writer.store_one(&account(1), 0, events.clone()).await;
    stored.expect("the store accepts the batch");
    let read = events_of(&stores, &account(1)).await;
    assert_eq!(read.len(), events.len());
    for (read, new) in read.iter().zip(&events) {
        assert!(read.payload.bytes == new.payload.bytes, "{} bytes", new.payload.bytes.len());
    }
    let seen = journal(&stores).await;
    let whole = seen.iter().zip(&events).all(|(s, new)| s.event.payload.bytes == new.payload.bytes);
    assert!(seen.len() == events.len() && whole, "the lane shows the same bytes");
}

/// So do snapshots, with large remembered commands, and states.
pub async fn large_snapshots_and_states_come_back_whole(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let state: StoredPayload = event_of_size(16 * MIB).payload;
    let recent_commands = Bytes::from(vec![7; MIB]);
    let snapshot = Snapshot {
        entity: account(1),
        sequence_nr: SequenceNr::new(1),
        timestamp: event("").timestamp,
        state: state.clone(),
        recent_commands,
    };
    stores.snapshots.save(std::slice::from_ref(&snapshot)).await.expect("snapshots can be saved");
    let loaded = stores.snapshots.load(&account(1), SequenceNr::new(1)).await;
    assert!(loaded.expect("snapshots can be loaded") == Some(snapshot), "the snapshot is whole");

    let write = writer.change(&account(1), (0, 1), StateChange::Put(state.clone()));
    writer.store_states(vec![write]).await.expect("the store accepts the write");
    let loaded = stores.states.load(&[account(1)]).await.expect("states can be loaded").remove(0);
    let record = loaded.expect("the state is there");
    assert!(record.state == Some(state), "the state is whole");
}
