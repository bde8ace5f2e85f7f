//! Finding out the outcome of an append.

use super::{
    StoreFixture,
    patience::{counting_turns, within_turns},
    reading::{events_of, head, head_of, journal},
    sample::{account, accounts, events},
    seed,
    writer::Writer,
};
use actum_model::{Lane, Position, SequenceNr};
use actum_persistence::store::{AppendBatch, AppendOutcome, Resolution, Stores};

/// What is stored is found, with its position, also behind later events, through another handle, and for a writer that
/// was revoked meanwhile.
pub async fn a_stored_append_is_found_by_its_events(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let writer = Writer::claim(&stores).await;
    writer.write(&account(0), 0, 5).await;
    let batch = writer.batch(vec![writer.append(&account(1), 0, events(3))]);
    let stored = stores.events.append(&batch).await.expect("the store accepts the batch");
    let found = [Some(stored[0])];
    assert_eq!(found, [Some(AppendOutcome::Appended { last: Position::new(8) })]);
    assert_eq!(resolve(&stores, &batch).await, found);
    writer.write(&account(1), 3, 2).await;
    assert_eq!(resolve(&other, &batch).await, found);
    stores.writers.revoke(writer.incarnation).await.expect("a writer can be revoked");
    assert_eq!(resolve(&stores, &batch).await, found);
}

/// What was never sent is not found, and can be sent then.
pub async fn an_append_that_was_never_sent_is_not_found(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.write(&account(2), 0, 2).await;
    let batch = writer.batch(vec![
        writer.append(&account(1), 0, events(2)),
        writer.append(&account(2), 2, events(1)),
        writer.append(&account(3), 9, events(1)),
    ]);
    assert_eq!(resolve(&stores, &batch).await, [None, None, None]);
    let stored = stores.events.append(&batch).await.expect("the store accepts the batch");
    assert!(matches!(
        stored[..],
        [
            AppendOutcome::Appended { .. },
            AppendOutcome::Appended { .. },
            AppendOutcome::Conflict { .. }
        ]
    ));
    assert_eq!(resolve(&stores, &batch).await, [Some(stored[0]), Some(stored[1]), None]);
}

/// Foreign events at the same sequence numbers are not taken for a writer's own, be it by another writer with the
/// same event numbers or by the same writer with others, as many or fewer.
pub async fn foreign_events_are_not_taken_for_the_own(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim_slot(&stores, "ours").await;
    let other = Writer::claim_slot(&stores, "theirs").await;
    let mut batches = Vec::new();
    for (nr, key) in accounts(3).iter().enumerate() {
        let ours = writer.append(key, 0, events(3));
        let mut theirs = ours.clone();
        batches.push(writer.batch(vec![ours]));
        let sender = if nr == 1 { &writer } else { &other };
        if nr == 1 {
            theirs.first_event_nr += 1000;
        }
        if nr == 2 {
            theirs.events.truncate(2);
        }
        let outcomes = sender.store(vec![theirs]).await.expect("the store accepts the batch");
        assert!(matches!(outcomes[0], AppendOutcome::Appended { .. }));
    }
    for batch in &batches {
        assert_eq!(resolve(&stores, batch).await, [None]);
        let outcome = stores.events.append(batch).await.expect("a conflict is no error")[0];
        assert!(matches!(outcome, AppendOutcome::Conflict { .. }));
        assert_eq!(resolve(&stores, batch).await, [None], "a conflict stores nothing");
    }
}

/// Each append of a batch has its own answer.
pub async fn the_appends_of_a_batch_are_distinguished(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let keys = accounts(300);
    for key in keys.iter().step_by(7) {
        writer.write(key, 0, 1).await; // the batch does not know of these
    }
    let appends = keys.iter().enumerate().map(|(n, key)| writer.append(key, 0, events(1 + n % 3)));
    let batch = writer.batch(appends.collect());
    let stored = stores.events.append(&batch).await.expect("the store accepts the batch");
    let found = resolve(&stores, &batch).await;
    assert_eq!(found.len(), stored.len());
    for (found, stored) in found.iter().zip(&stored) {
        match stored {
            AppendOutcome::Appended { .. } => assert_eq!(*found, Some(*stored)),
            AppendOutcome::Conflict { .. } | AppendOutcome::NotOwned => assert_eq!(*found, None),
        }
    }
}

