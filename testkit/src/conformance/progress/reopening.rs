//! What is kept outlives the handle.

use super::{
    ProgressFixture,
    sample::{
        Everything, TestProjection, dead_letter, left, new_projection, offset, parked, place,
        progress_at, projection_id, right,
    },
};
use crate::conformance::{refusal::assert_unavailable, sample::account};
use actum_persistence::{
    progress::{
        Activation, Epoch, ParkedRequest, ProgressChange, ProgressSave, RunnerRenewal, SaveError,
        SegmentClaim,
    },
    store::StoreError,
};
use std::fmt::Debug;

/// A close loses nothing.
pub async fn everything_is_there_after_a_close(fixture: &dyn ProgressFixture) {
    let (before, projection) = filled(fixture).await;
    projection.store.close().await;
    assert_is_there(fixture, &before).await;
}

/// Neither does a process that goes without closing.
pub async fn everything_is_there_after_a_crash(fixture: &dyn ProgressFixture) {
    let (before, projection) = filled(fixture).await;
    drop(projection);
    assert_is_there(fixture, &before).await;
}

/// What is kept through one handle is read at once through another one that was open before.
pub async fn every_handle_sees_what_is_kept(fixture: &dyn ProgressFixture) {
    let watcher = fixture.open().await;
    let (before, projection) = filled(fixture).await;
    let watching = TestProjection { store: watcher, id: projection.id.clone() };
    assert_eq!(watching.everything().await, before);
    watching.renew("b").await;
    assert_eq!(projection.everything().await, watching.everything().await);
}

/// Every call of a closed handle is unavailable, closing it again is none of them; other handles go on.
pub async fn a_closed_handle_refuses_everything(fixture: &dyn ProgressFixture) {
    let (before, projection) = filled(fixture).await;
    let TestProjection { store, id } = &projection;
    let stored = projection.load().await;
    store.close().await;
    store.close().await;
    let (segment, epoch) = (left(), Epoch::new(1));
    assert_unavailable(store.enter(&new_projection("balances", 2)).await);
    assert_unavailable(store.load(id).await);
    assert_unavailable(store.projections().await);
    assert_change_unavailable(store.activate(&Activation::of(&stored, None)).await);
    assert_unavailable(store.delete(id).await);
    assert_unavailable(store.set_paused(id, true).await);
    assert_unavailable(store.renew(id, "a", &[]).await);
    assert_unavailable(store.renew_and_load(&[RunnerRenewal::new(id.clone(), "a")]).await);
    assert_unavailable(store.load_all(std::slice::from_ref(id)).await);
    assert_unavailable(store.leave(id, "a").await);
    let claim: SegmentClaim = projection.claim_as_seen(&stored, right(), "a");
    assert_unavailable(store.claim(&claim).await);
    assert_change_unavailable(store.release(id, segment, epoch).await);
    assert_change_unavailable(store.stop(id, segment, epoch, "it hurts").await);
    let save = ProgressChange::Save(projection.save_of(&stored.segments[0]));
    assert_change_unavailable(store.change(&save).await);
    let rewind = ProgressChange::Rewind(projection.rewind_of(&stored, offset([0, 0])));
    assert_change_unavailable(store.change(&rewind).await);
    let seen = [(segment, epoch)];
    assert_change_unavailable(store.divide(id, &seen, &stored.segments[..1]).await);
    assert_unavailable(store.parked(id, segment, None, 1).await);
    assert_unavailable(store.request(id, Some(&account(1)), ParkedRequest::Replay).await);
    assert_unavailable(store.dead_letters(id, segment, false, None, 1).await);
    assert_unavailable(store.request_letter(id, Some(place(0, 30))).await);
    assert_unavailable(store.discard_letter(id, None).await);
    assert_is_there(fixture, &before).await;
}

/// A projection with something of everything, and all that is kept of it.
async fn filled(fixture: &dyn ProgressFixture) -> (Everything, TestProjection) {
    let projection = TestProjection::enter(fixture).await;
    let (store, id) = (&projection.store, &projection.id);
    let held = projection.claim(left(), "a").await;
    let save = ProgressSave {
        progress: progress_at(40),
        handled: 7,
        parked: vec![parked("1", 1), parked("2", 2)],
        dead_letters: vec![dead_letter(0, 30, 1), dead_letter(1, 30, 2)],
        ..projection.save_of(&held)
    };
    projection.save(save).await;
    let asked = store.request(id, Some(&parked("1", 1).entity), ParkedRequest::Discard).await;
    assert_eq!(asked.expect("it can be asked for"), 1);
    let asked = store.request_letter(id, Some(place(0, 30))).await;
    assert_eq!(asked.expect("it can be asked for"), 1);
    let stops = projection.claim(right(), "b").await;
    store.stop(id, right(), stops.epoch, "it hurts").await.expect("it is its own");
    store.set_paused(id, true).await.expect("a pause can be asked for");
    (projection.everything().await, projection)
}

async fn assert_is_there(fixture: &dyn ProgressFixture, before: &Everything) {
    let id = projection_id("balances", 1);
    let again = TestProjection { store: fixture.open().await, id };
    assert_eq!(again.everything().await, *before);
    let held = again.segment(left()).await;
    again.save(again.save_of(&held)).await;
}

#[track_caller]
fn assert_change_unavailable<T: Debug>(result: Result<T, SaveError>) {
    match result {
        Err(SaveError::Store(StoreError::Unavailable { .. })) => {}
        other => panic!("the store is closed, but it says {other:?}"),
    }
}
