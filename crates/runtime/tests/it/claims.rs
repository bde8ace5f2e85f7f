//! An engine that starts waits for the end of a lease: then it is known whether its holder is alive.

use crate::{
    account::Deposit,
    listener::Listener,
    rig::{Rig, account, accounts, all_wait, assert_is},
};
use actum_persistence::store::{
    ClaimError, Incarnation, StoreError, Stores, WriterClaim, WriterStore,
};
use actum_runtime::{Runtime, StartError, settings::RuntimeSettings};
use actum_testkit::Operation;
use async_trait::async_trait;
use parking_lot::Mutex;
use std::{collections::VecDeque, error::Error, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};
use tracing::Level;

const LEASE: Duration = Duration::from_secs(9);
const SOON: Duration = Duration::from_millis(100);

fn leased() -> RuntimeSettings {
    RuntimeSettings::default().with_writer_lease(LEASE)
}

async fn try_start(rig: &Rig) -> Result<Runtime, StartError> {
    rig.try_start("second", vec![accounts()], leased()).await
}

#[tokio::test(start_paused = true)]
async fn the_slot_of_an_engine_that_was_killed_is_taken_over_when_its_lease_has_ended() {
    let (listener, _guard) = Listener::listen(Level::INFO);
    let rig = Rig::new();
    let first = rig.start_set(leased()).await;
    account(&first, "a").ask(Deposit(1)).await.unwrap();
    drop(first);
    sleep(LEASE / 3).await;
    let since = Instant::now();
    let second = try_start(&Rig::over(rig.memory.clone())).await.unwrap();
    let waited = since.elapsed();
    assert!((LEASE * 2 / 3..LEASE * 2 / 3 + SOON).contains(&waited), "{waited:?}");
    assert_eq!(account(&second, "a").ask(Deposit(1)).await.unwrap(), 2);

    let said = listener.saying("waiting for the end of the writer's lease");
    let [said] = &said[..] else { panic!("said {} times", said.len()) };
    assert_eq!(said.field("engine"), Some("second"));
    let held = format!(
        "the writer slot `journal` is held by engine `bank`, process {}, whose lease ends in 6s \
         unless renewed",
        std::process::id()
    );
    assert_eq!(said.field("held"), Some(&*held));
}

#[tokio::test(start_paused = true)]
async fn the_slot_of_an_engine_that_is_alive_is_refused_within_one_lease() {
    for (late, lease) in [(0, 9_000), (1, 9_000), (2_999, 9_000), (3_001, 9_000), (1, 100)] {
        let lease = Duration::from_millis(lease);
        let settings = leased().with_writer_lease(lease);
        let rig = Rig::new();
        let first = rig.start_set(settings.clone()).await;
        sleep(Duration::from_millis(late)).await;
        let other = Rig::over(rig.memory.clone());
        let since = Instant::now();
        let started = other.try_start("second", vec![accounts()], settings).await;
        assert_is!(started, Err(StartError::Held(_)));
        assert!(since.elapsed() < lease + SOON, "{:?}", since.elapsed());
        assert_eq!(other.faults.calls(Operation::Claim), 2);
        assert_eq!(account(&first, "a").ask(Deposit(1)).await.unwrap(), 1);
        assert!(!first.is_fenced());
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_given_up_while_it_waits_takes_nothing() {
    let rig = Rig::new();
    drop(rig.start_set(leased()).await);
    all_wait().await;
    let waiting = Rig::over(rig.memory.clone());
    let start = Box::pin(try_start(&waiting));
    assert!(timeout(LEASE / 2, start).await.is_err());
    sleep(2 * LEASE).await;
    assert_eq!(waiting.faults.calls(Operation::Claim), 1);
    let since = Instant::now();
    try_start(&rig).await.unwrap();
    assert_eq!(since.elapsed(), Duration::ZERO, "nobody holds the slot");
}

/// A writer store that answers claims as it is told; then it gives the slot away.
struct Told {
    answers: Mutex<VecDeque<ClaimError>>,
    claims: Mutex<Vec<Instant>>,
}

impl Told {
    fn new(answers: impl IntoIterator<Item = ClaimError>) -> Arc<Self> {
        let answers = Mutex::new(answers.into_iter().collect());
        Arc::new(Self { answers, claims: Mutex::default() })
    }

    async fn start(self: &Arc<Self>) -> Result<Runtime, StartError> {
        let memory = Stores::of(actum_store_memory::MemoryStore::new());
        let stores = Stores { writers: Arc::clone(self) as _, ..memory };
        Runtime::start("second", Some(stores), vec![accounts()], leased()).await
    }

    /// When there were claims, since the first.
    fn claims(&self) -> Vec<Duration> {
        let claims = self.claims.lock();
        claims.iter().map(|at| *at - claims[0]).collect()
    }
}

#[async_trait]
impl WriterStore for Told {
    async fn claim(&self, _: &WriterClaim) -> Result<Incarnation, ClaimError> {
        self.claims.lock().push(Instant::now());
        self.answers.lock().pop_front().map_or(Ok(Incarnation::new(7)), Err)
    }

    async fn renew(&self, _: Incarnation, _: Duration) -> Result<(), StoreError> {
        Ok(())
    }

    async fn release(&self, _: Incarnation) -> Result<(), StoreError> {
        Ok(())
    }

    async fn revoke(&self, _: Incarnation) -> Result<(), StoreError> {
        Ok(())
    }
}

fn held(expires_in: impl Into<Option<Duration>>) -> ClaimError {
    let (slot, holder) = ("journal".to_owned(), "somebody".to_owned());
    ClaimError::Held { slot, holder, expires_in: expires_in.into() }
}

#[tokio::test(start_paused = true)]
async fn where_a_store_knows_who_is_alive_nobody_waits() {
    let told = Told::new([held(None)]);
    assert_is!(told.start().await, Err(StartError::Held(_)));
    assert_eq!(told.claims().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_lease_that_is_longer_than_their_own() {
    let told = Told::new([held(LEASE + Duration::from_millis(1))]);
    assert_is!(told.start().await, Err(StartError::Held(_)));
    assert_eq!(told.claims().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_ends_a_little_later_than_it_seemed_is_waited_for_again() {
    let millis = Duration::from_millis;
    let told = Told::new([held(LEASE), held(millis(3)), held(Duration::ZERO)]);
    told.start().await.unwrap();
    let claims = told.claims();
    assert_eq!(claims.len(), 4);
    assert!(claims[1] > LEASE && claims[3] < LEASE + SOON, "{claims:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_never_seems_to_end_is_claimed_a_few_times_only() {
    let told = Told::new((0..100).map(|_| held(Duration::from_millis(1))));
    let error = told.start().await.unwrap_err();
    let why = error.source().unwrap().to_string();
    assert!(why.ends_with("held by somebody, whose lease ends in 1ms unless renewed"), "{why}");
    assert_eq!(told.claims().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_while_the_lease_is_awaited_ends_the_start() {
    let away = StoreError::unavailable("claiming", "the server is starting");
    let told = Told::new([held(LEASE), away.into()]);
    assert_is!(told.start().await, Err(StartError::Store(StoreError::Unavailable { .. })));
    assert_eq!(told.claims().len(), 2);
}
