//! Processes that come, go, are cut off from everything for a while or for good, and are asked things, while events come and
//! the projections are split and merged.

use super::{
    deliveries::Deliveries,
    dividing::nr,
    processes::{Processes, for_seeds},
    runner_rig::{Bad, Trouble, balances, row, until},
};
use crate::rig::{Rig, account, deposited};
use actum_projection::{OnFailure, ProjectionRef, ProjectionSettings, StartAt};
use actum_store_memory::MemoryTarget;
use actum_testkit::{FaultTarget, Faults, Operation};
use fastrand::Rng;
use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{task::JoinHandle, time::sleep};

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
    /// Divisions that were asked for, while everything else goes on.
    divisions: Vec<JoinHandle<()>>,
    /// How many of them were made.
    divided: Arc<AtomicU64>,
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
            divisions: Vec::new(),
            divided: Arc::default(),
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
        if self.rng.u8(0..3) == 0 {
            let projection = if self.rng.bool() { exact } else { mails };
            return self.divide(projection);
        }
        // what fails, fails: these are asked under faults
        let _ = match self.rng.u8(0..10) {
            0 => exact.pause().await,
            1 => mails.pause().await,
            2 | 3 => exact.resume().await.and(mails.resume().await),
            4 => exact.reset().await,
            5 => mails.rewind(StartAt::Beginning).await,
            6 => exact.stop().await.and(mails.start().await),
            7 | 8 => mails.stop().await.and(exact.start().await),
            _ => exact.replay_parked(None).await.and(mails.replay_parked(None).await).map(drop),
        };
    }

    fn divide(&mut self, projection: ProjectionRef) {
        let (segments, divided) = (self.rng.u16(1..10), Arc::clone(&self.divided));
        self.divisions.push(tokio::spawn(async move {
            if projection.divide(nr(segments)).await.is_ok() {
                divided.fetch_add(1, Relaxed);
            }
        }));
        if self.rng.u8(0..4) == 0 {
            let given_up = self.rng.usize(0..self.divisions.len());
            self.divisions.swap_remove(given_up).abort();
        }
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

    /// Both projections have, in the end, the segments that are asked for, and all of them run.
    async fn divide_in_quiet(&mut self) {
        for projection in self.processes.projections().unwrap() {
            projection.resume().await.unwrap();
            let segments = self.rng.u16(1..10);
            until("it is divided", async || projection.divide(nr(segments)).await.is_ok()).await;
            until("all segments run", async || {
                let shown = projection.status().await.unwrap().segments;
                assert_eq!(shown.len(), usize::from(segments));
                shown.iter().all(|segment| segment.owner.is_some())
            })
            .await;
        }
        self.append().await;
        self.processes.until(|| self.is_complete()).await;
    }
}

#[test]
fn rows_are_the_fold_and_deliveries_complete_whatever_becomes_of_processes() {
    let divided = Cell::new(0);
    for_seeds(40, 10, async |seed| {
        let mut world = World::new(seed).await;
        for _ in 0..80 {
            world.disturb().await;
        }
        world.finish().await;
        world.divide_in_quiet().await;
        // those who were taken for dead change nothing
        while world.processes.wake() {}
        sleep(Duration::from_secs(60)).await;
        assert!(world.is_complete(), "what was fenced was kept");
        divided.set(divided.get() + world.divided.load(Relaxed));
    });
    println!("divided {} times while everything went wrong", divided.get());
    assert!(divided.get() > 0, "divisions are a part of it");
}
