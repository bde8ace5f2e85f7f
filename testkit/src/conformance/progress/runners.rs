//! Runners renew, die and leave.

use super::{
    ProgressFixture,
    sample::{TestProjection, assert_stale, left, new_projection, right},
};
use crate::conformance::refusal::until_available;
use actum_persistence::progress::{ProgressChange, RunnerRow, StoredProjection};
use tokio::task::JoinSet;

/// From 1 on, each runner by itself, and for each projection by itself.
pub async fn every_renewal_is_counted(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let other = TestProjection::enter_in(&projection.store, &new_projection("balances", 2)).await;
    for nr in 1..=3 {
        projection.renew("a").await;
        assert_eq!(runners(&projection.load().await), [("a", nr)]);
    }
    projection.renew("b").await;
    assert_eq!(runners(&projection.load().await), [("a", 3), ("b", 1)]);
    assert_eq!(other.load().await.runners, []);
}

/// None is lost of those that come at once, through two handles.
pub async fn renewals_at_once_are_counted(fixture: &dyn ProgressFixture) {
    let one = TestProjection::enter(fixture).await;
    let handles = [one.clone(), one.reopen(fixture).await];
    let mut tasks = JoinSet::new();
    for nr in 0..40 {
        let projection = handles[nr % 2].clone();
        tasks.spawn(async move {
            until_available!(projection.store.renew(&projection.id, "a", &[])).expect("it renews");
        });
    }
    tasks.join_all().await;
    assert_eq!(runners(&one.load().await), [("a", 40)]);
}

/// By the bytes of their names, which are up to 255, and of any characters.
pub async fn runners_are_listed_by_their_names(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let longest = "z".repeat(255);
    let names = ["A", "a", "a b", "a%", "a-1", "aa", &longest, "é", "\u{10ffff}"];
    for name in names.iter().rev() {
        projection.renew(name).await;
    }
    let expected = names.map(|name| (name, 1));
    assert_eq!(runners(&projection.load().await), expected);
}

/// With the renewal that was seen; one that has renewed since, or again from the start, lives.
pub async fn dead_runners_are_removed_unless_they_have_renewed(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    for name in ["a", "b", "c", "d"] {
        projection.renew(name).await;
    }
    projection.renew("b").await;
    let dead = [
        RunnerRow::new("a", 1),
        RunnerRow::new("b", 1),
        RunnerRow::new("c", 2),
        RunnerRow::new("not there", 1),
    ];
    projection.store.renew(&projection.id, "d", &dead).await.expect("a runner can renew");
    assert_eq!(runners(&projection.load().await), [("b", 2), ("c", 1), ("d", 2)]);
    let itself = [RunnerRow::new("d", 2)];
    projection.store.renew(&projection.id, "d", &itself).await.expect("a runner can renew");
    assert_eq!(runners(&projection.load().await), [("b", 2), ("c", 1), ("d", 3)]);
}

/// A dead runner owns what it owned until that is claimed.
pub async fn a_dead_runner_keeps_its_segments(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let dead = [RunnerRow::new("a", 1)];
    projection.store.renew(&projection.id, "b", &dead).await.expect("a runner can renew");
    assert_eq!(runners(&projection.load().await), [("b", 1)]);
    assert_eq!(projection.segment(left()).await, held);
    projection.save(projection.save_of(&held)).await;
}

/// They have the next epoch and no owner; what others own is left alone.
pub async fn who_leaves_gives_its_segments_back(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let other = TestProjection::enter_in(&projection.store, &new_projection("balances", 2)).await;
    let gone = projection.claim(left(), "a").await;
    let stays = projection.claim(right(), "b").await;
    let elsewhere = other.claim(left(), "a").await;
    projection.store.leave(&projection.id, "a").await.expect("a runner can leave");
    let after = projection.load().await;
    assert_eq!(runners(&after), [("b", 1)]);
    assert_eq!((after.segments[0].epoch, &after.segments[0].owner), (gone.epoch.next(), &None));
    assert_eq!(after.segments[1], stays);
    assert_eq!(other.segment(left()).await, elsewhere);
    let save = ProgressChange::Save(projection.save_of(&gone));
    assert_stale(projection.store.change(&save).await);
    let before = projection.everything().await;
    for name in ["a", "no one"] {
        projection.store.leave(&projection.id, name).await.expect("leaving twice is no error");
    }
    assert_eq!(projection.everything().await, before);
}

/// Also one whose name differs in case alone, or is a pattern to a database.
pub async fn runners_do_not_touch_each_other(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    projection.renew("Runner").await;
    let held = projection.claim(left(), "runner").await;
    for name in ["Runner", "runne%", "runne_", "runner "] {
        projection.store.leave(&projection.id, name).await.expect("a runner can leave");
    }
    assert_eq!(projection.segment(left()).await, held);
    assert_eq!(runners(&projection.load().await), [("runner", 1)]);
}

fn runners(stored: &StoredProjection) -> Vec<(&str, u64)> {
    let rows = stored.runners.iter();
    rows.map(|row| (&*row.name, row.renewal)).collect()
}
