//! Expected revisions, and finding out the outcome of a write.

use super::{
    StoreFixture,
    patience::{counting_turns, within_turns},
    reading::commands_of,
    refusal::until_available,
    sample::{account, accounts, payload},
    seed,
    writer::Writer,
};
use actum_model::Revision;
use actum_persistence::store::{
    CommandRecord, Resolution, StateBatch, StateChange, StateOutcome, Stores, bounds::NUMBER_MAX,
};
use bytes::Bytes;
use std::sync::Arc;
use tokio::{sync::Barrier, task::JoinSet};

/// A write that expects too little or too much is a conflict that says where the entity is, and leaves the state alone.
pub async fn a_write_at_another_revision_conflicts(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.put(&account(1), (0, 5), "kept").await.expect("the store accepts the write");
    for (nr, actual) in [(1, 5), (2, 0)] {
        for expected in [1, 4, 6, 1 << 40, NUMBER_MAX - 1] {
            let outcome = writer.put(&account(nr), (expected, NUMBER_MAX), "late").await;
            assert_eq!(outcome.expect("a conflict is no error"), conflict(actual), "{expected}");
        }
    }
    let loaded = stores.states.load(&accounts(3)).await.expect("states can be loaded");
    let kept = loaded[1].as_ref().expect("the state is there");
    assert_eq!((kept.revision, &kept.state), (Revision::new(5), &Some(payload("kept"))));
    assert_eq!(loaded[2], None);
}

/// Conflicting entities of a batch fail, the others are written.
pub async fn conflicting_entities_of_a_batch_of_states_fail_alone(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let keys = accounts(2000);
    let conflicting = |nr: usize| nr == 0 || nr == 1999 || nr % 97 == 13;
    for (_, key) in keys.iter().enumerate().filter(|(nr, _)| conflicting(*nr)) {
        writer.put(key, (0, 3), "earlier").await.expect("the store accepts the write");
    }
    let put = || StateChange::Put(payload("later"));
    let writes = keys.iter().map(|key| writer.change(key, (0, 1), put())).collect();
    let outcomes = writer.store_states(writes).await.expect("a conflict is no error");
    let loaded = stores.states.load(&keys).await.expect("states can be loaded");
    for (nr, (outcome, record)) in outcomes.iter().zip(loaded).enumerate() {
        let text = if conflicting(nr) { "earlier" } else { "later" };
        assert_eq!(*outcome, if conflicting(nr) { conflict(3) } else { StateOutcome::Written });
        assert_eq!(record.and_then(|r| r.state), Some(payload(text)), "account {nr}");
    }
}

/// Tasks of two writers that write at one revision at the same moment: one is stored, the others get a conflict.
pub async fn of_many_tasks_with_one_expected_revision_exactly_one_wins(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let writers = [
        Arc::new(Writer::claim_slot(&stores, "one").await),
        Arc::new(Writer::claim_slot(&other, "two").await),
    ];
    for round in 0..40 {
        let start = Arc::new(Barrier::new(8));
        let mut tasks = JoinSet::new();
        for task in 0..8 {
            let (writer, start) = (Arc::clone(&writers[task % 2]), Arc::clone(&start));
            tasks.spawn(async move {
                start.wait().await;
                let (key, text) = (account(1), task.to_string());
                let revisions = (round, round + 1);
                let written = until_available!(writer.put(&key, revisions, &text));
                (text, written.expect("a conflict is no error"))
            });
        }
        let outcomes = tasks.join_all().await;
        let won: Vec<_> = outcomes.iter().filter(|(_, o)| *o == StateOutcome::Written).collect();
        assert_eq!(won.len(), 1, "round {round}: {outcomes:?}");
        assert!(
            outcomes.iter().all(|(_, o)| *o == StateOutcome::Written || *o == conflict(round + 1))
        );
        let loaded = stores.states.load(&[account(1)]).await.expect("states can be loaded");
        let record = loaded[0].as_ref().expect("the state is there");
        assert_eq!(record.state, Some(payload(&won[0].0)), "the winner's state is the one kept");
    }
}

