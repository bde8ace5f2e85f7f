//! Projections that begin somewhere else.

use super::{
    ProgressFixture,
    sample::{
        TestProjection, assert_stale, dead_letter, everywhere, left, new_projection, offset,
        parked, progress_at, right, segment,
    },
};
use actum_persistence::progress::{
    ParkedRequest, ProgressChange, ProgressSave, ReadProgress, Rewind, StoredSegment,
};

/// Every segment begins there, in the next epoch, without an owner; what was handled stays counted, and runners, version
/// and sources stay as they are.
pub async fn all_segments_begin_where_a_rewind_says(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let progress = progress_at(40);
    projection.save(ProgressSave { progress, handled: 7, ..projection.save_of(&held) }).await;
    for to in [offset([0, 0]), offset([1_000, 3])] {
        let mut expected = projection.load().await;
        let live_from = offset([12, 13]);
        let rewind = projection.rewind_of(&expected, to.clone());
        rewind_to(&projection, Rewind { live_from: live_from.clone(), ..rewind }).await;
        expected.live_from = live_from;
        for segment in &mut expected.segments {
            segment.progress = ReadProgress::behind(to.clone());
            segment.epoch = segment.epoch.next();
            segment.owner = None;
        }
        assert_eq!(projection.load().await, expected);
    }
}

/// Whatever segment they are of, and what is asked of them with it; another projection keeps its own.
pub async fn a_rewind_forgets_what_is_parked(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let other = TestProjection::enter_in(&projection.store, &new_projection("balances", 2)).await;
    for one in [&projection, &other] {
        let held = one.claim(left(), "a").await;
        let parked = vec![parked("1", 1), parked("2", 200)];
        one.save(ProgressSave { parked, ..one.save_of(&held) }).await;
        let asked = one.store.request(&one.id, None, ParkedRequest::Replay).await;
        assert_eq!(asked.expect("it can be asked for"), 2);
    }
    let beside = other.everything().await;
    let rewind = projection.rewind_of(&projection.load().await, offset([1_000, 1_000]));
    rewind_to(&projection, rewind).await;
    let counts = projection.load().await;
    assert_eq!((counts.parked, counts.requested), (0, 0));
    assert_eq!(projection.parked(everywhere()).await, []);
    assert_eq!(other.everything().await, beside);
}

/// Lane by lane: what is behind the new place is handled again, what is in front of it or at it is not.
pub async fn a_rewind_keeps_the_letters_it_does_not_come_by_again(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let letters = [(0, 19, 1), (0, 20, 200), (0, 21, 1), (1, 20, 1), (1, 40, 200), (1, 41, 1)];
    let letters = letters.map(|(lane, position, of)| dead_letter(lane, position, of));
    let dead_letters = letters.to_vec();
    projection.save(ProgressSave { dead_letters, ..projection.save_of(&held) }).await;
    let rewind = projection.rewind_of(&projection.load().await, offset([20, 40]));
    rewind_to(&projection, rewind).await;
    let kept = [0, 1, 3, 4].map(|nr| letters[nr].clone());
    assert_eq!(projection.dead_letters(everywhere()).await, kept);
    let rewind = projection.rewind_of(&projection.load().await, offset([0, 39]));
    rewind_to(&projection, rewind).await;
    assert_eq!(projection.dead_letters(everywhere()).await, [letters[3].clone()]);
}

/// A person has looked: that was why.
pub async fn a_stopped_segment_goes_on_after_a_rewind(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let stopped = projection.store.stop(&projection.id, left(), held.epoch, "it hurts").await;
    stopped.expect("it is its own");
    rewind_to(&projection, projection.rewind_of(&projection.load().await, offset([0, 0]))).await;
    assert_eq!(projection.segment(left()).await.stopped, None);
    assert_eq!(projection.claim(left(), "b").await.owner.as_deref(), Some("b"));
}

/// When a segment has another epoch, or the segments are others, nothing is changed.
pub async fn a_rewind_of_what_has_changed_since_is_stale(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let (store, id) = (&projection.store, &projection.id);
    let seen = projection.load().await;
    let held = projection.claim(right(), "a").await;
    let save = ProgressSave {
        parked: vec![parked("1", 200)],
        dead_letters: vec![dead_letter(0, 90, 200)],
        ..projection.save_of(&held)
    };
    projection.save(save).await;
    let now = projection.load().await;
    let before = projection.everything().await;
    let right_now = projection.rewind_of(&now, offset([0, 0])).seen;
    let whole = vec![(segment(0, 255), right_now[1].1)];
    for seen in [
        projection.rewind_of(&seen, offset([0, 0])).seen,
        right_now[..1].to_vec(),
        right_now[1..].to_vec(),
        Vec::new(),
        whole,
    ] {
        let rewind = Rewind { seen, ..projection.rewind_of(&now, offset([0, 0])) };
        assert_stale(store.change(&ProgressChange::Rewind(rewind)).await);
        assert_eq!(projection.everything().await, before);
    }
    let into = [StoredSegment::new(segment(0, 255), progress_at(40))];
    store.divide(id, &right_now, &into).await.expect("nothing has changed");
    let before = projection.everything().await;
    let late = projection.rewind_of(&now, offset([0, 0]));
    assert_stale(store.change(&ProgressChange::Rewind(late)).await);
    assert_eq!(projection.everything().await, before);
}

async fn rewind_to(projection: &TestProjection, rewind: Rewind) {
    let changed = projection.store.change(&ProgressChange::Rewind(rewind)).await;
    changed.expect("nothing has changed");
}
