//! Who gets a writer slot.

use super::{
    StoreFixture,
    reading::events_of,
    refusal::assert_fenced,
    sample::{account, events},
    writer::{LONG_LEASE, SHORT_LEASE, Writer, claim_of},
};
use actum_persistence::store::{ClaimError, Renewal, SeenHolder, StoreError, Stores, WriterClaim};
use tokio::task::JoinSet;

/// A slot whose holder lives is refused, with the holder's name, through the holder's own handle too; the holder
/// notices nothing.
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

/// The slot of a dead holder can be claimed, which fences the dead one for good.
pub async fn the_slot_of_a_dead_holder_can_be_claimed(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let dead = claim_for(&stores, SHORT_LEASE).await;
    dead.write(&account(1), 0, 2).await;
    let incarnation = dead.incarnation;
    drop(dead);
    fixture.kill(stores).await;
    fixture.pass_time(SHORT_LEASE * 2).await;

    let stores = fixture.open().await;
    let successor = Writer::take_over(&stores, LONG_LEASE).await;
    assert!(successor.incarnation > incarnation);
    successor.write(&account(1), 2, 1).await;
    let ghost = Writer::of(&stores, incarnation);
    assert_fenced(ghost.store_one(&account(1), 3, events(1)).await, incarnation);
    assert_fenced(stores.writers.renew(incarnation, LONG_LEASE).await, incarnation);
    assert_eq!(events_of(&stores, &account(1)).await.len(), 3);
}

/// A claimant sees who holds a slot, and as long as that one does not renew it sees the same.
pub async fn a_holder_is_seen_with_its_lease(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let writer = claim_for(&stores, LONG_LEASE).await;
    let first = assert_held(&other, "journal").await;
    let ClaimError::Held { incarnation, lease, .. } = &first else { panic!("{first:?}") };
    assert_eq!(*incarnation, writer.incarnation);
    let Some(lease) = lease else { return }; // the store sees that the holder lives
    assert!(lease.length.is_none_or(|length| length == LONG_LEASE), "{lease:?}");
    assert!(lease.expires_in <= LONG_LEASE && lease.expires_in > LONG_LEASE / 2, "{lease:?}");
    writer.write(&account(1), 0, 1).await;
    assert_eq!(assert_held(&stores, "journal").await.seen(), first.seen());
}

/// A renewal says when the lease ends. How long claimants wait for the holder stays what the claim has said.
pub async fn a_renewal_does_not_change_the_length_of_the_lease(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let writer = claim_for(&stores, LONG_LEASE).await;
    for renewed_for in [LONG_LEASE / 4, LONG_LEASE * 4] {
        let renewed = stores.writers.renew(writer.incarnation, renewed_for).await;
        renewed.expect("the holder may renew");
        let held = assert_held(&other, "journal").await;
        let ClaimError::Held { lease: Some(lease), .. } = &held else { return };
        assert!(lease.length.is_none_or(|length| length == LONG_LEASE), "{lease:?}");
        let left = renewed_for / 2..=renewed_for;
        assert!(left.contains(&lease.expires_in), "{lease:?} after {renewed_for:?}");
    }
}

/// A claim may replace the holder it has seen, whatever is left of the lease. That fences the holder for good.
pub async fn a_holder_that_does_not_renew_can_be_replaced(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let writer = claim_for(&stores, LONG_LEASE).await;
    writer.write(&account(1), 0, 1).await;
    let held = assert_held(&other, "journal").await;
    if held.seen().is_none() {
        return assert_lives(&other, &writer).await;
    }
    let successor = replace(&other, &held).await.expect("the holder has not renewed");
    assert!(successor.incarnation > writer.incarnation);
    successor.write(&account(1), 1, 1).await;
    assert_fenced(writer.store_one(&account(1), 2, events(1)).await, writer.incarnation);
    assert_fenced(stores.writers.renew(writer.incarnation, LONG_LEASE).await, writer.incarnation);
}

/// A holder that has renewed since it was seen is not replaced.
pub async fn a_holder_that_has_renewed_keeps_the_slot(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let writer = claim_for(&stores, SHORT_LEASE).await;
    let mut seen = vec![assert_held(&other, "journal").await];
    if seen[0].seen().is_none() {
        return assert_lives(&other, &writer).await;
    }
    for nr in 0..3 {
        stores.writers.renew(writer.incarnation, SHORT_LEASE).await.expect("the holder may renew");
        fixture.pass_time(SHORT_LEASE * nr).await;
        for old in &seen {
            replace(&other, old).await.expect_err("it has renewed since");
        }
        seen.push(assert_held(&other, "journal").await);
    }
    writer.write(&account(1), 0, 1).await;
}

