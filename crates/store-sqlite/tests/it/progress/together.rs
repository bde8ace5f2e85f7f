//! A journal and its projections in one file, both at work.

use super::sample::{Place, Runner, create_tables, id};
use crate::{
    child,
    sample::{Writer, account, head_of},
};
use actum_persistence::{progress::ExactTarget, store::StoreError};
use actum_store_sqlite::{SqliteSettings, SqliteStore, SqliteTarget, SqliteTargetSettings};
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

/// The log is copied and starts over, although the journal itself writes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_do_not_let_the_log_of_a_journal_grow_without_end() {
    const MIB: u64 = 1 << 20;
    let place = Place::new();
    let settings = SqliteSettings::default().with_checkpoint_bytes(MIB).with_wal_bytes_max(4 * MIB);
    let store = SqliteStore::open_with(place.path(), settings).await.unwrap();
    let target = SqliteTarget::of(&store);
    create_tables(&target).await;
    let runner = Runner::claim(&target, "rows").await;
    let mut largest = 0;
    for position in 1..=300_u64 {
        let mut tx = runner.begin().await.unwrap();
        let statement = "INSERT INTO handled VALUES (?, zeroblob(200000))";
        let statement = sqlx::query(statement).bind(position.cast_signed());
        statement.execute(SqliteTarget::connection(&mut tx)).await.unwrap();
        target.commit(tx, &runner.save(position)).await.unwrap();
        largest = largest.max(place.path().with_extension("db-wal").metadata().unwrap().len());
    }
    assert!(largest <= 12 * MIB, "the log has grown to {largest} bytes");
    assert_eq!(runner.both().await.0, 300);
}

/// A process that stands still in the middle of a transaction keeps others from writing, and from nothing else.
#[tokio::test]
async fn a_process_that_holds_a_transaction_keeps_others_from_writing_until_it_ends() {
    for is_killed in [false, true] {
        let place = Place::new();
        let settings = SqliteTargetSettings::default().with_busy_timeout(Duration::from_millis(20));
        let target = SqliteTarget::open_with(place.path(), &settings).await.unwrap();
        create_tables(&target).await;
        let runner = Runner::claim(&target, "other").await;
        let mut player = child::start("hold a transaction", &place.path());
        assert_eq!(player.line(), "holds it");
        let refused = runner.begin().await;
        assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
        assert_eq!(runner.stored().await.handled, 0);
        let kept = if is_killed {
            player.process.kill().unwrap();
            player.process.wait().unwrap();
            vec![]
        } else {
            player.go();
            assert_eq!(player.finish(), ["committed"]);
            vec![1]
        };
        assert_eq!(runner.both().await, (0, kept.clone()));
        let found = target.progress().load(&id("rows")).await.unwrap().unwrap();
        assert_eq!(found.segments[0].handled, kept.len() as u64);
        runner.handle(7).await.unwrap();
    }
}
