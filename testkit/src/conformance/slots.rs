//! Who gets a writer slot.

use super::{
    StoreFixture,
    reading::events_of,
    refusal::assert_fenced,
    sample::{account, events},
    writer::{LONG_LEASE, SHORT_LEASE, Writer, claim_of},
};
use actum_persistence::store::{ClaimError, StoreError, Stores, WriterClaim};
use tokio::task::JoinSet;

/// A slot whose holder lives is refused, with the holder's name, through the holder's own handle too; the holder notices
/// nothing.
pub async fn a_slot_is_refused_while_its_holder_lives(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let writer = Writer::claim(&stores).await;
    for handle in [&stores, &other] {
        assert_held(handle, "journal").await;
        writer.write(&account(1), events_of(handle, &account(1)).await.len() as u64, 1).await;
    }
    stores.writers.renew(writer.incarnation, LONG_LEASE).await.expect("the holder may renew");
}

/// A released slot can be claimed at once, and the new incarnation is greater.
pub async fn a_released_slot_can_be_claimed_at_once(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let writer = Writer::claim(&stores).await;
    stores.writers.release(writer.incarnation).await.expect("a slot can be released");
    let successor = Writer::claim(&other).await;
    assert!(successor.incarnation > writer.incarnation);
    assert_held(&stores, "journal").await;
}

/// A slot is free when its holder was revoked.
pub async fn a_slot_whose_holder_was_revoked_can_be_claimed(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    stores.writers.revoke(writer.incarnation).await.expect("a writer can be revoked");
    let successor = Writer::claim(&stores).await;
    assert!(successor.incarnation > writer.incarnation);
    successor.write(&account(1), 0, 1).await;
}

/// The slot of a dead holder can be claimed, which shuts the dead one out for good.
pub async fn the_slot_of_a_dead_holder_can_be_claimed(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let dead = claim_for(&stores, SHORT_LEASE).await;
    dead.write(&account(1), 0, 2).await;
    let incarnation = dead.incarnation;
    drop(dead);
    fixture.kill(stores).await;
    fixture.pass_time(SHORT_LEASE * 2).await;

    let stores = fixture.open().await;
    let successor = Writer::claim(&stores).await;
    assert!(successor.incarnation > incarnation);
    successor.write(&account(1), 2, 1).await;
    let ghost = Writer::of(&stores, incarnation);
    assert_fenced(ghost.store_one(&account(1), 3, events(1)).await, incarnation);
    assert_fenced(stores.writers.renew(incarnation, LONG_LEASE).await, incarnation);
    assert_eq!(events_of(&stores, &account(1)).await.len(), 3);
}

/// A lease that was renewed in time runs on.
pub async fn a_renewed_lease_keeps_the_slot(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let writer = claim_for(&stores, SHORT_LEASE).await;
    stores.writers.renew(writer.incarnation, LONG_LEASE).await.expect("the holder may renew");
    fixture.pass_time(SHORT_LEASE * 2).await;
    assert_held(&other, "journal").await;
    writer.write(&account(1), 0, 1).await;
}

/// A holder whose lease ran out may write and renew until somebody takes the slot: only being revoked ends its right.
pub async fn a_lease_that_ran_out_shuts_nobody_out_by_itself(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let writer = claim_for(&stores, SHORT_LEASE).await;
    fixture.pass_time(SHORT_LEASE * 2).await;
    writer.write(&account(1), 0, 1).await;
    stores.writers.renew(writer.incarnation, LONG_LEASE).await.expect("the holder may renew");
    assert_held(&other, "journal").await;
}

/// Each slot has a holder of its own; names are compared exactly.
pub async fn slots_do_not_touch_each_other(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let slots = ["journal", "Journal", "journal ", "j%", "é", "e\u{301}"];
    let mut writers = Vec::new();
    for slot in slots {
        writers.push(Writer::claim_slot(&stores, slot).await);
    }
    stores.writers.release(writers[0].incarnation).await.expect("a slot can be released");
    for slot in &slots[1..] {
        assert_held(&stores, slot).await;
    }
    Writer::claim_slot(&stores, slots[0]).await;
}

/// Incarnations grow over all slots, over releases, and when the journal is opened again.
pub async fn no_incarnation_is_given_twice(fixture: &dyn StoreFixture) {
    let mut last = None;
    for _ in 0..3 {
        let stores = fixture.open().await;
        for slot in ["a", "b", "a"] {
            let writer = Writer::claim_slot(&stores, slot).await;
            assert!(Some(writer.incarnation) > last, "{} after {last:?}", writer.incarnation);
            last = Some(writer.incarnation);
            stores.writers.release(writer.incarnation).await.expect("a slot can be released");
        }
        stores.close().await;
    }
}

/// What a former holder says late, a release or a revocation of itself, does not free the slot of its successor.
pub async fn a_late_release_does_not_touch_the_successor(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let former = Writer::claim(&stores).await;
    stores.writers.release(former.incarnation).await.expect("a slot can be released");
    let successor = Writer::claim(&other).await;
    match stores.writers.release(former.incarnation).await {
        Ok(()) | Err(StoreError::Fenced { .. }) => {} // whichever: it has no slot
        Err(error) => panic!("a late release fails with {error}"),
    }
    stores.writers.revoke(former.incarnation).await.expect("revoking twice is no error");
    assert_held(&stores, "journal").await;
    successor.write(&account(1), 0, 1).await;
}

/// Of many that claim a free slot at the same moment, through two handles, one gets it.
pub async fn of_many_claimants_exactly_one_gets_the_slot(fixture: &dyn StoreFixture) {
    let handles = [fixture.open().await, fixture.open().await];
    for round in 0..20 {
        let mut tasks = JoinSet::new();
        for nr in 0..8 {
            let stores = handles[nr % 2].clone();
            tasks.spawn(async move { claim_patiently(&stores, &format!("slot {round}")).await });
        }
        let got = tasks.join_all().await.iter().filter(|got| **got).count();
        assert_eq!(got, 1, "round {round}");
    }
}

async fn claim_patiently(stores: &Stores, slot: &str) -> bool {
    loop {
        match stores.writers.claim(&claim_of(slot)).await {
            Ok(_) => return true,
            Err(ClaimError::Held { .. }) => return false,
            Err(ClaimError::Store(StoreError::Unavailable { .. })) => {
                tokio::task::yield_now().await;
            }
            Err(error) => panic!("a claim fails with {error}"),
        }
    }
}

async fn claim_for(stores: &Stores, lease: std::time::Duration) -> Writer {
    let claim = WriterClaim { lease, ..claim_of("journal") };
    Writer::of(stores, stores.writers.claim(&claim).await.expect("the slot is free"))
}

/// Panics unless a claim of `slot` is refused in favour of its holder.
async fn assert_held(stores: &Stores, slot: &str) {
    let claim = WriterClaim { holder: "a rival".into(), ..claim_of(slot) };
    match stores.writers.claim(&claim).await {
        Err(ClaimError::Held { slot: told, holder, .. }) => {
            assert_eq!((told, holder), (slot.to_owned(), claim_of(slot).holder));
        }
        other => panic!("the slot `{slot}` is held, but the store says {other:?}"),
    }
}
