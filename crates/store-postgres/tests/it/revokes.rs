//! Writers that are fenced while they write.

use crate::{
    bounded::{run_on, until, within},
    fixture::PostgresFixture,
    foreign_session::ForeignSession,
    gate::Gate,
    reader::texts,
    writer::{LONG_LEASE, Writer, account, claim_of},
};
use actum_model::{LaneCount, SequenceNr};
use actum_persistence::store::{
    DurableStateStore, EventStore, Incarnation, JournalLayout, StoreError, WriterClaim, WriterStore,
};
use actum_store_postgres::{PostgresSettings, PostgresStore};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinHandle;

/// What fences a writer.
#[derive(Clone, Copy, Debug)]
enum FencedBy {
    Revoke,
    Release,
    /// Taking its slot from it.
    Claim,
}

const ALL: [FencedBy; 3] = [FencedBy::Revoke, FencedBy::Release, FencedBy::Claim];
const SHORT_LEASE: Duration = Duration::from_millis(1);

/// The two ways a call commits.
fn modes() -> [PostgresFixture; 2] {
    let settings = PostgresSettings::default();
    let pooled = settings.clone().with_transaction_pooling(true);
    [PostgresFixture::with(settings), PostgresFixture::with(pooled)]
}

async fn doomed_writer(store: PostgresStore) -> Writer {
    let store = Arc::new(store);
    let incarnation = store.claim(&claim_of("journal", SHORT_LEASE)).await.unwrap();
    Writer::of(store, incarnation)
}

/// Shuts `incarnation` out through a store of another node, in a task.
async fn fence(
    journal: &PostgresFixture,
    how: FencedBy,
    incarnation: Incarnation,
) -> JoinHandle<()> {
    let store = journal.store().await;
    tokio::spawn(async move {
        match how {
            FencedBy::Revoke => store.revoke(incarnation).await.unwrap(),
            FencedBy::Release => store.release(incarnation).await.unwrap(),
            FencedBy::Claim => {
                let claim = claim_of("journal", LONG_LEASE);
                let replaces = store.claim(&claim).await.unwrap_err().seen();
                store.claim(&WriterClaim { replaces, ..claim }).await.unwrap();
            }
        }
    })
}

fn assert_fenced<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    let error = result.unwrap_err();
    assert!(matches!(error, StoreError::Fenced { .. }), "{error:?}");
}

#[test]
fn fencing_a_writer_waits_for_its_append() {
    for journal in modes() {
        run_on(journal, async |journal| {
            let mut gate = Gate::build(journal).await;
            for (how, nr) in ALL.into_iter().zip(0..) {
                let writer = doomed_writer(journal.store().await).await;
                gate.shut().await;
                let in_flight = writer.spawn_write(&account(nr), 0, "in time");
                gate.holds(1).await;
                let fencing = fence(journal, how, writer.incarnation).await;
                let mut observer = ForeignSession::beside(journal).await;
                wait_for_waiters(&mut observer, &writer, 1).await;
                let late = writer.spawn_write(&account(100), 0, "too late");
                assert!(!fencing.is_finished(), "{how:?}");
                assert_eq!(texts(&writer.store).await.len(), nr, "{how:?}: not committed yet");

                gate.open().await;
                in_flight.await.unwrap().unwrap();
                fencing.await.unwrap();
                assert_fenced(late.await.unwrap());
                assert_fenced(writer.try_write(&account(nr), 1, "too late").await);
                assert_eq!(texts(&writer.store).await, vec!["in time"; nr + 1], "{how:?}");
                writer.store.revoke(current(&mut observer).await).await.unwrap();
            }
        });
    }
}

/// Waits until so many wait for the fence of a writer.
async fn wait_for_waiters(observer: &mut ForeignSession, writer: &Writer, waiters: i64) {
    let query = format!(
        "SELECT count(*) FROM pg_locks, @journal WHERE locktype = 'advisory' AND NOT granted
        AND classid = lock_space::oid AND objid = ((-1 - {})::bigint & 4294967295)::oid AND objsubid = 2",
        writer.incarnation
    );
    until("a session waits for the fence", async || observer.number(&query).await >= waiters).await;
}

