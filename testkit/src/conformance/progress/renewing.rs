//! The runners of many projections renew in one call, and all of these are loaded by it.

use super::{
    ProgressFixture,
    sample::{TestProjection, dead_letter, left, new_projection, parked, projection_id},
};
use crate::conformance::refusal::until_available;
use actum_persistence::{
    progress::{
        PROJECTIONS_AT_ONCE_MAX, ProgressSave, ProgressStore, ProjectionId, RunnerRenewal,
        RunnerRow, StoredProjection,
    },
    store::StoreError,
};
use std::sync::Arc;
use tokio::task::JoinSet;

/// In the order in which they were asked for; of one that is not there nothing is returned, and nothing is kept.
pub async fn many_runners_renew_in_one_call(fixture: &dyn ProgressFixture) {
    let all = some_projections(fixture, 3).await;
    let [one, two, three] = &all[..] else { unreachable!("three") };
    let held = two.claim(left(), "b").await;
    let save = ProgressSave {
        parked: vec![parked("1", 1)],
        dead_letters: vec![dead_letter(0, 30, 1), dead_letter(1, 30, 2)],
        ..two.save_of(&held)
    };
    two.save(save).await;
    let missing = projection_id("missing", 1);
    for nr in 1..=3 {
        let renewals = [
            RunnerRenewal::new(two.id.clone(), "a"),
            RunnerRenewal::new(missing.clone(), "a"),
            RunnerRenewal::new(one.id.clone(), "a"),
        ];
        let answers = renew(&one.store, &renewals).await;
        assert_eq!(answers, [Some(two.load().await), None, Some(one.load().await)]);
        assert_eq!(runners(&two.load().await), [("a", nr), ("b", 1)]);
        assert_eq!(runners(&one.load().await), [("a", nr)]);
    }
    assert_eq!(three.load().await.runners, []);
    assert_eq!(one.store.load(&missing).await.expect("that is no error"), None);
}

/// Each sees the other.
pub async fn two_runners_of_a_projection_renew_in_one_call(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    projection.renew("b").await;
    let renewals = ["b", "a"].map(|runner| RunnerRenewal::new(projection.id.clone(), runner));
    for answer in renew(&projection.store, &renewals).await {
        assert_eq!(runners(&answer.expect("it was entered")), [("a", 1), ("b", 2)]);
    }
}

/// Of the projection that names them, with the renewal that was seen, and not those that renew in the same call.
pub async fn the_dead_of_many_projections_are_removed_in_one_call(fixture: &dyn ProgressFixture) {
    let all = some_projections(fixture, 3).await;
    for projection in &all {
        for name in ["b", "c", "c", "d"] {
            projection.renew(name).await;
        }
    }
    let [one, two, three] = &all[..] else { unreachable!("three") };
    let dead = vec![RunnerRow::new("b", 1), RunnerRow::new("c", 1), RunnerRow::new("d", 1)];
    let renewals = [
        RunnerRenewal { dead, ..RunnerRenewal::new(one.id.clone(), "a") },
        RunnerRenewal {
            dead: vec![RunnerRow::new("c", 2)],
            ..RunnerRenewal::new(two.id.clone(), "a")
        },
        RunnerRenewal::new(three.id.clone(), "a"),
        RunnerRenewal::new(one.id.clone(), "d"),
    ];
    let answers = renew(&one.store, &renewals).await;
    let of = |nr: usize| runners(answers[nr].as_ref().expect("it was entered"));
    assert_eq!(of(0), [("a", 1), ("c", 2), ("d", 2)]);
    assert_eq!(of(1), [("a", 1), ("b", 1), ("d", 1)]);
    assert_eq!(of(2), [("a", 1), ("b", 1), ("c", 2), ("d", 1)]);
    assert_eq!(of(3), of(0));
}

/// One that is asked for twice comes twice; what is not there is none.
pub async fn many_projections_are_loaded_in_one_call(fixture: &dyn ProgressFixture) {
    let all = some_projections(fixture, 3).await;
    let [one, two, _] = &all[..] else { unreachable!("three") };
    one.claim(left(), "a").await;
    let missing = [projection_id("missing", 1), projection_id("many", 1)];
    let asked = [&two.id, &missing[0], &one.id, &missing[1], &two.id].map(ProjectionId::clone);
    let loaded = one.store.load_all(&asked).await.expect("projections can be loaded");
    let loaded: Vec<_> =
        loaded.into_iter().map(|one| one.expect("a projection can be loaded")).collect();
    let (one, two) = (Some(one.load().await), Some(two.load().await));
    assert_eq!(loaded, [two.clone(), None, one, None, two]);
}

/// As many as a call may be about, and none.
pub async fn as_many_as_may_be_are_asked_for_at_once(fixture: &dyn ProgressFixture) {
    let all = some_projections(fixture, PROJECTIONS_AT_ONCE_MAX).await;
    let store = &all[0].store;
    let renewals: Vec<_> = all.iter().map(|one| RunnerRenewal::new(one.id.clone(), "a")).collect();
    let answers = renew(store, &renewals).await;
    let ids: Vec<_> = all.iter().map(|one| one.id.clone()).collect();
    let loaded = store.load_all(&ids).await.expect("projections can be loaded");
    assert_eq!((answers.len(), loaded.len()), (all.len(), all.len()));
    for ((id, answer), loaded) in ids.iter().zip(answers).zip(loaded) {
        let answer = answer.expect("it was entered");
        assert_eq!((&answer.id, runners(&answer)), (id, vec![("a", 1)]));
        assert_eq!(loaded.expect("a projection can be loaded"), Some(answer));
    }
    assert_eq!(renew(store, &[]).await, []);
    let loaded = store.load_all(&[]).await.expect("projections can be loaded");
    assert!(loaded.is_empty());
}

