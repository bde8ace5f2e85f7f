//! One engine writes to a journal. The second one waits for the first to be dead, and the fence keeps the log
//! whole if it is not.

use crate::{
    account::{Balance, Deposit},
    rig::{Rig, account, accounts, all_wait, assert_is, key, send},
};
use actum_persistence::store::{DurableStateStore, StoreError, WriterStore};
use actum_runtime::{
    AskError, Runtime, StartError,
    settings::{Batching, EntitySettings, RuntimeSettings},
};
use actum_testkit::{Fault, Operation};
use std::{error::Error, future::IntoFuture, task::Poll, time::Duration};
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);
const LEASE: Duration = Duration::from_secs(9);

fn leased() -> RuntimeSettings {
    RuntimeSettings::default().with_writer_lease(LEASE).with_ask_timeout(3600 * SECOND)
}

/// Another process over the same journal, with faults of its own.
fn other(rig: &Rig) -> Rig {
    Rig::over(rig.memory.clone())
}

async fn try_start(rig: &Rig) -> Result<Runtime, StartError> {
    rig.try_start("second", vec![accounts()], leased()).await
}

/// The journal of `a` has `events`, with contiguous numbers.
async fn assert_whole(rig: &Rig, events: usize) {
    let stored = rig.stored("account", "a").await;
    let numbers: Vec<_> = stored.iter().map(|event| event.sequence_nr.get()).collect();
    assert_eq!(numbers, (1..=events as u64).collect::<Vec<_>>());
}

