//! Expected sequence numbers.

use super::{
    StoreFixture,
    reading::{events_of, head, head_of, journal},
    sample::{account, event, events},
    writer::Writer,
};
use actum_model::{Lane, SequenceNr};
use actum_persistence::store::{AppendOutcome, StoreError, bounds::NUMBER_MAX};
use std::sync::Arc;
use tokio::{sync::Barrier, task::JoinSet};

fn conflict(actual: u64) -> AppendOutcome {
    AppendOutcome::Conflict { actual: SequenceNr::new(actual) }
}

/// An append behind the entity's head is a conflict that says where the entity is, and stores nothing.
pub async fn an_append_that_expects_too_little_conflicts(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let last = writer.write(&account(1), 0, 5).await;
    for expected in [0, 1, 4] {
        let outcome = writer.store_one(&account(1), expected, events(1)).await;
        assert_eq!(outcome.expect("a conflict is no error"), conflict(5));
    }
    assert_eq!(events_of(&stores, &account(1)).await.len(), 5);
    assert_eq!(head(&stores, Lane::default()).await, last);
    writer.write(&account(1), 5, 1).await;
}

/// An append past the entity's head would leave a gap: it is a conflict too, for a new entity as well.
pub async fn an_append_that_expects_too_much_conflicts(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.write(&account(1), 0, 2).await;
    for (nr, head) in [(1, 2), (2, 0)] {
        for expected in [head + 1, head + 9, u64::from(u32::MAX), NUMBER_MAX - 1] {
            let outcome = writer.store_one(&account(nr), expected, events(1)).await;
            assert_eq!(outcome.expect("a conflict is no error"), conflict(head), "{expected}");
        }
        assert_eq!(head_of(&stores, &account(nr)).await, head);
    }
    assert_eq!(journal(&stores).await.len(), 2);
}

/// Another writer's event 5 lets none of 5, 6 and 7 in, although 6 and 7 are free.
pub async fn an_append_behind_another_writer_stores_not_even_what_would_fit(
    fixture: &dyn StoreFixture,
) {
    let (ours, theirs) = (fixture.open().await, fixture.open().await);
    let writer = Writer::claim_slot(&ours, "ours").await;
    let other = Writer::claim_slot(&theirs, "theirs").await;
    writer.write(&account(1), 0, 4).await;
    other.write(&account(1), 4, 1).await;
    let outcome = writer.store_one(&account(1), 4, events(3)).await;
    assert_eq!(outcome.expect("a conflict is no error"), conflict(5));
    let stored = events_of(&ours, &account(1)).await;
    assert_eq!(stored.len(), 5);
    assert_eq!(stored[4].event_id.incarnation, other.incarnation);
    writer.write(&account(1), 5, 3).await;
}

/// A batch that is sent again is a conflict, and its events are there once.
pub async fn the_same_append_sent_twice_is_stored_once(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let batch = writer.batch(vec![writer.append(&account(1), 0, events(3))]);
    let first = stores.events.append(&batch).await.expect("the store accepts the batch");
    assert!(matches!(first[..], [AppendOutcome::Appended { .. }]));
    let second = stores.events.append(&batch).await.expect("a conflict is no error");
    assert_eq!(second, [conflict(3)]);
    assert_eq!(events_of(&stores, &account(1)).await.len(), 3);
}

/// Tasks that append behind the same event at the same moment, all as one writer: one is stored, the others get a
/// conflict.
pub async fn of_many_tasks_with_one_expected_number_exactly_one_wins(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Arc::new(Writer::claim(&stores).await);
    for round in 0..30 {
        race(&vec![Arc::clone(&writer); 16], round).await;
    }
    assert_eq!(events_of(&stores, &account(1)).await.len(), 30);
    assert_eq!(journal(&stores).await.len(), 30);
}

/// The same with writers of two slots, each through its own handle, as on two nodes that both believe they own the
/// entity.
pub async fn of_two_writers_with_one_expected_number_exactly_one_wins(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let writers = [
        Arc::new(Writer::claim_slot(&stores, "one").await),
        Arc::new(Writer::claim_slot(&other, "two").await),
    ];
    for round in 0..60 {
        race(&writers, round).await;
    }
    assert_eq!(events_of(&stores, &account(1)).await.len(), 60);
    assert_eq!(journal(&stores).await.len(), 60);
}

/// Everybody appends behind event `expected` at once; exactly one may win.
async fn race(writers: &[Arc<Writer>], expected: u64) {
    let start = Arc::new(Barrier::new(writers.len()));
    let mut tasks = JoinSet::new();
    for writer in writers {
        let (writer, start) = (Arc::clone(writer), Arc::clone(&start));
        tasks.spawn(async move {
            start.wait().await;
            loop {
                match writer.store_one(&account(1), expected, vec![event("race")]).await {
                    // the other handle is writing: the contract lets a store say so, and nothing was written
                    Err(StoreError::Unavailable { .. }) => tokio::task::yield_now().await,
                    outcome => return outcome.expect("the store accepts the batch"),
                }
            }
        });
    }
    let outcomes = tasks.join_all().await;
    let won = outcomes.iter().filter(|o| matches!(o, AppendOutcome::Appended { .. })).count();
    assert_eq!(won, 1, "round {expected}: {outcomes:?}");
    let lost = outcomes.iter().filter(|o| **o == conflict(expected + 1)).count();
    assert_eq!(lost, outcomes.len() - 1, "round {expected}: {outcomes:?}");
}
