use super::journal::{Journal, append, is_appended, key, payload};
use crate::failing::failure;
use actum_model::{EntityKey, Lane, Revision, SequenceNr};
use actum_persistence::store::{
    AppendOutcome, ClaimError, DurableStateStore, EntitySearch, EventStore, PageLimit, Resolution,
    SnapshotStore, StateBatch, StateOutcome, StoreError, WriterClaim, WriterStore,
};
use actum_testkit::{Damage, Fault, FaultStore, Operation};
use std::{num::NonZeroU32, panic::AssertUnwindSafe, time::Duration};

fn is_unavailable<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Unavailable { .. }))
}

#[tokio::test]
async fn the_next_n_calls_fail_and_do_nothing() {
    let journal = Journal::new().await;
    journal.faults.next_n(Operation::Append, 2, Fault::unavailable());
    let batch = journal.batch(vec![append("a", 0, 1, &["one"])]);
    assert!(is_unavailable(&journal.append(&batch).await));
    assert!(is_unavailable(&journal.append(&batch).await));
    assert!(journal.texts("a").await.is_empty());
    assert!(is_appended(&journal.append(&batch).await.unwrap()[0]));
    assert_eq!(journal.texts("a").await, ["one"]);
}

#[tokio::test]
async fn faults_of_one_operation_come_in_the_order_they_were_scripted() {
    let journal = Journal::new().await;
    let corrupt = || Fault::fail(StoreError::corrupt("scripted"));
    journal.faults.next(Operation::Heads, Fault::none());
    journal.faults.next(Operation::Heads, corrupt());
    journal.faults.next(Operation::Heads, Fault::unavailable());
    assert_eq!(journal.faults.left(), 3);
    assert!(journal.read("a").await.is_ok(), "another operation took the fault");
    assert!(journal.store.heads().await.is_ok());
    assert!(matches!(journal.store.heads().await, Err(StoreError::Corrupt { .. })));
    assert!(is_unavailable(&journal.store.heads().await));
    assert!(journal.store.heads().await.is_ok());
    assert_eq!((journal.faults.left(), journal.faults.counts().faults), (0, 2));
}

#[tokio::test]
async fn standing_faults_come_behind_scripted_ones_and_end_when_stopped() {
    let journal = Journal::new().await;
    journal.faults.always(Operation::Heads, Fault::unavailable());
    journal.faults.next(Operation::Heads, Fault::none());
    assert!(journal.store.heads().await.is_ok());
    for _ in 0..3 {
        assert!(is_unavailable(&journal.store.heads().await));
    }
    journal.faults.next(Operation::Heads, Fault::unavailable());
    journal.faults.stop();
    assert!(journal.store.heads().await.is_ok());
    assert_eq!(journal.faults.left(), 0);
}

#[tokio::test]
async fn every_operation_can_fail() {
    let journal = Journal::new().await;
    let all = [
        Operation::WRITES.as_slice(),
        &Operation::RESOLVES,
        &Operation::RECOVERIES,
        &Operation::CONSUMPTION,
        &Operation::CHANGES,
        &Operation::SNAPSHOTS,
        &Operation::STARTS,
        &Operation::SEARCHES,
        &[
            Operation::DeleteEvents,
            Operation::ReadCommands,
            Operation::Claim,
            Operation::Renew,
            Operation::Release,
            Operation::Revoke,
        ],
    ]
    .concat();
    all.iter().for_each(|operation| journal.faults.always(*operation, Fault::unavailable()));
    let (store, entity) = (&journal.store, key("a"));
    let batch = journal.batch(vec![append("a", 0, 1, &["one"])]);
    let states = journal.put("a", 0, 1, "x");
    let limit = Default::default();
    assert!(is_unavailable(&store.append(&batch).await));
    assert!(is_unavailable(&EventStore::resolve(store, &batch).await));
    assert!(is_unavailable(&store.read_entities(&[], limit).await));
    assert!(is_unavailable(
        &store.read_lane(batch.lane, Default::default(), &Default::default(), limit).await
    ));
    assert!(is_unavailable(&store.heads().await));
    assert!(is_unavailable(&store.delete_events(journal.writer, &entity, SequenceNr::ZERO).await));
    assert!(is_unavailable(
        &actum_persistence::store::RecoveryStore::recover(store, &[], limit).await
    ));
    assert!(is_unavailable(&store.has_events_of("account").await));
    every_search_is_unavailable(store, &entity).await;
    assert!(is_unavailable(&store.save(&[]).await));
    assert!(is_unavailable(&SnapshotStore::load(store, &entity, SequenceNr::new(1)).await));
    let (first, one) = (SequenceNr::new(1), std::num::NonZeroU32::MIN);
    assert!(is_unavailable(&store.list(&entity, first, one).await));
    assert!(is_unavailable(&SnapshotStore::delete(store, &entity, first..=first).await));
    assert!(is_unavailable(&journal.write(&states).await));
    every_call_for_states_is_unavailable(store, &states, entity).await;
    assert!(is_unavailable(&store.renew(journal.writer, Duration::from_secs(1)).await));
    assert!(is_unavailable(&store.release(journal.writer).await));
    assert!(is_unavailable(&store.revoke(journal.writer).await));
    let claim = WriterClaim {
        slot: "s".into(),
        holder: "h".into(),
        lease: Duration::from_secs(1),
        replaces: None,
    };
    assert!(matches!(
        store.claim(&claim).await,
        Err(ClaimError::Store(StoreError::Unavailable { .. }))
    ));
    assert_eq!(journal.faults.counts().faults, all.len() as u64);
    assert!(all.iter().all(|operation| journal.faults.calls(*operation) == 1));
}