/// A claim that would replace a holder replaces no other one, and takes a slot that is free meanwhile.
pub async fn only_the_holder_that_was_seen_is_replaced(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let former = Writer::claim(&stores).await;
    let seen = assert_held(&other, "journal").await;
    stores.writers.release(former.incarnation).await.expect("a slot can be released");
    let successor = Writer::claim(&stores).await;
    replace(&other, &seen).await.expect_err("that is another holder");
    successor.write(&account(1), 0, 1).await;
    stores.writers.release(successor.incarnation).await.expect("a slot can be released");
    replace(&other, &seen).await.expect("the slot is free").write(&account(1), 1, 1).await;
}

/// A holder whose lease ran out keeps the slot, may write and may renew, until it is revoked: clocks step.
pub async fn a_lease_that_ran_out_fences_no_one_by_itself(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let writer = claim_for(&stores, SHORT_LEASE).await;
    fixture.pass_time(SHORT_LEASE * 2).await;
    let held = assert_held(&other, "journal").await;
    if let ClaimError::Held { lease: Some(lease), .. } = held {
        assert!(lease.expires_in.is_zero(), "{lease:?}");
    }
    writer.write(&account(1), 0, 1).await;
    stores.writers.renew(writer.incarnation, SHORT_LEASE).await.expect("the holder may renew");
    assert_held(&other, "journal").await;
    writer.write(&account(1), 1, 1).await;
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
            let claim = claim_of(&format!("slot {round}"));
            tasks.spawn(async move { claim_patiently(&stores, claim).await });
        }
        let got = tasks.join_all().await.iter().filter(|got| **got).count();
        assert_eq!(got, 1, "round {round}");
    }
}

/// Of many that replace a dead holder at the same moment, through two handles, one gets the slot.
pub async fn of_many_who_replace_a_holder_exactly_one_gets_the_slot(fixture: &dyn StoreFixture) {
    let handles = [fixture.open().await, fixture.open().await];
    let first = Writer::claim(&handles[0]).await;
    let mut held = assert_held(&handles[1], "journal").await;
    if held.seen().is_none() {
        return assert_lives(&handles[1], &first).await;
    }
    for round in 0..20 {
        let mut tasks = JoinSet::new();
        for nr in 0..8 {
            let (stores, replaces) = (handles[nr % 2].clone(), held.seen());
            let claim = WriterClaim { replaces, ..claim_of("journal") };
            tasks.spawn(async move { claim_patiently(&stores, claim).await });
        }
        let got = tasks.join_all().await.iter().filter(|got| **got).count();
        assert_eq!(got, 1, "round {round}");
        held = assert_held(&handles[round % 2], "journal").await;
    }
}

async fn claim_patiently(stores: &Stores, claim: WriterClaim) -> bool {
    loop {
        match stores.writers.claim(&claim).await {
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

/// Claims the slot `journal` from the holder that has refused an earlier claim.
async fn replace(stores: &Stores, held: &ClaimError) -> Result<Writer, ClaimError> {
    let claim = WriterClaim { replaces: held.seen(), ..claim_of("journal") };
    Ok(Writer::of(stores, stores.writers.claim(&claim).await?))
}

/// Panics unless a claim of `slot` is refused in favour of its holder.
async fn assert_held(stores: &Stores, slot: &str) -> ClaimError {
    let claim = WriterClaim { holder: "a rival".into(), ..claim_of(slot) };
    let refused = stores.writers.claim(&claim).await;
    match &refused {
        Err(held @ ClaimError::Held { slot: named, holder, .. }) => {
            assert_eq!((named, holder), (&slot.to_owned(), &claim_of(slot).holder));
            held.clone()
        }
        other => panic!("the slot `{slot}` is held, but the store says {other:?}"),
    }
}

/// Where the store sees that a holder lives: no claim replaces it.
async fn assert_lives(stores: &Stores, holder: &Writer) {
    for mark in [0, 1] {
        let (incarnation, renewal) = (holder.incarnation, Renewal::new(mark));
        let replaces = Some(SeenHolder { incarnation, renewal });
        let claim = WriterClaim { replaces, ..claim_of("journal") };
        match stores.writers.claim(&claim).await {
            Err(ClaimError::Held { lease: None, .. }) => {}
            other => panic!("the holder lives, but the store says {other:?}"),
        }
    }
    holder.stores.writers.renew(holder.incarnation, LONG_LEASE).await.expect("it may renew");
}