/// The same write sent twice is a conflict; the settling finds it, and does not take another writer's write at the same
/// revision for it, nor find what was never sent.
pub async fn a_write_is_settled_by_its_id(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim_slot(&stores, "ours").await;
    let other = Writer::claim_slot(&stores, "theirs").await;
    let put = |nr| writer.change(&account(nr), (0, 1), StateChange::Put(payload("same")));
    let (stored, overtaken, lost) = (put(1), put(2), put(3));
    let mut theirs = overtaken.clone();
    other.store_states(vec![theirs.clone()]).await.expect("the store accepts the write");
    theirs.entity = account(4);
    theirs.partition = account(4).partition(stores.events.layout().partitions);
    let first = writer.store_states(vec![stored.clone()]).await;
    assert_eq!(first.expect("the store accepts the write"), [StateOutcome::Written]);

    let batch = writer.state_batch(vec![stored, overtaken, lost, theirs]);
    let settled = [Some(StateOutcome::Written), None, None, None];
    assert_eq!(resolve(&stores, &batch).await, settled);
    stores.writers.revoke(writer.incarnation).await.expect("a writer can be revoked");
    assert_eq!(resolve(&stores, &batch).await, settled, "a revoked writer's batch can be settled");
    let twice = StateBatch { incarnation: other.incarnation, ..batch };
    let outcomes = stores.states.write(&twice).await.expect("a conflict is no error");
    assert_eq!(outcomes[..2], [conflict(1), conflict(1)]);
}

/// A write whose traces a later one has covered is not called not stored; the others of the batch are settled.
pub async fn a_write_that_was_written_over_is_not_called_lost(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let put = |nr: usize| writer.change(&account(nr), (0, 1), StateChange::Put(payload("first")));
    let batch = writer.state_batch(vec![put(1), put(2)]);
    stores.states.write(&batch).await.expect("the store accepts the write");
    writer.put(&account(1), (1, 2), "second").await.expect("the store accepts the write");
    let settled = stores.states.resolve(&batch).await.expect("the others can be settled");
    assert_ne!(settled[0], Resolution::NotStored, "it was written");
    assert_eq!(settled[1], Resolution::Stored(StateOutcome::Written));
}

/// The future of a write of so many states and commands that a store may divide it is dropped at some moment: all of
/// them are there, or none, and the settling says which.
pub async fn a_large_batch_of_states_that_was_dropped_half_way_is_whole_or_absent(
    fixture: &dyn StoreFixture,
) {
    const STATES: usize = 6_000;
    const COMMANDS: u64 = 10_000;
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let mut rng = seed::random();
    let keys = accounts(STATES);
    let batch_at = |round: u64| {
        let put = || StateChange::Put(payload("state"));
        let writes = keys.iter().map(|key| writer.change(key, (round, round + 1), put()));
        let mut writes: Vec<_> = writes.collect();
        let (from, to) = (round * COMMANDS, (round + 1) * COMMANDS);
        let mut busy = writer.change(&account(STATES), (from, to), put());
        busy.commands = (from + 1..=to).map(command).collect();
        writes.insert(STATES / 2, busy);
        writer.state_batch(writes)
    };
    let first = batch_at(0);
    let (written, turns) = counting_turns(stores.states.write(&first)).await;
    written.expect("the store accepts the batch");
    let mut rounds = 1;
    for _ in 0..8 {
        let batch = batch_at(rounds);
        let written = within_turns(rng.usize(..=turns), stores.states.write(&batch)).await;
        drop(written.transpose().expect("the store accepts the batch"));
        let settled = resolve(&stores, &batch).await;
        let stored = settled.iter().flatten().count();
        assert!(stored == 0 || stored == settled.len(), "{stored} of {} writes", settled.len());
        rounds += u64::from(stored > 0);
        let loaded = stores.states.load(&keys).await.expect("states can be loaded");
        for (key, record) in keys.iter().zip(loaded) {
            assert_eq!(record.map(|record| record.revision), Some(Revision::new(rounds)), "{key}");
        }
        let commands = commands_of(&stores, &account(STATES)).await;
        assert!(commands.into_iter().eq(1..=rounds * COMMANDS), "the commands of {rounds} writes");
    }
}

fn command(revision: u64) -> CommandRecord {
    CommandRecord {
        revision: Revision::new(revision),
        id_hash: revision,
        uptime_seconds: 0,
        record: Bytes::from_static(b"record"),
    }
}

fn conflict(actual: u64) -> StateOutcome {
    StateOutcome::Conflict { actual: Revision::new(actual) }
}

/// What is stored of a batch of unknown outcome.
async fn resolve(stores: &Stores, batch: &StateBatch) -> Vec<Option<StateOutcome>> {
    let settled = stores.states.resolve(batch).await.expect("the batch can be settled");
    let found = settled.into_iter().map(|found| match found {
        Resolution::Stored(outcome) => Some(outcome),
        Resolution::NotStored => None,
        Resolution::Untraceable { why } => panic!("nothing was deleted, but the store says: {why}"),
    });
    found.collect()
}