fn assert_fenced<X: std::error::Error + 'static>(error: &AskError<X>) {
    assert_is!(error, AskError::Unavailable { .. });
    let by = error.source().map(ToString::to_string);
    let fenced = error.to_string().contains("fenced: another engine has taken over the journal");
    assert!(fenced || by.is_some_and(|by| by.contains("was revoked")), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_second_engine_is_refused_and_gets_the_holder_of_the_journal() {
    let rig = Rig::new();
    let first = rig.start_set(leased()).await;
    for _ in 0..20 {
        let error = try_start(&other(&rig)).await.unwrap_err();
        assert_is!(&error, StartError::Held(_));
        assert_eq!(error.to_string(), "another engine writes to this journal");
        let why = error.source().unwrap().to_string();
        assert!(why.starts_with("the writer slot `journal` is held by engine `bank`"), "{why}");
        let process = format!(", process {}, started 20", std::process::id());
        assert!(why.contains(&process) && why.contains(", whose lease ends in "), "{why}");
        sleep(LEASE / 2).await; // the first renews its lease for as long as it lives
    }
    assert_eq!(account(&first, "a").ask(Deposit(1)).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_shutdown_the_next_engine_starts_at_once() {
    let rig = Rig::new();
    for n in 1..=5 {
        let engine = try_start(&rig).await.unwrap();
        assert_eq!(account(&engine, "a").ask(Deposit(1)).await.unwrap(), n);
        assert!(engine.shutdown().await.is_clean());
    }
    assert_whole(&rig, 5).await;
}

/// The lease of the first engine ends in one of three ways, and a second engine takes over.
async fn taken_over(how: Fault) {
    let rig = Rig::new();
    let first = rig.start_set(leased()).await;
    let a = account(&first, "a");
    a.ask(Deposit(1)).await.unwrap();
    rig.faults.always(Operation::Renew, how);
    sleep(LEASE - SECOND).await;
    assert_eq!(a.ask(Balance).await.unwrap(), 1, "the lease is still good");
    sleep(SECOND + Duration::from_millis(1)).await;

    let second_rig = other(&rig);
    let second = try_start(&second_rig).await.unwrap();
    assert_eq!(account(&second, "a").ask(Deposit(10)).await.unwrap(), 11);
    // what the first has in memory is old now, and it knows by its own clock that it must not show it
    assert_is!(a.ask(Balance).await, Err(AskError::Unavailable { .. }));
    assert_is!(a.state().await, Err(AskError::Unavailable { .. }));
    assert_is!(a.ask(Deposit(100)).await, Err(AskError::Unavailable { .. }));

    rig.faults.stop();
    sleep(LEASE).await;
    assert_eq!(account(&second, "a").ask(Deposit(10)).await.unwrap(), 21);
    assert!(!second.is_fenced());
    assert_whole(&rig, 3).await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_whose_renewals_fail_shows_nothing_after_its_lease() {
    taken_over(Fault::unavailable()).await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_whose_renewals_hang_shows_nothing_after_its_lease() {
    taken_over(Fault::none().held_before(&actum_testkit::Gate::closed())).await;
}

/// The whole process is stopped for a while: time passes, and no one has noticed yet.
async fn stall(time: Duration) {
    let mut advancing = std::pin::pin!(tokio::time::advance(time));
    std::future::poll_fn(|context| {
        assert!(advancing.as_mut().poll(context).is_pending(), "others come first after it");
        Poll::Ready(())
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_was_stalled_as_a_whole_shows_nothing_before_it_looks_after_its_lease() {
    let rig = Rig::new();
    let kinds = vec![accounts(), crate::note::notes()];
    let engine = rig.start_with(kinds, leased()).await;
    let (a, n) = (account(&engine, "a"), crate::note::note(&engine, "n"));
    a.ask(Deposit(1)).await.unwrap();
    n.ask(crate::note::Write("x".into())).await.unwrap();
    for _ in 0..3 {
        stall(LEASE).await;
        let (query, write) = (send(a.ask(Balance)), send(a.ask(Deposit(1))));
        let (state, read) = (tokio::spawn(a.state().into_future()), send(n.ask(crate::note::Read)));
        let lapsed = "unavailable: the writer lease could not be renewed in time";
        assert_eq!(query.await.unwrap().unwrap_err().to_string(), lapsed);
        assert_eq!(write.await.unwrap().unwrap_err().to_string(), lapsed);
        assert_eq!(state.await.unwrap().unwrap_err().to_string(), lapsed);
        assert_eq!(read.await.unwrap().unwrap_err().to_string(), lapsed);
        // no one has taken over, and so it goes on
        sleep(LEASE / 2).await;
        assert_eq!(a.ask(Balance).await.unwrap(), 1);
        assert_eq!(n.ask(crate::note::Read).await.unwrap(), "x");
        assert_eq!(engine.usage().commands, 0);
    }
    stall(LEASE / 4).await;
    assert_eq!(a.ask(Balance).await.unwrap(), 1, "the lease is still good");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_learns_of_its_fence_by_its_lease_ends() {
    let rig = Rig::new();
    let first = rig.start_set(leased()).await;
    let a = account(&first, "a");
    a.ask(Deposit(1)).await.unwrap();
    rig.memory.reopen().revoke(first.incarnation()).await.unwrap();
    let second = try_start(&other(&rig)).await.unwrap();
    assert_eq!(account(&second, "a").ask(Deposit(10)).await.unwrap(), 11);
    sleep(LEASE / 2).await;
    assert!(first.is_fenced() && !second.is_fenced());
    assert_fenced(&a.ask(Balance).await.unwrap_err());
    assert_eq!((first.usage().entities, first.usage().commands), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn renewals_that_fail_for_a_while_have_no_effect() {
    let rig = Rig::new();
    let engine = rig.start_set(leased()).await;
    let a = account(&engine, "a");
    rig.faults.next_n(Operation::Renew, 2, Fault::unavailable());
    for n in 1..=20 {
        assert_eq!(a.ask(Deposit(1)).await.unwrap(), n);
        sleep(SECOND).await;
    }
    assert_eq!(rig.faults.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_engine_whose_lease_comes_back_serves_again() {
    let rig = Rig::new();
    let engine = rig.start_set(leased()).await;
    let a = account(&engine, "a");
    a.ask(Deposit(1)).await.unwrap();
    rig.faults.always(Operation::Renew, Fault::unavailable());
    sleep(LEASE + SECOND).await;
    let error = a.ask(Balance).await.unwrap_err();
    assert_eq!(error.to_string(), "unavailable: the writer lease could not be renewed in time");
    rig.faults.stop();
    sleep(SECOND / 2).await; // not a third of a lease: what waits for the store wants to go on
    assert_eq!(a.ask(Deposit(1)).await.unwrap(), 2);
    assert!(!engine.is_fenced());
}

#[tokio::test(start_paused = true)]
async fn an_append_of_an_engine_that_was_fenced_meanwhile_is_not_stored() {
    let rig = Rig::new();
    let window =
        Batching::default().with_threshold(1000).with_flush_window(Duration::from_secs(60));
    let first = rig
        .start_with(
            vec![
                accounts(),
                actum_runtime::Registration::durable_state::<crate::note::Note>(
                    (),
                    EntitySettings::default().with_batching(window),
                ),
            ],
            leased(),
        )
        .await;
    let a = account(&first, "a");
    a.ask(Deposit(1)).await.unwrap();
    let append = rig.hold_next(Operation::Append);
    let sent = send(a.ask(Deposit(100)).command_id("c"));
    append.held(1).await;
    let (staged, query) = (send(a.ask(Deposit(100))), send(a.ask(Balance)));
    let reading = rig.hold_next(Operation::Recover);
    let recovering = send(account(&first, "b").ask(Deposit(1)));
    reading.held(1).await;
    let windowed = send(crate::note::note(&first, "n").ask(crate::note::Write("x".into())));
    all_wait().await;

    rig.memory.reopen().revoke(first.incarnation()).await.unwrap();
    let second = try_start(&other(&rig)).await.unwrap();
    let b = account(&second, "a");
    assert_eq!(b.ask(Deposit(10)).await.unwrap(), 11);
    append.open();
    reading.open();
    for asking in [sent, staged, query, recovering] {
        assert_fenced(&asking.await.unwrap().unwrap_err());
    }
    assert_fenced(&windowed.await.unwrap().unwrap_err());
    assert!(first.is_fenced());
    assert_fenced(&a.ask(Balance).await.unwrap_err());
    // the retry finds the new owner, and is applied there
    assert_eq!(b.ask(Deposit(100)).command_id("c").await.unwrap(), 111);
    assert_whole(&rig, 3).await;

    let report = first.shutdown().await;
    assert_eq!((report.unanswered, report.unknown), (0, 0), "{report:?}");
    assert_eq!(b.ask(Deposit(1)).await.unwrap(), 112, "nothing of the second was given back");
    assert!(!second.is_fenced());
}

#[tokio::test(start_paused = true)]
async fn an_engine_is_fenced_by_its_own_write_too() {
    for operation in Operation::WRITES {
        let rig = Rig::new();
        let kinds = vec![accounts(), crate::note::notes()];
        let engine = rig.start_with(kinds, leased()).await;
        rig.faults.next(operation, Fault::revoked());
        let (a, n) = (account(&engine, "a"), crate::note::note(&engine, "n"));
        let (one, two) = (send(a.ask(Deposit(1))), send(n.ask(crate::note::Write("x".into()))));
        let (one, two) = (one.await.unwrap(), two.await.unwrap());
        assert!(one.is_err() || two.is_err());
        all_wait().await;
        assert!(engine.is_fenced());
        assert_fenced(&a.ask(Balance).await.unwrap_err());
        assert_fenced(&n.state().await.unwrap_err());
    }
}

#[tokio::test(start_paused = true)]
async fn of_engines_that_start_at_once_one_wins() {
    let rig = Rig::new();
    let started: Vec<_> = (0..10)
        .map(|_| {
            let rig = other(&rig);
            tokio::spawn(async move { try_start(&rig).await })
        })
        .collect();
    let mut winners = Vec::new();
    for started in started {
        match started.await.unwrap() {
            Ok(engine) => winners.push(engine),
            Err(error) => assert_is!(error, StartError::Held(_)),
        }
    }
    let [winner] = &winners[..] else { panic!("{} engines have started", winners.len()) };
    assert_eq!(account(winner, "a").ask(Deposit(1)).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_given_up_leaves_the_journal_free() {
    let rig = Rig::new();
    for held in [Fault::held_before, Fault::held_after] {
        let gate = actum_testkit::Gate::closed();
        rig.faults.next(Operation::Claim, held(Fault::none(), &gate));
        let store = Some(rig.store().into());
        let given_up = tokio::spawn(Runtime::start("first", store, vec![accounts()], leased()));
        gate.held(1).await;
        given_up.abort();
        all_wait().await;
        gate.open();
        all_wait().await;
        let engine = try_start(&other(&rig)).await.unwrap();
        assert!(engine.shutdown().await.is_clean());
        sleep(2 * LEASE).await;
        assert_eq!(rig.faults.calls(Operation::Renew), 0, "no one is left to renew");
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_does_not_start_over_a_store_that_is_away() {
    let rig = Rig::new();
    rig.faults.next(Operation::Claim, Fault::unavailable());
    let error = try_start(&rig).await.unwrap_err();
    assert_is!(&error, StartError::Store(StoreError::Unavailable { .. }));
    assert_eq!(error.to_string(), "the store failed while the engine started");
    assert_eq!(error.source().unwrap().to_string(), "the store is unavailable: scripted fault");
    try_start(&rig).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_event_and_no_state_are_written_under_the_same_id() {
    let rig = Rig::new();
    let engine = rig.start_with(vec![accounts(), crate::note::notes()], leased()).await;
    account(&engine, "a").ask(Deposit(1)).await.unwrap();
    crate::note::note(&engine, "n").ask(crate::note::Write("x".into())).await.unwrap();
    let event = rig.stored("account", "a").await[0].event_id;
    let states = rig.memory.reopen();
    let states = DurableStateStore::load(&states, &[key("note", "n")]).await.unwrap();
    let state = states[0].as_ref().unwrap().write_id;
    assert_eq!(event.incarnation, state.incarnation);
    assert_ne!(event.nr, state.nr);
}
