//! Everything goes wrong by chance, engines included, and every command is applied once.

use crate::{
    account::{Account, AccountEvent, Balance, Deposit},
    rig::{Rig, account},
};
use actum_persistence::serializer::Serializer;
use actum_runtime::{
    AskError, Registration, Runtime,
    settings::{Batching, CommandWindow, EntitySettings, RuntimeSettings, SnapshotSettings},
};
use actum_testkit::Rates;
use fastrand::Rng;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::sleep;

const CLIENTS: u64 = 8;
const COMMANDS: u64 = 40;
const ACCOUNTS: u64 = 4;
const LEASE: Duration = Duration::from_secs(1);

/// The engine of the moment, if there is one; clients go to whichever it is.
type Current = Arc<Mutex<Option<Runtime>>>;

fn seeds() -> Vec<u64> {
    match std::env::var("ACTUM_TEST_SEED") {
        Ok(seed) => vec![seed.parse().expect("ACTUM_TEST_SEED is a number of 64 bits")],
        Err(_) => {
            let first = fastrand::u64(..);
            (0..10).map(|n| first.wrapping_add(n)).collect()
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_command_is_applied_once_whatever_fails() {
    for seed in seeds() {
        println!("seed {seed}; ACTUM_TEST_SEED={seed} repeats its choices");
        let rig = Rig::new();
        let answers = run(&rig, seed).await;
        rig.faults.stop();
        for id in 0..ACCOUNTS {
            check(&rig, id, &answers).await;
        }
    }
}

/// What clients were answered: the balance after the deposit of each command id.
type Answers = HashMap<String, u64>;

async fn run(rig: &Rig, seed: u64) -> Answers {
    let mut rng = Rng::with_seed(seed);
    let rates = Rates::default()
        .with_writes_fail(0.05)
        .with_writes_unknown(0.05)
        .with_writes_foreign(0.03)
        .with_resolves_fail(0.3)
        .with_reads_fail(0.05)
        .with_snapshots_fail(0.1)
        .with_snapshots_damaged(0.1)
        .with_delayed(0.3);
    rig.faults.chance(rng.u64(..), rates);
    let current = Arc::new(Mutex::new(Some(start(rig, &mut rng).await)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| tokio::spawn(deposit(client, Arc::clone(&current), rng.fork())))
        .collect();
    let done = Arc::new(AtomicBool::new(false));
    let crashes = crash_now_and_then(rig, &current, &done, rng.fork());
    let deposits = async {
        let mut answers = Answers::new();
        for client in clients {
            answers.extend(client.await.unwrap());
        }
        done.store(true, Ordering::SeqCst);
        answers
    };
    let (answers, ()) = tokio::join!(deposits, crashes);
    let last = current.lock().take().unwrap();
    let _ = last.shutdown().await;
    answers
}

async fn start(rig: &Rig, rng: &mut Rng) -> Runtime {
    let mut entities = EntitySettings::default()
        .with_command_window(CommandWindow::default().with_commands_min(10_000))
        .with_idle_timeout(Some(Duration::from_millis(rng.u64(1..50))))
        .with_snapshots(
            SnapshotSettings::<Account>::every(rng.u64(1..20))
                .with_snapshot_on_passivation(rng.bool()),
        );
    if rng.bool() {
        entities = entities.with_batching(
            Batching::default()
                .with_threshold(rng.u32(1..5))
                .with_flush_window(Duration::from_millis(3)),
        );
    }
    let settings = RuntimeSettings::default()
        .with_writer_lease(LEASE)
        .with_entities_max(rng.usize(1..4))
        .with_ask_timeout(Duration::from_millis(500));
    let kinds = || vec![Registration::event_sourced::<Account>((), entities.clone())];
    loop {
        match rig.try_start("bank", kinds(), settings.clone()).await {
            Ok(engine) => return engine,
            Err(_) => sleep(LEASE / 4).await, // its predecessor's lease has not ended
        }
    }
}

/// Drops engines in the midst of their work, or shuts them down.
async fn crash_now_and_then(rig: &Rig, current: &Current, done: &AtomicBool, mut rng: Rng) {
    while !done.load(Ordering::SeqCst) {
        sleep(Duration::from_millis(rng.u64(1..200))).await;
        let engine = current.lock().take().unwrap();
        if rng.bool() {
            let _ = engine.shutdown().await;
        }
        drop(engine);
        let next = start(rig, &mut rng).await;
        *current.lock() = Some(next);
    }
}

/// Sends each command again until it is answered.
async fn deposit(client: u64, current: Current, mut rng: Rng) -> Answers {
    let mut answers = Answers::new();
    for n in 0..COMMANDS {
        let (id, to) = (format!("{client}-{n}"), rng.u64(0..ACCOUNTS).to_string());
        let balance = loop {
            let reference = current.lock().as_ref().map(|engine| account(engine, &to));
            let Some(a) = reference else {
                sleep(LEASE / 10).await;
                continue;
            };
            if rng.u8(0..8) == 0 {
                let _ = a.ask(Balance).await;
            }
            match a.ask(Deposit(n + 1)).command_id(&id).await {
                Ok(balance) => break balance,
                Err(AskError::Corrupt { what }) => panic!("{what}"),
                Err(AskError::Invalid { what }) => panic!("{what}"),
                Err(_) => sleep(Duration::from_millis(rng.u64(0..20))).await,
            }
        };
        answers.insert(format!("{to}/{id}"), balance);
    }
    answers
}

/// The journal has each command once, and its caller got what it came to.
async fn check(rig: &Rig, id: u64, answers: &Answers) {
    let mut found = Answers::new();
    let mut balance = 0;
    for (nr, stored) in (1..).zip(rig.stored("account", &id.to_string()).await) {
        assert_eq!(stored.sequence_nr.get(), nr);
        let AccountEvent::Deposited(amount) = stored.payload.decode().unwrap() else {
            panic!("no one has withdrawn anything")
        };
        balance += amount;
        let (metadata, _) = Serializer::default().decode_metadata(&stored.metadata).unwrap();
        // a foreign writer's has no command id
        if let Some(command) = metadata.command_id() {
            let before = found.insert(format!("{id}/{command}"), balance);
            assert_eq!(before, None, "{command} was applied twice");
        }
    }
    let told = |(key, _): &(&String, &u64)| key.starts_with(&format!("{id}/"));
    let told: Answers =
        answers.iter().filter(told).map(|(key, balance)| (key.clone(), *balance)).collect();
    assert_eq!(found, told);
}
