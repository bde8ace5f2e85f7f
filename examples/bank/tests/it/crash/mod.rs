//! The bank is killed in the midst of load, over and over, and every answer it gave is compared with its journal.

mod journal;
mod ledger;
mod moment;
mod tellers;

use crate::{program::Program, seed};
use bank::client::Client;
use journal::Journal;
use ledger::Ledger;
use moment::Moment;
use std::{path::Path, sync::Arc};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// How often the bank is killed.
const KILLS: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn bank_that_is_killed_in_the_midst_of_load_keeps_what_it_acknowledged_and_does_nothing_twice()
 {
    let mut random = seed::random();
    let directory = TempDir::new().unwrap();
    let database = directory.path().join("bank.db");
    let ledger = Arc::new(Ledger::new());
    for _ in 0..KILLS {
        let moment = Moment::any(&mut random);
        one_life(&database, &ledger, moment, &mut random).await;
        // not always: whoever opens the file cleans up after the dead, and the next bank must be able to do that too
        if random.bool() {
            ledger.audit(&Journal::read(&database).await);
        }
    }
    let mut bank = Program::start(&database);
    let client = Client::new(bank.url().await).unwrap();
    // nobody kills this one; a slow machine may still keep it from answering in time
    for attempt in 1.. {
        if tellers::settle_all(&client, &ledger, &mut random).await {
            break;
        }
        assert!(attempt < 10, "the last bank does not answer");
    }
    let shown = Journal::as_shown(&client, &ledger.accounts()).await;
    bank.signal("TERM").await;
    assert!(bank.ended().await.success());

    let journal = Journal::read(&database).await;
    assert_eq!(shown, journal.accounts, "what the bank shows is not what is in its journal");
    ledger.audit(&journal);
    println!("{}", ledger.summary());
    ledger.assert_worth_it();
}

/// Starts a bank, drives it, and kills it when the moment has come.
async fn one_life(
    database: &Path,
    ledger: &Arc<Ledger>,
    moment: Moment,
    random: &mut fastrand::Rng,
) {
    let mut bank = Program::start(database);
    if let Moment::Starting(delay) = moment {
        tokio::time::sleep(delay).await;
        return bank.kill().await;
    }
    let client = Client::new(bank.url().await).unwrap();
    let (silent, is_silent) = oneshot::channel::<()>();
    let answers = ledger.answers();
    let driving = async {
        if tellers::settle_all(&client, ledger, random).await {
            tellers::drive(&client, ledger, random).await;
        }
        drop(silent);
    };
    let killing = async {
        tokio::select! {
            () = moment.comes(answers) => {}
            _ = is_silent => {} // nobody is left to bring the moment about
        }
        bank.kill().await;
    };
    tokio::join!(driving, killing);
}
