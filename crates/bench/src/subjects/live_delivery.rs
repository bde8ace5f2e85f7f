//! How long an event takes from its commit to the handler of a projection, while a thousand commands come each second.

use crate::{
    account::{Account, Deposit, Deposited},
    bank::Bank,
    case::Case,
    cpu,
    drive::{Window, two_workers},
    journal::Journal,
    measurement::{Latency, Measurement},
    medium::Medium,
    name::Name,
};
use actum::{
    AtLeastOnce, HandlerError, Lane, Project, ProjectCtx, Projection, Projector, Recorded,
    observe::{CommittedBatch, Observer},
};
use anyhow::Result;
use hdrhistogram::Histogram;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::time::{MissedTickBehavior, interval};

const NAME: &str = "live";
const ENTITIES: u32 = 1_000;
const A_SECOND: u32 = 1_000;
const WITHIN: Duration = Duration::from_secs(60);
const NANOS_MAX: u64 = 60_000_000_000;

/// What was committed when, and how long it took from there to the handler.
#[derive(Default)]
struct Deliveries {
    /// The last position of each commit, and when the store had said that it is kept. The journal has one lane and was empty, so
    /// positions are how many events there are.
    commits: Mutex<Vec<(u64, Instant)>>,
    /// Of the events behind a position, once they are measured.
    measured: Mutex<Option<(u64, Histogram<u64>)>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Observer for Deliveries {
    fn batch_committed(&self, _: Option<Lane>, batch: CommittedBatch) {
        let mut commits = lock(&self.commits);
        let last = commits.last().map_or(0, |(last, _)| *last) + batch.events;
        commits.push((last, Instant::now()));
    }
}

impl Deliveries {
    fn head(&self) -> u64 {
        lock(&self.commits).last().map_or(0, |(last, _)| *last)
    }

    /// Events from here on are measured.
    fn begin(&self) -> Result<()> {
        *lock(&self.measured) = Some((self.head(), Histogram::new_with_bounds(1, NANOS_MAX, 3)?));
        Ok(())
    }

    /// The event at this position is in the handler.
    fn handled(&self, position: u64) {
        let now = Instant::now();
        let commits = lock(&self.commits);
        let at = commits.partition_point(|(last, _)| *last < position);
        // it may be here before the observer has heard of its commit
        let took = commits.get(at).map_or(Duration::ZERO, |(_, kept)| now - *kept);
        drop(commits);
        if let Some((behind, latencies)) = &mut *lock(&self.measured)
            && position > *behind
        {
            latencies.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(NANOS_MAX));
        }
    }

    fn latency(&self) -> Option<(u64, Latency)> {
        let measured = lock(&self.measured);
        let (_, latencies) = measured.as_ref()?;
        let micros = |quantile| latencies.value_at_quantile(quantile) as f64 / 1e3;
        Some((latencies.len(), Latency { p50: micros(0.5), p99: micros(0.99) }))
    }
}

#[derive(Clone)]
struct Live(Arc<Deliveries>);

impl Projector for Live {
    type Target = AtLeastOnce;
}

impl Project<Account> for Live {
    async fn project(
        &mut self,
        event: &Recorded<Deposited>,
        _: &mut ProjectCtx<'_, AtLeastOnce>,
    ) -> Result<(), HandlerError> {
        self.0.handled(event.position.get());
        Ok(())
    }
}

pub(crate) fn case(medium: Medium) -> Case {
    let name = Name::of("live delivery, events").on(medium).entities(ENTITIES);
    Case::new(name, move |bench, _| {
        two_workers()?.block_on(async {
            let journal = Journal::empty(medium, &bench.site).await?;
            measure(journal, bench.window).await
        })
    })
    .p50_at_most(Some(2_000.0))
    .p99_at_most(Some(20_000.0))
}

async fn measure(journal: Journal, window: Window) -> Result<Measurement> {
    let deliveries = Arc::new(Deliveries::default());
    let projection =
        Projection::at_least_once(NAME, Live(Arc::clone(&deliveries))).from::<Account>();
    let observer = Arc::clone(&deliveries);
    let bank = Bank::open_observed(journal, observer, |engine| engine.projection(projection));
    let bank = bank.await?;
    let accounts = bank.awake(ENTITIES).await?;
    bank.engine.projection(NAME).caught_up(WITHIN).await?;
    let deposit = async |time: Duration| -> Result<()> {
        let mut ticks = interval(Duration::from_secs(1) / A_SECOND);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let (started, mut choices) = (Instant::now(), fastrand::Rng::with_seed(7));
        let mut asked = Vec::new();
        while started.elapsed() < time {
            ticks.tick().await;
            let account = accounts[choices.usize(..accounts.len())].clone();
            let deposit = Deposit { amount: 1, reference: choices.u64(..1 << 40) };
            asked.push(tokio::spawn(async move { account.ask(deposit).await }));
        }
        for asked in asked {
            asked.await??;
        }
        Ok(())
    };
    deposit(window.warm_up).await?;
    deliveries.begin()?;
    let (started, cpu) = (Instant::now(), cpu::spent());
    deposit(window.measured).await?;
    let (took, cpu) = (started.elapsed(), cpu::since(cpu));
    bank.engine.projection(NAME).caught_up(WITHIN).await?;
    bank.close().await?;
    let (count, latency) = deliveries.latency().map_or((0, None), |(count, of)| (count, Some(of)));
    Ok(Measurement { latency, ..Measurement::rate(count as f64, took, cpu) })
}
