//! Many projections are renewed and loaded by as many statements as one, and none of them waits for another one's locks.

use super::fixture::TargetFixture;
use crate::{
    bounded::{run, until, within},
    database::OwnDatabase,
    fixture::foreign_connection,
    foreign_session::ForeignSession,
};
use actum_model::{LaneCount, Offset, PartitionCount};
use actum_persistence::{
    progress::{
        ExactTarget, KeepsProgress, NewProjection, ProgressStore, ProjectionId, RunnerRenewal,
        RunnerRow, Segment, StoredProjection,
    },
    store::{JournalLayout, StoreError},
};
use actum_store_postgres::{PostgresSettings, PostgresStore, PostgresTarget};
use actum_test_servers::TestPostgres;
use actum_testkit::conformance::progress::ProgressFixture;
use sqlx::{Row, postgres::PgPoolOptions};
use std::{
    num::{NonZeroU16, NonZeroU32},
    sync::Arc,
    time::Duration,
};

const SOON: Duration = Duration::from_secs(2);

fn id(name: &str) -> ProjectionId {
    ProjectionId::new(name, NonZeroU32::MIN).unwrap()
}

async fn enter(store: &Arc<dyn ProgressStore>, name: &str) {
    let new = NewProjection {
        id: id(name),
        sources: vec!["account".to_owned()],
        layout: JournalLayout::default(),
        segments: Segment::divide(PartitionCount::default(), NonZeroU16::MIN),
        start: Offset::beginning(LaneCount::default()),
        live_from: Offset::beginning(LaneCount::default()),
    };
    store.enter(&new).await.unwrap();
}

type Answers = Vec<Result<Option<StoredProjection>, StoreError>>;

async fn renew(store: &Arc<dyn ProgressStore>, renewals: &[RunnerRenewal]) -> Answers {
    let renewed = within(SOON, "a renewal", store.renew_and_load(renewals)).await;
    renewed.unwrap()
}

fn runners(answer: &Result<Option<StoredProjection>, StoreError>) -> Vec<(&str, u64)> {
    let stored = answer.as_ref().unwrap().as_ref().unwrap();
    stored.runners.iter().map(|row| (&*row.name, row.renewal)).collect()
}

/// Runs a test with two projections, `one` and `other`, and what another program does beside.
fn with_two(test: &impl AsyncFn(&Arc<dyn ProgressStore>, &mut ForeignSession)) {
    for fixture in [TargetFixture::with(PostgresSettings::default()), TargetFixture::on_pool()] {
        if fixture.is_available() {
            run(async {
                let store = fixture.target().progress();
                for name in ["one", "other"] {
                    enter(&store, name).await;
                }
                let mut foreign = ForeignSession::connect(fixture.url(), &fixture.schema).await;
                test(&store, &mut foreign).await;
            });
        }
        drop(fixture); // only now
    }
}

#[test]
fn a_projection_that_is_being_deleted_holds_up_no_renewal_of_another() {
    with_two(&async |store, foreign| {
        foreign.run("BEGIN; SELECT FROM @projections WHERE name = 'one' FOR UPDATE").await;
        let renewals = ["one", "other"].map(|name| RunnerRenewal::new(id(name), "a"));
        let answers = renew(store, &renewals).await;
        assert!(matches!(answers[0], Err(StoreError::Unavailable { .. })), "{:?}", answers[0]);
        assert_eq!(runners(&answers[1]), [("a", 1)]);
        foreign.run("ROLLBACK").await;
        let answers = renew(store, &renewals).await;
        assert_eq!((runners(&answers[0]), runners(&answers[1])), (vec![("a", 1)], vec![("a", 2)]));
    });
}

#[test]
fn a_dead_runner_that_someone_else_removes_holds_up_no_renewal() {
    with_two(&async |store, foreign| {
        store.renew(&id("one"), "dead", &[]).await.unwrap();
        foreign.run("BEGIN; SELECT FROM @runners WHERE runner = 'dead' FOR UPDATE").await;
        let dead = vec![RunnerRow::new("dead", 1)];
        let renewals = [
            RunnerRenewal { dead, ..RunnerRenewal::new(id("one"), "a") },
            RunnerRenewal::new(id("other"), "a"),
        ];
        let answers = renew(store, &renewals).await;
        assert_eq!(runners(&answers[0]), [("a", 1), ("dead", 1)]);
        foreign.run("COMMIT").await;
        assert_eq!(runners(&renew(store, &renewals).await[0]), [("a", 2)]);
    });
}

