//! An engine that starts while another one holds the journal: how long it waits, and from whom it takes over.

use crate::{
    account::{Balance, Deposit},
    listener::Listener,
    rig::{Rig, account, accounts, all_wait, assert_is},
};
use actum_persistence::store::{
    ClaimError, HeldLease, Incarnation, Renewal, SeenHolder, StoreError, Stores, WriterClaim,
    WriterStore,
};
use actum_runtime::{
    Runtime, StartError,
    settings::{JournalWait, RuntimeSettings},
};
use actum_store_memory::ClockStep;
use actum_testkit::{Fault, Operation};
use async_trait::async_trait;
use parking_lot::Mutex;
use std::{collections::VecDeque, error::Error, sync::Arc, time::Duration};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tracing::Level;

const SECOND: Duration = Duration::from_secs(1);
const LEASE: Duration = Duration::from_secs(9);
const SOON: Duration = Duration::from_millis(100);
const HOUR: Duration = Duration::from_secs(3600);

fn leased() -> RuntimeSettings {
    RuntimeSettings::default().with_writer_lease(LEASE)
}

async fn try_start(rig: &Rig) -> Result<Runtime, StartError> {
    rig.try_start("second", vec![accounts()], leased()).await
}

/// A second engine over the journal of `rig`, which starts in a task of its own, and says how long that took.
fn start_beside(
    rig: &Rig,
    settings: RuntimeSettings,
) -> JoinHandle<(Result<Runtime, StartError>, Duration)> {
    let rig = Rig::over(rig.memory.clone());
    tokio::spawn(async move {
        let since = Instant::now();
        let started = rig.try_start("second", vec![accounts()], settings).await;
        (started, since.elapsed())
    })
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

    let said = listener.saying("waiting for the writer slot");
    let [said] = &said[..] else { panic!("said {} times", said.len()) };
    assert_eq!(said.field("engine"), Some("second"));
    let held = said.field("held").unwrap();
    assert!(held.starts_with("the writer slot `journal` is held by engine `bank`"), "{held}");
    assert!(held.ends_with(", whose lease ends in 6s unless renewed"), "{held}");
}

