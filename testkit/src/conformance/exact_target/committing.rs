//! Rows and progress are kept together.

use super::{
    ExactTargetFixture,
    rows::{begin, commit, enter, read, read_in, write},
};
use crate::conformance::progress::sample::{
    TestProjection, assert_stale, dead_letter, left, offset, parked, progress_at,
};
use actum_persistence::progress::{
    Epoch, ExactTarget, ProgressChange, ProgressSave, Rewind, StoredSegment,
};

/// With all that belongs to a save, for every handle at once.
pub async fn rows_and_progress_are_kept_together<F: ExactTargetFixture>(fixture: &F) {
    let (target, projection) = enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    for (position, value) in [(40, "40"), (41, "41")] {
        let mut tx = begin(&target).await;
        write(fixture, &mut tx, "balance", value).await;
        commit(&target, tx, full_save(&projection, &held, position)).await;
        assert_eq!(read(fixture, "balance").await.as_deref(), Some(value));
        let store = fixture.open().await.progress();
        let elsewhere = TestProjection { store, id: projection.id.clone() };
        let kept = elsewhere.load().await;
        assert_eq!(kept.segments[0].progress, progress_at(position));
        assert_eq!((kept.parked, kept.dead_letters), (1, 1));
        assert_eq!(elsewhere.everything().await, projection.everything().await);
    }
    assert_eq!(projection.segment(left()).await.handled, 14);
}

/// A transaction that has written nothing keeps the progress.
pub async fn progress_is_kept_without_rows<F: ExactTargetFixture>(fixture: &F) {
    let (target, projection) = enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let tx = begin(&target).await;
    commit(&target, tx, full_save(&projection, &held, 40)).await;
    assert_eq!(projection.segment(left()).await.progress, progress_at(40));
}

/// A transaction that changes no progress keeps the rows.
pub async fn rows_are_kept_without_progress<F: ExactTargetFixture>(fixture: &F) {
    let (target, projection) = enter(fixture).await;
    let before = projection.everything().await;
    let mut tx = begin(&target).await;
    write(fixture, &mut tx, "balance", "40").await;
    target.commit(tx, &ProgressChange::Nothing).await.expect("the transaction is open");
    assert_eq!(read(fixture, "balance").await.as_deref(), Some("40"));
    assert_eq!(projection.everything().await, before);
}

/// A projection that begins again can clear its rows in the same transaction.
pub async fn rows_and_a_rewind_are_kept_together<F: ExactTargetFixture>(fixture: &F) {
    let (target, projection) = enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let mut tx = begin(&target).await;
    write(fixture, &mut tx, "balance", "40").await;
    commit(&target, tx, full_save(&projection, &held, 40)).await;
    let seen = projection.load().await;
    let rewind = projection.rewind_of(&seen, offset([0, 0]));
    let mut tx = begin(&target).await;
    write(fixture, &mut tx, "balance", "0").await;
    let rewound = target.commit(tx, &ProgressChange::Rewind(rewind)).await;
    rewound.expect("nothing has changed");
    assert_eq!(read(fixture, "balance").await.as_deref(), Some("0"));
    let after = projection.load().await;
    assert_eq!(*after.segments[0].progress.offset(), offset([0, 0]));
    assert_eq!((after.segments[0].epoch, after.parked), (held.epoch.next(), 0));
}

/// The rows of a runner that was replaced are gone, and so are those of a rewind that came too late.
pub async fn of_a_stale_commit_nothing_is_kept<F: ExactTargetFixture>(fixture: &F) {
    let (target, projection) = enter(fixture).await;
    let former = projection.claim(left(), "a").await;
    let stale_rewind = projection.rewind_of(&projection.load().await, offset([0, 0]));
    let held = projection.claim(left(), "b").await;
    let mut tx = begin(&target).await;
    write(fixture, &mut tx, "balance", "before").await;
    commit(&target, tx, full_save(&projection, &held, 40)).await;
    let before = projection.everything().await;
    let save = |epoch| {
        let save = full_save(&projection, &held, 99);
        ProgressChange::Save(ProgressSave { epoch, ..save })
    };
    for change in [
        save(former.epoch),
        save(held.epoch.next()),
        save(Epoch::default()),
        ProgressChange::Rewind(stale_rewind.clone()),
        ProgressChange::Rewind(Rewind { seen: Vec::new(), ..stale_rewind.clone() }),
    ] {
        let mut tx = begin(&target).await;
        write(fixture, &mut tx, "balance", "after").await;
        write(fixture, &mut tx, "another", "after").await;
        assert_stale(target.commit(tx, &change).await);
        assert_eq!(read(fixture, "balance").await.as_deref(), Some("before"), "{change:?}");
        assert_eq!(read(fixture, "another").await, None, "{change:?}");
        assert_eq!(projection.everything().await, before, "{change:?}");
    }
}

/// A handler reads what it has written before, and what was committed.
pub async fn a_transaction_sees_its_rows<F: ExactTargetFixture>(fixture: &F) {
    let (target, _projection) = enter(fixture).await;
    let mut tx = begin(&target).await;
    assert_eq!(read_in(fixture, &mut tx, "balance").await, None);
    write(fixture, &mut tx, "balance", "1").await;
    write(fixture, &mut tx, "balance", "2").await;
    assert_eq!(read_in(fixture, &mut tx, "balance").await.as_deref(), Some("2"));
    target.commit(tx, &ProgressChange::Nothing).await.expect("the transaction is open");
    let mut tx = begin(&target).await;
    assert_eq!(read_in(fixture, &mut tx, "balance").await.as_deref(), Some("2"));
    target.rollback(tx).await;
}

/// A save with something of everything.
pub(super) fn full_save(
    projection: &TestProjection,
    held: &StoredSegment,
    position: u64,
) -> ProgressSave {
    ProgressSave {
        progress: progress_at(position),
        handled: 7,
        parked: vec![parked("1", 1)],
        dead_letters: vec![dead_letter(0, 30, 1)],
        ..projection.save_of(held)
    }
}