/// Too many, and a runner that would renew a projection twice: nothing is kept.
pub async fn what_a_call_cannot_be_about_is_refused(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let renewal = |runner: String| RunnerRenewal::new(projection.id.clone(), runner);
    let too_many: Vec<_> =
        (0..=PROJECTIONS_AT_ONCE_MAX).map(|nr| renewal(nr.to_string())).collect();
    let twice = ["a", "b", "a"].map(|name| renewal(name.to_owned()));
    for renewals in [&too_many[..], &twice] {
        assert_invalid(projection.store.renew_and_load(renewals).await.map(drop));
    }
    let ids = vec![projection.id.clone(); PROJECTIONS_AT_ONCE_MAX + 1];
    assert_invalid(projection.store.load_all(&ids).await.map(drop));
    assert_eq!(projection.load().await.runners, []);
}

/// Through two handles, each in another order, with rows that both remove: none of the renewals is lost, and none waits for
/// another one for ever.
pub async fn calls_about_the_same_projections_at_once_are_counted(fixture: &dyn ProgressFixture) {
    let all = some_projections(fixture, 6).await;
    let handles = [Arc::clone(&all[0].store), fixture.open().await];
    for round in 1..=10 {
        for projection in &all {
            projection.renew("dead").await;
        }
        let mut tasks = JoinSet::new();
        for nr in 0..4 {
            let store = Arc::clone(&handles[nr % 2]);
            let renewal = |id: &ProjectionId| RunnerRenewal {
                dead: vec![RunnerRow::new("dead", 1)],
                ..RunnerRenewal::new(id.clone(), format!("runner {nr}"))
            };
            let mut renewals: Vec<_> = all.iter().map(|one| renewal(&one.id)).collect();
            if nr >= 2 {
                renewals.reverse();
            }
            tasks.spawn(async move {
                let answers = until_available!(store.renew_and_load(&renewals));
                for answer in answers.expect("it renews") {
                    answer.expect("it renews").expect("it was entered");
                }
            });
        }
        tasks.join_all().await;
        for projection in &all {
            // a row that someone else was about to remove may be left to the next renewal
            let dead = [RunnerRow::new("dead", 1)];
            projection.store.renew(&projection.id, "last", &dead).await.expect("it renews");
            let names = ["last", "runner 0", "runner 1", "runner 2", "runner 3"];
            let expected = names.map(|name| (name, round));
            assert_eq!(runners(&projection.load().await), expected, "round {round}");
        }
    }
}

/// The one that is deleted is an answer of its own: not there, or unavailable; the other one is renewed each time.
pub async fn a_deletion_fails_no_renewal_of_another_projection(fixture: &dyn ProgressFixture) {
    let all = some_projections(fixture, 2).await;
    let [stays, goes] = &all[..] else { unreachable!("two") };
    let deleter = goes.reopen(fixture).await;
    for round in 1..=20 {
        let renewals = [&goes.id, &stays.id].map(|id| RunnerRenewal::new(id.clone(), "a"));
        let deleting = {
            let deleter = deleter.clone();
            tokio::spawn(async move {
                until_available!(deleter.store.delete(&deleter.id)).expect("it can be deleted");
            })
        };
        let answers = until_available!(stays.store.renew_and_load(&renewals)).expect("it renews");
        deleting.await.expect("it goes through");
        match &answers[0] {
            Ok(_) | Err(StoreError::Unavailable { .. }) => {}
            Err(error) => panic!("round {round}: {error}"),
        }
        let kept = answers[1].as_ref().expect("it renews").as_ref().expect("it was entered");
        assert_eq!(runners(kept), [("a", round)]);
        assert_eq!(goes.store.load(&goes.id).await.expect("that is no error"), None);
        TestProjection::enter_in(&goes.store, &new_projection(goes.id.name(), 1)).await;
        assert_eq!(goes.load().await.runners, [], "round {round}");
    }
}

async fn some_projections(fixture: &dyn ProgressFixture, count: usize) -> Vec<TestProjection> {
    let store = fixture.open().await;
    let mut all = Vec::new();
    for nr in 0..count {
        all.push(TestProjection::enter_in(&store, &new_projection(&format!("p{nr}"), 1)).await);
    }
    all
}

async fn renew(
    store: &Arc<dyn ProgressStore>,
    renewals: &[RunnerRenewal],
) -> Vec<Option<StoredProjection>> {
    let answers = store.renew_and_load(renewals).await.expect("runners can renew");
    answers.into_iter().map(|answer| answer.expect("a projection can be loaded")).collect()
}

fn runners(stored: &StoredProjection) -> Vec<(&str, u64)> {
    stored.runners.iter().map(|row| (&*row.name, row.renewal)).collect()
}

#[track_caller]
fn assert_invalid(result: Result<(), StoreError>) {
    match result {
        Err(StoreError::Invalid { .. }) => {}
        other => panic!("no store takes this, but it says {other:?}"),
    }
}
