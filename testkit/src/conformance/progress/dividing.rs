//! Segments are split and merged.

use super::{
    ProgressFixture,
    sample::{
        TestProjection, assert_stale, dead_letter, left, new_projection, parked, progress_at,
        right, segment,
    },
};
use actum_model::Timestamp;
use actum_persistence::{
    progress::{Epoch, ProgressSave, SaveError, Segment, StoredSegment},
    store::StoreError,
};

/// Each part is as it was said, but has no owner and the next epoch; the rest of the projection is as it was, and so is
/// another version of it.
pub async fn a_segment_is_split(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let other = TestProjection::enter_in(&projection.store, &new_projection("balances", 2)).await;
    let beside = other.everything().await;
    let held = projection.claim(left(), "a").await;
    let save = ProgressSave {
        parked: vec![parked("1", 1), parked("2", 90)],
        dead_letters: vec![dead_letter(0, 30, 90)],
        ..projection.save_of(&held)
    };
    projection.save(save).await;
    let mut expected = projection.load().await;
    let ranges = [segment(0, 0), segment(1, 63), segment(64, 127)];
    let mut into: Vec<_> = (ranges.iter().zip(40..))
        .map(|(range, position)| StoredSegment::new(*range, progress_at(position)))
        .collect();
    into[0].handled = 70;
    into[1].saved_at = Timestamp::from_micros(123);
    into[2].stopped = Some("it hurts".into());
    let seen = [(left(), held.epoch)];
    into.swap(0, 2);
    divide(&projection, &seen, &into).await;
    into.swap(0, 2);
    for new in &mut into {
        new.epoch = held.epoch.next();
    }
    into.push(expected.segments[1].clone());
    expected.segments = into;
    assert_eq!(projection.load().await, expected);
    assert_eq!(projection.parked(ranges[1]).await, [parked("1", 1)]);
    assert_eq!(projection.parked(ranges[2]).await, [parked("2", 90)]);
    assert_eq!(projection.dead_letters(ranges[2]).await, [dead_letter(0, 30, 90)]);
    assert_eq!(other.everything().await, beside);
    let claimed = projection.claim(ranges[1], "b").await;
    assert_eq!((claimed.epoch, claimed.progress), (held.epoch.next().next(), progress_at(41)));
}

/// The epoch of the whole is behind those of all its parts.
pub async fn segments_are_merged(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    for _ in 0..5 {
        projection.claim(right(), "a").await;
    }
    let seen = seen(&projection).await;
    assert_eq!(seen, [(left(), Epoch::new(0)), (right(), Epoch::new(5))]);
    let mut whole = StoredSegment::new(segment(0, 255), progress_at(40));
    whole.handled = i64::MAX as u64;
    divide(&projection, &[seen[1], seen[0]], &[whole.clone()]).await;
    whole.epoch = Epoch::new(6);
    assert_eq!(projection.load().await.segments, [whole]);
}

/// Those that are divided get no owner and no epoch but the next one, whatever the caller has there.
pub async fn divided_segments_have_no_owner_and_the_next_epoch(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    for epoch in [Epoch::default(), held.epoch, Epoch::new(1_000)] {
        let seen = seen(&projection).await;
        let mut same = StoredSegment::new(left(), progress_at(40));
        same.owner = Some("a".into());
        same.epoch = epoch;
        divide(&projection, &seen[..1], &[same]).await;
        let now = projection.segment(left()).await;
        assert_eq!((now.epoch, now.owner), (seen[0].1.next(), None));
    }
}

/// Nothing is divided when one of the segments has another epoch, or is not there.
pub async fn a_division_of_what_has_changed_since_is_stale(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let (store, id) = (&projection.store, &projection.id);
    let seen = seen(&projection).await;
    projection.claim(right(), "a").await;
    let before = projection.everything().await;
    let whole = [StoredSegment::new(segment(0, 255), progress_at(40))];
    assert_stale(store.divide(id, &seen, &whole).await);
    assert_stale(store.divide(id, &[seen[1], seen[0]], &whole).await);
    let absent = segment(0, 63);
    let same = [StoredSegment::new(absent, progress_at(40))];
    assert_stale(store.divide(id, &[(absent, Epoch::default())], &same).await);
    let epoch = projection.segment(right()).await.epoch;
    let (known, absent) = ((left(), seen[0].1), [segment(128, 200), segment(201, 255)]);
    let seen = [known, (absent[0], epoch), (absent[1], epoch)];
    assert_stale(store.divide(id, &seen, &whole).await);
    assert_eq!(projection.everything().await, before);
}

/// A division loses no partition, adds none, and gives none to two segments.
pub async fn a_division_into_other_partitions_is_refused(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let before = projection.everything().await;
    let seen = seen(&projection).await;
    let into = |bounds: &[(u16, u16)]| -> Vec<_> {
        let part = |&(first, last)| StoredSegment::new(segment(first, last), progress_at(40));
        bounds.iter().map(part).collect()
    };
    for (seen, into) in [
        (&seen[..1], into(&[])),
        (&seen[..1], into(&[(0, 126)])),
        (&seen[..1], into(&[(1, 127)])),
        (&seen[..1], into(&[(0, 128)])),
        (&seen[..1], into(&[(0, 255)])),
        (&seen[..1], into(&[(0, 63), (65, 127)])),
        (&seen[..1], into(&[(0, 64), (64, 127)])),
        (&seen, into(&[(0, 127)])),
        (&[], into(&[(0, 127)])),
    ] {
        let answer = projection.store.divide(&projection.id, seen, &into).await;
        let is_refused = matches!(&answer, Err(SaveError::Store(StoreError::Invalid { .. })));
        assert!(is_refused, "{seen:?} into {into:?}: {answer:?}");
        assert_eq!(projection.everything().await, before);
    }
}

async fn seen(projection: &TestProjection) -> Vec<(Segment, Epoch)> {
    projection.load().await.segments.iter().map(|one| (one.segment, one.epoch)).collect()
}

async fn divide(projection: &TestProjection, seen: &[(Segment, Epoch)], into: &[StoredSegment]) {
    let divided = projection.store.divide(&projection.id, seen, into).await;
    divided.expect("nothing has changed");
}
