//! A new version of a projection catches up beside the active one and takes over.

use super::{
    deliveries::Deliveries,
    runner_rig::{Bad, parts, run, start, until},
    version_rig::{Versions, nr, state_of},
};
use crate::rig::{Rig, account, deposited};
use actum_model::{Lane, Position, Receipt, SequenceNr};
use actum_projection::{ProjectionState, StartAt, Switch};
use actum_testkit::{Fault, Faults, Operation};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_new_version_replays_what_was_handled_and_takes_over_from_there() {
    let versions = Versions::new(2).await;
    let first = versions.run("a@1", &[1]).await;
    first.caught_up().await;
    for id in ["a", "b"] {
        versions.deposit(id, 20).await;
    }
    first.caught_up().await;
    first.end().await;
    let both = versions.run("a@2", &[1, 2]).await;
    versions.until_active(2).await;
    for id in ["a", "b"] {
        versions.deposit(id, 5).await;
        assert_eq!(both.service.projection("sums").active_version().await.unwrap(), nr(2));
    }
    for version in [1, 2] {
        versions.until_complete(version).await;
    }
    for id in ["a", "b"] {
        let expected = [vec![vec![1]; 20], vec![vec![2]; 5]].concat();
        assert_eq!(versions.live(id), expected, "live in the version that was active");
    }
    assert_eq!(state_of(&both, 1).await, ProjectionState::Following { active: Some(nr(2)) });
    assert_eq!(state_of(&both, 2).await, ProjectionState::Running);
    both.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_old_binary_goes_on_as_a_follower_beside_a_new_one() {
    for of_new in [&[1, 2][..], &[2]] {
        let versions = Versions::new(1).await;
        let old = versions.run("old@1", &[1]).await;
        old.caught_up().await;
        versions.deposit("a", 20).await;
        old.caught_up().await;
        let new = versions.run("new@1", of_new).await;
        versions.until_active(2).await;
        versions.deposit("a", 20).await;
        versions.until_complete(2).await;
        versions.until_complete(1).await;
        versions.assert_live_once(&Default::default());
        assert_eq!(state_of(&old, 1).await, ProjectionState::Following { active: Some(nr(2)) });
        // it does not take it back, also when the new one is gone
        new.end().await;
        versions.deposit("a", 20).await;
        sleep(10 * MINUTE).await;
        assert_eq!(versions.sum(1, "a"), Some(40), "it does not go past the active version");
        let following = ProjectionState::Following { active: Some(nr(2)) };
        assert_eq!(state_of(&old, 1).await, following, "and asks for nothing it may not have");
        let again = versions.run("new@2", &[2]).await;
        versions.until_complete(1).await;
        versions.assert_live_once(&Default::default());
        again.end().await;
        old.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_version_goes_on_where_the_former_one_ended_or_stopped() {
    for stops in [false, true] {
        let versions = Versions::new(1).await;
        let old = versions.run("old@1", &[1]).await;
        old.caught_up().await;
        versions.deposit("a", 10).await;
        old.caught_up().await;
        if stops {
            versions.sums.trouble.set("a", 11, Bad::Fails);
            versions.deposit("a", 10).await;
            old.until_stopped().await;
        } else {
            old.end().await;
            versions.deposit("a", 10).await;
        }
        let new = versions.run("new@1", &[2]).await;
        versions.until_active(2).await;
        versions.until_complete(2).await;
        let expected = [vec![vec![1]; 10], vec![vec![2]; 10]].concat();
        assert_eq!(versions.live("a"), expected);
        new.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn events_that_come_all_the_time_are_live_once_across_a_switch() {
    let versions = Versions::new(2).await;
    let faults = Faults::new();
    let first = versions.version(1, &faults).segments(4).into();
    let old = start(parts(&versions.rig, "old@1", &faults), [first]).await;
    old.caught_up().await;
    let next = versions.version(2, &faults).segments(8).into();
    let first = versions.version(1, &faults).segments(4).into();
    let new = start(parts(&versions.rig, "new@1", &faults), [first, next]).await;
    let mut after = 0;
    for round in 0.. {
        versions.deposit(&format!("a{}", round % 7), 1 + round % 3).await;
        sleep(Duration::from_millis(7)).await;
        after += u64::from(versions.is_active(2).await);
        if after == 300 {
            break;
        }
        assert!(round < 20_000, "it becomes active while events come");
    }
    for version in [1, 2] {
        versions.until_complete(version).await;
    }
    versions.assert_live_once(&Default::default());
    assert_eq!(versions.stored(2).await.unwrap().segments.len(), 8);
    new.end().await;
    old.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_new_version_is_divided_where_the_active_one_is() {
    let versions = Versions::new(1).await;
    let faults = Faults::new();
    let first = versions.version(1, &faults).segments(2).into();
    let old = start(parts(&versions.rig, "old@1", &faults), [first]).await;
    old.caught_up().await;
    let next = versions.version(2, &faults).segments(3).into();
    let new = start(parts(&versions.rig, "new@1", &faults), [next]).await;
    versions.until_active(2).await;
    let segments = versions.stored(2).await.unwrap().segments;
    let segments: Vec<_> = segments.iter().map(|one| one.segment.to_string()).collect();
    assert_eq!(segments, ["0-84", "85-127", "128-169", "170-255"]);
    new.end().await;
    old.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_rebuild_says_how_far_it_is_and_a_wait_for_it_ends_at_once() {
    let versions = Versions::new(1).await;
    let old = versions.run("old@1", &[1]).await;
    versions.deposit("a", 40).await;
    old.caught_up().await;
    let faults = Faults::new();
    let next = versions.version(2, &faults).switch(Switch::WhenAsked).into();
    // it prepares its rows, and handles nothing yet
    faults.next(Operation::BeginTransaction, Fault::none());
    let gate = faults.hold_next(Operation::BeginTransaction, 1_000);
    let new = start(parts(&versions.rig, "new@1", &faults), [next]).await;
    let rebuilt = new.service.projection("sums").version(nr(2));
    let begun = Instant::now();
    let waited = rebuilt.caught_up(MINUTE).await.unwrap_err().to_string();
    let expected = "version 2 of the projection `sums` is being rebuilt, and another one is active";
    assert_eq!((waited.as_str(), begun.elapsed() < Duration::from_secs(1)), (expected, true));
    until("it runs", async || {
        let status = rebuilt.status().await;
        status.is_ok_and(|status| matches!(status.state, ProjectionState::Rebuilding { .. }))
    })
    .await;
    versions.deposit("a", 20).await;
    let receipt = Receipt::new(SequenceNr::new(1), Lane::new(0), Some(Position::new(1)));
    let begun = Instant::now();
    let waited = rebuilt.caught_up_with(&receipt, MINUTE).await.unwrap_err().to_string();
    assert_eq!((waited.as_str(), begun.elapsed() < Duration::from_secs(1)), (expected, true));
    let ProjectionState::Rebuilding { active, read, target } = state_of(&new, 2).await else {
        panic!("{:?}", state_of(&new, 2).await);
    };
    assert_eq!((active.is_none_or(|one| one == nr(1)), read, target), (true, 0, 40));
    gate.open();
    // then it is live, and what comes is waited for
    until("it follows", async || {
        state_of(&new, 2).await == ProjectionState::Following { active: Some(nr(1)) }
    })
    .await;
    rebuilt.caught_up(MINUTE).await.unwrap();
    assert!(versions.is_active(1).await, "it waits until it is asked");
    rebuilt.activate(nr(2)).await.unwrap();
    assert_eq!(rebuilt.active_version().await.unwrap(), nr(2));
    versions.deposit("a", 1).await;
    rebuilt.caught_up(MINUTE).await.unwrap();
    assert_eq!(versions.live("a").last(), Some(&vec![2]));
    new.end().await;
    old.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_behind_is_not_activated_and_a_former_one_takes_over_again() {
    let versions = Versions::new(1).await;
    let both = versions.run("a@1", &[1]).await;
    both.caught_up().await;
    versions.deposit("a", 10).await;
    both.caught_up().await;
    both.end().await;
    let both = versions.run("a@2", &[1, 2]).await;
    let sums = both.service.projection("sums");
    versions.until_active(2).await;
    versions.deposit("a", 10).await;
    versions.until_complete(1).await;
    sums.activate(nr(1)).await.unwrap();
    versions.deposit("a", 10).await;
    versions.until_complete(2).await;
    sleep(MINUTE).await;
    assert!(versions.is_active(2).await, "the newer one has taken over by itself again");
    versions.assert_live_once(&Default::default());
    sums.version(nr(1)).reset().await.unwrap();
    sums.version(nr(1)).pause().await.unwrap();
    let refused = sums.activate(nr(1)).await.unwrap_err().to_string();
    assert_eq!(refused, "version 1 of the projection `sums` has not come as far as the active one");
    assert!(sums.activate(nr(7)).await.is_err());
    both.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_rebuild_of_nothing_ends_at_once() {
    for start_at in [StartAt::Beginning, StartAt::Now] {
        let rig = Rig::new(2).await;
        if start_at == StartAt::Now {
            rig.deposit(&account("a"), 10).await;
        }
        let deliveries = Deliveries::default();
        let of = |version| {
            deliveries.projection("mails").start_at(start_at.clone()).version(nr(version))
        };
        let old = run(&rig, "a@1", of(1)).await;
        old.caught_up().await;
        let begun = Instant::now();
        let new = run(&rig, "b@1", of(2)).await;
        new.until_active().await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        let status = new.projection().status().await.unwrap();
        assert_eq!((status.lag.events, status.eta), (0, Some(Duration::ZERO)));
        rig.append(&account("b"), 0, vec![deposited(1)]).await;
        new.caught_up().await;
        old.caught_up().await;
        let replays: Vec<_> = deliveries.all().iter().map(|one| one.is_replay).collect();
        assert_eq!(replays.iter().filter(|is_replay| !**is_replay).count(), 1, "{replays:?}");
        new.end().await;
        old.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_that_begins_now_loses_nothing_that_the_active_one_has_not_handled() {
    let versions = Versions::new(1).await;
    let old = versions.run("a@1", &[1]).await;
    old.caught_up().await;
    versions.deposit("a", 10).await;
    old.caught_up().await;
    old.end().await;
    versions.deposit("a", 10).await;
    let faults = Faults::new();
    let next = versions.version(2, &faults).start_at(StartAt::Now).into();
    let new = start(parts(&versions.rig, "b@1", &faults), [next]).await;
    versions.until_active(2).await;
    new.caught_up().await;
    assert_eq!(versions.live("a"), [vec![vec![1]; 10], vec![vec![2]; 10]].concat());
    assert_eq!(versions.sum(2, "a"), Some(10));
    new.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_version_is_gone_with_its_rows_and_older_code_does_not_begin_it_again() {
    let versions = Versions::new(1).await;
    let old = versions.run("old@1", &[1]).await;
    versions.deposit("a", 10).await;
    old.caught_up().await;
    let new = versions.run("new@1", &[1, 2]).await;
    versions.until_active(2).await;
    let sums = new.service.projection("sums");
    let refused = sums.drop_version(nr(2)).await.unwrap_err().to_string();
    assert_eq!(refused, "version 2 of the projection `sums` is active");
    sums.drop_version(nr(1)).await.unwrap();
    assert!(versions.stored(1).await.is_none() && versions.sum(1, "a").is_none());
    versions.deposit("a", 10).await;
    versions.until_complete(2).await;
    sleep(MINUTE).await;
    assert!(versions.stored(1).await.is_none() && versions.sum(1, "a").is_none());
    let waited = old.service.projection("sums").caught_up(MINUTE).await.unwrap_err().to_string();
    assert_eq!(
        waited,
        "the projection `sums` has stopped: what is kept of the projection was deleted"
    );
    let again = versions.run("old@2", &[1]).await;
    let waited = again.service.projection("sums").caught_up(MINUTE).await.unwrap_err().to_string();
    let expected = "the projection `sums` has stopped: version 2 of the projection `sums` is active, and nothing is kept of \
                    version 1: an older version does not begin beside a newer one";
    assert_eq!(waited, expected);
    assert!(versions.stored(1).await.is_none());
    sums.drop_version(nr(1)).await.unwrap(); // there is nothing to do
}

#[tokio::test(start_paused = true)]
async fn a_version_that_begins_in_front_of_deleted_events_says_so() {
    let versions = Versions::new(1).await;
    for id in ["a", "b"] {
        versions.deposit(id, 10).await;
    }
    versions.rig.delete(&account("b"), 4).await;
    for (name, version) in [("a@1", 1), ("b@1", 2)] {
        let running = versions.run(name, &[version]).await;
        versions.until_active(version).await;
        until("it is known", async || {
            let missing = running.projection().status().await.unwrap().missing;
            missing.as_deref()
                == Some("the events of account/b up to 4 were deleted before it began")
        })
        .await;
        running.end().await;
    }
    let running = versions.run("b@2", &[2]).await;
    running.caught_up().await;
    assert_eq!(running.projection().status().await.unwrap().missing, None);
    versions.rig.delete(&account("a"), 3).await;
    running.projection().reset().await.unwrap();
    let missing = running.projection().status().await.unwrap().missing;
    let expected = "the events of account/a up to 3, and some of 1 other entities were deleted before it began";
    assert_eq!(missing.as_deref(), Some(expected));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_renamed_projection_keeps_the_ids_of_its_commands() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 1).await;
    let deliveries = Deliveries::default();
    for (name, projection) in [
        ("a@1", deliveries.projection("mails")),
        ("a@2", deliveries.projection("letters")),
        ("a@3", deliveries.projection("post").command_ids_of("mails")),
    ] {
        let running = run(&rig, name, projection).await;
        running.caught_up().await;
        running.end().await;
    }
    let ids: Vec<_> = deliveries.all().into_iter().map(|one| one.command_id).collect();
    assert!(ids.len() == 3 && ids[0] != ids[1] && ids[0] == ids[2], "{ids:?}");
}
