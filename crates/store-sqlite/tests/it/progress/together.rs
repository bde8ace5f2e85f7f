//! A journal and its projections in one file, both at work.

use super::sample::{Place, Runner, create_tables};
use crate::sample::{Writer, account, head_of};
use actum_persistence::progress::ExactTarget;
use actum_store_sqlite::{SqliteSettings, SqliteStore, SqliteTarget};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

const EACH: u64 = 150;

/// With a busy timeout of a millisecond: they take turns, so that neither ever waits for a lock of SQLite.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_and_its_projections_take_turns() {
    let place = Place::new();
    let settings = SqliteSettings::default().with_busy_timeout(Duration::from_millis(1));
    let store = SqliteStore::open_with(place.path(), settings).await.unwrap();
    let target = SqliteTarget::of(&store);
    create_tables(&target).await;
    let mut tasks = tokio::task::JoinSet::new();
    for name in ["one", "two", "three"] {
        let runner = Runner::claim(&target, name).await;
        tasks.spawn(async move {
            for position in 1..=EACH {
                let mut tx = runner.begin().await.unwrap();
                let statement = sqlx::query("INSERT INTO handled (payload) VALUES (zeroblob(100))");
                statement.execute(SqliteTarget::connection(&mut tx)).await.unwrap();
                runner.target.commit(tx, &runner.save(position)).await.unwrap();
            }
            runner.stored().await.handled
        });
    }
    let writer = Writer::claim(&store).await;
    for head in 0..EACH {
        writer.write(&account(1), head).await;
    }
    assert_eq!(tasks.join_all().await, [EACH; 3]);
    assert_eq!(head_of(&store, &account(1)).await, EACH);
    store.close().await;
}

/// Neither starves: while the journal appends all the time a projection commits, and while projections commit all the time
/// the journal appends.
#[tokio::test(flavor = "multi_thread")]
async fn each_goes_on_while_the_other_writes_all_the_time() {
    let place = Place::new();
    let store = SqliteStore::open(place.path()).await.unwrap();
    let target = SqliteTarget::of(&store);
    create_tables(&target).await;
    let is_done = AtomicBool::new(false);
    let busy = Runner::claim(&target, "busy").await;
    let writer = Writer::claim(&store).await;
    let commits = async {
        let mut position = 0;
        while !is_done.load(Ordering::Relaxed) {
            position += 1;
            busy.target.progress().change(&busy.save(position)).await.unwrap();
        }
        position
    };
    let appends = async {
        for head in 0..EACH {
            writer.write(&account(1), head).await;
        }
        is_done.store(true, Ordering::Relaxed);
    };
    let (commits, ()) = tokio::join!(commits, appends);
    // turn by turn: the one of the projection, the one of the journal
    assert!(commits >= EACH / 2, "{commits} commits beside {EACH} appends");
    assert!(commits <= EACH * 4, "{commits} commits beside {EACH} appends");
}
