use super::shipped::{ids, numbers, publisher};
use crate::{
    account::Account,
    projecting::runner_rig::{parts, run, start, until},
    rig::{Rig, account, deposited},
};
use actum_projection::{
    Message, OnFailure, Projection, ProjectionSettings, ProjectionState, PublishError, Publisher,
    StartAt,
};
use actum_testkit::{Faults, MemoryBroker};
use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_away_is_waited_for_and_blames_no_event() {
    let (rig, broker) = (Rig::new(1).await, MemoryBroker::new());
    rig.deposit(&account("a"), 5).await;
    let running = run(&rig, "a@1", publisher(&broker).on_failure(OnFailure::ParkEntity)).await;
    running.caught_up().await;
    broker.go_away();
    for nr in 5..400 {
        rig.append(&account("a"), nr, vec![deposited(nr)]).await;
    }
    sleep(Duration::from_secs(300)).await;
    let status = running.projection().status().await.unwrap();
    assert_eq!(status.state, ProjectionState::Waiting { why: "the broker is away".into() });
    assert_eq!((status.parked, status.dead_letters), (0, 0));
    broker.come_back();
    running.caught_up().await;
    assert_eq!(numbers(&broker, "a"), (1..=400).collect::<Vec<_>>(), "each came once");
    assert!(broker.largest_call() <= 100, "{} at once", broker.largest_call());
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_publisher_starts_when_its_broker_is_there() {
    let (rig, broker) = (Rig::new(1).await, MemoryBroker::new());
    rig.deposit(&account("a"), 5).await;
    broker.go_away();
    let running = run(&rig, "a@1", publisher(&broker)).await;
    until("it says so", async || {
        let state = format!("{:?}", running.projection().status().await);
        state.contains("preparing what it writes to: nothing can be published at the moment: the broker is away")
    })
    .await;
    broker.come_back();
    running.caught_up().await;
    assert_eq!(numbers(&broker, "a"), [1, 2, 3, 4, 5]);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn messages_whose_acknowledgement_was_lost_come_again_under_the_same_name() {
    for drops_duplicates in [false, true] {
        let (rig, broker) = (Rig::new(1).await, MemoryBroker::new());
        rig.deposit(&account("a"), 5).await;
        broker.lose_acks(2);
        if drops_duplicates {
            broker.drop_duplicates();
        }
        let running = run(&rig, "a@1", publisher(&broker)).await;
        running.caught_up().await;
        let once = [1, 2, 3, 4, 5];
        let expected = if drops_duplicates { once.to_vec() } else { once.repeat(3) };
        assert_eq!(numbers(&broker, "a"), expected);
        running.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_broker_gets_fewer_messages_at_once_until_they_arrive_in_time() {
    let (rig, broker) = (Rig::new(1).await, MemoryBroker::new());
    rig.deposit(&account("a"), 120).await;
    broker.slow_down(Duration::from_secs(2)); // each, since they are of one entity; 30 seconds have to do
    let running = run(&rig, "a@1", publisher(&broker).on_failure(OnFailure::ParkEntity)).await;
    let begun = Instant::now();
    running.caught_up().await;
    assert_eq!(broker.in_order()[&account("a")].get(), 120);
    assert_eq!(running.projection().status().await.unwrap().parked, 0);
    assert!(begun.elapsed() < Duration::from_secs(900), "{:?}", begun.elapsed());
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_does_not_answer_counts_as_away() {
    let (rig, broker) = (Rig::new(1).await, MemoryBroker::new());
    rig.deposit(&account("a"), 5).await;
    broker.slow_down(Duration::from_secs(3_600));
    let running = run(&rig, "a@1", publisher(&broker).on_failure(OnFailure::ParkEntity)).await;
    until("it was tried often", async || broker.calls() > 20).await;
    let why = "the handler has not returned within 30s".into();
    let waiting = ProjectionState::Waiting { why };
    until("it waits between attempts", async || running.state().await == waiting).await;
    assert_eq!(running.projection().status().await.unwrap().parked, 0);
    broker.slow_down(Duration::ZERO);
    running.caught_up().await;
    assert_eq!(broker.in_order()[&account("a")].get(), 5);
    running.end().await;
}

/// A broker that is away at every second call.
#[derive(Clone)]
struct Flickering(MemoryBroker, Arc<AtomicU32>);

impl Publisher for Flickering {
    async fn publish(&mut self, messages: &[Message]) -> Result<(), PublishError> {
        if self.1.fetch_add(1, Relaxed) % 2 == 1 {
            return Err(PublishError::unavailable("the broker is away"));
        }
        self.0.publish(messages).await
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_shipped_in_front_of_an_outage_does_not_come_again() {
    let (rig, broker) = (Rig::new(1).await, MemoryBroker::new());
    rig.deposit(&account("a"), 450).await;
    let flickering = Flickering(broker.clone(), Arc::default());
    let projection = Projection::publisher("orders", flickering).from::<Account>();
    let running = run(&rig, "a@1", projection).await;
    running.caught_up().await;
    assert_eq!(numbers(&broker, "a"), (1..=450).collect::<Vec<_>>(), "each came once");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_shipped_together_is_bounded_by_the_batch_and_the_publisher() {
    let (rig, broker) = (Rig::new(1).await, MemoryBroker::new());
    rig.deposit(&account("a"), 250).await;
    let mut settings = ProjectionSettings::default();
    settings.batch_events = 30;
    let running = run(&rig, "a@1", publisher(&broker).settings(settings)).await;
    running.caught_up().await;
    assert_eq!(broker.largest_call(), 30);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn another_process_goes_on_where_one_has_died() {
    let (rig, broker) = (Rig::new(1).await, MemoryBroker::new());
    rig.deposit(&account("a"), 50).await;
    let first = run(&rig, "a@1", publisher(&broker)).await;
    first.caught_up().await;
    first.end().await;
    rig.append(&account("a"), 50, vec![deposited(1)]).await;
    let second = run(&rig, "a@2", publisher(&broker)).await;
    second.caught_up().await;
    assert_eq!(numbers(&broker, "a"), (1..=51).collect::<Vec<_>>());
    second.end().await;
}

/// Two processes share the segments of a publisher while the broker, the database and they themselves fail at random.
async fn anything_goes(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let (rig, broker) = (Rig::new(2).await, MemoryBroker::new());
    broker.take_at_most(NonZeroUsize::new(random.usize(1..4)).unwrap());
    let mut written = [0; 8];
    let mut running = Vec::new();
    let (mut life, mut has_rewound) = (0, false);
    for _ in 0..60 {
        let account_nr = random.usize(..written.len());
        let count = random.u64(1..4);
        let events = (0..count).map(deposited).collect();
        rig.append(&account(&format!("a{account_nr}")), written[account_nr], events).await;
        written[account_nr] += count;
        match random.u8(..12) {
            0 => broker.go_away(),
            1 | 2 => broker.come_back(),
            3 => broker.lose_acks(random.u32(1..4)),
            4 => broker.panic(1),
            5 => broker.slow_down(Duration::from_millis(random.u64(..3_000))),
            6 => {
                let nr = random.u64(1..20);
                broker.reject(move |message| message.recorded().sequence_nr.get() == nr);
            }
            7 => broker.reject(|_| false),
            8 if running.len() < 2 => {
                life += 1;
                let projection = publisher(&broker).segments(4).on_failure(OnFailure::ParkEntity);
                let parts = parts(&rig, &format!("p@{life}"), &Faults::new());
                running.push(start(parts, [projection.into()]).await);
            }
            9 if !running.is_empty() => {
                let one: crate::projecting::runner_rig::Running =
                    running.swap_remove(random.usize(..running.len()));
                one.end().await;
            }
            10 if !running.is_empty() && random.u8(..4) == 0 => {
                has_rewound |= running[0].projection().rewind(StartAt::Beginning).await.is_ok();
            }
            _ => {}
        }
        sleep(Duration::from_millis(random.u64(..2_000))).await;
    }
    broker.come_back();
    broker.reject(|_| false);
    broker.slow_down(Duration::ZERO);
    let projection = publisher(&broker).segments(4).on_failure(OnFailure::ParkEntity);
    running.push(start(parts(&rig, "last@1", &Faults::new()), [projection.into()]).await);
    let last = running.last().unwrap();
    let is_complete = || {
        let known = broker.in_order();
        (0..written.len()).all(|nr| {
            known.get(&account(&format!("a{nr}"))).map_or(0, |last| last.get()) == written[nr]
        })
    };
    until(&format!("all is shipped, seed {seed}"), async || {
        let _ = last.projection().resume().await;
        let _ = last.projection().replay_parked(None).await;
        is_complete()
    })
    .await;
    let (shipped, distinct) = (ids(&broker), written.iter().sum::<u64>());
    let different: std::collections::HashSet<_> = shipped.iter().collect();
    assert_eq!(different.len() as u64, distinct, "seed {seed}, rewound: {has_rewound}");
    for one in running {
        one.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_and_entities_stay_in_order_whatever_fails() {
    for seed in 0..30 {
        anything_goes(seed).await;
    }
}
