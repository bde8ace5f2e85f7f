use super::{
    deliveries::Deliveries,
    runner_rig::{Trouble, balances, run, until},
};
use crate::rig::{Rig, account, deposited};
use actum_model::{Offset, Position, Timestamp};
use actum_projection::{ProjectionState, StartAt};
use actum_store_memory::MemoryTarget;
use std::{num::NonZeroU32, time::Duration};

const MINUTE: Duration = Duration::from_secs(60);

fn behind(position: u64) -> StartAt {
    StartAt::Behind(Offset::of_positions([Position::new(position)]))
}

#[tokio::test(start_paused = true)]
async fn a_start_is_where_it_is_asked_for_and_in_an_empty_journal_at_once() {
    // events of the rig are of the time 7
    let starts = [
        (StartAt::Beginning, 4),
        (StartAt::Now, 0),
        (behind(1), 3),
        (StartAt::Time(Timestamp::from_micros(7)), 4),
        (StartAt::Time(Timestamp::from_micros(8)), 0),
    ];
    for (start_at, handled) in starts {
        let rig = Rig::new(1).await;
        let deliveries = Deliveries::default();
        rig.deposit(&account("a"), 4).await;
        let projection = deliveries.projection("mails").start_at(start_at.clone());
        let running = run(&rig, "a@1", projection).await;
        running.projection().caught_up(MINUTE).await.unwrap();
        assert_eq!(deliveries.all().len(), handled, "{start_at:?}");
        running.end().await;
    }
    for start_at in [StartAt::Now, behind(0), StartAt::Time(Timestamp::from_micros(7))] {
        let rig = Rig::new(1).await;
        let projection = Deliveries::default().projection("mails").start_at(start_at);
        let running = run(&rig, "a@1", projection).await;
        running.projection().caught_up(MINUTE).await.unwrap();
        let status = running.projection().status().await.unwrap();
        assert_eq!((status.lag.events, status.eta), (0, Some(Duration::ZERO)));
        running.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_beyond_the_journal_is_refused() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 4).await;
    let running =
        run(&rig, "a@1", Deliveries::default().projection("mails").start_at(behind(5))).await;
    let waited = running.projection().caught_up(MINUTE).await.unwrap_err().to_string();
    assert!(
        waited.starts_with("the projection `mails` has stopped: `start_at` is behind"),
        "{waited}"
    );
}

#[tokio::test(start_paused = true)]
async fn other_sources_are_refused_until_the_version_is_raised() {
    let rig = Rig::new(1).await;
    let stored = rig.other_sources("mails").await;
    rig.deposit(&account("a"), 1).await;
    let projection = Deliveries::default().projection("mails");
    let running = run(&rig, "a@1", projection).await;
    let waited = running.projection().caught_up(MINUTE).await.unwrap_err().to_string();
    let why = format!(
        "the projection `mails` has stopped: the projection {stored} was begun with the sources [\"customer\"] and has \
         [\"account\"] now: raise its version, so that it begins again"
    );
    assert_eq!(waited, why);
    let version = NonZeroU32::new(2).unwrap();
    let next = run(&rig, "a@2", Deliveries::default().projection("mails").version(version)).await;
    next.until_active().await;
    next.projection().caught_up(MINUTE).await.unwrap();
    next.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_run_has_not_caught_up_with_an_empty_journal_either() {
    let rig = Rig::new(1).await;
    rig.other_sources("mails").await;
    let running = run(&rig, "a@1", Deliveries::default().projection("mails")).await;
    let waited = running.projection().caught_up(MINUTE).await.unwrap_err().to_string();
    assert!(
        waited.starts_with("the projection `mails` has stopped: the projection mails"),
        "{waited}"
    );
}

#[tokio::test(start_paused = true)]
async fn replays_are_told_from_live_events_and_ids_of_commands_stay() {
    let rig = Rig::new(1).await;
    let deliveries = Deliveries::default();
    rig.deposit(&account("a"), 2).await;
    let running = run(&rig, "a@1", deliveries.projection("mails")).await;
    running.caught_up().await;
    rig.append(&account("a"), 2, vec![deposited(3)]).await;
    running.caught_up().await;
    running.projection().rewind(StartAt::Beginning).await.unwrap();
    running.caught_up().await;
    running.projection().reset().await.unwrap();
    running.caught_up().await;
    rig.append(&account("a"), 3, vec![deposited(4)]).await;
    running.caught_up().await;
    running.end().await;
    let version = NonZeroU32::new(2).unwrap();
    let running = run(&rig, "a@2", deliveries.projection("mails").version(version)).await;
    running.until_active().await;
    running.caught_up().await;
    running.end().await;

    let all = deliveries.all();
    let replays: Vec<_> = all.iter().map(|delivery| (delivery.nr, delivery.is_replay)).collect();
    let first = [(1, true), (2, true), (3, false)];
    let again = [(1, true), (2, true), (3, true)];
    let version_2 = [(1, true), (2, true), (3, true), (4, true)];
    let expected: Vec<_> =
        [&first[..], &again, &again, &[(4, false)], &version_2].concat().into_iter().collect();
    assert_eq!(replays, expected);
    let of_first: Vec<_> =
        all.iter().filter(|delivery| delivery.nr == 1).map(|one| &one.command_id).collect();
    assert!(of_first.len() == 4 && of_first.iter().all(|id| *id == of_first[0]), "{of_first:?}");
    assert_ne!(all[0].command_id, all[1].command_id);
}

#[tokio::test(start_paused = true)]
async fn the_age_is_that_of_the_oldest_event_of_any_lane() {
    let rig = Rig::new(2).await;
    let target = MemoryTarget::new();
    let running = run(&rig, "a@1", balances(&target, &Trouble::default())).await;
    running.caught_up().await;
    running.projection().pause().await.unwrap();
    until("it is paused", async || running.state().await == ProjectionState::Paused).await;
    // what is first in its lane is young, and what is further behind in the other one is old
    let (one, other) = (account("a0"), (1..).map(|nr| account(&format!("a{nr}"))));
    let other = other.into_iter().find(|key| rig.lane_of(key) != rig.lane_of(&one)).unwrap();
    let young = || actum_persistence::store::NewEvent {
        timestamp: Timestamp::from(std::time::SystemTime::now()),
        ..deposited(1)
    };
    rig.append(&one, 0, vec![young()]).await;
    rig.append(&other, 0, vec![deposited(1)]).await;
    let lag = running.projection().status().await.unwrap().lag;
    assert!(lag.events == 2 && lag.age > Some(Duration::from_secs(3_600)), "{lag:?}");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_rewind_beyond_the_journal_is_refused_and_changes_nothing() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 4).await;
    let running = run(&rig, "a@1", Deliveries::default().projection("mails")).await;
    running.projection().caught_up(MINUTE).await.unwrap();
    let refused = running.projection().rewind(behind(5)).await.unwrap_err();
    assert_eq!(refused.to_string(), "`start_at` is behind 5, and the journal ends at 4");
    let status = running.projection().status().await.unwrap();
    assert_eq!((status.lag.events, status.handled), (0, 4));
    running.end().await;
}
