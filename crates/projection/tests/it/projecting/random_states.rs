//! Processes that come, go and are cut off, while durable states are written and deleted.

use super::{
    names::{Mirror, name_of, names},
    processes::{Processes, for_seeds},
    runner_rig::{Bad, Trouble},
};
use crate::{
    customer::{Customer, customer, named},
    rig::Rig,
};
use actum_projection::{OnFailure, ProjectionSettings, StartAt};
use actum_store_memory::MemoryTarget;
use actum_testkit::{FaultTarget, Faults, Operation};
use fastrand::Rng;
use std::time::Duration;
use tokio::time::sleep;

const CUSTOMERS: usize = 12;

/// Everything that outlives a process.
struct World {
    rng: Rng,
    rig: Rig,
    target: MemoryTarget,
    mirror: Mirror,
    trouble: Trouble,
    /// Of each customer its revision, and whether it is there.
    customers: Vec<(u64, bool)>,
    processes: Processes,
}

impl World {
    async fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let rig = Rig::new(rng.u16(1..4)).await;
        let reads = Operation::CHANGES.into_iter().chain([Operation::LoadStates]);
        Self {
            rng,
            rig,
            target: MemoryTarget::new(),
            mirror: Mirror::default(),
            trouble: Trouble::default(),
            customers: vec![(0, false); CUSTOMERS],
            processes: Processes::new(reads),
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
        let mut settings = ProjectionSettings::default();
        settings.batch_events = 5;
        settings.segments = 3.try_into().unwrap();
        settings.retries = 2;
        settings.on_failure = OnFailure::ParkEntity;
        let Self { processes, rig, rng, target, trouble, mirror, .. } = self;
        let projections = |faults: &Faults| {
            let target = FaultTarget::scripted(target.clone(), faults);
            let exact = names(&target, trouble).settings(settings.clone());
            [exact.into(), mirror.projection("mirror").settings(settings).into()]
        };
        processes.start(rig, rng, projections).await;
    }

    async fn ask(&mut self) {
        let Some([exact, mirror]) = self.processes.projections() else { return };
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
            12 | 13 if self.processes.running() < 3 => self.start().await,
            14 => self.processes.cut_off(&mut self.rng),
            15 => {
                self.processes.wake();
            }
            16 if self.processes.running() > 1 => self.processes.end_one(),
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
        if self.processes.running() == 0 {
            self.start().await;
        }
        self.processes.stop_faults();
        self.processes.until(|| self.is_complete()).await;
    }
}

#[test]
fn rows_are_the_final_states_whatever_becomes_of_processes() {
    for_seeds(25, 5, async |seed| {
        let mut world = World::new(seed).await;
        for _ in 0..60 {
            world.disturb().await;
        }
        world.finish().await;
        // those who were taken for dead change no row
        while world.processes.wake() {}
        sleep(Duration::from_secs(60)).await;
        world.finish().await;
    });
}
