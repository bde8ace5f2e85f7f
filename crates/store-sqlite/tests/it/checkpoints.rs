//! The write-ahead log does not grow without end.

use crate::{
    fixture::SqliteFixture,
    sample::{Writer, account, head_of},
};
use actum_store_sqlite::SqliteSettings;
use sqlx::Executor;
use std::{
    ffi::OsString,
    fs,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};
use tracing::{Event, Level, Metadata, Subscriber, span};

const MIB: u64 = 1 << 20;

fn small_log() -> SqliteFixture {
    let settings = SqliteSettings::default().with_checkpoint_bytes(MIB);
    SqliteFixture::with(settings.with_wal_bytes_max(4 * MIB))
}

fn log_bytes(fixture: &SqliteFixture) -> u64 {
    let mut path = OsString::from(fixture.path());
    path.push("-wal");
    fs::metadata(PathBuf::from(path)).unwrap().len()
}

/// Writes some 60 MiB without a pause, and says how large the log has become.
async fn write_without_a_pause(fixture: &SqliteFixture, writer: &Writer<'_>, from: u64) -> u64 {
    let keys: Vec<_> = (0..32).map(account).collect();
    let mut largest = 0;
    for round in from..from + 150 {
        writer.each(&keys, round, 10_000).await.unwrap();
        largest = largest.max(log_bytes(fixture));
    }
    largest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_stays_small_under_constant_load() {
    let fixture = small_log();
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    let largest = write_without_a_pause(&fixture, &writer, 0).await;
    assert!(largest <= 12 * MIB, "the log has grown to {largest} bytes");
    assert_eq!(head_of(&store, &account(31)).await, 150);
    store.close().await;
    assert_eq!(head_of(&fixture.store().await, &account(31)).await, 150);
}

/// A thread that logs at warn panics.
struct PanickingLog;

impl Subscriber for PanickingLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        PANICKED.fetch_add(1, Ordering::SeqCst);
        panic!("a log that panics: {event:?}");
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

static PANICKED: AtomicUsize = AtomicUsize::new(0);

/// On one thread, which is the one that has the log.
#[tokio::test]
async fn a_log_that_panics_does_not_end_checkpoints() {
    // what another thread logs first would be off for all, if this were the only subscriber
    let _beside = tracing::Dispatch::new(PanickingLog);
    let _log = tracing::subscriber::set_default(PanickingLog);
    let fixture = small_log();
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    writer.write(&account(1000), 0).await;
    let mut other = fixture.foreign_connection().await;
    other.execute("BEGIN").await.unwrap();
    let _: i64 =
        sqlx::query_scalar("SELECT count(*) FROM events").fetch_one(&mut other).await.unwrap();
    write_without_a_pause(&fixture, &writer, 0).await;
    assert!(PANICKED.load(Ordering::SeqCst) > 0, "the log that is kept was warned of");
    other.execute("COMMIT").await.unwrap();
    write_without_a_pause(&fixture, &writer, 150).await;
    assert!(log_bytes(&fixture) <= 12 * MIB, "the log has shrunk again: {}", log_bytes(&fixture));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_reader_that_reads_for_long_keeps_the_log_but_stops_no_one() {
    let fixture = small_log();
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    writer.write(&account(1000), 0).await;
    let mut foreign = fixture.foreign_connection().await;
    foreign.execute("BEGIN").await.unwrap();
    let seen: i64 =
        sqlx::query_scalar("SELECT count(*) FROM events").fetch_one(&mut foreign).await.unwrap();
    let largest = write_without_a_pause(&fixture, &writer, 0).await;
    assert!(largest > 30 * MIB, "the foreign reader's state must be kept: {largest} bytes");
    let still: i64 =
        sqlx::query_scalar("SELECT count(*) FROM events").fetch_one(&mut foreign).await.unwrap();
    assert_eq!((seen, still), (1, 1));
    foreign.execute("COMMIT").await.unwrap();
    write_without_a_pause(&fixture, &writer, 150).await;
    assert!(log_bytes(&fixture) <= 12 * MIB, "the log has shrunk again: {}", log_bytes(&fixture));
}
