//! Callers in a closed loop: each sends its next call when the last one is answered.

use crate::{
    cpu,
    measurement::{Latency, Measurement},
};
use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, task::JoinHandle, time::sleep};

/// What is called; a clone for each caller.
pub(crate) trait Target: Clone + Send + 'static {
    /// Makes one call and waits for its answer.
    fn call(&self, choices: &mut fastrand::Rng) -> impl Future<Output = ()> + Send;
}

/// When a row is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

const WARM_UP: u8 = 0;
const MEASURED: u8 = 1;
const OVER: u8 = 2;

/// More than there are threads, so that none waits for another to note a latency.
const SHARDS: usize = 8;
const NANOS_MAX: u64 = 60_000_000_000;

/// What callers share.
struct Course {
    phase: AtomicU8,
    latencies: [Mutex<Histogram<u64>>; SHARDS],
}

/// After how many tasks a worker takes one from the queue that workers share, see `--queue-interval`; 0 for tokio's own
/// choice. Set once, before anything is measured.
pub(crate) static QUEUE_INTERVAL: OnceLock<u32> = OnceLock::new();

/// The runtime that everything is measured on.
pub(crate) fn two_workers() -> Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(interval) = QUEUE_INTERVAL.get().filter(|interval| **interval > 0) {
        builder.global_queue_interval(*interval);
    }
    Ok(builder.worker_threads(2).enable_all().build()?)
}

/// Lets `callers` call `target` on `runtime`, and measures them after a warm-up.
pub(crate) fn drive(
    runtime: &Runtime,
    callers: u32,
    window: Window,
    target: &impl Target,
) -> Result<Measurement> {
    let course = Arc::new(Course::new());
    runtime.block_on(async {
        let callers: Vec<JoinHandle<()>> = (0..callers)
            .map(|nr| tokio::spawn(call_on(target.clone(), Arc::clone(&course), nr)))
            .collect();
        sleep(window.warm_up).await;
        let (started, cpu) = (Instant::now(), cpu::spent());
        course.phase.store(MEASURED, Relaxed);
        sleep(window.measured).await;
        course.phase.store(OVER, Relaxed);
        let (took, cpu) = (started.elapsed(), cpu::since(cpu));
        for caller in callers {
            caller.await.context("a caller failed")?;
        }
        Ok(course.measurement(took, cpu))
    })
}

async fn call_on(target: impl Target, course: Arc<Course>, nr: u32) {
    let mut choices = fastrand::Rng::with_seed(u64::from(nr) + 1);
    let mut before = Instant::now();
    while course.phase.load(Relaxed) != OVER {
        target.call(&mut choices).await;
        let after = Instant::now();
        if course.phase.load(Relaxed) == MEASURED {
            course.note(after - before);
        }
        before = after;
    }
}

impl Course {
    fn new() -> Self {
        let latencies = || {
            let histogram = Histogram::new_with_bounds(1, NANOS_MAX, 3);
            Mutex::new(histogram.expect("the bounds are in order and 3 digits are allowed"))
        };
        Self { phase: AtomicU8::new(WARM_UP), latencies: std::array::from_fn(|_| latencies()) }
    }

    fn note(&self, latency: Duration) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(NANOS_MAX);
        let mut latencies = self.latencies[shard()].lock().unwrap_or_else(PoisonError::into_inner);
        latencies.saturating_record(nanos);
    }

    fn measurement(&self, took: Duration, cpu: Option<Duration>) -> Measurement {
        let mut all = Histogram::<u64>::new_with_bounds(1, NANOS_MAX, 3)
            .expect("the bounds are in order and 3 digits are allowed");
        for latencies in &self.latencies {
            let latencies = latencies.lock().unwrap_or_else(PoisonError::into_inner);
            all.add(&*latencies).expect("the histograms have the same bounds");
        }
        let calls = all.len() as f64;
        let micros = |quantile| all.value_at_quantile(quantile) as f64 / 1e3;
        let latency = (calls > 0.0).then(|| Latency { p50: micros(0.5), p99: micros(0.99) });
        Measurement { latency, ..Measurement::rate(calls, took, cpu) }
    }
}

/// The shard of this thread.
fn shard() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static SHARD: usize = THREADS.fetch_add(1, Relaxed) % SHARDS;
    }
    SHARD.with(|shard| *shard)
}
