//! Who was replaced changes nothing.

use super::{
    ProgressFixture,
    sample::{
        TestProjection, assert_stale, dead_letter, left, offset, parked, progress_at, right,
        segment,
    },
};
use actum_persistence::progress::{
    Epoch, ProgressChange, ProgressSave, Rewind, Segment, StoredSegment,
};

/// A runner saves again and again under one claim.
pub async fn a_save_does_not_change_the_epoch(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    for _ in 0..3 {
        projection.save(projection.save_of(&held)).await;
        assert_eq!(projection.segment(left()).await, held);
    }
}

/// As one that is not there yet, or belongs to the segment beside.
pub async fn an_epoch_that_no_claim_has_given_is_stale(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    for epoch in [held.epoch.get() - 1, held.epoch.get() + 1, i64::MAX as u64].map(Epoch::new) {
        assert_all_stale(&projection, &held, epoch).await;
    }
    let beside = projection.segment(right()).await;
    assert_ne!(beside.epoch, held.epoch);
    assert_all_stale(&projection, &beside, held.epoch).await;
}

/// Also when the same runner has claimed it again.
pub async fn who_was_replaced_changes_nothing(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    for runner in ["b", "b", "a"] {
        let former = projection.claim(left(), "a").await;
        projection.claim(left(), runner).await;
        assert_all_stale(&projection, &former, former.epoch).await;
    }
}

/// After it gave the segment back, stopped it or left.
pub async fn who_has_given_a_segment_back_changes_nothing(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let (store, id) = (&projection.store, &projection.id);
    let former = projection.claim(left(), "a").await;
    store.release(id, left(), former.epoch).await.expect("it is its own");
    assert_all_stale(&projection, &former, former.epoch).await;
    let former = projection.claim(left(), "a").await;
    store.leave(id, "a").await.expect("a runner can leave");
    assert_all_stale(&projection, &former, former.epoch).await;
    let former = projection.claim(left(), "a").await;
    store.stop(id, left(), former.epoch, "it hurts").await.expect("it is its own");
    assert_all_stale(&projection, &former, former.epoch).await;
    store.set_paused(id, false).await.expect("a pause can be ended");
    assert_all_stale(&projection, &former, former.epoch).await;
}

/// The runners that were at work when a projection was rewound.
pub async fn who_was_rewound_changes_nothing(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let former = [projection.claim(left(), "a").await, projection.claim(right(), "b").await];
    let rewind = projection.rewind_of(&projection.load().await, offset([0, 0]));
    projection.store.change(&ProgressChange::Rewind(rewind)).await.expect("nothing has changed");
    for former in &former {
        assert_all_stale(&projection, former, former.epoch).await;
    }
}

/// Also when the same range of partitions comes back later.
pub async fn who_was_divided_changes_nothing(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let (store, id) = (&projection.store, &projection.id);
    let former = projection.claim(left(), "a").await;
    let halves = [segment(0, 63), segment(64, 127)];
    let progress = || former.progress.clone();
    let into = halves.map(|half| StoredSegment::new(half, progress()));
    store.divide(id, &[(left(), former.epoch)], &into).await.expect("nothing has changed");
    assert_all_stale(&projection, &former, former.epoch).await;
    let seen = halves.map(|half| (half, former.epoch.next()));
    let whole = [StoredSegment::new(left(), progress())];
    store.divide(id, &seen, &whole).await.expect("nothing has changed");
    for nr in 0..=former.epoch.get() + 1 {
        assert_all_stale(&projection, &former, Epoch::new(nr)).await;
    }
    let same = StoredSegment::new(left(), progress());
    let seen = projection.segment(left()).await.epoch;
    store.divide(id, &[(left(), seen)], &[same]).await.expect("nothing has changed");
    assert_all_stale(&projection, &former, seen).await;
}

/// Ranges of partitions that touch those of a segment are none of it.
pub async fn a_segment_that_is_not_there_is_stale(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    for range in [segment(0, 63), segment(0, 128), segment(1, 127), segment(64, 127)] {
        let other = StoredSegment::new(range, held.progress.clone());
        assert_all_stale(&projection, &other, held.epoch).await;
    }
}

/// All that names the epoch of a segment is stale in `epoch`, and nothing is changed by it.
async fn assert_all_stale(projection: &TestProjection, former: &StoredSegment, epoch: Epoch) {
    let (store, id) = (&projection.store, &projection.id);
    let before = projection.everything().await;
    let stored = projection.load().await;
    let save = ProgressSave {
        epoch,
        progress: progress_at(99),
        handled: 3,
        parked: vec![parked("1", 1)],
        dead_letters: vec![dead_letter(0, 90, 1)],
        ..projection.save_of(former)
    };
    assert_stale(store.change(&ProgressChange::Save(save)).await);
    assert_stale(store.release(id, former.segment, epoch).await);
    assert_stale(store.stop(id, former.segment, epoch, "it hurts").await);
    let mut seen: Vec<(Segment, Epoch)> =
        stored.segments.iter().map(|one| (one.segment, one.epoch)).collect();
    for (segment, in_epoch) in &mut seen {
        if *segment == former.segment {
            *in_epoch = epoch;
        }
    }
    let into = [StoredSegment::new(former.segment, progress_at(99))];
    assert_stale(store.divide(id, &[(former.segment, epoch)], &into).await);
    let all = [StoredSegment::new(segment(0, 255), progress_at(99))];
    if seen.iter().any(|(segment, _)| *segment == former.segment) {
        assert_stale(store.divide(id, &seen, &all).await);
        let rewind = Rewind { seen, ..projection.rewind_of(&stored, offset([0, 0])) };
        assert_stale(store.change(&ProgressChange::Rewind(rewind)).await);
    }
    assert_eq!(projection.everything().await, before);
}
