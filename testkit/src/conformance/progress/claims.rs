//! Who gets a segment.

use super::{
    ProgressFixture,
    sample::{TestProjection, left, new_projection, right, segment},
};
use crate::conformance::refusal::until_available;
use actum_persistence::progress::{Epoch, RunnerRow, SeenOwner, SegmentClaim, StoredSegment};
use tokio::task::JoinSet;

/// It gets the next epoch and the owner, and is returned so; the other segment is left alone.
pub async fn a_free_segment_is_claimed(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    projection.renew("a").await;
    let before = projection.load().await;
    let claimed = get(&projection, &projection.claim_as_seen(&before, left(), "a")).await;
    let claimed = claimed.expect("the segment is free");
    assert_eq!((claimed.epoch, claimed.owner.as_deref()), (Epoch::new(1), Some("a")));
    let mut expected = before;
    expected.segments[0].epoch = Epoch::new(1);
    expected.segments[0].owner = Some("a".into());
    assert_eq!(claimed, expected.segments[0]);
    assert_eq!(projection.load().await, expected);
}

/// Older or newer, with an owner or without.
pub async fn a_claim_in_another_epoch_gets_nothing(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    projection.store.release(&projection.id, left(), held.epoch).await.expect("it is its own");
    let seen = projection.load().await;
    for epoch in [0, 1, 3].map(Epoch::new) {
        let claim = SegmentClaim { epoch, ..projection.claim_as_seen(&seen, left(), "b") };
        assert_eq!(get(&projection, &claim).await, None, "epoch {epoch}");
    }
    assert_eq!(projection.load().await, seen);
}

/// A claimant that has not seen that there is an owner, or has seen another one, gets nothing.
pub async fn a_claim_that_names_another_owner_gets_nothing(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    projection.claim(left(), "a").await;
    projection.renew("b").await;
    projection.renew("c").await;
    let seen = projection.load().await;
    let others = [("b", Some(1)), ("A", Some(1)), ("not there", None)];
    let others = others.map(|(name, renewal)| Some(SeenOwner { name: name.into(), renewal }));
    for replaces in [None].into_iter().chain(others) {
        let right_epoch = projection.claim_as_seen(&seen, left(), "c");
        let claim = SegmentClaim { replaces, ..right_epoch };
        assert_eq!(get(&projection, &claim).await, None, "{claim:?}");
    }
    let owner = SeenOwner { name: "a".into(), renewal: Some(1) };
    let free = projection.claim_as_seen(&seen, right(), "c");
    let claim = SegmentClaim { replaces: Some(owner), ..free };
    assert_eq!(get(&projection, &claim).await, None, "it has no owner");
    assert_eq!(projection.load().await, seen);
}

/// The owner changes nothing any more, and may claim again itself.
pub async fn an_owner_that_does_not_renew_is_replaced(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let former = projection.claim(left(), "a").await;
    let other = projection.reopen(fixture).await;
    other.renew("b").await;
    let seen = other.load().await;
    let claim = other.claim_as_seen(&seen, left(), "b");
    let claimed = get(&other, &claim).await.expect("the owner has not renewed");
    assert_eq!((claimed.epoch, claimed.owner.as_deref()), (former.epoch.next(), Some("b")));
    assert_eq!(get(&other, &claim).await, None, "the same claim again");
    let back = projection.claim(left(), "a").await;
    assert_eq!((back.epoch, back.owner.as_deref()), (claimed.epoch.next(), Some("a")));
}

/// The claim names the renewal that was seen; the epoch is the same all the time.
pub async fn an_owner_that_has_renewed_keeps_its_segment(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    projection.renew("b").await;
    for _ in 0..3 {
        let seen = projection.load().await;
        projection.renew("a").await;
        let claim = projection.claim_as_seen(&seen, left(), "b");
        assert_eq!(get(&projection, &claim).await, None, "{claim:?}");
        let not_entered = claim.replaces.map(|owner| SeenOwner { renewal: None, ..owner });
        let claim = SegmentClaim { replaces: not_entered, ..claim };
        assert_eq!(get(&projection, &claim).await, None, "{claim:?}");
    }
    assert_eq!(projection.segment(left()).await, held);
}

