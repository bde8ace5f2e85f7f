//! Giving a partition away in the middle of its owner's writes. Where nodes cannot share the journal, a case has nothing to
//! check.

use super::{
    StoreFixture, Writer,
    node::Node,
    owned_writes::partition_of,
    racing::{RACING_TIME, ROUNDS_MIN, append_until, linger, put_until},
    reading::{events_of, head_of},
    refusal::until_available,
    sample::{account, events},
    seed,
};
use actum_model::EntityKey;
use actum_persistence::{
    members::{OwnerClaim, RolePartition},
    store::{AppendOutcome, Incarnation, StateOutcome, StoreError, Stores},
};
use fastrand::Rng;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use tokio::task::JoinSet;

const TASKS: usize = 6;

/// An owner appends as fast as it can; when the release of the partition has returned its entities stand still, they hold
/// exactly what was confirmed, and what it appends to others goes on.
pub async fn when_a_release_returns_no_event_of_the_owner_comes_after(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let Some(node) = Node::joined(&other, "a").await else { return };
    let mut rng = seed::random();
    let writer = Arc::new(node.writer(&stores).owning(""));
    let (kept, mut kept_at) = (account(0), 0);
    node.own(&other, "", std::slice::from_ref(&kept)).await;
    let started = Instant::now();
    for round in (0..).take_while(|n| *n < ROUNDS_MIN || started.elapsed() < RACING_TIME) {
        let keys = keys(&other, round);
        node.own(&other, "", &keys).await;
        let mut tasks = JoinSet::new();
        for key in keys.clone() {
            tasks.spawn(append_until(is_not_owned, Arc::clone(&writer), key, rng.fork()));
        }
        linger(&mut rng, 300).await;
        node.release(&partitions_of(&other, &keys)).await;
        let mut then = Vec::new();
        for key in &keys {
            then.push((key.clone(), head_of(&other, key).await));
        }
        let mut confirmed = tasks.join_all().await;
        confirmed.sort();
        then.sort();
        assert_eq!(confirmed, then, "an event came after the release, or was lost");
        for (key, head) in &then {
            assert_eq!(head_of(&other, key).await, *head, "{key}: an event came after the release");
        }
        writer.write(&kept, kept_at, 1).await;
        kept_at += 1;
    }
}

/// The same for durable states.
pub async fn when_a_release_returns_no_state_of_the_owner_comes_after(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let Some(node) = Node::joined(&other, "a").await else { return };
    let mut rng = seed::random();
    let writer = Arc::new(node.writer(&stores).owning(""));
    let started = Instant::now();
    for round in (0..).take_while(|n| *n < ROUNDS_MIN || started.elapsed() < RACING_TIME) {
        let keys = keys(&other, round);
        node.own(&other, "", &keys).await;
        let mut tasks = JoinSet::new();
        for key in keys.clone() {
            tasks.spawn(put_until(is_disowned, Arc::clone(&writer), key, rng.fork()));
        }
        linger(&mut rng, 300).await;
        node.release(&partitions_of(&other, &keys)).await;
        let then = other.states.load(&keys).await.expect("states can be loaded");
        let confirmed = tasks.join_all().await;
        let now = other.states.load(&keys).await.expect("states can be loaded");
        assert_eq!(now, then, "a state came after the release");
        for (key, confirmed) in confirmed {
            let at = keys.iter().position(|other| *other == key).expect("it is one of them");
            let revision = now[at].as_ref().map_or(0, |record| record.revision.get());
            assert_eq!(revision, confirmed, "{key}");
        }
    }
}

/// Two members write to one entity all the time, and hand its partition to and fro: whatever is stored belongs to the one
/// that owned the partition, from the end of the former ownership to the end of its own.
pub async fn a_partition_that_is_handed_over_has_one_writer_at_a_time(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let rival = Node::joined(&other, "b").await.expect("two can share it");
    let (mut rng, key) = (seed::random(), account(1));
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for (node, stores) in [(&node, &stores), (&rival, &other)] {
        let writer = Arc::new(node.writer(stores).owning(""));
        tasks.spawn(append_as_it_can(writer, key.clone(), Arc::clone(&stop), rng.fork()));
    }
    let (started, mut ends) = (Instant::now(), Vec::<(Incarnation, u64)>::new());
    for round in (0..).take_while(|n| *n < ROUNDS_MIN || started.elapsed() < RACING_TIME) {
        let (owner, stores) = if round % 2 == 0 { (&node, &stores) } else { (&rival, &other) };
        claim_patiently(owner, stores, &key).await;
        linger(&mut rng, 400).await;
        let of = [partition_of(stores, &key)];
        let released = until_available!(owner.members.release_partitions(owner.incarnation, &of));
        assert_eq!(released.expect("an owner can release")[0].owner, None);
        ends.push((owner.incarnation, head_of(stores, &key).await));
    }
    stop.store(true, Ordering::Relaxed);
    tasks.join_all().await;
    let stored = events_of(&stores, &key).await;
    assert_eq!(stored.len() as u64, ends.last().map_or(0, |(_, end)| *end), "none came after");
    let mut owners = ends.iter();
    let mut owner = owners.next();
    for event in &stored {
        while owner.is_some_and(|(_, end)| event.sequence_nr.get() > *end) {
            owner = owners.next();
        }
        let (owner, _) = owner.expect("an event lies before the end of an ownership");
        assert_eq!(event.event_id.incarnation, *owner, "event {}", event.sequence_nr);
    }
}

