//! Two processes share the projections of a bank. One of them is stopped for longer than its lease, and goes on: it commits
//! nothing for what was taken over, and gets its share back.
//!
//! Over PostgreSQL alone. Of a file one process has the lock while it writes: stopped then, it keeps everyone from writing, and
//! no one can take anything over.

use super::{
    Journal, Ledger, list, settle_in_the_end, statements, tellers::drive_by, watched::Watched,
};
use crate::{
    place::Place,
    program::Program,
    rivals::{more_answers, within},
    seed,
};
use bank::client::Client;
use sqlx::{Connection, PgConnection};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// How often one is stopped.
const STOPS: usize = 5;
const SEGMENTS: usize = 4;
/// How many send orders at the same time.
const TELLERS: usize = 2;
const LEASE: Duration = Duration::from_secs(1);
/// How long after the lease everything is taken over, also on a busy machine: two rounds of a runner, and some time to run. One
/// that is stopped between its save and the commit has the segment locked until the server ends it, 2 s later.
const TAKE_OVER_MAX: Duration = Duration::from_secs(5);
/// How long it takes until both have their share again: what the one that was stopped has held was taken over, and is given back.
const SHARE_OUT_MAX: Duration = Duration::from_secs(60);
/// What both are started with, so that they are always in the midst of writing.
fn args(args: Vec<String>) -> Vec<String> {
    let (segments, lease) = (SEGMENTS.to_string(), format!("{}ms", LEASE.as_millis()));
    let busy = ["--projection-interval", "0s", "--projection-segments", &segments];
    let lease = ["--projection-lease", &lease];
    args.into_iter().chain(busy.into_iter().chain(lease).map(str::to_owned)).collect()
}

/// Stops the readers when they have a transaction under way, which they could commit as soon as they go on.
async fn stop_in_the_midst(readers: &Program, place: &Place, ledger: &Ledger) {
    let Place::Postgres { url, schema, .. } = place else { unreachable!("it is over PostgreSQL") };
    let mut server = PgConnection::connect(url).await.unwrap();
    let began = Instant::now();
    loop {
        more_answers(ledger, 10).await;
        readers.signal("STOP").await;
        // what others have under way ends meanwhile
        let since = Instant::now();
        while since.elapsed() < LEASE / 5 {
            let open: bool = sqlx::query_scalar(OPEN_TRANSACTION)
                .bind(format!("{schema}_projections"))
                .fetch_one(&mut server)
                .await
                .unwrap();
            if open {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        readers.signal("CONT").await;
        assert!(began.elapsed() < SHARE_OUT_MAX, "it is never in the midst of a transaction");
    }
}

/// Whether someone has written rows in a transaction and done nothing more for a while.
const OPEN_TRANSACTION: &str = "SELECT EXISTS (
        SELECT FROM pg_stat_activity AS a
        JOIN pg_locks AS l ON l.pid = a.pid AND l.mode = 'RowExclusiveLock'
        JOIN pg_class AS c ON c.oid = l.relation
        JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = $1
        WHERE a.datname = current_database() AND a.state = 'idle in transaction'
            AND a.state_change < clock_timestamp() - interval '100 milliseconds'
    )";

/// Sends orders while something happens. No more: in the end everything is to be handled, on a busy machine too.
async fn under_load(
    client: &Client,
    ledger: &Arc<Ledger>,
    random: &mut fastrand::Rng,
    happening: impl Future<Output = ()>,
) {
    let happening = async {
        happening.await;
        ledger.close();
    };
    let (undisturbed, ()) = tokio::join!(drive_by(TELLERS, client, ledger, random), happening);
    assert!(undisturbed, "the bank answers every order");
    ledger.reopen();
}

#[tokio::test(flavor = "multi_thread")]
async fn process_that_was_stopped_commits_nothing_that_was_taken_over_and_gets_its_share_back() {
    let Some(place) = Place::postgres().map(Place::with_long_lease) else { return };
    let (mut random, ledger) = (seed::random(), Arc::new(Ledger::new()));
    let mut bank = Program::serve(args(place.args()));
    let url = within(bank.url()).await;
    let client = Client::new(url.clone()).unwrap();
    settle_in_the_end(&client, &ledger, &mut random).await;
    let watched = Watched::at(&place).await;
    let readers = within(Program::project(args(place.database_args()))).await;

    for round in 0..STOPS {
        watched.until_readers_have(SEGMENTS / 2, SEGMENTS, SHARE_OUT_MAX).await;
        let stopping = async {
            stop_in_the_midst(&readers, &place, &ledger).await;
            let took = watched.until_readers_have(0, SEGMENTS, LEASE + TAKE_OVER_MAX).await;
            println!("taken over after {took:?}");
            more_answers(&ledger, 20).await;
        };
        under_load(&client, &ledger, &mut random, stopping).await;
        // otherwise it goes on before the server has ended what it has under way
        if round == 0 {
            println!("all handled after {:?}", watched.until_all_is_handled().await);
        }
        let going_on = async {
            more_answers(&ledger, 10).await;
            readers.signal("CONT").await;
            more_answers(&ledger, 50).await;
        };
        under_load(&client, &ledger, &mut random, going_on).await;
    }
    watched.until_readers_have(SEGMENTS / 2, SEGMENTS, SHARE_OUT_MAX).await;
    settle_in_the_end(&client, &ledger, &mut random).await;

    let listed = list::read(&url).await;
    let shown = statements::read(&url, &ledger.accounts()).await;
    watched.assert_nothing_failed().await;
    watched.close().await;
    for program in [readers, bank] {
        program.signal("TERM").await;
        assert!(within(program.ended()).await.success());
    }
    let journal = Journal::read(&place).await;
    list::compare(&listed, &journal);
    shown.compare(&journal);
    ledger.assert_settled();
    ledger.audit(&journal);
    println!("{}", ledger.summary());
}
