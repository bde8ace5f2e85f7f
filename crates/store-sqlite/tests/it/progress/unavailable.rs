//! What errors of handlers mean.

use super::sample::{Place, Runner, insert};
use actum_persistence::progress::ExactTarget;
use actum_store_sqlite::{SqliteTarget, SqliteTargetSettings};
use std::{error::Error, fmt, time::Duration};

/// As a handler passes an error on.
#[derive(Debug)]
struct Wrapped(sqlx::Error);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the handler failed")
    }
}

impl Error for Wrapped {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn assert_is(expected: bool, error: sqlx::Error) {
    assert_eq!(SqliteTarget::is_unavailable(&error), expected, "{error:?}");
    let wrapped = Wrapped(error);
    assert_eq!(SqliteTarget::is_unavailable(&wrapped), expected, "{wrapped:?}");
}

#[tokio::test]
async fn an_error_of_an_event_is_no_outage() {
    let place = Place::new();
    let runner = place.runner().await;
    let mut tx = runner.begin().await.unwrap();
    let connection = SqliteTarget::connection(&mut tx);
    insert(connection, 1).await.unwrap();
    assert_is(false, insert(connection, 1).await.unwrap_err());
    for wrong in [
        "SELEC",
        "INSERT INTO handled VALUES ('text', 1)",
        "COMMIT",
        "RELEASE absent",
        "INSERT INTO handled VALUES ('no such table: nowhere', 1)",
        "SELECT zeroblob(9223372036854775807)",
        "SELECT absent(1)",
        "SELECT 1 ORDER BY 1 COLLATE absent",
    ] {
        assert_is(false, sqlx::query(wrong).execute(&mut *connection).await.unwrap_err());
    }
    let too_long = sqlx::query_scalar::<_, i32>("SELECT 'text'").fetch_one(connection).await;
    assert_is(false, too_long.unwrap_err());
    assert_is(false, sqlx::Error::RowNotFound);
    assert!(!SqliteTarget::is_unavailable(&fmt::Error));
}

#[tokio::test]
async fn a_table_or_a_column_that_is_not_there_is_an_outage_whatever_the_event() {
    let place = Place::new();
    let runner = place.runner().await;
    let mut tx = runner.begin().await.unwrap();
    let connection = SqliteTarget::connection(&mut tx);
    for missing in [
        "INSERT INTO nowhere VALUES (1)",
        "SELECT * FROM other.nowhere",
        "SELECT absent FROM handled",
        "INSERT INTO handled (absent) VALUES (1)",
        "CREATE TRIGGER t AFTER INSERT ON handled BEGIN INSERT INTO nowhere VALUES (1); END; INSERT INTO handled VALUES (7, 1)",
    ] {
        assert_is(true, sqlx::raw_sql(missing).execute(&mut *connection).await.unwrap_err());
    }
}

#[tokio::test]
async fn a_lock_a_full_disk_and_a_thread_that_is_gone_are_outages() {
    let place = Place::new();
    let runner = place.runner().await;
    let mut tx = runner.begin().await.unwrap();
    let connection = SqliteTarget::connection(&mut tx);
    sqlx::query("PRAGMA max_page_count = 1").execute(&mut *connection).await.unwrap();
    let large = "INSERT INTO handled VALUES (1, zeroblob(1000000))";
    assert_is(true, sqlx::query(large).execute(connection).await.unwrap_err());
    drop(tx);

    let held = runner.begin().await.unwrap();
    let settings = SqliteTargetSettings::default().with_busy_timeout(Duration::from_millis(1));
    let mut foreign = crate::fixture::foreign_connection(&place.path()).await;
    sqlx::query("PRAGMA busy_timeout = 1").execute(&mut foreign).await.unwrap();
    let locked = sqlx::query("BEGIN IMMEDIATE").execute(&mut foreign).await;
    assert_is(true, locked.unwrap_err());
    drop(held);

    let other = SqliteTarget::open_with(place.path(), &settings).await.unwrap();
    let other = Runner::claim(&other, "other").await;
    let held = runner.begin().await.unwrap();
    let refused = other.handle(1).await.unwrap_err();
    assert!(refused.to_string().contains("is unavailable"), "{refused}");
    drop(held);
    assert_is(true, sqlx::Error::WorkerCrashed);
    assert_is(true, sqlx::Error::PoolClosed);
    assert_is(true, std::io::Error::other("the disk").into());
}
