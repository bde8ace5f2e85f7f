use super::journal::{Journal, append, key, payload};
use actum_model::{DecodeError, Lane, Position, SequenceNr};
use actum_persistence::store::{DurableStateStore, EventStore, PageLimit, SnapshotStore};
use actum_testkit::{Damage, Fault, Operation};

async fn written() -> Journal {
    let journal = Journal::new().await;
    journal.append(&journal.batch(vec![append("a", 0, 1, &["one", "two"])])).await.unwrap();
    journal
}

#[tokio::test]
async fn a_damaged_event_is_unreadable_in_the_way_it_was_damaged() {
    let journal = written().await;
    let of = async |damage| {
        journal.faults.next(Operation::ReadEntities, Fault::damaged_event(damage));
        journal.read("a").await.unwrap()[0].payload.decode::<String>().unwrap_err()
    };
    assert!(matches!(of(Damage::Bytes).await, DecodeError::Damaged { .. }));
    assert!(matches!(of(Damage::Manifest).await, DecodeError::UnknownManifest { .. }));
    assert!(matches!(of(Damage::NewerSchema).await, DecodeError::NewerSchema { .. }));
    assert!(matches!(of(Damage::Codec).await, DecodeError::UnknownCodec { .. }));
    assert_eq!(
        journal.read("a").await.unwrap()[0].payload,
        payload("one"),
        "what is stored is whole"
    );
}

#[tokio::test]
async fn metadata_can_be_damaged_beside_a_whole_payload() {
    let journal = written().await;
    journal.faults.next(Operation::ReadEntities, Fault::damaged_event(Damage::Metadata));
    let events = journal.read("a").await.unwrap();
    assert_eq!(events[0].payload, payload("one"));
    assert_ne!(events[0].metadata, "meta");
    assert_eq!(events[1].metadata, "meta");
}

#[tokio::test]
async fn a_missing_event_leaves_a_hole() {
    let journal = written().await;
    journal.faults.next(Operation::ReadEntities, Fault::damaged_event(Damage::Missing));
    let events = journal.read("a").await.unwrap();
    assert_eq!(events.iter().map(|event| event.sequence_nr.get()).collect::<Vec<_>>(), [2]);
    journal.faults.next(Operation::ReadLane, Fault::damaged_event(Damage::Missing));
    let page = journal
        .store
        .read_lane(Lane::new(0), Position::ZERO, &Default::default(), PageLimit::default())
        .await
        .unwrap();
    assert_eq!((page.events.len(), page.read_to), (1, Position::new(2)));
}

#[tokio::test]
async fn damage_waits_for_something_to_damage() {
    let journal = written().await;
    journal.faults.next(Operation::ReadEntities, Fault::damaged_event(Damage::Bytes));
    assert!(journal.read("nobody").await.unwrap().is_empty());
    assert_eq!((journal.faults.left(), journal.faults.counts().faults), (1, 0));
    assert_ne!(journal.read("a").await.unwrap()[0].payload, payload("one"));
    assert_eq!((journal.faults.left(), journal.faults.counts().faults), (0, 1));
}

#[tokio::test]
async fn standing_damage_stays_standing() {
    let journal = written().await;
    journal.faults.always(Operation::ReadEntities, Fault::damaged_event(Damage::Bytes));
    assert!(journal.read("nobody").await.unwrap().is_empty());
    assert_eq!(journal.faults.left(), 0);
    for _ in 0..2 {
        assert_ne!(journal.read("a").await.unwrap()[0].payload, payload("one"));
    }
}

#[tokio::test]
async fn a_recovery_can_find_a_damaged_snapshot_or_event_or_no_snapshot() {
    let journal = written().await;
    journal.save_snapshot("a", 1).await;
    let whole = journal.recover("a").await;
    assert_eq!((whole.0.as_ref().map(|s| s.sequence_nr.get()), whole.1.len()), (Some(1), 1));

    journal.faults.next(Operation::Recover, Fault::damaged_snapshot(Damage::Bytes));
    let (snapshot, events) = journal.recover("a").await;
    assert!(snapshot.unwrap().state.decode::<String>().is_err());
    assert_eq!(events, whole.1);

    journal.faults.next(Operation::Recover, Fault::damaged_event(Damage::Bytes));
    let (snapshot, events) = journal.recover("a").await;
    assert_eq!(snapshot, whole.0);
    assert!(events[0].payload.decode::<String>().is_err());

    journal.faults.next(Operation::Recover, Fault::damaged_snapshot(Damage::Missing));
    let (snapshot, events) = journal.recover("a").await;
    assert_eq!(
        (snapshot, events.len()),
        (None, 2),
        "without a snapshot the page begins with the first event"
    );
    assert_eq!(journal.faults.left(), 0);
    assert_eq!(journal.recover("a").await, whole);
}

#[tokio::test]
async fn a_loaded_snapshot_can_be_damaged_or_missing() {
    let journal = written().await;
    journal.save_snapshot("a", 2).await;
    let load =
        async || SnapshotStore::load(&journal.store, &key("a"), SequenceNr::new(9)).await.unwrap();
    journal.faults.next(Operation::LoadSnapshot, Fault::damaged_snapshot(Damage::NewerSchema));
    assert!(matches!(
        load().await.unwrap().state.decode::<String>(),
        Err(DecodeError::NewerSchema { .. })
    ));
    journal.faults.next(Operation::LoadSnapshot, Fault::damaged_snapshot(Damage::Missing));
    assert_eq!(load().await, None);
    assert_eq!(load().await.unwrap().state, payload("state"));
}

#[tokio::test]
async fn a_durable_state_can_be_damaged_or_missing() {
    let journal = Journal::new().await;
    journal.write(&journal.put("a", 0, 1, "x")).await.unwrap();
    let load = async || {
        DurableStateStore::load(&journal.store, &[key("b"), key("a")]).await.unwrap().remove(1)
    };
    journal.faults.next(Operation::LoadStates, Fault::damaged_state(Damage::Bytes));
    assert!(load().await.unwrap().state.unwrap().decode::<String>().is_err());
    journal.faults.next(Operation::LoadStates, Fault::damaged_state(Damage::Metadata));
    let record = load().await.unwrap();
    assert_eq!(record.state, Some(payload("x")));
    assert!(!record.recent_commands.is_empty());
    journal.faults.next(Operation::LoadStates, Fault::damaged_state(Damage::Missing));
    assert_eq!(load().await, None);
    assert_eq!(load().await.unwrap().state, Some(payload("x")));
}