#[test]
fn what_is_damaged_of_one_projection_is_no_error_of_another() {
    for damage in [
        "UPDATE @segments SET progress = 'far' WHERE name = 'one'",
        "UPDATE @segments SET last = -1 WHERE name = 'one'",
        "UPDATE @runners SET renewal = -7 WHERE name = 'one'",
        "UPDATE @projections SET lanes = 0 WHERE name = 'one'",
    ] {
        with_two(&async |store, foreign| {
            let renewals = ["other", "one"].map(|name| RunnerRenewal::new(id(name), "a"));
            renew(store, &renewals).await;
            foreign.run(damage).await;
            let answers = renew(store, &renewals).await;
            assert_eq!(runners(&answers[0]), [("a", 2)], "{damage}");
            let Err(StoreError::Corrupt { what }) = &answers[1] else {
                panic!("{damage}: {:?}", answers[1])
            };
            assert!(what.contains("one"), "{what}");
            let loaded = store.load_all(&[id("one"), id("other")]).await.unwrap();
            assert!(matches!(loaded[0], Err(StoreError::Corrupt { .. })), "{damage}");
            assert_eq!(runners(&loaded[1]), [("a", 2)], "{damage}");
        });
    }
}

/// How many transactions a target takes that renews this often, each time of so many projections; counted by the server.
async fn transactions(database: &OwnDatabase, projections: usize, calls: i64) -> i64 {
    const COMMITTED: &str =
        "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = $1";
    const CONNECTED: &str = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = $1 AND backend_type = 'client backend'";
    let mut observer = foreign_connection(TestPostgres::shared().unwrap().admin_url()).await;
    let url = database.url();
    let name = url.rsplit_once('/').unwrap().1.split('?').next().unwrap().to_owned();
    let mut number = async |query: &'static str| -> i64 {
        sqlx::query(query).bind(&name).fetch_one(&mut observer).await.unwrap().get(0)
    };
    let before = number(COMMITTED).await;
    let store = PostgresTarget::connect(&url).unwrap().progress();
    let renewals = (0..projections).map(|nr| RunnerRenewal::new(id(&format!("p{nr}")), "a"));
    let renewals: Vec<_> = renewals.collect();
    for _ in 0..calls {
        renew(&store, &renewals).await;
    }
    store.close().await;
    // what a connection has done is counted when it has gone, at the latest
    until("all connections are gone", async || number(CONNECTED).await == 0).await;
    until("they are counted", async || number(COMMITTED).await - before >= calls).await;
    number(COMMITTED).await - before
}

#[test]
fn twenty_projections_are_renewed_by_as_many_transactions_as_one() {
    run(async {
        let Some(database) = OwnDatabase::create(&[]).await else { return };
        let store = PostgresTarget::connect(&database.url()).unwrap().progress();
        for nr in 0..20 {
            enter(&store, &format!("p{nr}")).await;
        }
        store.close().await;
        transactions(&database, 1, 1).await; // whatever is counted late of those that have entered
        let calls = 30;
        let one = transactions(&database, 1, calls).await;
        let twenty = transactions(&database, 20, calls).await;
        assert!(one <= 3 * calls, "a renewal, a read, and what a connection costs: {one}");
        assert!(twenty <= one + 5, "{one} for one projection, {twenty} for twenty");
    });
}

#[test]
fn targets_of_one_pool_and_schema_are_one_place() {
    run(async {
        let url = "postgres://me:hunter2@localhost/bank";
        let pool = || PgPoolOptions::new().connect_lazy(url).unwrap();
        let place = |target: &PostgresTarget| target.progress().place().unwrap();
        let (first, second) = (pool(), pool());
        let target = PostgresTarget::new(first.clone());
        assert_eq!(place(&target), place(&PostgresTarget::new(first.clone())));
        assert_eq!(place(&target), place(&target.clone()));
        let own = PostgresTarget::connect(url).unwrap();
        assert_eq!(place(&own), place(&PostgresTarget::connect(url).unwrap()));
        let few = PostgresSettings::default().with_connections_max(2);
        for other in [
            PostgresTarget::new(second),
            target.clone().with_schema("elsewhere"),
            target.clone().with_settings(few.clone()),
            own.clone(),
        ] {
            assert_ne!(place(&target), place(&other));
        }
        for other in [
            PostgresTarget::connect("postgres://me@localhost/other").unwrap(),
            PostgresTarget::connect("postgres://you@localhost/bank").unwrap(),
            own.clone().with_settings(few),
        ] {
            assert_ne!(place(&own), place(&other));
        }
        let shown = format!("{} {:?}", place(&own), place(&target));
        assert!(!shown.contains("hunter2"), "{shown}");
    });
}

#[test]
fn a_journal_and_its_target_are_one_place() {
    let journal = crate::fixture::PostgresFixture::with(PostgresSettings::default());
    crate::bounded::run_on(journal, async |journal| {
        let store: PostgresStore = journal.store().await;
        let beside = PostgresTarget::of(&store).progress().place();
        assert!(beside.is_some());
        assert_eq!(beside, store.progress().place());
    });
}
