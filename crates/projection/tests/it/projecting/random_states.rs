//! Processes that come, go and are cut off, while durable states are written and deleted.

use super::{
    names::{Mirror, name_of, names},
    runner_rig::{Bad, Running, Trouble, parts, start},
};
use crate::{
    customer::{Customer, customer, named},
    rig::Rig,
};
use actum_projection::{OnFailure, ProjectionSettings, StartAt};
use actum_store_memory::MemoryTarget;
use actum_testkit::{Fault, FaultTarget, Faults, Gate, Operation, Rates};
use fastrand::Rng;
use std::time::Duration;
use tokio::time::sleep;

const CUSTOMERS: usize = 12;

fn seeds() -> Vec<u64> {
    match std::env::var("ACTUM_TEST_SEED") {
        Ok(seed) => vec![seed.parse().expect("ACTUM_TEST_SEED is a number of 64 bits")],
        Err(_) => (0..25).chain((0..5).map(|_| fastrand::u64(..))).collect(),
    }
}

/// Everything that outlives a process.
struct World {
    rng: Rng,
    rig: Rig,
    target: MemoryTarget,
    mirror: Mirror,
    trouble: Trouble,
    /// Of each customer its revision, and whether it is there.
    customers: Vec<(u64, bool)>,
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
            mirror: Mirror::default(),
            trouble: Trouble::default(),
            customers: vec![(0, false); CUSTOMERS],
            lives: 0,
            running: Vec::new(),
            cut_off: Vec::new(),
        }
    }

    async fn write(&mut self) {
        for _ in 0..self.rng.usize(1..10) {
            let nr = self.rng.usize(0..CUSTOMERS);
            let is_there = self.rng.u8(0..4) > 0;
            let state = if is_there { named("name") } else { None::<Customer> };
            self.rig.write(&customer(&nr.to_string()), state).await;
            self.customers[nr] = (self.customers[nr].0 + 1, is_there);
        }
    }

    fn spoil(&mut self) {
        let nr = self.rng.usize(0..CUSTOMERS);
        let bad = [Bad::Fails, Bad::Panics, Bad::Hangs, Bad::Unavailable][self.rng.usize(0..4)];
        let revision = self.customers[nr].0 + self.rng.u64(1..3);
        self.trouble.set(&nr.to_string(), revision, bad);
        self.mirror.trouble.set(&nr.to_string(), revision, bad);
    }

    fn mend(&self) {
        self.trouble.mend();
        self.mirror.trouble.mend();
    }

    async fn start(&mut self) {
        self.lives += 1;
        let (faults, name) = (Faults::new(), format!("p{}", self.lives));
        let mut settings = ProjectionSettings::default();
        settings.batch_events = 5;
        settings.segments = 3.try_into().unwrap();
        settings.retries = 2;
        settings.on_failure = OnFailure::ParkEntity;
        let target = FaultTarget::scripted(self.target.clone(), &faults);
        let exact = names(&target, &self.trouble).settings(settings.clone());
        let mirror = self.mirror.projection("mirror").settings(settings);
        let parts = parts(&self.rig, &name, &faults);
        let running = start(parts, [exact.into(), mirror.into()]).await;
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
        let reads = Operation::CHANGES.into_iter().chain([Operation::LoadStates]);
        let all = Operation::PROGRESS.into_iter().chain(Operation::TRANSACTIONS).chain(reads);
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
        let [exact, mirror] = &projections[..] else { panic!("two projections") };
        // what fails, fails: these are asked under faults
        let _ = match self.rng.u8(0..4) {
            0 => exact.reset().await,
            1 => mirror.rewind(StartAt::Beginning).await,
            _ => exact.replay_parked(None).await.and(mirror.replay_parked(None).await).map(drop),
        };
    }

    async fn disturb(&mut self) {
        match self.rng.u8(0..20) {
            0..=8 => self.write().await,
            9 | 10 => self.spoil(),
            11 => self.mend(),
            12 | 13 if self.running.len() < 3 => self.start().await,
            14 => self.cut_off(),
            15 => self.wake(),
            16 if self.running.len() > 1 => self.running.swap_remove(0).running.place.end(),
            _ => self.ask().await,
        }
        sleep(Duration::from_millis(self.rng.u64(0..3_000))).await;
    }

    /// Whether rows, and what was handled last, are the final states.
    fn is_complete(&self) -> bool {
        let seen = self.mirror.seen.lock();
        let customers =
            self.customers.iter().enumerate().filter(|(_, (revision, _))| *revision > 0);
        customers.into_iter().all(|(nr, (revision, is_there))| {
            let id = nr.to_string();
            let row = is_there.then(|| format!("name {revision}"));
            let sign = if *is_there { 1 } else { -1 };
            let last = sign * revision.cast_signed();
            name_of(&self.target, &id) == row && seen.get(&id) == Some(&last)
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
        panic!("states are missing: {statuses:#?}");
    }
}

#[test]
fn rows_are_the_final_states_whatever_becomes_of_processes() {
    for seed in seeds() {
        println!("seed {seed}; ACTUM_TEST_SEED={seed} repeats its choices");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut world = World::new(seed).await;
            for _ in 0..60 {
                world.disturb().await;
            }
            world.finish().await;
            // those who were taken for dead change no row
            while !world.cut_off.is_empty() {
                world.wake();
            }
            sleep(Duration::from_secs(60)).await;
            world.finish().await;
        });
    }
}
