use super::journal::{Journal, append, resolve};
use actum_testkit::{Fault, Operation};

#[tokio::test]
async fn calls_appends_and_events_are_counted() {
    let journal = Journal::new().await;
    let both = journal.batch(vec![append("a", 0, 1, &["1", "2"]), append("b", 0, 3, &["3"])]);
    journal.append(&both).await.unwrap();
    journal.append(&journal.batch(vec![append("a", 2, 4, &["4"])])).await.unwrap();
    let counts = journal.faults.counts();
    assert_eq!(counts.calls(Operation::Append), 2);
    assert_eq!((counts.entity_appends, counts.events, counts.events_confirmed), (3, 4, 4));
    assert_eq!((counts.events_at_once_max, counts.appends_at_once_max), (3, 1));
    journal.faults.reset_counts();
    assert_eq!(journal.faults.counts(), Default::default());
}

#[tokio::test]
async fn only_what_a_caller_got_an_answer_to_is_confirmed() {
    let journal = Journal::new().await;
    journal.faults.next(Operation::Append, Fault::unavailable());
    journal.faults.next(Operation::Append, Fault::unknown_committed());
    journal.faults.next(Operation::Append, Fault::foreign_writer());
    let batch = journal.batch(vec![append("a", 0, 1, &["1", "2"])]);
    assert!(journal.append(&batch).await.is_err());
    assert!(journal.append(&batch).await.is_err());
    assert_eq!(journal.faults.counts().events_confirmed, 0);
    resolve(&journal, &batch).await.unwrap();
    assert_eq!(journal.faults.counts().events_confirmed, 2);
    journal.append(&journal.batch(vec![append("b", 0, 3, &["3"])])).await.unwrap();
    let counts = journal.faults.counts();
    assert_eq!((counts.events, counts.events_confirmed, counts.faults), (5, 2, 3));
}

#[tokio::test]
async fn appends_that_overlap_in_a_lane_are_noticed() {
    let journal = Journal::new().await;
    let gate = journal.faults.hold_next(Operation::Append, 2);
    let start = |id: &'static str, nr| {
        let journal = journal.clone();
        tokio::spawn(async move {
            journal.append(&journal.batch(vec![append(id, 0, nr, &["x"])])).await
        })
    };
    let tasks = [start("a", 1), start("b", 2)];
    gate.held(2).await;
    gate.open();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(journal.faults.counts().appends_at_once_max, 2);
}

#[tokio::test]
async fn reads_states_and_snapshots_are_counted() {
    let journal = Journal::new().await;
    journal.append(&journal.batch(vec![append("a", 0, 1, &["1", "2"])])).await.unwrap();
    journal.read("a").await.unwrap();
    journal.recover("a").await;
    journal.write(&journal.put("a", 0, 1, "x")).await.unwrap();
    actum_persistence::store::SnapshotStore::save(&journal.store, &[]).await.unwrap();
    let counts = journal.faults.counts();
    assert_eq!((counts.entities_read, counts.events_read), (2, 4));
    assert_eq!((counts.state_writes, counts.calls(Operation::WriteStates)), (1, 1));
    assert_eq!((counts.snapshots, counts.calls(Operation::SaveSnapshots)), (0, 1));
    assert_eq!(counts.calls(Operation::Claim), 0);
}
