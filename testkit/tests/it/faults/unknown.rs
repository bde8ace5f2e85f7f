use super::journal::{Journal, append, is_appended, is_stored, resolve};
use actum_persistence::store::{
    DurableStateStore, Resolution, StateOutcome, StoreError, WriterStore,
};
use actum_testkit::{Fault, Operation};

fn is_unknown<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::OutcomeUnknown { .. }))
}

#[tokio::test]
async fn a_committed_append_whose_answer_is_lost_resolves_to_success() {
    let journal = Journal::new().await;
    journal.faults.next(Operation::Append, Fault::unknown_committed());
    let batch = journal.batch(vec![append("a", 0, 1, &["one", "two"])]);
    assert!(is_unknown(&journal.append(&batch).await));
    assert_eq!(journal.texts("a").await, ["one", "two"]);
    assert!(is_stored(&resolve(&journal, &batch).await.unwrap()[0]));
}

#[tokio::test]
async fn an_uncommitted_append_whose_answer_is_lost_resolves_to_nothing() {
    let journal = Journal::new().await;
    journal.faults.next(Operation::Append, Fault::unknown_uncommitted());
    let batch = journal.batch(vec![append("a", 0, 1, &["one"])]);
    assert!(is_unknown(&journal.append(&batch).await));
    assert!(journal.texts("a").await.is_empty());
    assert_eq!(resolve(&journal, &batch).await.unwrap(), [Resolution::NotStored]);
}

#[tokio::test]
async fn a_late_append_is_invisible_until_it_is_resolved() {
    let journal = Journal::new().await;
    journal.faults.next(Operation::Append, Fault::unknown_until_resolved());
    let batch = journal.batch(vec![append("a", 0, 1, &["late"])]);
    assert!(is_unknown(&journal.append(&batch).await));
    assert!(journal.texts("a").await.is_empty());
    assert!(journal.append(&journal.batch(vec![append("b", 0, 2, &["other"])])).await.is_ok());
    assert!(journal.texts("a").await.is_empty());
    assert!(is_stored(&resolve(&journal, &batch).await.unwrap()[0]));
    assert_eq!(journal.texts("a").await, ["late"]);
    assert!(is_stored(&resolve(&journal, &batch).await.unwrap()[0]), "it landed twice");
    assert_eq!(journal.texts("a").await, ["late"]);
}

#[tokio::test]
async fn a_late_append_that_lost_its_place_resolves_to_nothing() {
    let journal = Journal::new().await;
    journal.faults.next(Operation::Append, Fault::unknown_until_resolved());
    let late = journal.batch(vec![append("a", 0, 1, &["late"])]);
    assert!(is_unknown(&journal.append(&late).await));
    let hasty = journal.batch(vec![append("a", 0, 2, &["hasty"])]);
    assert!(is_appended(&journal.append(&hasty).await.unwrap()[0]));
    assert_eq!(resolve(&journal, &late).await.unwrap(), [Resolution::NotStored]);
    assert_eq!(journal.texts("a").await, ["hasty"]);
}

#[tokio::test]
async fn a_late_append_of_a_revoked_writer_never_lands() {
    let journal = Journal::new().await;
    journal.faults.next(Operation::Append, Fault::unknown_until_resolved());
    let batch = journal.batch(vec![append("a", 0, 1, &["late"])]);
    assert!(is_unknown(&journal.append(&batch).await));
    journal.store.inner().writers.revoke(journal.writer).await.unwrap();
    assert_eq!(resolve(&journal, &batch).await.unwrap(), [Resolution::NotStored]);
    assert!(journal.texts("a").await.is_empty());
}

#[tokio::test]
async fn resolving_can_fail_and_a_late_append_waits_for_the_next_try() {
    let journal = Journal::new().await;
    journal.faults.next(Operation::Append, Fault::unknown_until_resolved());
    journal.faults.next_n(Operation::Resolve, 2, Fault::unavailable());
    let batch = journal.batch(vec![append("a", 0, 1, &["late"])]);
    assert!(is_unknown(&journal.append(&batch).await));
    for _ in 0..2 {
        assert!(matches!(resolve(&journal, &batch).await, Err(StoreError::Unavailable { .. })));
        assert!(journal.texts("a").await.is_empty());
    }
    assert!(is_stored(&resolve(&journal, &batch).await.unwrap()[0]));
}

#[tokio::test]
async fn writes_of_durable_states_are_lost_in_the_same_three_ways() {
    let journal = Journal::new().await;
    let faults =
        [Fault::unknown_committed(), Fault::unknown_uncommitted(), Fault::unknown_until_resolved()];
    for (nr, fault) in (0..).zip(faults) {
        let (id, committed) = (nr.to_string(), nr != 1);
        journal.faults.next(Operation::WriteStates, fault);
        let batch = journal.put(&id, 0, nr, "x");
        assert!(is_unknown(&journal.write(&batch).await));
        assert_eq!(journal.state(&id).await.is_some(), nr == 0);
        let outcomes = DurableStateStore::resolve(&journal.store, &batch).await.unwrap();
        let truth = committed.then_some(StateOutcome::Written);
        assert_eq!(outcomes, [Resolution::of(truth)]);
        assert_eq!(journal.state(&id).await.is_some(), committed);
    }
}

#[tokio::test]
async fn an_error_of_the_stores_below_is_not_covered_by_a_lost_answer() {
    let journal = Journal::new().await;
    journal.store.revoke(journal.writer).await.unwrap();
    journal.faults.next(Operation::Append, Fault::unknown_committed());
    let batch = journal.batch(vec![append("a", 0, 1, &["one"])]);
    assert!(matches!(journal.append(&batch).await, Err(StoreError::Fenced { .. })));
}
