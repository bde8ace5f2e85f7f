//! Projections come, are listed and go.

use super::{
    ProgressFixture,
    sample::{
        TestProjection, assert_stale, dead_letter, everywhere, left, new_projection, offset,
        parked, place, progress_at, projection_id, segment,
    },
};
use crate::conformance::{refusal::until_available, sample::account};
use actum_persistence::progress::{
    Activation, Epoch, NewProjection, ParkedRequest, ProgressChange, ProgressSave, ProgressStore,
    ProjectionId, RunnerRow, SegmentClaim, StoredProjection,
};
use std::sync::Arc;
use tokio::task::JoinSet;

/// With all that was said of it, every segment at its start, without an owner.
pub async fn a_projection_begins_as_it_was_entered(fixture: &dyn ProgressFixture) {
    let store = fixture.open().await;
    let new = new_projection("balances", 1);
    let entered = store.enter(&new).await.expect("a projection can be entered");
    assert_eq!(entered, StoredProjection::new(new.clone(), true));
    let loaded = store.load(&new.id).await.expect("a projection can be loaded");
    assert_eq!(loaded, Some(entered));
}

/// Entering is no change of what is there, whatever the second one says; it returns what is kept.
pub async fn the_first_one_that_enters_decides(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let parked = vec![parked("1", 1)];
    let progress = progress_at(40);
    projection.save(ProgressSave { progress, parked, ..projection.save_of(&held) }).await;
    let before = projection.everything().await;
    let other = NewProjection {
        sources: Vec::new(),
        segments: vec![segment(0, 255)],
        start: offset([0, 0]),
        live_from: offset([1, 1]),
        ..new_projection("balances", 1)
    };
    for new in [other, new_projection("balances", 1)] {
        let other = projection.reopen(fixture).await;
        let entered = other.store.enter(&new).await.expect("a projection can be entered");
        assert_eq!(entered, projection.load().await);
        assert_eq!(projection.everything().await, before);
    }
}

/// It is none that was loaded, and whatever is asked for changes nothing: who names an epoch is stale, the rest is no error.
pub async fn what_was_never_entered_is_not_there(fixture: &dyn ProgressFixture) {
    let store = fixture.open().await;
    let id = projection_id("balances", 1);
    let ghost = TestProjection { store: Arc::clone(&store), id: id.clone() };
    let nothing = ghost.everything().await;
    let (epoch, segment) = (Epoch::default(), left());
    store.delete(&id).await.expect("that is no error");
    store.set_paused(&id, true).await.expect("that is no error");
    store.renew(&id, "a", &[RunnerRow::new("b", 1)]).await.expect("that is no error");
    store.leave(&id, "a").await.expect("that is no error");
    let (projection, runner) = (id.clone(), "a".into());
    let claim = SegmentClaim { projection, segment, runner, epoch, replaces: None };
    assert_eq!(store.claim(&claim).await.expect("that is no error"), None);
    assert_stale(store.release(&id, segment, epoch).await);
    assert_stale(store.stop(&id, segment, epoch, "it hurts").await);
    let save = ProgressSave::nothing(id.clone(), segment, epoch, progress_at(40));
    let save = ProgressSave { parked: vec![parked("1", 1)], ..save };
    assert_stale(store.change(&ProgressChange::Save(save)).await);
    let seen = StoredProjection::new(new_projection("balances", 1), true);
    let rewind = ghost.rewind_of(&seen, offset([0, 0]));
    assert_stale(store.change(&ProgressChange::Rewind(rewind)).await);
    assert_stale(store.activate(&Activation::of(&seen, None)).await);
    assert_stale(store.divide(&id, &[(left(), epoch)], &seen.segments[..1]).await);
    let one = account(1);
    for entity in [None, Some(&one)] {
        let asked = store.request(&id, entity, ParkedRequest::Replay).await;
        assert_eq!(asked.expect("that is no error"), 0);
    }
    for place in [None, Some(place(0, 1))] {
        assert_eq!(store.request_letter(&id, place).await.expect("that is no error"), 0);
        assert_eq!(store.discard_letter(&id, place).await.expect("that is no error"), 0);
    }
    assert_eq!(ghost.everything().await, nothing);
    assert_eq!(store.load(&id).await.expect("a projection can be loaded"), None);
    assert_eq!(store.projections().await.expect("projections can be listed"), []);
}