/// Where the events of an append may have been deleted since, no one can find out any more, and asking again does not
/// help; the other appends of the batch are settled.
pub async fn an_append_whose_events_were_deleted_cannot_be_traced(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let append = |nr: usize| writer.append(&account(nr), 0, events(3));
    let batch = writer.batch(vec![append(1), append(2), append(3)]);
    let stored = stores.events.append(&batch).await.expect("the store accepts the batch");
    writer.write(&account(1), 3, 2).await;
    for (nr, up_to) in [(1, 3), (2, 2)] {
        let up_to = SequenceNr::new(up_to);
        let deleted = stores.events.delete_events(writer.incarnation, &account(nr), up_to).await;
        deleted.expect("events can be deleted");
    }
    let mut settled = stores.events.resolve(&batch).await.expect("the others can be settled");
    let first = settled.remove(0);
    assert!(matches!(first, Resolution::Untraceable { .. }), "{first:?}");
    assert_eq!(settled, [Resolution::Stored(stored[1]), Resolution::Stored(stored[2])]);
}

/// The future of an append is dropped at some moment. What `resolve` says then holds for good: what it finds is stored,
/// and what it does not find never appears, so sending it again stores it once.
pub async fn an_append_that_was_dropped_half_way_can_be_settled(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let mut rng = seed::random();
    for round in 0..80 {
        let keys: Vec<_> = (0..rng.usize(1..40)).map(|n| account(round * 100 + n)).collect();
        let appends = keys.iter().map(|key| writer.append(key, 0, events(rng.usize(1..4))));
        let batch = writer.batch(appends.collect());
        let patience_max = 1 << rng.u32(1..12);
        let appended = within_turns(rng.usize(..patience_max), stores.events.append(&batch)).await;
        drop(appended.transpose().expect("the store accepts the batch"));

        let settled = resolve(&stores, &batch).await;
        let found = settled.iter().flatten().count();
        assert!(found == 0 || found == keys.len(), "round {round}: a transaction was torn apart");
        if found == 0 {
            let again = stores.events.append(&batch).await.expect("the store accepts the batch");
            assert!(again.iter().all(|o| matches!(o, AppendOutcome::Appended { .. })), "{again:?}");
        }
        for append in &batch.appends {
            assert_eq!(events_of(&stores, &append.entity).await.len(), append.events.len());
        }
    }
    let journal = journal(&stores).await;
    let dense = journal.iter().zip(1..).all(|(event, n)| event.event.position == Position::new(n));
    assert!(dense, "dropped appends leave no hole");
}

/// The same for an append of so many events that a store may divide it: all of them are there, or none.
pub async fn a_large_append_that_was_dropped_half_way_is_whole_or_absent(
    fixture: &dyn StoreFixture,
) {
    const EVENTS: usize = 20_000;
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let mut rng = seed::random();
    let batch_of = |nr| writer.batch(vec![writer.append(&account(nr), 0, events(EVENTS))]);
    let first = batch_of(0);
    let (appended, turns) = counting_turns(stores.events.append(&first)).await;
    appended.expect("the store accepts the batch");
    let mut position = EVENTS as u64;
    for round in 1..=8 {
        let batch = batch_of(round);
        let appended = within_turns(rng.usize(..=turns), stores.events.append(&batch)).await;
        drop(appended.transpose().expect("the store accepts the batch"));
        let is_stored = resolve(&stores, &batch).await[0].is_some();
        let stored = head_of(&stores, &account(round)).await;
        assert_eq!(stored, if is_stored { EVENTS as u64 } else { 0 }, "round {round}");
        position += stored;
        assert_eq!(head(&stores, Lane::default()).await, Position::new(position));
    }
    assert_eq!(journal(&stores).await.len() as u64, position);
}

/// What is stored of a batch of unknown outcome.
async fn resolve(stores: &Stores, batch: &AppendBatch) -> Vec<Option<AppendOutcome>> {
    let settled = stores.events.resolve(batch).await.expect("the batch can be settled");
    let found = settled.into_iter().map(|found| match found {
        Resolution::Stored(outcome) => Some(outcome),
        Resolution::NotStored => None,
        Resolution::Untraceable { why } => panic!("nothing was deleted, but the store says: {why}"),
    });
    found.collect()
}
