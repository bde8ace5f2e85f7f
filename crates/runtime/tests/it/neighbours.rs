//! Several engines in one process know nothing of each other.

use crate::{
    account::{Balance, Deposit},
    note::{Read, Write, note, notes},
    rig::{Rig, account, accounts, all_wait, assert_is, send},
};
use actum_runtime::{AskError, settings::RuntimeSettings};
use actum_testkit::{Fault, Operation};

#[tokio::test(start_paused = true)]
async fn engines_of_the_same_name_and_kinds_over_two_journals_share_nothing() {
    let (one, two) = (Rig::new(), Rig::new());
    let kinds = || vec![accounts(), notes()];
    let settings = RuntimeSettings::default();
    let first = one.try_start("bank", kinds(), settings.clone()).await.unwrap();
    let second = two.try_start("bank", kinds(), settings).await.unwrap();
    assert_eq!(account(&first, "a").ask(Deposit(1)).command_id("c").await.unwrap(), 1);
    assert_eq!(account(&second, "a").ask(Deposit(5)).command_id("c").await.unwrap(), 5);
    note(&first, "n").ask(Write("x".into())).await.unwrap();
    assert_eq!(note(&second, "n").ask(Read).await.unwrap(), "");
    assert_eq!((first.usage().entities, second.usage().entities), (2, 2));

    // the end of one is not the end of the other
    assert!(first.shutdown().await.is_clean());
    assert_eq!(account(&second, "a").ask(Balance).await.unwrap(), 5);
    drop(second);
    let first = one.try_start("bank", kinds(), RuntimeSettings::default()).await.unwrap();
    assert_eq!(account(&first, "a").ask(Balance).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_holds_up_its_own_engine_only() {
    let (one, two) = (Rig::new(), Rig::new());
    let (first, second) = (one.start().await, two.start().await);
    let gate = one.hold_next(Operation::Append);
    let waiting = send(account(&first, "a").ask(Deposit(1)));
    gate.held(1).await;
    one.faults.always(Operation::Recover, Fault::unavailable());
    for n in 1..=100 {
        assert_eq!(account(&second, "a").ask(Deposit(1)).await.unwrap(), n);
    }
    assert_is!(account(&first, "b").ask(Balance).await, Err(AskError::Unavailable { .. }));
    gate.open();
    assert_eq!(waiting.await.unwrap().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn many_engines_live_and_end_side_by_side() {
    let rigs: Vec<_> = (0..10).map(|_| Rig::new()).collect();
    let mut engines = Vec::new();
    for rig in &rigs {
        engines.push(rig.start().await);
    }
    for round in 1..=3 {
        for engine in &engines {
            assert_eq!(account(engine, "a").ask(Deposit(1)).await.unwrap(), round);
        }
    }
    for (n, engine) in engines.into_iter().enumerate() {
        if n % 2 == 0 {
            assert!(engine.shutdown().await.is_clean());
        }
    }
    all_wait().await;
    for rig in &rigs {
        assert_eq!(rig.events("a").await.len(), 3);
    }
}

#[test]
fn an_engine_lives_on_the_tokio_runtime_that_starts_it() {
    let rig = Rig::new();
    for n in 1..=3 {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        tokio.block_on(async {
            let engine = rig.start().await;
            assert_eq!(account(&engine, "a").ask(Deposit(1)).await.unwrap(), n);
            assert!(engine.shutdown().await.is_clean());
        });
    }
}
