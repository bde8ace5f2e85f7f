//! A single engine and the nodes of a cluster do not write to one journal at the same time. Where nodes cannot share the
//! journal, a case has nothing to check.

use super::{
    StoreFixture,
    node::Node,
    refusal::assert_fenced,
    sample::{account, events},
    writer::{SHORT_LEASE, Writer, claim_of},
};
use actum_persistence::{
    members::node_slot,
    store::{ClaimError, Incarnation, JOURNAL_SLOT, SeenHolder, StoreError, Stores, WriterClaim},
};
use tokio::task::{JoinSet, yield_now};

/// While a node holds its slot no engine gets the journal for itself, whether the node has joined or not, and all other slots
/// are as free as before.
pub async fn a_node_keeps_a_single_engine_out(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let Some(node) = Node::claim(&stores, "a").await else { return };
    for handle in [&stores, &other] {
        assert_kept_out(handle, JOURNAL_SLOT, "node/a", node.incarnation).await;
    }
    node.join(&super::node::terms()).await.expect("a node can join");
    assert_kept_out(&other, JOURNAL_SLOT, "node/a", node.incarnation).await;
    Node::joined(&other, "b").await.expect("two can share it");
    for slot in ["Journal", "journal/", "node", "nodes", "node0"] {
        Writer::claim_slot(&other, slot).await;
    }
    node.renew("").await.expect("it has noticed nothing");
    node.writer(&stores).write(&account(1), 0, 1).await;
}

/// While an engine has the journal for itself no node gets its slot.
pub async fn a_single_engine_keeps_nodes_out(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    if stores.members.is_none() {
        return;
    }
    let writer = Writer::claim(&stores).await;
    for name in ["a", "b", ""] {
        let slot = node_slot(name);
        assert_kept_out(&other, &slot, JOURNAL_SLOT, writer.incarnation).await;
    }
    writer.write(&account(1), 0, 1).await;
    stores.writers.release(writer.incarnation).await.expect("a slot can be released");
    Node::joined(&other, "a").await.expect("the journal is free");
}

/// When the last node has left, or was revoked, an engine gets the journal for itself.
pub async fn behind_the_last_node_the_journal_is_free(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(first) = Node::joined(&stores, "a").await else { return };
    let second = Node::joined(&stores, "b").await.expect("two can share it");
    let revoked = first.members.revoke_member(first.incarnation, second.seen().await).await;
    assert!(revoked.expect("a member can revoke another"));
    assert_kept_out(&stores, JOURNAL_SLOT, "node/a", first.incarnation).await;
    first.members.leave(first.incarnation).await.expect("it can leave");
    Writer::claim(&stores).await.write(&account(1), 0, 1).await;
}

/// Nodes that are dead are replaced by a single engine, one after the other, and an engine that is dead by a node; each claim
/// names the holder that was seen dead.
pub async fn a_dead_holder_is_replaced_across_the_border(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(first) = Node::joined(&stores, "a").await else { return };
    let second = Node::joined(&stores, "b").await.expect("two can share it");
    let third = Node::claim(&stores, "c").await.expect("three can share it");
    let dead = [first.incarnation, second.incarnation, third.incarnation];
    drop((first, second, third));
    fixture.kill(stores).await;
    fixture.pass_time(SHORT_LEASE * 2).await;

    let stores = fixture.open().await;
    let alone = claim_from_the_dead(&stores, JOURNAL_SLOT).await;
    for incarnation in dead {
        let ghost = Writer::of(&stores, incarnation);
        assert_fenced(ghost.store_one(&account(1), 0, events(1)).await, incarnation);
    }
    let writer = Writer::of(&stores, alone);
    writer.write(&account(1), 0, 1).await;
    drop(writer);
    fixture.kill(stores).await;
    fixture.pass_time(SHORT_LEASE * 2).await;

    let stores = fixture.open().await;
    let node = claim_from_the_dead(&stores, &node_slot("a")).await;
    let ghost = Writer::of(&stores, alone);
    assert_fenced(ghost.store_one(&account(1), 1, events(1)).await, alone);
    Writer::of(&stores, node).write(&account(1), 1, 1).await;
}