#[tokio::test(start_paused = true)]
async fn the_slot_of_an_engine_that_is_alive_is_refused_after_one_lease() {
    for (late, lease) in [(0, 9_000), (1, 9_000), (2_999, 9_000), (3_001, 9_000), (1, 100)] {
        let lease = Duration::from_millis(lease);
        let settings = leased().with_writer_lease(lease);
        let rig = Rig::new();
        let first = rig.start_set(settings.clone()).await;
        sleep(Duration::from_millis(late)).await;
        let (started, waited) = start_beside(&rig, settings).await.unwrap();
        assert_is!(started, Err(StartError::Held(_)));
        assert!((lease..lease + SOON).contains(&waited), "{waited:?}");
        assert_eq!(account(&first, "a").ask(Deposit(1)).await.unwrap(), 1);
        assert!(!first.is_fenced());
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_takes_over_within_100_milliseconds_when_the_one_before_shuts_down() {
    for millis in [1, 700, 2_300, 8_500] {
        let rig = Rig::new();
        let first = rig.start_set(leased()).await;
        assert_eq!(account(&first, "a").ask(Deposit(1)).await.unwrap(), 1);
        let second = start_beside(&rig, leased());
        sleep(Duration::from_millis(millis)).await;
        assert!(!second.is_finished());
        assert!(first.shutdown().await.is_clean());
        let released = Instant::now();
        let second = second.await.unwrap().0.unwrap();
        assert!(released.elapsed() < SOON, "{:?}", released.elapsed());
        assert_eq!(account(&second, "a").ask(Deposit(1)).await.unwrap(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_standby_waits_as_long_as_it_takes() {
    let (listener, _guard) = Listener::listen(Level::INFO);
    let rig = Rig::new();
    let first = rig.start_set(leased()).await;
    let second = start_beside(&rig, leased().with_journal_wait(JournalWait::Forever));
    sleep(100 * LEASE).await;
    assert!(!second.is_finished() && !first.is_fenced());
    assert_eq!(listener.saying("waiting for the writer slot").len(), 1);
    assert!(first.shutdown().await.is_clean());
    let second = second.await.unwrap().0.unwrap();

    // and from one that does not shut down
    let third = start_beside(&rig, leased().with_journal_wait(JournalWait::Forever));
    sleep(100 * LEASE).await;
    drop(second);
    let died = Instant::now();
    third.await.unwrap().0.unwrap();
    assert!(died.elapsed() < LEASE + SOON, "{:?}", died.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_as_long_as_was_said() {
    let rig = Rig::new();
    let _first = rig.start_set(leased()).await;
    for time in [Duration::ZERO, SECOND / 2, 5 * LEASE] {
        let settings = leased().with_journal_wait(JournalWait::AtMost(time));
        let (started, waited) = start_beside(&rig, settings).await.unwrap();
        assert_is!(started, Err(StartError::Held(_)));
        assert!((time..time + SOON).contains(&waited), "{waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_steps_back_locks_no_engine_out() {
    for (before, after) in [(HOUR, Duration::ZERO), (Duration::ZERO, HOUR), (HOUR, HOUR)] {
        let rig = Rig::new();
        drop(rig.start_set(leased()).await);
        all_wait().await;
        rig.memory.step_lease_clock(ClockStep::Back(before));
        let second = start_beside(&rig, leased());
        sleep(SECOND).await;
        rig.memory.step_lease_clock(ClockStep::Back(after));
        let (started, waited) = second.await.unwrap();
        started.unwrap();
        assert!(waited < LEASE + SOON, "{waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_steps_forward_fences_no_engine_that_is_alive() {
    for (before, after) in [(HOUR, Duration::ZERO), (Duration::ZERO, HOUR), (HOUR, HOUR)] {
        let rig = Rig::new();
        let first = rig.start_set(leased()).await;
        sleep(SECOND).await;
        rig.memory.step_lease_clock(ClockStep::Forward(before));
        let second = start_beside(&rig, leased());
        sleep(SECOND).await;
        rig.memory.step_lease_clock(ClockStep::Forward(after));
        assert_is!(second.await.unwrap().0, Err(StartError::Held(_)));
        assert!(!first.is_fenced());
        assert_eq!(account(&first, "a").ask(Deposit(1)).await.unwrap(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_was_dead_for_long_is_replaced_after_half_a_lease() {
    let rig = Rig::new();
    drop(rig.start_set(leased()).await);
    sleep(HOUR).await;
    let (started, waited) = start_beside(&rig, leased()).await.unwrap();
    started.unwrap();
    assert!((LEASE / 2..LEASE / 2 + SOON).contains(&waited), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn the_lease_that_counts_is_that_of_the_holder() {
    let rig = Rig::new();
    let first = rig.start_set(leased().with_writer_lease(10 * LEASE)).await;
    rig.faults.always(Operation::Renew, Fault::unavailable());
    let (started, _) = start_beside(&rig, leased()).await.unwrap();
    started.unwrap();
    account(&first, "a").ask(Balance).await.expect_err("it shows nothing any more");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_given_up_while_it_waits_takes_nothing() {
    let rig = Rig::new();
    let first = rig.start_set(leased()).await;
    let incarnation = first.incarnation();
    drop(first);
    all_wait().await;
    let waiting = Rig::over(rig.memory.clone());
    let start = Box::pin(try_start(&waiting));
    assert!(timeout(LEASE / 2, start).await.is_err());
    all_wait().await;
    let claims = waiting.faults.calls(Operation::Claim);
    sleep(2 * LEASE).await;
    assert_eq!(waiting.faults.calls(Operation::Claim), claims);
    let second = try_start(&rig).await.unwrap();
    assert_eq!(second.incarnation().get(), incarnation.get() + 1, "none was given in between");
}

/// A writer store that answers claims as a test says; then it gives the slot away.
struct Told {
    answers: Mutex<VecDeque<ClaimError>>,
    claims: Mutex<Vec<(Instant, Option<SeenHolder>)>>,
}

impl Told {
    fn new(answers: impl IntoIterator<Item = ClaimError>) -> Arc<Self> {
        let answers = Mutex::new(answers.into_iter().collect());
        Arc::new(Self { answers, claims: Mutex::default() })
    }

    async fn start(self: &Arc<Self>, wait: JournalWait) -> Result<Runtime, StartError> {
        let memory = Stores::of(actum_store_memory::MemoryStore::new());
        let stores = memory.with_writers(Arc::clone(self) as _);
        let settings = leased().with_journal_wait(wait);
        Runtime::start("second", Some(stores), vec![accounts()], settings).await
    }

    /// When there were claims, since the first.
    fn claims(&self) -> Vec<Duration> {
        let claims = self.claims.lock();
        claims.iter().map(|(at, _)| *at - claims[0].0).collect()
    }

    /// Whom the last claim would replace.
    fn replaced(&self) -> Option<SeenHolder> {
        self.claims.lock().last().and_then(|(_, replaces)| *replaces)
    }
}

#[async_trait]
impl WriterStore for Told {
    async fn claim(&self, claim: &WriterClaim) -> Result<Incarnation, ClaimError> {
        self.claims.lock().push((Instant::now(), claim.replaces));
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

/// A holder that renews nothing.
fn held(expires_in: impl Into<Option<Duration>>) -> ClaimError {
    let (slot, holder) = ("journal".to_owned(), "another".to_owned());
    let lease = expires_in
        .into()
        .map(|expires_in| HeldLease::new(Renewal::new(1), Some(LEASE), expires_in));
    ClaimError::Held { slot, holder, incarnation: Incarnation::new(1), lease }
}

fn away() -> ClaimError {
    StoreError::unavailable("claiming", "canceling statement due to lock timeout").into()
}

#[tokio::test(start_paused = true)]
async fn where_a_store_knows_who_is_alive_no_engine_waits_unless_its_settings_say_so() {
    let told = Told::new([held(None)]);
    assert_is!(told.start(JournalWait::UntilKnown).await, Err(StartError::Held(_)));
    assert_eq!(told.claims().len(), 1);
    for wait in [JournalWait::AtMost(SECOND), JournalWait::Forever] {
        let told = Told::new((0..5).map(|_| held(None)));
        told.start(wait).await.unwrap();
        assert_eq!((told.claims().len(), told.replaced()), (6, None));
    }
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_does_not_renew_is_replaced_after_one_lease_and_not_before() {
    let told = Told::new(std::iter::repeat_n(held(HOUR), 10));
    told.start(JournalWait::Forever).await.unwrap();
    assert_eq!(told.replaced(), None, "the slot was free before");
    let told = Told::new(std::iter::repeat_n(held(HOUR), 10_000));
    let error = told.start(JournalWait::UntilKnown).await.unwrap_err();
    let why = error.source().unwrap().to_string();
    assert!(why.ends_with("held by another, whose lease ends in 3600s unless renewed"), "{why}");
    let claims = told.claims.lock();
    let first = claims.iter().find(|(_, replaces)| replaces.is_some()).unwrap();
    let after = first.0 - claims[0].0;
    assert!((LEASE..LEASE + SOON).contains(&after), "{after:?}");
    assert_eq!(first.1, held(HOUR).seen());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_while_the_slot_is_waited_for_does_not_end_the_wait() {
    let (listener, _guard) = Listener::listen(Level::WARN);
    let unknown = StoreError::outcome_unknown("claiming", "the connection broke");
    let answers = [held(LEASE), away(), away(), unknown.into(), held(LEASE), away()];
    let told = Told::new(answers);
    told.start(JournalWait::UntilKnown).await.unwrap();
    assert_eq!(told.claims().len(), 7);
    let said = listener.saying("the writer slot cannot be claimed, trying again");
    assert_eq!(said.len(), 2, "each outage once");
    let error = said[0].field("error").unwrap();
    assert!(error.ends_with("claiming: canceling statement due to lock timeout"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_takeover_that_meets_a_lock_is_tried_again() {
    let told = Told::new(std::iter::repeat_n(held(Duration::ZERO), 100));
    told.answers.lock().extend(std::iter::repeat_n(away(), 50));
    told.start(JournalWait::Forever).await.unwrap();
    assert_eq!(told.claims().len(), 151);
    assert_eq!(told.replaced(), held(Duration::ZERO).seen());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_to_the_end_of_the_wait_ends_the_start() {
    let told = Told::new(std::iter::once(held(LEASE)).chain((0..10_000).map(|_| away())));
    let error = told.start(JournalWait::UntilKnown).await.unwrap_err();
    assert_is!(error, StartError::Store(StoreError::Unavailable { .. }));
    let waited = *told.claims().last().unwrap();
    assert!((LEASE..LEASE + SOON).contains(&waited), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn an_error_that_does_not_pass_ends_the_start_at_once() {
    for error in [StoreError::corrupt("two holders"), StoreError::invalid("a bad name")] {
        let told = Told::new([held(LEASE), error.into()]);
        assert_is!(told.start(JournalWait::Forever).await, Err(StartError::Store(_)));
        assert_eq!(told.claims().len(), 2);
    }
    let told = Told::new([away()]);
    assert_is!(told.start(JournalWait::Forever).await, Err(StartError::Store(_)));
    assert_eq!(told.claims().len(), 1, "there was no holder to wait for");
}
