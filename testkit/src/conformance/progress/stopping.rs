//! Segments that are given back or have stopped, and projections that pause.

use super::{
    ProgressFixture,
    sample::{TestProjection, left, offset, progress_at, right},
};
use actum_persistence::progress::{ProgressChange, ProgressSave};

/// It has the next epoch and no owner; how far it has come stays.
pub async fn a_released_segment_has_no_owner(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let progress = progress_at(40);
    projection.save(ProgressSave { progress, handled: 7, ..projection.save_of(&held) }).await;
    let mut expected = projection.load().await;
    projection.store.release(&projection.id, left(), held.epoch).await.expect("it is its own");
    expected.segments[0].epoch = held.epoch.next();
    expected.segments[0].owner = None;
    assert_eq!(projection.load().await, expected);
    let claimed = projection.claim(left(), "b").await;
    assert_eq!((claimed.progress, claimed.handled), (progress_at(40), 7));
}

/// With the reason, until the projection is resumed; a pause that begins does not let it go on, and no other segment is
/// touched.
pub async fn a_stopped_segment_is_not_claimed_until_it_is_resumed(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let (store, id) = (&projection.store, &projection.id);
    let held = projection.claim(left(), "a").await;
    let beside = projection.claim(right(), "a").await;
    store.stop(id, left(), held.epoch, "it hurts\n\u{10ffff}").await.expect("it is its own");
    projection.renew("b").await;
    for is_paused in [false, true] {
        if is_paused {
            store.set_paused(id, true).await.expect("a pause can be asked for");
        }
        let seen = projection.load().await;
        let stopped = &seen.segments[0];
        assert_eq!((stopped.epoch, &stopped.owner), (held.epoch.next(), &None));
        assert_eq!(stopped.stopped.as_deref(), Some("it hurts\n\u{10ffff}"));
        assert_eq!(seen.segments[1], beside);
        let claim = projection.claim_as_seen(&seen, left(), "b");
        let got = store.claim(&claim).await.expect("a segment can be claimed");
        assert_eq!(got, None, "paused: {is_paused}");
        assert_eq!(projection.load().await, seen);
    }
    store.set_paused(id, false).await.expect("a pause can be ended");
    assert_eq!(projection.segment(left()).await.stopped, None);
    assert_eq!(projection.segment(right()).await, beside);
    assert_eq!(projection.claim(left(), "b").await.owner.as_deref(), Some("b"));
}

/// All of them are resumed at once, also when no pause was asked for.
pub async fn ending_a_pause_resumes_all_segments(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let (store, id) = (&projection.store, &projection.id);
    for segment in [left(), right()] {
        let held = projection.claim(segment, "a").await;
        store.stop(id, segment, held.epoch, "it hurts").await.expect("it is its own");
    }
    store.set_paused(id, false).await.expect("a pause can be ended");
    let after = projection.load().await;
    assert!(after.segments.iter().all(|one| one.stopped.is_none()), "{after:?}");
}

/// A pause is a wish: it is kept, and takes nothing from those who own a segment.
pub async fn a_pause_is_kept_until_it_is_ended(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let running = projection.load().await;
    let mut paused = running.clone();
    paused.is_paused = true;
    for (is_paused, expected) in
        [(true, &paused), (true, &paused), (false, &running), (false, &running), (true, &paused)]
    {
        let asked = projection.store.set_paused(&projection.id, is_paused).await;
        asked.expect("a pause can be asked for");
        assert_eq!(projection.load().await, *expected);
    }
    projection.save(projection.save_of(&held)).await;
    let rewind = projection.rewind_of(&projection.load().await, offset([0, 0]));
    projection.store.change(&ProgressChange::Rewind(rewind)).await.expect("nothing has changed");
    assert!(projection.load().await.is_paused, "a rewind does not end a pause");
}
