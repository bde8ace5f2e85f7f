//! The store is away for a while. Commands fail at once, and the engine serves again as soon as the store does.

use crate::{
    account::{Account, Balance, Deposit},
    note::{Note, Read, Write, note, notes},
    rig::{Rig, account, accounts, all_wait, assert_is, send},
};
use actum_runtime::{AskError, EntityRef, Runtime, settings::RuntimeSettings};
use actum_testkit::{Fault, Operation};
use std::{error::Error, time::Duration};
use tokio::time::{Instant, sleep};

/// Entities of both models, all of which are in memory.
struct Bank {
    rig: Rig,
    engine: Runtime,
    accounts: Vec<EntityRef<Account>>,
    notes: Vec<EntityRef<Note>>,
}

impl Bank {
    async fn open() -> Self {
        let rig = Rig::new();
        let settings = RuntimeSettings::default().with_ask_timeout(Duration::from_hours(1));
        let engine = rig.start_with(vec![accounts(), notes()], settings).await;
        let (mut accounts, mut notes) = (Vec::new(), Vec::new());
        for id in ["a", "b", "c", "d"] {
            let (a, n) = (account(&engine, id), note(&engine, id));
            a.ask(Deposit(1)).await.unwrap();
            n.ask(Write("x".into())).await.unwrap();
            accounts.push(a);
            notes.push(n);
        }
        Self { rig, engine, accounts, notes }
    }

    /// Every command of these fails, and no time passes.
    async fn assert_fails_fast(&self, entities: std::ops::Range<usize>) {
        let since = Instant::now();
        for at in entities {
            assert_unavailable(&self.accounts[at].ask(Deposit(1)).await.unwrap_err());
            assert_unavailable(&self.notes[at].ask(Write("y".into())).await.unwrap_err());
        }
        assert_eq!(since.elapsed(), Duration::ZERO);
    }
}

fn assert_unavailable<X: Error + 'static>(error: &AskError<X>) {
    assert_is!(error, AskError::Unavailable { source: Some(_), .. });
    let mut inner: &dyn Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    assert_eq!(inner.to_string(), "the store is away", "the innermost cause is the store's own");
}

fn away(rig: &Rig, operations: &[Operation]) {
    for operation in operations {
        rig.faults.always(*operation, Fault::unavailable());
    }
}

#[tokio::test(start_paused = true)]
async fn while_an_outcome_is_unknown_and_the_store_away_other_commands_fail_at_once() {
    let bank = Bank::open().await;
    let (rig, a, n) = (&bank.rig, &bank.accounts[0], &bank.notes[0]);
    for write in Operation::WRITES {
        rig.faults.next(write, Fault::unknown_committed());
    }
    away(rig, &Operation::RESOLVES);
    let (deposit, writing) = (send(a.ask(Deposit(10))), send(n.ask(Write("z".into()))));
    all_wait().await;
    away(rig, &Operation::RECOVERIES);
    for _ in 0..5 {
        bank.assert_fails_fast(1..4).await;
        sleep(Duration::from_millis(100)).await;
    }
    assert!(!deposit.is_finished() && !writing.is_finished(), "their outcome is unknown");

    rig.faults.stop();
    assert_eq!(deposit.await.unwrap().unwrap(), 11);
    assert_eq!(writing.await.unwrap().unwrap(), "x");
    for at in 1..4 {
        assert_eq!(bank.accounts[at].ask(Deposit(1)).await.unwrap(), 2, "refused: never applied");
        assert_eq!(bank.notes[at].ask(Read).await.unwrap(), "x");
    }
    assert_eq!(bank.engine.usage().commands, 0);
}

#[tokio::test(start_paused = true)]
async fn while_the_store_cannot_be_read_every_command_fails_at_once_and_the_next_one_tries_again() {
    let bank = Bank::open().await;
    let rig = &bank.rig;
    away(rig, &Operation::WRITES);
    bank.assert_fails_fast(0..4).await; // those in memory leave it
    away(rig, &Operation::RECOVERIES);
    for round in 0..5 {
        let reads = rig.faults.calls(Operation::Recover) + rig.faults.calls(Operation::LoadStates);
        bank.assert_fails_fast(0..4).await;
        let since = Instant::now();
        assert_unavailable(&bank.accounts[0].state().await.unwrap_err());
        assert_unavailable(&account(&bank.engine, "new").ask(Balance).await.unwrap_err());
        assert_eq!(since.elapsed(), Duration::ZERO);
        let tried = rig.faults.calls(Operation::Recover) + rig.faults.calls(Operation::LoadStates);
        assert!(tried - reads >= 10, "round {round}: {tried} reads after {reads}");
        sleep(Duration::from_secs(60)).await;
    }
    assert_eq!((bank.engine.usage().commands, bank.engine.usage().entities), (0, 0));

    rig.faults.stop();
    sleep(Duration::from_secs(60)).await; // the lease is renewed
    for at in 0..4 {
        assert_eq!(bank.accounts[at].ask(Deposit(1)).await.unwrap(), 2);
        assert_eq!(bank.notes[at].ask(Write("y".into())).await.unwrap(), "x");
    }
}
