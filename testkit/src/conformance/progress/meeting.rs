//! Changes that meet: of two that cannot both be kept one is stale, and of two that can one sees the other.

use super::{
    ProgressFixture,
    sample::{
        TestProjection, dead_letter, everywhere, is_kept, left, new_projection, offset, parked,
        progress_at,
    },
};
use crate::conformance::refusal::until_available;
use actum_persistence::progress::{ProgressChange, ProgressSave, StoredProjection, StoredSegment};
use std::sync::Arc;
use tokio::task::JoinSet;

/// A save and a claim meet: the one who claims has seen the save, or the save is stale.
pub async fn a_save_and_a_claim_that_meet_see_each_other(fixture: &dyn ProgressFixture) {
    let one = TestProjection::enter(fixture).await;
    let other = one.reopen(fixture).await;
    for round in 0..40 {
        let held = one.claim(left(), "a").await;
        let progress = progress_at(100 + round);
        let save = ProgressSave { progress, ..one.save_of(&held) };
        let claim = other.claim_as_seen(&one.load().await, left(), "b");
        let (saver, claimer) = (one.clone(), other.clone());
        let saving = tokio::spawn(async move {
            is_kept!(saver.store.change(&ProgressChange::Save(save.clone())))
        });
        let claiming = tokio::spawn(async move {
            until_available!(claimer.store.claim(&claim)).expect("a segment can be claimed")
        });
        let is_kept = saving.await.expect("it goes through");
        let claimed = claiming.await.expect("it goes through").expect("the owner does not renew");
        let expected = if is_kept { progress_at(100 + round) } else { held.progress };
        assert_eq!(claimed.progress, expected, "round {round}, kept: {is_kept}");
        assert_eq!(one.segment(left()).await, claimed, "round {round}, kept: {is_kept}");
    }
}

/// A save and a rewind meet: nothing of the save is there afterwards, whichever was first.
pub async fn a_save_and_a_rewind_that_meet_see_each_other(fixture: &dyn ProgressFixture) {
    let one = TestProjection::enter(fixture).await;
    let other = one.reopen(fixture).await;
    for round in 0..40 {
        let held = one.claim(left(), "a").await;
        let save = ProgressSave {
            progress: progress_at(100 + round),
            parked: vec![parked("1", 1)],
            dead_letters: vec![dead_letter(0, 90, 1)],
            ..one.save_of(&held)
        };
        let rewind = other.rewind_of(&one.load().await, offset([round, 0]));
        let (saver, rewinder) = (one.clone(), other.clone());
        let saving = tokio::spawn(async move {
            is_kept!(saver.store.change(&ProgressChange::Save(save.clone())))
        });
        let rewinding = tokio::spawn(async move {
            let change = ProgressChange::Rewind(rewind);
            is_kept!(rewinder.store.change(&change))
        });
        saving.await.expect("it goes through");
        assert!(rewinding.await.expect("it goes through"), "no epoch has changed");
        let after = one.load().await;
        let read: Vec<_> = after.segments.iter().map(|one| one.progress.offset()).collect();
        assert_eq!(read, [&offset([round, 0]); 2], "round {round}");
        assert_eq!((after.parked, after.dead_letters), (0, 0), "round {round}");
    }
}

/// A save and a division meet: the save is in none of the new segments or was there before, and no letter without its save.
pub async fn a_save_and_a_division_that_meet_see_each_other(fixture: &dyn ProgressFixture) {
    let one = TestProjection::enter(fixture).await;
    let other = one.reopen(fixture).await;
    let mut letters = 0;
    for round in 0..40 {
        let held = one.claim(left(), "a").await;
        let save = ProgressSave {
            progress: progress_at(100 + round),
            dead_letters: vec![dead_letter(0, 100 + round, 1)],
            ..one.save_of(&held)
        };
        let seen = [(left(), held.epoch)];
        let into = [StoredSegment::new(left(), held.progress.clone())];
        let (saver, divider) = (one.clone(), other.clone());
        let saving = tokio::spawn(async move {
            is_kept!(saver.store.change(&ProgressChange::Save(save.clone())))
        });
        let dividing =
            tokio::spawn(async move { is_kept!(divider.store.divide(&divider.id, &seen, &into)) });
        letters += u64::from(saving.await.expect("it goes through"));
        assert!(dividing.await.expect("it goes through"), "no epoch has changed");
        let after = one.load().await;
        assert_eq!(after.segments[0].progress, held.progress, "round {round}");
        assert_eq!(after.segments[0].epoch, held.epoch.next(), "round {round}");
        assert_eq!(after.dead_letters, letters, "round {round}");
    }
}

