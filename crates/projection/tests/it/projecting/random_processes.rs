//! Processes that come, go, are cut off from everything for a while or for good, and are asked things, while events come.

use super::{
    deliveries::Deliveries,
    processes::{Processes, for_seeds},
    runner_rig::{Bad, Trouble, balances, row},
};
use crate::rig::{Rig, account, deposited};
use actum_projection::{OnFailure, ProjectionSettings, StartAt};
use actum_store_memory::MemoryTarget;
use actum_testkit::{FaultTarget, Faults, Operation};
use fastrand::Rng;
use std::time::Duration;
use tokio::time::sleep;

/// Everything that outlives a process.
struct World {
    rng: Rng,
    rig: Rig,
    target: MemoryTarget,
    deliveries: Deliveries,
    trouble: Trouble,
    /// How many events each account has, and what they add up to.
    accounts: Vec<(u64, u64)>,
    processes: Processes,
}

impl World {
    async fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let rig = Rig::new(rng.u16(1..4)).await;
        let reads = [Operation::ReadLane, Operation::Heads, Operation::ReadEntities];
        Self {
            rng,
            rig,
            target: MemoryTarget::new(),
            deliveries: Deliveries::default(),
            trouble: Trouble::default(),
            accounts: vec![(0, 0); 12],
            processes: Processes::new(reads),
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
        let mut settings = ProjectionSettings::default();
        settings.batch_events = 7;
        settings.segments = 4.try_into().unwrap();
        settings.retries = 2;
        settings.on_failure = OnFailure::ParkEntity;
        let Self { processes, rig, rng, target, trouble, deliveries, .. } = self;
        let projections = |faults: &Faults| {
            let target = FaultTarget::scripted(target.clone(), faults);
            let exact = balances(&target, trouble).settings(settings.clone());
            [exact.into(), deliveries.projection("mails").settings(settings).into()]
        };
        processes.start(rig, rng, projections).await;
    }

    async fn ask(&mut self) {
        let Some([exact, mails]) = self.processes.projections() else { return };
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
            11 | 12 if self.processes.running() < 3 => self.start().await,
            13 => self.processes.cut_off(&mut self.rng),
            14 => {
                self.processes.wake();
            }
            15 if self.processes.running() > 1 => self.processes.end_one(),
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
        if self.processes.running() == 0 {
            self.start().await;
        }
        self.processes.stop_faults();
        self.processes.until(|| self.is_complete()).await;
    }
}

#[test]
fn rows_are_the_fold_and_deliveries_complete_whatever_becomes_of_processes() {
    for_seeds(40, 10, async |seed| {
        let mut world = World::new(seed).await;
        for _ in 0..80 {
            world.disturb().await;
        }
        world.finish().await;
        // those who were taken for dead change nothing
        while world.processes.wake() {}
        sleep(Duration::from_secs(60)).await;
        assert!(world.is_complete(), "what was fenced was kept");
    });
}
