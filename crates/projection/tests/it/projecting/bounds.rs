use super::{
    deliveries::Deliveries,
    runner_rig::{Bad, Trouble, balances, parts, row, run, start},
};
use crate::rig::{Rig, account, deposited};
use actum_persistence::store::NewEvent;
use actum_projection::{OnFailure, ProjectionRegistration, ProjectionSettings, StartAt};
use actum_store_memory::MemoryTarget;
use actum_testkit::Operation;
use std::time::Duration;
use tokio::time::sleep;

fn many(deliveries: &Deliveries, count: usize) -> Vec<ProjectionRegistration> {
    let mut settings = ProjectionSettings::default();
    settings.batch_bytes = 1_024;
    let one = |nr| deliveries.projection(&format!("p{nr}")).settings(settings.clone()).into();
    (0..count).map(one).collect()
}

/// How often the lane is read while this many projections follow it, an event a second.
async fn reads_at_the_head(projections: usize) -> u64 {
    let rig = Rig::new(1).await;
    let deliveries = Deliveries::default();
    let running = start(parts(&rig, "a@1", &rig.faults), many(&deliveries, projections)).await;
    running.caught_up().await;
    let before = rig.calls(Operation::ReadLane);
    for nr in 0..50 {
        rig.append(&account("a"), nr, vec![deposited(1)]).await;
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(deliveries.all().len(), 50 * projections);
    rig.calls(Operation::ReadLane) - before
}

#[tokio::test(start_paused = true)]
async fn twenty_projections_at_the_head_read_the_journal_as_often_as_one() {
    let (one, twenty) = (reads_at_the_head(1).await, reads_at_the_head(20).await);
    assert!(one >= 50 && twenty <= one + one / 10, "{one} for one, {twenty} for twenty");
}

#[tokio::test(start_paused = true)]
async fn an_idle_journal_costs_few_reads() {
    let rig = Rig::new(3).await;
    rig.deposit(&account("a"), 10).await;
    let running = run(&rig, "a@1", Deliveries::default().projection("mails").segments(8)).await;
    running.caught_up().await;
    sleep(Duration::from_secs(10)).await;
    rig.faults.reset_counts();
    sleep(Duration::from_secs(100)).await;
    let journal = [Operation::Heads, Operation::ReadLane, Operation::ReadEntities];
    let calls = |operations: &[Operation]| operations.iter().map(|one| rig.calls(*one)).sum();
    let (journal, progress): (u64, u64) = (calls(&journal), calls(&Operation::PROGRESS));
    // a look at the heads twice a second; a renewal, which reads what is kept, three times a lease of 10 seconds
    assert!((190..=210).contains(&journal), "{journal} reads of the journal in 100 seconds");
    assert!((28..=32).contains(&progress), "{progress} calls for progress in 100 seconds");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn those_who_are_far_behind_read_two_pages_at_a_time_and_no_one_at_the_head_waits_for_them() {
    let rig = Rig::new(8).await;
    for nr in 0..40 {
        rig.deposit(&account(&nr.to_string()), 1_000).await;
    }
    let (behind, live) = (Deliveries::default(), Deliveries::default());
    let rebuilt = behind.projection("rebuilt").segments(32).into();
    let live = live.projection("live").start_at(StartAt::Now);
    let gate = rig.faults.hold_next(Operation::ReadLane, 2);
    let mut parts = parts(&rig, "a@1", &rig.faults);
    parts.share.bytes_max = 8 << 20; // less than a page of each segment
    let running = start(parts, [rebuilt, live.into()]).await;
    gate.held(2).await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(rig.calls(Operation::ReadLane), 2, "32 segments want to read");
    rig.append(&account("a"), 0, vec![deposited(1)]).await;
    running.service.projection("live").caught_up(Duration::from_secs(60)).await.unwrap();
    assert_eq!(behind.all().len(), 0);
    gate.open();
    running.caught_up().await;
    assert_eq!(behind.all().len(), 40_001);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn pages_with_large_events_stay_inside_the_room_of_the_process() {
    let rig = Rig::new(1).await;
    let deliveries = Deliveries::default();
    deliveries.trouble.set_all(Bad::Hangs);
    let mut large = deposited(1);
    large.payload.bytes = format!(r#"{{"cents":1,"pad":"{}"}}"#, "x".repeat(1 << 20)).into();
    rig.append(&account("a"), 0, vec![large.clone(), large]).await;
    let mut parts = parts(&rig, "a@1", &rig.faults);
    parts.share.bytes_max = 5 << 19;
    let _running = start(parts, many(&deliveries, 8)).await;
    sleep(Duration::from_secs(10)).await;
    assert_eq!(deliveries.trouble.tries(), 2, "as many as there is room for");
}

#[tokio::test(start_paused = true)]
async fn more_segments_than_have_room_for_a_page_take_turns() {
    let (rig, deliveries) = (Rig::new(1).await, Deliveries::default());
    let mut settings = ProjectionSettings::default();
    settings.batch_bytes = 1_024;
    settings.segments = 32.try_into().unwrap();
    let mut parts = parts(&rig, "a@1", &rig.faults);
    parts.share.bytes_max = 4 * 1_024;
    let running = start(parts, [deliveries.projection("mails").settings(settings).into()]).await;
    for nr in 0..100 {
        for id in 0..20 {
            rig.append(&account(&format!("a{id}")), nr, vec![deposited(1)]).await;
        }
        sleep(Duration::from_millis(50)).await;
    }
    running.caught_up().await;
    assert_eq!(deliveries.all().len(), 2_000);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn all_that_is_parked_is_held_back_also_when_less_may_be_parked_now() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    let mut settings = ProjectionSettings::default();
    settings.on_failure = OnFailure::ParkEntity;
    let ids: Vec<_> = (0..5).map(|nr| format!("a{nr}")).collect();
    for id in &ids {
        rig.deposit(&account(id), 2).await;
        trouble.set(id, 2, Bad::Fails);
    }
    let running = run(&rig, "a@1", balances(&target, &trouble).settings(settings.clone())).await;
    running.caught_up().await;
    running.end().await;
    settings.parked_max = 1;
    let running = run(&rig, "a@2", balances(&target, &trouble).settings(settings)).await;
    for id in &ids {
        rig.append(&account(id), 2, vec![deposited(3)]).await;
    }
    running.caught_up().await;
    assert!(ids.iter().all(|id| row(&target, id) == Some((1, 1))));
    running.end().await;
}

/// An event of a type that the program does not know, or one that is damaged.
fn unreadable(is_unknown: bool) -> NewEvent {
    let mut event = deposited(1);
    if is_unknown {
        event.payload.manifest = "account.closed".into();
    } else {
        event.payload.bytes = "{".into();
    }
    event
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_decoded_is_never_skipped_in_silence() {
    for is_unknown in [true, false] {
        for policy in [OnFailure::Stop, OnFailure::SkipToDeadLetters, OnFailure::ParkEntity] {
            let rig = Rig::new(1).await;
            let deliveries = Deliveries::default();
            let projection = deliveries.projection("mails");
            let projection = match is_unknown {
                true => projection.on_unknown(policy),
                false => projection.on_failure(policy),
            };
            rig.append(&account("a"), 0, vec![deposited(1), unreadable(is_unknown)]).await;
            rig.append(&account("a"), 2, vec![deposited(1)]).await;
            let running = run(&rig, "a@1", projection).await;
            let seen = if policy == OnFailure::Stop {
                let why = running.until_stopped().await;
                assert!(why.starts_with("event 2 of account/a failed: "), "{why}");
                (0, 0)
            } else {
                running.caught_up().await;
                let status = running.projection().status().await.unwrap();
                (status.dead_letters, status.parked)
            };
            let numbers: Vec<_> = deliveries.all().iter().map(|delivery| delivery.nr).collect();
            let expected = match policy {
                OnFailure::SkipToDeadLetters => ((1, 0), vec![1, 3]),
                OnFailure::ParkEntity => ((0, 1), vec![1]),
                _ => ((0, 0), vec![1]),
            };
            assert_eq!((seen, numbers), expected, "{policy:?}, unknown: {is_unknown}");
            running.end().await;
        }
    }
}