/// One whose row is removed has no renewal; once it is entered again it has.
pub async fn an_owner_that_is_no_runner_is_replaced(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    projection.claim(left(), "a").await;
    let with_row = projection.load().await;
    let dead = [RunnerRow::new("a", 1)];
    projection.store.renew(&projection.id, "b", &dead).await.expect("a runner can renew");
    let without = projection.load().await;
    let late = projection.claim_as_seen(&with_row, left(), "b");
    assert_eq!(get(&projection, &late).await, None, "it was seen with a renewal");
    let claim = projection.claim_as_seen(&without, left(), "b");
    let no_renewal = Some(SeenOwner { name: "a".into(), renewal: None });
    assert_eq!(claim.replaces, no_renewal);
    projection.renew("a").await;
    assert_eq!(get(&projection, &claim).await, None, "it is there again");
    projection.store.renew(&projection.id, "b", &dead).await.expect("a runner can renew");
    let claimed = get(&projection, &claim).await.expect("the owner is no runner");
    assert_eq!(claimed.owner.as_deref(), Some("b"));
}

/// The range of partitions must be one of the projection.
pub async fn a_segment_that_is_not_there_cannot_be_claimed(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let other = TestProjection::enter_in(&projection.store, &new_projection("balances", 2)).await;
    projection.renew("a").await;
    let seen = projection.everything().await;
    let claim = projection.claim_as_seen(&projection.load().await, left(), "a");
    for range in [segment(0, 0), segment(0, 255), segment(1, 127), segment(0, 128)] {
        let claim = SegmentClaim { segment: range, ..claim.clone() };
        assert_eq!(get(&projection, &claim).await, None, "{range}");
    }
    assert_eq!(projection.everything().await, seen);
    let elsewhere = SegmentClaim { projection: other.id.clone(), ..claim };
    assert!(get(&projection, &elsewhere).await.is_some());
    assert_eq!(projection.everything().await, seen);
}

/// Of many that claim a free segment at the same moment, through two handles, one gets it.
pub async fn of_many_claimants_exactly_one_gets_the_segment(fixture: &dyn ProgressFixture) {
    let one = TestProjection::enter(fixture).await;
    let handles = [one.clone(), one.reopen(fixture).await];
    for round in 0..20 {
        let seen = one.load().await;
        let mut tasks = JoinSet::new();
        for nr in 0..8 {
            let projection = handles[nr % 2].clone();
            let claim = projection.claim_as_seen(&seen, left(), &format!("runner {nr}"));
            tasks.spawn(async move { get(&projection, &claim).await });
        }
        let got: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        let [got] = &got[..] else { panic!("round {round}: {got:?}") };
        assert_eq!(*got, one.segment(left()).await);
        one.store.release(&one.id, left(), got.epoch).await.expect("it was claimed just now");
    }
}

/// Of many that replace a dead owner at the same moment, through two handles, one gets the segment.
pub async fn of_many_who_replace_an_owner_exactly_one_gets_the_segment(
    fixture: &dyn ProgressFixture,
) {
    let one = TestProjection::enter(fixture).await;
    let handles = [one.clone(), one.reopen(fixture).await];
    one.claim(left(), "first").await;
    for round in 0..20 {
        let seen = one.load().await;
        let mut tasks = JoinSet::new();
        for nr in 0..8 {
            let projection = handles[nr % 2].clone();
            let claim = projection.claim_as_seen(&seen, left(), &format!("runner {nr}"));
            tasks.spawn(async move { get(&projection, &claim).await });
        }
        let got: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        let [got] = &got[..] else { panic!("round {round}: {got:?}") };
        assert_eq!(*got, one.segment(left()).await);
    }
}

/// An owner that renews and one that replaces it meet: the claim sees the renewal, or comes before it.
pub async fn a_claim_and_a_renewal_that_meet_see_each_other(fixture: &dyn ProgressFixture) {
    let one = TestProjection::enter(fixture).await;
    let other = one.reopen(fixture).await;
    for round in 0..30 {
        let held = one.claim(left(), "a").await;
        let seen = one.load().await;
        let (owner, rival) = (one.clone(), other.clone());
        let claim = rival.claim_as_seen(&seen, left(), "b");
        let renewal = tokio::spawn(async move {
            until_available!(owner.store.renew(&owner.id, "a", &[])).expect("it renews");
        });
        let got = tokio::spawn(async move { get(&rival, &claim).await });
        renewal.await.expect("it goes through");
        let got = got.await.expect("it goes through");
        let after = one.load().await;
        let renewals = after.runners.iter().find(|row| &*row.name == "a").map(|row| row.renewal);
        let renewed = seen.runners.iter().find(|row| &*row.name == "a").map(|row| row.renewal + 1);
        assert_eq!(renewals, renewed, "round {round}: the renewal is counted");
        let expected = got.unwrap_or(held);
        assert_eq!(after.segments[0], expected, "round {round}");
    }
}

async fn get(projection: &TestProjection, claim: &SegmentClaim) -> Option<StoredSegment> {
    until_available!(projection.store.claim(claim)).expect("a segment can be claimed")
}