async fn every_call_for_states_is_unavailable(
    store: &FaultStore,
    batch: &StateBatch,
    entity: EntityKey,
) {
    let (after, filter, limit) = Default::default();
    assert!(is_unavailable(&store.has_states_of("account").await));
    assert!(is_unavailable(&DurableStateStore::resolve(store, batch).await));
    assert!(is_unavailable(&DurableStateStore::load(store, &[entity]).await));
    assert!(is_unavailable(&store.command_records(&[]).await));
    let changes = store.read_changes(Lane::default(), after, &filter, limit).await;
    assert!(is_unavailable(&changes));
    assert!(is_unavailable(&store.change_heads().await));
}

async fn every_search_is_unavailable(store: &FaultStore, entity: &EntityKey) {
    let search = EntitySearch {
        kind: "account".to_owned(),
        id_prefix: String::new(),
        after: String::new(),
        limit: NonZeroU32::MIN,
    };
    let (before, limit) = (SequenceNr::new(1), PageLimit::default());
    assert!(is_unavailable(&store.read_backward(entity, before, limit).await));
    assert!(is_unavailable(&store.list_entities(&search).await));
    assert!(is_unavailable(&store.kinds().await));
    assert!(is_unavailable(&store.list_states(&search).await));
}

#[tokio::test]
async fn a_foreign_writer_gives_the_first_entity_a_conflict_and_no_other() {
    let journal = Journal::new().await;
    journal.faults.next(Operation::Append, Fault::foreign_writer());
    let batch = journal.batch(vec![append("a", 0, 1, &["mine"]), append("b", 0, 2, &["theirs"])]);
    let outcomes = journal.append(&batch).await.unwrap();
    assert_eq!(outcomes[0], AppendOutcome::Conflict { actual: SequenceNr::new(1) });
    assert!(is_appended(&outcomes[1]));
    let events = journal.read("a").await.unwrap();
    assert_eq!(
        events[0].payload.decode::<String>().unwrap(),
        "mine",
        "the foreign writer writes what was about to be written"
    );
    assert_ne!(events[0].event_id.incarnation, journal.writer);
    assert!(events[0].metadata.is_empty(), "the foreign event is not the caller's");
    let resolved = EventStore::resolve(&journal.store, &batch).await.unwrap();
    assert_eq!(
        resolved[0],
        Resolution::NotStored,
        "a foreign event at the same number is no success"
    );
}

#[tokio::test]
async fn a_foreign_writer_comes_again_and_writes_what_it_is_given() {
    let journal = Journal::new().await;
    journal.faults.next_n(Operation::Append, 2, Fault::foreign_writer_of(payload("foreign")));
    for expected in 0..2 {
        let batch = journal.batch(vec![append("a", expected, 1 + expected, &["mine"])]);
        let actual = SequenceNr::new(expected + 1);
        assert_eq!(journal.append(&batch).await.unwrap(), [AppendOutcome::Conflict { actual }]);
    }
    assert_eq!(journal.texts("a").await, ["foreign", "foreign"]);
    let batch = journal.batch(vec![append("a", 2, 9, &["mine"])]);
    assert!(
        is_appended(&journal.append(&batch).await.unwrap()[0]),
        "the writer itself is not fenced"
    );
}