/// A node that renews its membership is not replaced by what saw it before, though its slot has had no renewal; one that does
/// not is, however many others there are.
pub async fn a_node_that_renews_its_membership_is_not_replaced(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let mut seen = kept_out(&other, JOURNAL_SLOT).await;
    if seen.is_none() {
        return; // the store sees that the holder lives
    }
    for _ in 0..3 {
        node.renew("").await.expect("a member can renew");
        let late = claim_replacing(&other, JOURNAL_SLOT, seen).await;
        assert!(matches!(late, Err(ClaimError::Held { .. })), "{late:?}");
        node.renew("").await.expect("it is still a member");
        let now = kept_out(&other, JOURNAL_SLOT).await;
        assert_ne!(now, seen, "it has renewed");
        seen = now;
    }
    let second = Node::joined(&stores, "b").await.expect("two can share it");
    let held = claim_replacing(&other, JOURNAL_SLOT, seen).await;
    let Err(ClaimError::Held { incarnation, .. }) = held else { panic!("{held:?}") };
    assert_eq!(incarnation, second.incarnation, "the other one lives");
    assert_fenced(node.renew("").await, node.incarnation);
    second.renew("").await.expect("it is a member");
}

/// Of engines and nodes that claim at the same moment, through two handles, there is one engine or there are nodes.
pub async fn of_engines_and_nodes_that_claim_at_once_one_side_gets_the_journal(
    fixture: &dyn StoreFixture,
) {
    let handles = [fixture.open().await, fixture.open().await];
    if handles[0].members.is_none() {
        return;
    }
    let mut sides = [0, 0];
    for round in 0..30 {
        let mut tasks = JoinSet::new();
        for nr in 0..6 {
            let stores = handles[nr % 2].clone();
            let is_node = (nr / 2 + round) % 3 != 0;
            let slot = if is_node { node_slot(&nr.to_string()) } else { JOURNAL_SLOT.to_owned() };
            tasks.spawn(async move {
                for _ in 0..round % 4 * nr {
                    yield_now().await;
                }
                (is_node, claim_patiently(&stores, &slot).await)
            });
        }
        let all = tasks.join_all().await;
        let got = |of| all.iter().filter(|one| one.0 == of && one.1.is_some()).count();
        let (nodes, engines) = (got(true), got(false));
        assert!(engines == 1 && nodes == 0 || engines == 0 && nodes == 4, "{all:?}");
        sides[usize::from(nodes > 0)] += 1;
        for incarnation in all.into_iter().filter_map(|(_, got)| got) {
            handles[0].writers.release(incarnation).await.expect("a slot can be released");
        }
    }
    println!("engines and nodes got the journal {sides:?} times");
}

/// Claims until the slot is had or refused.
async fn claim_patiently(stores: &Stores, slot: &str) -> Option<Incarnation> {
    loop {
        match stores.writers.claim(&claim_of(slot)).await {
            Ok(incarnation) => return Some(incarnation),
            Err(ClaimError::Held { .. }) => return None,
            Err(ClaimError::Store(StoreError::Unavailable { .. })) => yield_now().await,
            Err(error) => panic!("a claim fails with {error}"),
        }
    }
}

/// Claims a slot from holders that are dead, naming each as it was seen.
async fn claim_from_the_dead(stores: &Stores, slot: &str) -> Incarnation {
    let mut replaces = None;
    for _ in 0..4 {
        match claim_replacing(stores, slot, replaces).await {
            Ok(incarnation) => return incarnation,
            Err(held) => replaces = Some(held.seen().expect("the store sees that it is dead")),
        }
    }
    panic!("the holders are dead")
}

async fn claim_replacing(
    stores: &Stores,
    slot: &str,
    replaces: Option<SeenHolder>,
) -> Result<Incarnation, ClaimError> {
    stores.writers.claim(&WriterClaim { replaces, ..claim_of(slot) }).await
}

/// The holder that keeps a claimant out, as it is seen.
async fn kept_out(stores: &Stores, slot: &str) -> Option<SeenHolder> {
    let held = claim_replacing(stores, slot, None).await.expect_err("it is kept out");
    assert!(matches!(held, ClaimError::Held { .. }), "{held}");
    held.seen()
}

/// Panics unless a claim is refused in favour of the holder of another slot.
async fn assert_kept_out(stores: &Stores, slot: &str, by_slot: &str, by: Incarnation) {
    match claim_replacing(stores, slot, None).await {
        Err(ClaimError::Held { slot: named, holder, incarnation, .. }) => {
            assert_eq!((&*named, incarnation), (by_slot, by));
            assert_eq!(holder, claim_of(by_slot).holder);
        }
        other => panic!("`{slot}` is kept out by `{by_slot}`, but the store says {other:?}"),
    }
}