/// A node takes partitions and gives them away without a pause, as in a large move: what it writes to another one of its own is
/// stored all the same, and none of it fails.
pub async fn an_owner_writes_on_while_other_partitions_of_it_come_and_go(
    fixture: &dyn StoreFixture,
) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let (mut rng, kept) = (seed::random(), account(0));
    node.own(&stores, "", std::slice::from_ref(&kept)).await;
    let writer = node.writer(&stores).owning("");
    let (node, stop) = (Arc::new(node), Arc::new(AtomicBool::new(false)));
    let mut moves = JoinSet::new();
    for key in keys(&stores, 0) {
        let (node, stores, stop) = (Arc::clone(&node), stores.clone(), Arc::clone(&stop));
        moves.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                claim_patiently(&node, &stores, &key).await;
                node.release(&[partition_of(&stores, &key)]).await;
            }
        });
    }
    let started = Instant::now();
    for at in (0..).take_while(|n| *n < ROUNDS_MIN || started.elapsed() < RACING_TIME) {
        let at = at as u64;
        let stored = writer.store_one(&kept, at, events(1)).await;
        assert!(matches!(stored, Ok(AppendOutcome::Appended { .. })), "event {at}: {stored:?}");
        let put = writer.put(&kept, (at, at + 1), "kept").await;
        assert!(matches!(put, Ok(StateOutcome::Written)), "revision {at}: {put:?}");
        linger(&mut rng, 3).await;
    }
    stop.store(true, Ordering::Relaxed);
    moves.join_all().await;
}

async fn claim_patiently(node: &Node, stores: &Stores, key: &EntityKey) {
    let of = partition_of(stores, key);
    let owners = node.sight().await.owners.expect("all are wanted");
    let seen = owners.iter().find(|row| row.of == of).map(|row| row.epoch).unwrap_or_default();
    let claim = [OwnerClaim { of, seen }];
    let rows = until_available!(node.members.claim_partitions(node.incarnation, &claim));
    assert_eq!(rows.expect("a member can claim")[0].owner, Some(node.incarnation));
}

/// Appends wherever the entity is, and takes what it gets, until it is to stop.
async fn append_as_it_can(
    writer: Arc<Writer>,
    key: EntityKey,
    stop: Arc<AtomicBool>,
    mut rng: Rng,
) {
    let mut at = 0;
    while !stop.load(Ordering::Relaxed) {
        let count = rng.usize(1..4);
        match until_available!(writer.store_one(&key, at, events(count))) {
            Ok(AppendOutcome::Appended { .. }) => at += count as u64,
            Ok(AppendOutcome::Conflict { actual }) => at = actual.get(),
            Ok(AppendOutcome::NotOwned) => {}
            Err(error) => panic!("{key} at {at}: {error}"),
        }
        linger(&mut rng, 4).await;
    }
}

/// Other entities in each round, of other partitions than account 0.
fn keys(stores: &Stores, round: usize) -> Vec<EntityKey> {
    let all = (1..=TASKS).map(|task| account(round * TASKS + task));
    let kept = partition_of(stores, &account(0));
    all.filter(|key| partition_of(stores, key) != kept).collect()
}

fn partitions_of(stores: &Stores, keys: &[EntityKey]) -> Vec<RolePartition> {
    let mut all: Vec<_> = keys.iter().map(|key| partition_of(stores, key)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn is_not_owned(appended: &Result<AppendOutcome, StoreError>) -> bool {
    matches!(appended, Ok(AppendOutcome::NotOwned))
}

fn is_disowned(written: &Result<StateOutcome, StoreError>) -> bool {
    matches!(written, Ok(StateOutcome::NotOwned))
}
