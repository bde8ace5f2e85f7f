//! Processes that run the same projections, each with faults of its own: they come, go, and are cut off for a while or for good.

use super::runner_rig::{Running, parts, start};
use crate::rig::Rig;
use actum_projection::{ProjectionRef, ProjectionRegistration};
use actum_testkit::{Fault, Faults, Gate, Operation, Rates};
use fastrand::Rng;
use std::time::Duration;
use tokio::time::sleep;

pub(crate) struct Processes {
    /// How the projections read the journal.
    reads: Vec<Operation>,
    lives: u64,
    running: Vec<Process>,
    cut_off: Vec<Process>,
}

struct Process {
    running: Running,
    faults: Faults,
    gate: Gate,
}

impl Processes {
    /// None yet; those to come read the journal by `reads`.
    pub(crate) fn new(reads: impl IntoIterator<Item = Operation>) -> Self {
        let reads = reads.into_iter().collect();
        Self { reads, lives: 0, running: Vec::new(), cut_off: Vec::new() }
    }

    /// How many run and are not cut off.
    pub(crate) fn running(&self) -> usize {
        self.running.len()
    }

    pub(crate) async fn start(
        &mut self,
        rig: &Rig,
        rng: &mut Rng,
        projections: impl FnOnce(&Faults) -> [ProjectionRegistration; 2],
    ) {
        self.lives += 1;
        let (faults, name) = (Faults::new(), format!("p{}", self.lives));
        let running = start(parts(rig, &name, &faults), projections(&faults)).await;
        let rates = Rates::default()
            .with_reads_fail(0.02)
            .with_progress_fails(0.03)
            .with_progress_unknown(0.03)
            .with_delayed(0.2);
        faults.chance(rng.u64(..), rates);
        self.running.push(Process { running, faults, gate: Gate::closed() });
    }

    /// Asks one to end.
    pub(crate) fn end_one(&mut self) {
        self.running.swap_remove(0).running.place.end();
    }

    /// Everything that a process does from now on hangs, before or after it is done: so it dies, or only seems to.
    pub(crate) fn cut_off(&mut self, rng: &mut Rng) {
        if self.running.is_empty() {
            return;
        }
        let process = self.running.swap_remove(rng.usize(0..self.running.len()));
        process.gate.close();
        let progress = Operation::PROGRESS.into_iter().chain(Operation::TRANSACTIONS);
        for operation in progress.chain(self.reads.iter().copied()) {
            let fault = match rng.bool() {
                true => Fault::none().held_before(&process.gate),
                false => Fault::none().held_after(&process.gate),
            };
            process.faults.always(operation, fault);
        }
        self.cut_off.push(process);
    }

    /// One that only seemed to be dead goes on; false if there is none.
    pub(crate) fn wake(&mut self) -> bool {
        let Some(process) = self.cut_off.pop() else { return false };
        process.faults.stop();
        process.gate.open();
        self.running.push(process);
        true
    }

    /// The projections of the one that came last, as they were given; none if none runs.
    pub(crate) fn projections(&self) -> Option<[ProjectionRef; 2]> {
        let all: Vec<_> = self.running.last()?.running.service.projections().collect();
        Some(all.try_into().expect("two projections"))
    }

    /// Nothing fails any more in those that run. Those that are cut off are dead to all others: one whose renewals are kept,
    /// and which never gets an answer, would have a share for ever that no one runs.
    pub(crate) fn stop_faults(&self) {
        self.running.iter().for_each(|process| process.faults.stop());
        for Process { faults, gate, .. } in &self.cut_off {
            faults.always(Operation::RenewRunner, Fault::none().held_before(gate));
        }
    }

    /// Waits until everything is handled.
    pub(crate) async fn until(&self, is_complete: impl Fn() -> bool) {
        let projections = || self.running[0].running.service.projections();
        for process in &self.running {
            for projection in process.running.service.projections() {
                projection.start().await.expect("its engine runs");
            }
        }
        for _ in 0..3_000 {
            if is_complete() {
                return;
            }
            for projection in projections() {
                let _ = projection.resume().await;
                let _ = projection.replay_parked(None).await;
            }
            sleep(Duration::from_millis(500)).await;
        }
        let mut statuses = Vec::new();
        for projection in projections() {
            statuses.push(projection.status().await);
        }
        panic!("not everything was handled: {statuses:#?}");
    }
}

/// Runs a test with the seeds up to `fixed` and as many `random` ones, or with the one that is asked for.
pub(crate) fn for_seeds(fixed: u64, random: u64, test: impl AsyncFn(u64)) {
    let seeds: Vec<u64> = match std::env::var("ACTUM_TEST_SEED") {
        Ok(seed) => vec![seed.parse().expect("ACTUM_TEST_SEED is a number of 64 bits")],
        Err(_) => (0..fixed).chain((0..random).map(|_| fastrand::u64(..))).collect(),
    };
    for seed in seeds {
        println!("seed {seed}; ACTUM_TEST_SEED={seed} repeats its choices");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(test(seed));
    }
}
