//! Partitions that open, close and fail at random while callers ask through references they hold.

use crate::{
    account::{Account, AccountEvent, Balance, Deposit},
    fragile::{Actions, Grenade, fragile, registered},
    rig::{Rig, account, accounts, all_wait},
};
use actum_model::{Partition, PartitionCount};
use actum_persistence::store::JournalLayout;
use actum_runtime::{EntityRef, PartitionState, Runtime, settings::RuntimeSettings};
use actum_store_memory::MemoryStore;
use fastrand::Rng;
use std::time::Duration;
use tokio::{
    runtime::Handle,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

const PARTITIONS: u16 = 3;
const CLIENTS: u64 = 6;
const COMMANDS: u64 = 30;
/// So few that one has to leave for another now and then.
const ENTITIES_MAX: usize = 2;

/// Sends each command until it is answered with a reply, always under the same id; the account counts them.
fn client(of: EntityRef<Account>, client: u64, seed: u64) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut rng = Rng::with_seed(seed ^ client);
        for nr in 0..COMMANDS {
            loop {
                let ask = of.ask(Deposit(1)).command_id(format!("{client}-{nr}"));
                let asking = ask.timeout(Duration::from_millis(rng.u64(1..50))).into_future();
                let answer = timeout(Duration::from_secs(1), asking).await;
                match answer.expect("an ask ends at its deadline") {
                    Ok(_) => break,
                    Err(error) => assert!(error.is_transient() || error.maybe_applied(), "{error}"),
                }
                sleep(Duration::from_millis(rng.u64(0..10))).await;
            }
            sleep(Duration::from_millis(rng.u64(0..4))).await;
        }
    })
}

/// Opens, closes and fails partitions for as long as clients are at work.
async fn shuffle(engine: &Runtime, rng: &mut Rng, clients: &[JoinHandle<()>]) {
    while !clients.iter().all(JoinHandle::is_finished) {
        let partition = Partition::new(rng.u16(..PARTITIONS));
        let partitions = engine.partitions();
        match rng.u8(..10) {
            0..4 => {
                let deadline = Instant::now() + Duration::from_millis(rng.u64(0..20));
                let closing = async move { partitions.close(partition, deadline).await };
                if rng.bool() {
                    assert!(!closing.await.is_stuck);
                } else {
                    drop(tokio::spawn(closing)); // and something else meanwhile
                }
            }
            4..9 => drop(partitions.open(partition, None).await),
            _ => drop(fragile(engine, &rng.u8(..8).to_string()).tell(Grenade)),
        }
        sleep(Duration::from_millis(rng.u64(0..5))).await;
    }
}

#[tokio::test(start_paused = true)]
async fn callers_with_references_are_answered_once_each_wherever_partitions_are() {
    let first = fastrand::u64(..);
    let seeds = match std::env::var("ACTUM_TEST_SEED") {
        Ok(seed) => vec![seed.parse().expect("ACTUM_TEST_SEED is a number of 64 bits")],
        Err(_) => (0..10).map(|n| first.wrapping_add(n)).collect(),
    };
    for seed in seeds {
        println!("seed {seed}; ACTUM_TEST_SEED={seed} repeats its choices");
        run(seed).await;
    }
}

async fn run(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let partitions = PartitionCount::new(PARTITIONS).unwrap();
    let layout = JournalLayout { partitions, ..Default::default() };
    let rig = Rig::over(MemoryStore::with_layout(layout));
    let kinds = vec![accounts(), registered(&Actions::default())];
    let settings = RuntimeSettings::default().with_entities_max(ENTITIES_MAX);
    let engine = rig.start_with(kinds, settings).await;
    let clients: Vec<_> =
        (0..CLIENTS).map(|nr| client(account(&engine, &(nr / 2).to_string()), nr, seed)).collect();
    shuffle(&engine, &mut rng, &clients).await;
    for client in clients {
        client.await.unwrap();
    }
    for id in 0..CLIENTS / 2 {
        let events = rig.events(&id.to_string()).await;
        let deposits = usize::try_from(2 * COMMANDS).unwrap();
        assert_eq!(events, vec![AccountEvent::Deposited(1); deposits], "each is applied once");
    }
    // the cap on entities holds however often it was handed to a partition that closed or failed
    all_wait().await;
    for partition in partitions.iter() {
        let deadline = Instant::now() + Duration::from_secs(60);
        // it may join a closing with an earlier deadline, which fails what was sent by `tell`
        let _ = engine.partitions().close(partition, deadline).await;
        engine.partitions().open(partition, None).await.unwrap();
    }
    for id in 0..30 {
        let ask = account(&engine, &format!("other-{id}")).ask(Balance);
        ask.timeout(Duration::from_secs(60)).await.unwrap();
    }
    all_wait().await;
    let entities = engine.usage().entities;
    assert!(entities <= ENTITIES_MAX + usize::from(PARTITIONS), "{entities} entities");
    for partition in partitions.iter() {
        let deadline = Instant::now() + Duration::from_secs(60);
        assert_eq!(engine.partitions().close(partition, deadline).await.unanswered, 0);
        assert_eq!(engine.partitions().state(partition), PartitionState::Closed);
    }
    let usage = engine.usage();
    assert_eq!((usage.entities, usage.commands, usage.command_ids_bytes), (0, 0, 0));
    all_wait().await;
    let alive = Handle::current().metrics().num_alive_tasks();
    assert!(engine.shutdown().await.is_clean());
    all_wait().await;
    // readers, writers, saver, alarm, lease, supervisor and what watches them: whatever partitions have gone through
    let left = Handle::current().metrics().num_alive_tasks();
    assert!(alive - left < 20, "{alive} tasks ran without a partition");
}
