//! The bank is killed in the midst of load, over and over, and every answer it gave is compared with its journal. Its projections
//! are split and merged meanwhile.

mod consumer;
mod divisions;
mod journal;
mod ledger;
mod list;
mod moment;
mod readers;
mod statements;
mod stopped;
mod tellers;
mod watched;

pub(crate) use journal::{Journal, balance};
pub(crate) use ledger::Ledger;
pub(crate) use tellers::{drive, settle_all, settle_in_the_end};

use crate::{
    place::{Place, own_server},
    program::Program,
    seed,
};
use actum_test_servers::{PgBouncer, PgBouncerSettings, PostgresServerSettings, available};
use bank::client::Client;
use moment::Moment;
use std::sync::Arc;
use tokio::sync::oneshot;

/// How often the bank is killed.
const KILLS: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn bank_that_is_killed_in_the_midst_of_load_keeps_what_it_acknowledged_and_does_nothing_twice()
 {
    killed_over_and_over(&Place::file(), KILLS).await.assert_worth_it();
}

#[tokio::test(flavor = "multi_thread")]
async fn bank_on_postgres_that_is_killed_keeps_what_it_acknowledged_and_does_nothing_twice() {
    let Some(place) = Place::postgres() else { return };
    killed_over_and_over(&place, KILLS).await.assert_worth_it();
}

#[tokio::test(flavor = "multi_thread")]
async fn bank_behind_a_proxy_that_pools_transactions_keeps_what_it_acknowledged_too() {
    let Some(program) = available(PgBouncer::find()) else { return };
    let Some(server) = own_server(PostgresServerSettings::default()) else { return };
    let proxy = PgBouncer::start(&program, &server, &PgBouncerSettings::default()).unwrap();
    killed_over_and_over(&Place::behind_proxy(&proxy.url("postgres")), KILLS / 4).await;
}

async fn killed_over_and_over(place: &Place, kills: usize) -> Arc<Ledger> {
    let mut random = seed::random();
    let ledger = Arc::new(Ledger::new());
    for _ in 0..kills {
        let moment = Moment::any(&mut random, place.start_time());
        one_life(place, &ledger, moment, &mut random).await;
        // not always: a process that opens the journal cleans up after the dead, and the next bank must be able to do
        // that too
        if random.bool() {
            ledger.audit(&Journal::read(place).await);
        }
    }
    let mut bank = Program::serve(args(place));
    let url = bank.url().await;
    let client = Client::new(url.clone()).unwrap();
    // no one kills this one; a slow machine may still keep it from answering in time
    settle_in_the_end(&client, &ledger, &mut random).await;
    divisions::divide_in_the_end(&client, &mut random).await;
    let shown = Journal::as_shown(&client, &ledger.accounts()).await;
    let listed = list::read(&url).await;
    let statements = statements::read(&url, &ledger.accounts()).await;
    bank.signal("TERM").await;
    assert!(bank.ended().await.success());

    let journal = Journal::read(place).await;
    assert_eq!(shown, journal.accounts, "what the bank shows is not what is in its journal");
    list::compare(&listed, &journal);
    statements.compare(&journal);
    ledger.audit(&journal);
    println!("{}", ledger.summary());
    ledger.assert_settled();
    ledger
}

/// Starts a bank, drives it, and kills it when the moment has come.
async fn one_life(place: &Place, ledger: &Arc<Ledger>, moment: Moment, random: &mut fastrand::Rng) {
    let mut bank = Program::serve(args(place));
    if let Moment::Starting(delay) = moment {
        tokio::time::sleep(delay).await;
        return bank.kill().await;
    }
    let client = Client::new(bank.url().await).unwrap();
    let dividing = divisions::divide_all_the_time(&client, random.fork());
    let (silent, is_silent) = oneshot::channel::<()>();
    let answers = ledger.answers();
    let driving = async {
        if settle_all(&client, ledger, random).await {
            drive(&client, ledger, random).await;
        }
        drop(silent);
    };
    let killing = async {
        tokio::select! {
            () = moment.comes(answers) => {}
            _ = is_silent => {} // no one is left to bring the moment about
        }
        bank.kill().await;
    };
    let life = async { tokio::join!(driving, killing) };
    tokio::select! {
        _ = life => {}
        never = dividing => match never {},
    }
}

/// What a bank is started with: its list and its statements are written all the time, so that it is killed in the midst of that, too.
fn args(place: &Place) -> Vec<String> {
    let busy = ["--projection-interval", "0s"].map(str::to_owned);
    place.args().into_iter().chain(busy).collect()
}