/// A save and a deletion meet: whichever was first, nothing is left that the projection would have when it is entered again.
pub async fn a_save_and_a_deletion_that_meet_leave_nothing(fixture: &dyn ProgressFixture) {
    let one = TestProjection::enter(fixture).await;
    let other = one.reopen(fixture).await;
    for round in 0..40 {
        let held = one.claim(left(), "a").await;
        let save = ProgressSave {
            progress: progress_at(100 + round),
            parked: vec![parked("1", 1)],
            dead_letters: vec![dead_letter(0, 90, 1)],
            ..one.save_of(&held)
        };
        let (saver, deleter) = (one.clone(), other.clone());
        let saving = tokio::spawn(async move {
            is_kept!(saver.store.change(&ProgressChange::Save(save.clone())))
        });
        let deleting = tokio::spawn(async move {
            until_available!(deleter.store.delete(&deleter.id)).expect("it can be deleted");
        });
        saving.await.expect("it goes through");
        deleting.await.expect("it goes through");
        let gone = one.store.load(&one.id).await.expect("a projection can be loaded");
        assert_eq!(gone, None, "round {round}");
        let new = new_projection("balances", 1);
        let entered = one.store.enter(&new).await.expect("a projection can be entered");
        let mut expected = StoredProjection::new(new, true);
        for (new, entered) in expected.segments.iter_mut().zip(&entered.segments) {
            assert!(entered.epoch > held.epoch, "round {round}: {entered:?}");
            new.epoch = entered.epoch;
        }
        assert_eq!(entered, expected, "round {round}");
        assert_eq!(one.parked(everywhere()).await, [], "round {round}");
        assert_eq!(one.dead_letters(everywhere()).await, [], "round {round}");
    }
}

/// A claim and a division of the same segment meet: one of them finds another epoch.
pub async fn a_claim_and_a_division_that_meet_are_not_both_kept(fixture: &dyn ProgressFixture) {
    let one = TestProjection::enter(fixture).await;
    let other = one.reopen(fixture).await;
    for round in 0..40 {
        let held = one.claim(left(), "a").await;
        let claim = other.claim_as_seen(&one.load().await, left(), "b");
        let seen = [(left(), held.epoch)];
        let into = [StoredSegment::new(left(), progress_at(100 + round))];
        let (divider, claimer) = (one.clone(), other.clone());
        let dividing =
            tokio::spawn(async move { is_kept!(divider.store.divide(&divider.id, &seen, &into)) });
        let claiming = tokio::spawn(async move {
            until_available!(claimer.store.claim(&claim)).expect("a segment can be claimed")
        });
        let is_divided = dividing.await.expect("it goes through");
        let claimed = claiming.await.expect("it goes through");
        assert_ne!(is_divided, claimed.is_some(), "round {round}: {claimed:?}");
        let after = one.segment(left()).await;
        assert_eq!(after.epoch, held.epoch.next(), "round {round}");
        let progress = if is_divided { progress_at(100 + round) } else { held.progress };
        assert_eq!(after.progress, progress, "round {round}");
        assert_eq!(after.owner.as_deref(), (!is_divided).then_some("b"), "round {round}");
    }
}

/// Of many rewinds of what was seen, through two handles, one is kept.
pub async fn of_many_rewinds_exactly_one_is_kept(fixture: &dyn ProgressFixture) {
    let one = TestProjection::enter(fixture).await;
    let handles = [one.clone(), one.reopen(fixture).await];
    for round in 0..20 {
        let seen = one.load().await;
        let mut tasks = JoinSet::new();
        for nr in 0..6_u64 {
            let store = Arc::clone(&handles[nr as usize % 2].store);
            let to = offset([nr, round]);
            let change = ProgressChange::Rewind(one.rewind_of(&seen, to));
            tasks.spawn(async move { is_kept!(store.change(&change)).then_some(nr) });
        }
        let kept: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        let [nr] = kept[..] else { panic!("round {round}: {kept:?}") };
        let after = one.load().await;
        for (before, after) in seen.segments.iter().zip(&after.segments) {
            assert_eq!(*after.progress.offset(), offset([nr, round]), "round {round}");
            assert_eq!(after.epoch, before.epoch.next(), "round {round}");
        }
    }
}
