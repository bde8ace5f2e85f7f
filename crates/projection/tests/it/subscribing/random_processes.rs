use super::subscriber_rig::{Seen, Subscriber, mails};
use crate::rig::{Rig, account, deposited};
use actum_projection::{Consumer, Delivered, Nack, Subscription};
use actum_testkit::{Fault, Faults, Operation};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::timeout;

/// A process, and what its consumers have in flight.
struct Process {
    subscriber: Subscriber,
    faults: Faults,
    consumers: Vec<(Consumer<Seen>, Vec<Delivered<Seen>>)>,
}

/// What was seen by all consumers of all processes.
#[derive(Default)]
struct Ledger {
    delivered: BTreeMap<String, u64>,
    acknowledged: BTreeSet<Seen>,
}

impl Ledger {
    fn delivered(&mut self, seed: u64, (id, nr): &Seen) {
        let last = self.delivered.entry(id.clone()).or_default();
        assert!(*nr <= *last + 1, "seed {seed}: event {nr} of {id} comes before {}", *last + 1);
        *last = (*last).max(*nr);
    }
}

fn shared() -> Subscription<Seen> {
    let checkpoint = Duration::from_secs(1);
    mails()
        .consumers_max(3)
        .in_flight_max(4)
        .buffer_events(8)
        .checkpoint(5, checkpoint)
        .retries(1_000)
}

async fn ask(
    seed: u64,
    consumer: &mut (Consumer<Seen>, Vec<Delivered<Seen>>),
    ledger: &mut Ledger,
) {
    if let Ok(next) = timeout(Duration::from_millis(300), consumer.0.next()).await {
        let delivered = next.unwrap().unwrap();
        ledger.delivered(seed, delivered.event());
        consumer.1.push(delivered);
    }
}

async fn run(seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let rig = Rig::new(rng.u16(1..3)).await;
    let mut processes = Vec::new();
    for name in ["a@1", "b@1"] {
        let faults = Faults::new();
        let subscriber = Subscriber::new(&rig, name, &faults).await;
        processes.push(Process { subscriber, faults, consumers: Vec::new() });
    }
    let (mut written, mut ledger) = (BTreeMap::<String, u64>::new(), Ledger::default());
    for _ in 0..150 {
        let process = &mut processes[rng.usize(0..2)];
        match rng.u8(0..16) {
            0..3 => {
                let id = rng.u8(0..4).to_string();
                let nr = written.entry(id.clone()).or_default();
                let count = rng.u64(1..4);
                let events = (0..count).map(deposited).collect();
                rig.append(&account(&id), *nr, events).await;
                *nr += count;
            }
            3 => {
                if let Ok(consumer) = process.subscriber.service.subscribe(shared()).await {
                    process.consumers.push((consumer, Vec::new()));
                }
            }
            4 if !process.consumers.is_empty() => {
                let nr = rng.usize(0..process.consumers.len());
                let (consumer, _) = process.consumers.swap_remove(nr);
                if rng.bool() {
                    // the process may reach nothing: then no one waits for it
                    let _ = timeout(Duration::from_secs(60), consumer.unsubscribe()).await;
                }
            }
            5 => {
                for operation in [Operation::RenewRunner, Operation::ChangeProgress] {
                    process.faults.always(operation, Fault::unavailable());
                }
            }
            6 | 7 => process.faults.stop(),
            8 => tokio::time::sleep(Duration::from_millis(rng.u64(0..8_000))).await,
            9..12 => {
                let Some((_, held)) = rng.choice(&mut process.consumers) else { continue };
                if held.is_empty() {
                    continue;
                }
                let delivered = held.swap_remove(rng.usize(0..held.len()));
                if rng.u8(0..4) == 0 {
                    let after = Some(Duration::from_millis(rng.u64(0..500)));
                    let _ = delivered.nack(Nack::Retry { after }, "busy");
                } else if delivered.ack().is_ok() {
                    ledger.acknowledged.insert(delivered.into_event());
                }
            }
            _ => {
                if let Some(consumer) = rng.choice(&mut process.consumers) {
                    ask(seed, consumer, &mut ledger).await;
                }
            }
        }
    }
    finish(seed, processes, &written, ledger).await;
}

/// Then everything works, and one consumer is left.
async fn finish(
    seed: u64,
    mut processes: Vec<Process>,
    written: &BTreeMap<String, u64>,
    mut ledger: Ledger,
) {
    for process in &mut processes {
        process.faults.stop();
        process.consumers.clear();
    }
    let mut last = (processes[0].subscriber.service.subscribe(shared()).await.unwrap(), Vec::new());
    let all: BTreeSet<Seen> =
        written.iter().flat_map(|(id, count)| (1..=*count).map(|nr| (id.clone(), nr))).collect();
    for _ in 0..2_000 {
        ask(seed, &mut last, &mut ledger).await;
        for delivered in last.1.drain(..) {
            if delivered.ack().is_ok() {
                ledger.acknowledged.insert(delivered.into_event());
            }
        }
        if ledger.acknowledged == all {
            break;
        }
    }
    assert_eq!(ledger.acknowledged, all, "seed {seed}");
    last.0.unsubscribe().await;
    let status = processes[1].subscriber.mails().status().await.unwrap();
    assert_eq!((status.lag.events, status.owner), (0, None), "seed {seed}");
}

#[tokio::test(start_paused = true)]
async fn processes_and_consumers_that_come_and_go_at_random_handle_every_event_in_order_of_its_entity()
 {
    for seed in 0..60 {
        run(seed).await;
    }
}
