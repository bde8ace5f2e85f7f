//! Processes that come, go, are cut off from everything for a while or for good, and are asked things, while events come.

use super::{
    deliveries::Deliveries,
    runner_rig::{Bad, Running, Trouble, balances, parts, row, start},
};
use crate::rig::{Rig, account, deposited};
use actum_projection::{OnFailure, ProjectionSettings, StartAt};
use actum_store_memory::MemoryTarget;
use actum_testkit::{Fault, FaultTarget, Faults, Gate, Operation, Rates};
use fastrand::Rng;
use std::time::Duration;
use tokio::time::sleep;

fn seeds() -> Vec<u64> {
    match std::env::var("ACTUM_TEST_SEED") {
        Ok(seed) => vec![seed.parse().expect("ACTUM_TEST_SEED is a number of 64 bits")],
        Err(_) => (0..40).chain((0..10).map(|_| fastrand::u64(..))).collect(),
    }
}

/// Everything that outlives a process.
struct World {
    rng: Rng,
    rig: Rig,
    target: MemoryTarget,
    deliveries: Deliveries,
    trouble: Trouble,
    /// How many events each account has, and what they add up to.
    accounts: Vec<(u64, u64)>,
    lives: u64,
    running: Vec<Process>,
    cut_off: Vec<Process>,
}

struct Process {
    running: Running,
    faults: Faults,
    gate: Gate,
}

impl World {
    async fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let rig = Rig::new(rng.u16(1..4)).await;
        Self {
            rng,
            rig,
            target: MemoryTarget::new(),
            deliveries: Deliveries::default(),
            trouble: Trouble::default(),
            accounts: vec![(0, 0); 12],
            lives: 0,
            running: Vec::new(),
            cut_off: Vec::new(),
        }
    }

    async fn append(&mut self) {
        let nr = self.rng.usize(0..self.accounts.len());
        let count = self.rng.u64(1..15);
        let events = (1..=count).map(deposited).collect();
        let (before, sum) = &mut self.accounts[nr];
        self.rig.append(&account(&format!("a{nr}")), *before, events).await;
        *before += count;
        *sum += count * (count + 1) / 2;
    }

    fn spoil(&mut self) {
        let nr = self.rng.usize(0..self.accounts.len());
        let bad = [Bad::Fails, Bad::Panics, Bad::Hangs, Bad::Unavailable][self.rng.usize(0..4)];
        let event = self.accounts[nr].0 + self.rng.u64(1..10);
        self.trouble.set(&format!("a{nr}"), event, bad);
        self.deliveries.trouble.set(&format!("a{nr}"), event, bad);
    }

    fn mend(&self) {
        self.trouble.mend();
        self.deliveries.trouble.mend();
    }

    async fn start(&mut self) {
        self.lives += 1;
        let faults = Faults::new();
        let name = format!("p{}", self.lives);
        let mut settings = ProjectionSettings::default();
        settings.batch_events = 7;
        settings.segments = 4.try_into().unwrap();
        settings.retries = 2;
        settings.on_failure = OnFailure::ParkEntity;
        let target = FaultTarget::scripted(self.target.clone(), &faults);
        let exact = balances(&target, &self.trouble).settings(settings.clone());
        let mails = self.deliveries.projection("mails").settings(settings);
        let running = start(parts(&self.rig, &name, &faults), [exact.into(), mails.into()]).await;
        let rates = Rates::default()
            .with_reads_fail(0.02)
            .with_progress_fails(0.03)
            .with_progress_unknown(0.03)
            .with_delayed(0.2);
        faults.chance(self.rng.u64(..), rates);
        self.running.push(Process { running, faults, gate: Gate::closed() });
    }

    /// Everything that a process does from now on hangs, before or after it is done: so it dies, or only seems to.
    fn cut_off(&mut self) {
        if self.running.is_empty() {
            return;
        }
        let process = self.running.swap_remove(self.rng.usize(0..self.running.len()));
        process.gate.close();
        let journal = [Operation::ReadLane, Operation::Heads, Operation::ReadEntities];
        let all = Operation::PROGRESS.into_iter().chain(Operation::TRANSACTIONS).chain(journal);
        for operation in all {
            let fault = match self.rng.bool() {
                true => Fault::none().held_before(&process.gate),
                false => Fault::none().held_after(&process.gate),
            };
            process.faults.always(operation, fault);
        }
        self.cut_off.push(process);
    }

    /// One that only seemed to be dead goes on.
    fn wake(&mut self) {
        if let Some(process) = self.cut_off.pop() {
            process.faults.stop();
            process.gate.open();
            self.running.push(process);
        }
    }

    async fn ask(&mut self) {
        let Some(process) = self.running.last() else { return };
        let projections: Vec<_> = process.running.service.projections().collect();
        let [exact, mails] = &projections[..] else { panic!("two projections") };
        // what fails, fails: these are asked under faults
        let _ = match self.rng.u8(0..7) {
            0 => exact.pause().await,
            1 => mails.pause().await,
            2 | 3 => exact.resume().await.and(mails.resume().await),
            4 => exact.reset().await,
            5 => mails.rewind(StartAt::Beginning).await,
            _ => exact.replay_parked(None).await.and(mails.replay_parked(None).await).map(drop),
        };
    }

    async fn disturb(&mut self) {
        match self.rng.u8(0..20) {
            0..=7 => self.append().await,
            8 | 9 => self.spoil(),
            10 => self.mend(),
            11 | 12 if self.running.len() < 3 => self.start().await,
            13 => self.cut_off(),
            14 => self.wake(),
            15 if self.running.len() > 1 => self.running.swap_remove(0).running.place.end(),
            _ => self.ask().await,
        }
        sleep(Duration::from_millis(self.rng.u64(0..3_000))).await;
    }

    /// Whether rows are the fold of the journal, and everything was delivered.
    fn is_complete(&self) -> bool {
        let delivered = self.deliveries.first_in_order();
        let accounts = self.accounts.iter().enumerate().filter(|(_, (events, _))| *events > 0);
        accounts.into_iter().all(|(nr, (events, sum))| {
            let id = format!("a{nr}");
            row(&self.target, &id) == Some((*sum, *events)) && delivered.get(&id) == Some(events)
        })
    }

    /// All is well, and the rest is handled.
    async fn finish(&mut self) {
        self.mend();
        self.running.iter().for_each(|process| process.faults.stop());
        if self.running.is_empty() {
            self.start().await;
            self.running[0].faults.stop();
        }
        for _ in 0..3_000 {
            if self.is_complete() {
                return;
            }
            for projection in self.running[0].running.service.projections() {
                let _ = projection.resume().await;
                let _ = projection.replay_parked(None).await;
            }
            sleep(Duration::from_millis(500)).await;
        }
        let mut statuses = Vec::new();
        for projection in self.running[0].running.service.projections() {
            statuses.push(projection.status().await);
        }
        panic!("events are missing: {statuses:#?}");
    }
}

#[test]
fn rows_are_the_fold_and_deliveries_complete_whatever_becomes_of_processes() {
    for seed in seeds() {
        println!("seed {seed}; ACTUM_TEST_SEED={seed} repeats its choices");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut world = World::new(seed).await;
            for _ in 0..80 {
                world.disturb().await;
            }
            world.finish().await;
            // those who were taken for dead change nothing
            while !world.cut_off.is_empty() {
                world.wake();
            }
            sleep(Duration::from_secs(60)).await;
            assert!(world.is_complete(), "what was fenced was kept");
        });
    }
}
