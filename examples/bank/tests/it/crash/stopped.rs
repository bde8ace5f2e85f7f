//! Two processes share the projections of a bank. One of them is stopped for longer than its lease, and goes on: it commits
//! nothing for what was taken over, and gets its share back.
//!
//! Over PostgreSQL alone. Of a file one process has the lock while it writes: stopped then, it keeps everyone from writing, and
//! no one can take anything over.

use super::{Journal, Ledger, list, settle_in_the_end, statements, tellers::drive_by};
use crate::{
    place::Place,
    program::Program,
    rivals::{more_answers, within},
    seed,
};
use actum::{
    progress::{ProjectionId, StoredProjection},
    store::Stores,
};
use bank::{account_list, client::Client, statements as statement_lines};
use sqlx::{Connection, PgConnection};
use std::{num::NonZeroU32, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// How often one is stopped.
const STOPS: usize = 5;
const SEGMENTS: usize = 4;
/// How many send orders at the same time.
const TELLERS: usize = 2;
/// How long it may take until everything is handled that is there when one is stopped: what that has under way is in the way of
/// others until the server ends it, 11 seconds later.
const CATCH_UP_MAX: Duration = Duration::from_secs(60);
const LEASE: Duration = Duration::from_secs(1);
/// How long after the lease everything is taken over, also on a busy machine: two rounds of a runner, and some time to run.
const TAKE_OVER_MAX: Duration = Duration::from_secs(5);
/// How long it takes until both have their share again: what the one that was stopped has held was taken over, and is given back.
const SHARE_OUT_MAX: Duration = Duration::from_secs(60);
/// How the name of a runner begins that is a bank; what else there is are readers.
const BANK: &str = "bank@";

/// Who runs the segments of a projection.
struct Watched {
    stores: Stores,
}

impl Watched {
    async fn load(&self, name: &str) -> StoredProjection {
        let id = ProjectionId::new(name, NonZeroU32::MIN).unwrap();
        self.stores.progress.load(&id).await.unwrap().expect("the bank has entered it")
    }

    /// Waits until so many segments of each projection are run by the readers, and the others by the bank; says how long that
    /// took.
    async fn until_readers_have(&self, count: usize, within: Duration) -> Duration {
        let began = Instant::now();
        for name in [account_list::PROJECTION, statement_lines::PROJECTION] {
            loop {
                let stored = self.load(name).await;
                assert_eq!(stored.segments.len(), SEGMENTS);
                let owners: Vec<_> =
                    stored.segments.iter().filter_map(|one| one.owner.as_deref()).collect();
                let of_bank = owners.iter().filter(|owner| owner.starts_with(BANK)).count();
                if owners.len() == SEGMENTS && of_bank == SEGMENTS - count {
                    break;
                }
                assert!(began.elapsed() < within, "{name} is run by {owners:?} after {within:?}");
                sleep(Duration::from_millis(20)).await;
            }
        }
        began.elapsed()
    }

    /// Waits until everything is handled that is there now.
    async fn until_all_is_handled(&self) -> Duration {
        let (began, heads) = (Instant::now(), self.stores.events.heads().await.unwrap());
        for name in [account_list::PROJECTION, statement_lines::PROJECTION] {
            loop {
                let read_to = self.load(name).await.read_to();
                if read_to.positions() >= heads.positions() {
                    break;
                }
                assert!(began.elapsed() < CATCH_UP_MAX, "{name} is at {read_to} of {heads}");
                sleep(Duration::from_millis(20)).await;
            }
        }
        began.elapsed()
    }

    /// Nothing was parked, and nothing is a dead letter: every event was handled once, behind the one in front of it.
    async fn assert_nothing_failed(&self) {
        for name in [account_list::PROJECTION, statement_lines::PROJECTION] {
            let StoredProjection { parked, dead_letters, segments, .. } = self.load(name).await;
            assert_eq!((parked, dead_letters), (0, 0), "{name}");
            assert!(segments.iter().all(|segment| segment.stopped.is_none()), "{name}");
        }
    }
}

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
    let watched = Watched { stores: place.stores().await };
    let readers = within(Program::project(args(place.database_args()))).await;

    for round in 0..STOPS {
        watched.until_readers_have(SEGMENTS / 2, SHARE_OUT_MAX).await;
        let stopping = async {
            stop_in_the_midst(&readers, &place, &ledger).await;
            let took = watched.until_readers_have(0, LEASE + TAKE_OVER_MAX).await;
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
    watched.until_readers_have(SEGMENTS / 2, SHARE_OUT_MAX).await;
    settle_in_the_end(&client, &ledger, &mut random).await;

    let listed = list::read(&url).await;
    let shown = statements::read(&url, &ledger.accounts()).await;
    watched.assert_nothing_failed().await;
    watched.stores.close().await;
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