/// By the bytes of their names, then by their versions as numbers.
pub async fn projections_are_listed_in_order(fixture: &dyn ProgressFixture) {
    let store = fixture.open().await;
    let longest = "z".repeat(ProjectionId::NAME_BYTES_MAX);
    let ids = [
        ("B", 1),
        ("a", 1),
        ("a", 2),
        ("a", 10),
        ("a-b", 1),
        ("a.b", 1),
        ("a:b", 1),
        ("aB", 1),
        ("a_b", 1),
        ("ab", 1),
        (&longest, u32::MAX),
    ];
    for (name, version) in ids.iter().rev() {
        TestProjection::enter_in(&store, &new_projection(name, *version)).await;
    }
    let expected = ids.map(|(name, version)| projection_id(name, version));
    assert_eq!(store.projections().await.expect("projections can be listed"), expected);
}

/// Entering another version leaves the active one alone.
pub async fn the_first_version_of_a_name_is_active(fixture: &dyn ProgressFixture) {
    let store = fixture.open().await;
    for (name, version, is_active) in
        [("balances", 2, true), ("balances", 1, false), ("balances", 3, false), ("other", 1, true)]
    {
        let entered = store.enter(&new_projection(name, version)).await;
        assert_eq!(entered.expect("a projection can be entered").is_active, is_active, "{version}");
    }
    assert_eq!(active(&store, "balances").await, [2]);
}

/// Its runners find their segments stale, it can be entered again from scratch, and what is beside it is as it was.
pub async fn of_a_deleted_projection_nothing_is_left(fixture: &dyn ProgressFixture) {
    let store = fixture.open().await;
    let of = [("balances", 1), ("balances", 2), ("balance", 1)];
    let mut projections = Vec::new();
    for (name, version) in of {
        let one = TestProjection::enter_in(&store, &new_projection(name, version)).await;
        let held = one.claim(left(), "a").await;
        let save = ProgressSave {
            progress: progress_at(40),
            parked: vec![parked("1", 1)],
            dead_letters: vec![dead_letter(0, 30, 1)],
            ..one.save_of(&held)
        };
        one.save(save).await;
        projections.push(one);
    }
    let [gone, other_version, other_name] = &projections[..] else { unreachable!("three") };
    let held = gone.segment(left()).await;
    let beside = (other_version.everything().await, other_name.everything().await);
    store.delete(&gone.id).await.expect("a projection can be deleted");
    assert_eq!(store.load(&gone.id).await.expect("a projection can be loaded"), None);
    assert_eq!(gone.parked(everywhere()).await, []);
    assert_eq!(gone.dead_letters(everywhere()).await, []);
    let save = || ProgressChange::Save(gone.save_of(&held));
    assert_stale(store.change(&save()).await);
    assert_eq!((other_version.everything().await, other_name.everything().await), beside);
    assert_eq!(active(&store, "balances").await, [0; 0], "no other version becomes active");
    let again = store.enter(&new_projection("balances", 1)).await;
    let again = again.expect("a projection can be entered");
    let mut expected = StoredProjection::new(new_projection("balances", 1), false);
    for (new, entered) in expected.segments.iter_mut().zip(&again.segments) {
        assert!(entered.epoch > held.epoch, "epochs go on: {again:?}");
        new.epoch = entered.epoch;
    }
    assert_eq!(again, expected);
    assert_eq!(gone.parked(everywhere()).await, []);
    assert_eq!(gone.dead_letters(everywhere()).await, []);
    assert_stale(store.change(&save()).await);
}

/// All of them get the same, and it is what one of them has said.
pub async fn of_many_that_enter_one_projection_one_decides(fixture: &dyn ProgressFixture) {
    let handles = [fixture.open().await, fixture.open().await];
    for round in 0..20 {
        let mut tasks = JoinSet::new();
        for nr in 0..6 {
            let store = Arc::clone(&handles[nr % 2]);
            let start = offset([nr as u64, 5]);
            let new = NewProjection { start, ..new_projection(&format!("round-{round}"), 1) };
            tasks.spawn(async move {
                until_available!(store.enter(&new)).expect("a projection can be entered")
            });
        }
        let entered = tasks.join_all().await;
        let first = &entered[0];
        let start = first.segments[0].progress.offset().clone();
        let said = NewProjection { start, ..new_projection(&format!("round-{round}"), 1) };
        assert_eq!(*first, StoredProjection::new(said, true), "round {round}");
        assert!(entered.iter().all(|one| one == first), "round {round}: {entered:?}");
    }
}

/// The versions of a name that are active.
async fn active(store: &Arc<dyn ProgressStore>, name: &str) -> Vec<u32> {
    let mut active = Vec::new();
    for id in store.projections().await.expect("projections can be listed") {
        let loaded = store.load(&id).await.expect("a projection can be loaded");
        if id.name() == name && loaded.expect("it is listed").is_active {
            active.push(id.version().get());
        }
    }
    active
}
