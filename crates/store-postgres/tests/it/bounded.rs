//! Tests that end: each has a runtime and a time of its own, and waits for conditions instead of times.

use crate::fixture::PostgresFixture;
use fastrand::Rng;
use std::{future::Future, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// When a test is taken for stuck.
const TEST_TIMEOUT: Duration = Duration::from_secs(100);
/// When something that must come is taken for missing.
const WAIT_MAX: Duration = Duration::from_secs(20);
/// How often is looked whether it is there.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Runs a test on three threads, within a minute and a half.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(3).enable_all().build().unwrap();
    runtime.block_on(within(TEST_TIMEOUT, "the test", test));
}

/// As [`run`], with a journal; skipped where there is no server.
pub(crate) fn run_on(journal: PostgresFixture, test: impl AsyncFnOnce(&PostgresFixture)) {
    use actum_testkit::conformance::StoreFixture;
    if journal.is_available() {
        run(async { test(&journal).await });
    }
    drop(journal); // only now
}

/// Waits for `what`, which must come in time.
pub(crate) async fn within<T>(limit: Duration, what: &str, work: impl Future<Output = T>) -> T {
    let done = timeout(limit, work).await;
    done.unwrap_or_else(|_| panic!("{what} has not ended within {limit:?}"))
}

/// Waits until `what` is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < WAIT_MAX, "{what}: not after {WAIT_MAX:?}");
        sleep(LOOK_EVERY).await;
    }
}

/// A source of random choices that prints its seed, and takes it from `ACTUM_TEST_SEED` if that is set.
pub(crate) fn random() -> Rng {
    let given = std::env::var("ACTUM_TEST_SEED").ok();
    let seed = given.map_or_else(|| fastrand::u64(..), |text| text.parse().unwrap());
    println!("seed {seed}; ACTUM_TEST_SEED={seed} repeats its choices");
    Rng::with_seed(seed)
}