#[tokio::test]
async fn each_script_has_a_foreign_writer_of_its_own() {
    let journal = Journal::new().await;
    let second = actum_testkit::FaultStore::new(journal.store.inner().clone());
    journal.faults.next(Operation::Append, Fault::foreign_writer());
    second.faults().next(Operation::Append, Fault::foreign_writer());
    journal.append(&journal.batch(vec![append("a", 0, 1, &["x"])])).await.unwrap();
    second.append(&journal.batch(vec![append("a", 1, 2, &["y"])])).await.unwrap();
    assert_eq!(journal.texts("a").await, ["x", "y"]);
}

#[tokio::test]
async fn a_foreign_writer_of_durable_states_gives_a_conflict() {
    let journal = Journal::new().await;
    journal.faults.next(Operation::WriteStates, Fault::foreign_writer());
    journal.faults.next(Operation::WriteStates, Fault::foreign_writer_of(payload("theirs")));
    let actual = Revision::new(1);
    assert_eq!(
        journal.write(&journal.put("a", 0, 1, "mine")).await.unwrap(),
        [StateOutcome::Conflict { actual }]
    );
    assert_eq!(journal.state("a").await, Some((1, "mine".into())));
    let actual = Revision::new(2);
    assert_eq!(
        journal.write(&journal.put("a", 1, 2, "mine")).await.unwrap(),
        [StateOutcome::Conflict { actual }]
    );
    assert_eq!(journal.state("a").await, Some((2, "theirs".into())));
}

#[tokio::test]
async fn a_revoked_writer_is_fenced_now_and_later() {
    let journal = Journal::new().await;
    journal.faults.next(Operation::Append, Fault::revoked());
    let batch = journal.batch(vec![append("a", 0, 1, &["late"])]);
    for _ in 0..2 {
        assert!(
            matches!(journal.append(&batch).await, Err(StoreError::Fenced { incarnation }) if incarnation == journal.writer)
        );
    }
    let states = journal.write(&journal.put("a", 0, 1, "late")).await;
    assert!(matches!(states, Err(StoreError::Fenced { .. })));
    assert!(journal.texts("a").await.is_empty());
}

#[tokio::test]
async fn a_panic_does_nothing_and_leaves_the_store_usable() {
    let journal = Journal::new().await;
    journal.faults.next(Operation::Append, Fault::panic());
    let batch = journal.batch(vec![append("a", 0, 1, &["one"])]);
    let task = {
        let (journal, batch) = (journal.clone(), batch.clone());
        async move { journal.append(&batch).await }
    };
    let result = panic_of(task).await;
    assert_eq!(result.unwrap_err(), "scripted fault: Append panics");
    assert!(journal.texts("a").await.is_empty());
    assert!(journal.append(&batch).await.is_ok());
    assert_eq!(journal.faults.counts().appends_at_once_max, 1);
}

/// Runs a future in a task of its own, and returns the text of its panic.
async fn panic_of<T: Send + 'static>(
    run: impl Future<Output = T> + Send + 'static,
) -> Result<T, String> {
    match tokio::spawn(run).await {
        Ok(value) => Ok(value),
        Err(error) => {
            let payload = error.into_panic();
            Err(payload.downcast_ref::<String>().cloned().unwrap())
        }
    }
}

#[test]
fn a_fault_that_cannot_happen_is_refused_when_it_is_scripted() {
    let faults = actum_testkit::Faults::new();
    let refused = |operation, fault: Fault| {
        let faults = AssertUnwindSafe(&faults);
        failure(move || faults.next(operation, fault))
    };
    let text = refused(Operation::Append, Fault::damaged_event(Damage::Bytes));
    assert!(text.starts_with("Append cannot have the fault"), "{text}");
    refused(Operation::Heads, Fault::foreign_writer());
    refused(Operation::Resolve, Fault::unknown_until_resolved());
    refused(Operation::Recover, Fault::revoked());
    refused(Operation::ReadEntities, Fault::damaged_snapshot(Damage::Bytes));
    refused(Operation::Recover, Fault::damaged_state(Damage::Bytes));
    assert_eq!(faults.left(), 0);
}