/// The newest incarnation.
async fn current(observer: &mut ForeignSession) -> Incarnation {
    let newest = observer.number("SELECT max(incarnation) FROM @writers").await;
    Incarnation::new(newest.cast_unsigned())
}

#[test]
fn fencing_a_writer_waits_for_its_state_write_and_its_deletion() {
    for journal in modes() {
        run_on(journal, async |journal| {
            let mut gate = Gate::build(journal).await;
            let mut observer = ForeignSession::beside(journal).await;
            for (how, nr) in ALL.into_iter().zip(0..) {
                let writer = doomed_writer(journal.store().await).await;
                writer.write(&account(nr), 0, "event").await;
                gate.shut().await;
                let write = tokio::spawn({
                    let (writer, batch) = (writer.clone(), writer.put(&account(nr), 0, "in time"));
                    async move { writer.store.write(&batch).await }
                });
                let delete = tokio::spawn({
                    let (writer, key) = (writer.clone(), account(nr));
                    let up_to = SequenceNr::new(1);
                    async move { writer.store.delete_events(writer.incarnation, &key, up_to).await }
                });
                gate.holds(2).await;
                let fencing = fence(journal, how, writer.incarnation).await;
                wait_for_waiters(&mut observer, &writer, 1).await;
                assert!(!fencing.is_finished(), "{how:?}");
                gate.open().await;
                write.await.unwrap().unwrap();
                delete.await.unwrap().unwrap();
                fencing.await.unwrap();

                let late = writer.put(&account(nr), 1, "too late");
                assert_fenced(writer.store.write(&late).await);
                let (key, up_to) = (account(nr), SequenceNr::new(1));
                let late = writer.store.delete_events(writer.incarnation, &key, up_to).await;
                assert_fenced(late);
                let found = writer.store.load(&[account(nr)]).await.unwrap();
                assert_eq!(found[0].as_ref().unwrap().revision.get(), 1);
                assert_eq!(observer.number("SELECT count(*) FROM @events").await, 0);
                writer.store.revoke(current(&mut observer).await).await.unwrap();
            }
        });
    }
}

/// Writers that never pause do not keep others from fencing them.
#[test]
fn fencing_a_busy_writer_is_not_starved() {
    let lanes = LaneCount::new(4).unwrap();
    let layout = JournalLayout { lanes, ..JournalLayout::default() };
    run_on(
        PostgresFixture::with(PostgresSettings::default().with_layout(layout)),
        async |journal| {
            let mut last = Incarnation::new(0);
            for (how, round) in ALL.into_iter().cycle().take(9).zip(0..) {
                journal.store().await.revoke(last).await.unwrap();
                let writer = doomed_writer(journal.store().await).await;
                let busy: Vec<_> =
                    (0..12).map(|nr| spawn_busy(&writer, 100 * round + nr)).collect();
                until("everybody is busy", async || {
                    writer.store.heads().await.unwrap().positions().iter().all(|p| p.get() > 10)
                })
                .await;
                let limit = Duration::from_secs(4); // before it gives up
                let fencing = fence(journal, how, writer.incarnation).await;
                within(limit, "fencing", fencing).await.unwrap();
                let heads = writer.store.heads().await.unwrap();
                for busy in busy {
                    assert_fenced(within(limit, "a write", busy).await.unwrap());
                }
                assert_eq!(
                    writer.store.heads().await.unwrap(),
                    heads,
                    "{how:?}: nothing came later"
                );
                last = Incarnation::new(writer.incarnation.get() + 1);
            }
        },
    );
}

/// Writes events of an entity until that fails.
fn spawn_busy(writer: &Writer, nr: usize) -> JoinHandle<Result<(), StoreError>> {
    let writer = writer.clone();
    tokio::spawn(async move {
        for head in 0.. {
            writer.try_write(&account(nr), head, "event").await?;
        }
        Ok(())
    })
}
