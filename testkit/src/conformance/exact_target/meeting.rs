//! Transactions that meet others, and claims.

use super::{
    ExactTargetFixture,
    committing::full_save,
    rows::{begin, commit, enter, read, read_in, write},
};
use crate::conformance::{
    progress::sample::{TestProjection, assert_stale, is_kept, left, progress_at, right},
    refusal::until_available,
};
use actum_persistence::progress::{ExactTarget, ProgressChange};

/// A runner that stands still in a transaction is replaced all the same, and what it commits then is stale. Where there is
/// one writer at a time, the claim is served when the transaction ends.
pub async fn an_open_transaction_does_not_keep_a_claim_waiting<F: ExactTargetFixture>(fixture: &F) {
    let (target, projection) = enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let store = fixture.open().await.progress();
    let rival = TestProjection { store, id: projection.id.clone() };
    rival.renew("b").await;
    let claim = rival.claim_as_seen(&projection.load().await, left(), "b");
    let mut tx = begin(&target).await;
    write(fixture, &mut tx, "balance", "40").await;
    if fixture.has_one_writer() {
        drop(tx);
        let claimed =
            until_available!(rival.store.claim(&claim)).expect("a segment can be claimed");
        assert!(claimed.is_some(), "the owner has not renewed");
        return;
    }
    let claimed = rival.store.claim(&claim).await.expect("a segment can be claimed");
    assert!(claimed.is_some(), "the owner has not renewed");
    let before = projection.everything().await;
    let change = ProgressChange::Save(full_save(&projection, &held, 40));
    assert_stale(target.commit(tx, &change).await);
    assert_eq!(read(fixture, "balance").await, None);
    assert_eq!(projection.everything().await, before);
}

/// Nor does one that has read and written progress of its own keep others from that: each call on the store is by itself.
pub async fn an_open_transaction_does_not_keep_the_store_waiting<F: ExactTargetFixture>(
    fixture: &F,
) {
    let (target, projection) = enter(fixture).await;
    if fixture.has_one_writer() {
        return;
    }
    let held = projection.claim(left(), "a").await;
    let mut tx = begin(&target).await;
    write(fixture, &mut tx, "balance", "40").await;
    projection.renew("b").await;
    let other = projection.claim(right(), "b").await;
    projection.save(projection.save_of(&other)).await;
    projection.store.release(&projection.id, right(), other.epoch).await.expect("it is its own");
    projection.store.set_paused(&projection.id, true).await.expect("a pause can be asked for");
    commit(&target, tx, full_save(&projection, &held, 40)).await;
    assert_eq!(read(fixture, "balance").await.as_deref(), Some("40"));
    let kept = projection.load().await;
    assert_eq!((kept.is_paused, &kept.segments[0].progress), (true, &progress_at(40)));
}

/// The runners of two segments, each with rows of its own: neither keeps the other one waiting or from committing, and
/// neither sees what the other one has not committed.
pub async fn two_transactions_are_open_at_once<F: ExactTargetFixture>(fixture: &F) {
    let (target, projection) = enter(fixture).await;
    let first = projection.claim(left(), "a").await;
    let second = projection.claim(right(), "a").await;
    if fixture.has_one_writer() {
        return;
    }
    for other in [target.clone(), fixture.open().await] {
        let mut one = begin(&target).await;
        let mut two = begin(&other).await;
        write(fixture, &mut one, "one", "1").await;
        write(fixture, &mut two, "two", "2").await;
        commit(&other, two, full_save(&projection, &second, 50)).await;
        commit(&target, one, full_save(&projection, &first, 40)).await;
        let mut reading = begin(&target).await;
        let mut writing = begin(&other).await;
        write(fixture, &mut writing, "three", "3").await;
        assert_eq!(read_in(fixture, &mut reading, "three").await, None, "it is not committed");
        other.rollback(writing).await;
        target.rollback(reading).await;
        let kept = projection.load().await;
        assert_eq!(kept.segments[0].progress, progress_at(40));
        assert_eq!(kept.segments[1].progress, progress_at(50));
        assert_eq!(read(fixture, "one").await.as_deref(), Some("1"));
        assert_eq!(read(fixture, "two").await.as_deref(), Some("2"));
    }
}

/// A commit and a claim meet: the one who claims finds the progress and the rows, or the commit is stale and neither is
/// there.
pub async fn a_commit_and_a_claim_that_meet_see_each_other<F: ExactTargetFixture>(fixture: &F) {
    let (target, projection) = enter(fixture).await;
    let store = fixture.open().await.progress();
    let rival = TestProjection { store, id: projection.id.clone() };
    let mut balance = None;
    for round in 0..40 {
        let held = projection.claim(left(), "a").await;
        let claim = rival.claim_as_seen(&projection.load().await, left(), "b");
        let mut tx = begin(&target).await;
        write(fixture, &mut tx, "balance", &round.to_string()).await;
        let change = ProgressChange::Save(full_save(&projection, &held, 100 + round));
        let (committer, claimer) = (target.clone(), rival.clone());
        let committing = tokio::spawn(async move { committer.commit(tx, &change).await });
        let claiming = tokio::spawn(async move {
            until_available!(claimer.store.claim(&claim)).expect("a segment can be claimed")
        });
        let committed = committing.await.expect("it goes through");
        let claimed = claiming.await.expect("it goes through").expect("the owner does not renew");
        let expected = match committed {
            Ok(()) => {
                balance = Some(round.to_string());
                progress_at(100 + round)
            }
            stale => {
                assert_stale(stale);
                held.progress
            }
        };
        assert_eq!(claimed.progress, expected, "round {round}");
        assert_eq!(read(fixture, "balance").await, balance, "round {round}");
    }
}

/// A commit and a rewind meet: the commit comes before it with its rows, or it is stale and they are gone.
pub async fn a_commit_and_a_rewind_that_meet_see_each_other<F: ExactTargetFixture>(fixture: &F) {
    let (target, projection) = enter(fixture).await;
    let store = fixture.open().await.progress();
    let rival = TestProjection { store, id: projection.id.clone() };
    let mut balance = None;
    for round in 0..40 {
        let held = projection.claim(left(), "a").await;
        let rewind = rival.rewind_of(&projection.load().await, held.progress.offset().clone());
        let rewind = ProgressChange::Rewind(rewind);
        let mut tx = begin(&target).await;
        write(fixture, &mut tx, "balance", &round.to_string()).await;
        let change = ProgressChange::Save(full_save(&projection, &held, 100 + round));
        let (committer, rewinder) = (target.clone(), rival.clone());
        let committing = tokio::spawn(async move { committer.commit(tx, &change).await });
        let rewinding = tokio::spawn(async move { is_kept!(rewinder.store.change(&rewind)) });
        match committing.await.expect("it goes through") {
            Ok(()) => balance = Some(round.to_string()),
            stale => assert_stale(stale),
        }
        assert!(rewinding.await.expect("it goes through"), "no epoch has changed");
        let after = projection.load().await;
        assert_eq!(after.segments[0].progress.offset(), held.progress.offset(), "round {round}");
        assert_eq!((after.parked, after.segments[0].epoch), (0, held.epoch.next()));
        assert_eq!(read(fixture, "balance").await, balance, "round {round}");
    }
}
