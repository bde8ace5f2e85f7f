//! Transactions that end otherwise than by a commit.

use super::{
    ExactTargetFixture, Misuse,
    committing::full_save,
    rows::{assert_broken, begin, commit, enter, read, read_in, write},
};
use crate::conformance::{
    patience::{counting_turns, within_turns},
    progress::sample::{left, progress_at},
};
use actum_persistence::progress::{ExactTarget, ProgressChange};

/// Neither for others nor for a transaction that comes after, which begins at once.
pub async fn rows_that_were_rolled_back_are_gone<F: ExactTargetFixture>(fixture: &F) {
    let (target, projection) = enter(fixture).await;
    let before = projection.everything().await;
    for _ in 0..20 {
        let mut tx = begin(&target).await;
        assert_eq!(read_in(fixture, &mut tx, "balance").await, None);
        write(fixture, &mut tx, "balance", "40").await;
        target.rollback(tx).await;
    }
    assert_eq!(read(fixture, "balance").await, None);
    assert_eq!(projection.everything().await, before);
}

/// As if it was rolled back: its connection goes to no one with anything of it, and however many are dropped, the next one
/// begins at once.
pub async fn a_dropped_transaction_is_rolled_back<F: ExactTargetFixture>(fixture: &F) {
    let (target, projection) = enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    for _ in 0..50 {
        let mut tx = begin(&target).await;
        assert_eq!(read_in(fixture, &mut tx, "balance").await, None);
        write(fixture, &mut tx, "balance", "40").await;
        drop(tx);
    }
    assert_eq!(read(fixture, "balance").await, None);
    let mut tx = begin(&target).await;
    write(fixture, &mut tx, "balance", "41").await;
    commit(&target, tx, full_save(&projection, &held, 41)).await;
    assert_eq!(read(fixture, "balance").await.as_deref(), Some("41"));
}

/// A commit whose future is dropped half way has kept rows and progress, or neither. A claim settles which.
pub async fn a_commit_that_is_dropped_half_way_is_whole_or_absent<F: ExactTargetFixture>(
    fixture: &F,
) {
    let (target, projection) = enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let mut tx = begin(&target).await;
    write(fixture, &mut tx, "balance", "100").await;
    let change = ProgressChange::Save(full_save(&projection, &held, 100));
    let (committed, turns) = counting_turns(target.commit(tx, &change)).await;
    committed.expect("the epoch is right and the transaction open");
    let mut kept = 100;
    for round in 1..=20 {
        let held = projection.claim(left(), "a").await;
        let position = 100 + round;
        let mut tx = begin(&target).await;
        write(fixture, &mut tx, "balance", &position.to_string()).await;
        let change = ProgressChange::Save(full_save(&projection, &held, position));
        within_turns(turns * round as usize / 20, target.commit(tx, &change)).await;
        let claimed = projection.claim(left(), "b").await;
        let found = read(fixture, "balance").await.expect("a balance was kept");
        let found = found.parse().expect("it is a number");
        assert!(found == position || found == kept, "{found} in round {round}");
        assert_eq!(claimed.progress, progress_at(found), "round {round}");
        kept = found;
    }
}

/// The change is not kept; what comes after works.
pub async fn a_transaction_that_a_handler_commits_is_broken<F: ExactTargetFixture>(fixture: &F) {
    ended_by_the_handler(fixture, Misuse::Commit).await;
}

/// Neither are rows nor the change; what comes after works.
pub async fn a_transaction_that_a_handler_rolls_back_is_broken<F: ExactTargetFixture>(fixture: &F) {
    if ended_by_the_handler(fixture, Misuse::Rollback).await {
        assert_eq!(read(fixture, "balance").await, None);
    }
}

/// Where that ends the transaction it is broken; where it goes on, all of it is kept.
pub async fn an_error_that_a_handler_ignores_loses_no_rows<F: ExactTargetFixture>(fixture: &F) {
    let (target, projection) = enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let before = projection.everything().await;
    let mut tx = begin(&target).await;
    write(fixture, &mut tx, "balance", "40").await;
    if !fixture.misuse(F::Target::connection(&mut tx), Misuse::IgnoreError).await {
        return;
    }
    let change = ProgressChange::Save(full_save(&projection, &held, 40));
    let committed = target.commit(tx, &change).await;
    let found = read(fixture, "balance").await;
    if committed.is_ok() {
        assert_eq!(found.as_deref(), Some("40"));
        assert_eq!(projection.segment(left()).await.progress, progress_at(40));
    } else {
        assert_broken(&committed);
        assert_eq!(found, None);
        assert_eq!(projection.everything().await, before);
    }
}

/// False where a handler cannot do that.
async fn ended_by_the_handler<F: ExactTargetFixture>(fixture: &F, how: Misuse) -> bool {
    let (target, projection) = enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let before = projection.everything().await;
    for _ in 0..3 {
        let mut tx = begin(&target).await;
        write(fixture, &mut tx, "balance", "40").await;
        if !fixture.misuse(F::Target::connection(&mut tx), how).await {
            return false;
        }
        let change = ProgressChange::Save(full_save(&projection, &held, 40));
        assert_broken(&target.commit(tx, &change).await);
        assert_eq!(projection.everything().await, before);
        let mut tx = begin(&target).await;
        write(fixture, &mut tx, "other", "41").await;
        target.rollback(tx).await;
        assert_eq!(read(fixture, "other").await, None, "a connection was left in a transaction");
    }
    let mut tx = begin(&target).await;
    write(fixture, &mut tx, "other", "41").await;
    commit(&target, tx, full_save(&projection, &held, 41)).await;
    assert_eq!(read(fixture, "other").await.as_deref(), Some("41"));
    assert_eq!(projection.segment(left()).await.progress, progress_at(41));
    true
}
