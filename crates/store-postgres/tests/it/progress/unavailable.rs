//! Which errors of handlers say that the database is away, and which that the event is to blame.

use super::{
    fixture::TargetFixture,
    sample::{projection, run_on},
};
use actum_persistence::{
    progress::{ExactTarget, ProgressChange},
    store::StoreError,
};
use actum_store_postgres::{PostgresSettings, PostgresTarget};
use actum_test_servers::unique_name;
use std::{error::Error, io};

/// An error of a handler, as `thiserror` makes them.
#[derive(Debug, thiserror::Error)]
enum HandlerError {
    #[error("the total was not written")]
    Wrapped(#[source] sqlx::Error),
    #[error(transparent)]
    Shown(sqlx::Error),
}

fn is_unavailable(error: &(dyn Error + 'static)) -> bool {
    PostgresTarget::is_unavailable(error)
}

/// What the server says, for each code: whether trying again later may help.
const CODES: [(&str, bool); 29] = [
    ("08006", true),
    ("25006", true),
    ("25P03", true),
    ("28P01", true),
    ("40001", true),
    ("40P01", true),
    ("53100", true),
    ("53200", true),
    ("53300", true),
    ("55P03", true),
    ("57P01", true),
    ("57P02", true),
    ("57P03", true),
    ("57014", false), // a statement that takes too long may do so each time
    ("22012", false),
    ("22021", false),
    ("23502", false),
    ("23503", false),
    ("23505", false),
    ("23514", false),
    ("25P02", false),
    ("42501", false),
    ("42601", false),
    ("3F000", true),
    ("42P01", true),
    ("42703", true),
    ("42704", false), // a type or another object
    ("42883", false), // a function or an operator: a mistake of the handler
    ("P0001", false),
];

#[test]
fn errors_of_the_server_are_told_apart_by_their_codes_however_they_are_wrapped() {
    run_on(TargetFixture::with(PostgresSettings::default()), &async |_, sample| {
        for (code, is_of_the_world) in CODES {
            let raise = async || {
                let mut tx = sample.begin().await;
                let raise =
                    format!("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{code}'; END $$");
                let error = sample.run(&mut tx, &raise).await.unwrap_err();
                sample.target.rollback(tx).await;
                error
            };
            assert_eq!(is_unavailable(&raise().await), is_of_the_world, "{code}");
            let wrapped = HandlerError::Wrapped(raise().await);
            assert_eq!(is_unavailable(&wrapped), is_of_the_world, "{code}, wrapped");
            let shown = HandlerError::Shown(raise().await);
            assert_eq!(is_unavailable(&shown), is_of_the_world, "{code}, shown");
            let boxed: Box<dyn Error + Send + Sync> = Box::new(wrapped);
            assert_eq!(is_unavailable(&*boxed), is_of_the_world, "{code}, boxed");
        }
    });
}

#[test]
fn what_is_not_there_and_what_the_user_may_not_use_are_of_the_world_and_a_row_that_is_refused_is_not()
 {
    run_on(TargetFixture::with(PostgresSettings::default()), &async |_, sample| {
        let role = unique_name("teller");
        let restrict = format!(
            "CREATE ROLE {role}; GRANT USAGE ON SCHEMA {} TO {role}; GRANT INSERT ON @rows TO {role}; \
             ALTER TABLE @rows ENABLE ROW LEVEL SECURITY; CREATE TABLE @others (nr bigint)",
            sample.schema
        );
        for (statement, is_of_the_world) in [
            ("INSERT INTO @nowhere VALUES (1)", true),
            ("INSERT INTO nowhere.rows VALUES (1)", true),
            ("INSERT INTO @rows (nothing) VALUES (1)", true),
            ("SELECT @nothing(1)", false),
            ("SELECT 1 WHERE 'a'::text = 1", false),
            ("INSERT INTO @others VALUES (1)", true), // it is not granted
            ("INSERT INTO @rows VALUES (1)", false),  // a policy for rows refuses it
        ] {
            let mut tx = sample.begin().await;
            sample.run(&mut tx, &restrict).await.unwrap();
            sample.run(&mut tx, &format!("SET LOCAL ROLE {role}")).await.unwrap();
            let error = sample.run(&mut tx, statement).await.unwrap_err();
            assert_eq!(is_unavailable(&error), is_of_the_world, "{statement}: {error}");
            sample.target.rollback(tx).await;
        }
    });
}

#[test]
fn a_plan_of_a_table_that_has_changed_is_of_the_world_and_made_again() {
    run_on(TargetFixture::with(PostgresSettings::default()), &async |_, sample| {
        let select = async || {
            let mut tx = sample.begin().await;
            let all = sqlx::query(sample.sql("SELECT * FROM @rows"));
            let selected = all.fetch_all(PostgresTarget::connection(&mut tx)).await;
            match &selected {
                Ok(_) => sample.target.commit(tx, &ProgressChange::Nothing).await.unwrap(),
                Err(_) => sample.target.rollback(tx).await,
            }
            selected.map(drop)
        };
        select().await.unwrap();
        let mut tx = sample.begin().await;
        sample.run(&mut tx, "ALTER TABLE @rows ADD COLUMN more text").await.unwrap();
        sample.target.commit(tx, &ProgressChange::Nothing).await.unwrap();
        let error = select().await.unwrap_err();
        assert!(is_unavailable(&error), "{error}");
        select().await.unwrap();
    });
}

#[test]
fn errors_of_connections_are_those_of_the_world() {
    let io = |kind| io::Error::new(kind, "x");
    for error in [
        sqlx::Error::Io(io(io::ErrorKind::UnexpectedEof)),
        sqlx::Error::Io(io(io::ErrorKind::ConnectionRefused)),
        sqlx::Error::Tls("x".into()),
        sqlx::Error::PoolTimedOut,
        sqlx::Error::PoolClosed,
        sqlx::Error::Protocol("x".into()),
    ] {
        assert!(is_unavailable(&error), "{error:?}");
    }
    assert!(is_unavailable(&HandlerError::Shown(sqlx::Error::Io(io(io::ErrorKind::BrokenPipe)))));
    assert!(is_unavailable(&StoreError::unavailable("loading", "x")));
    assert!(is_unavailable(&StoreError::outcome_unknown("saving", "x")));
}

#[test]
fn mistakes_of_a_handler_and_odd_rows_are_not() {
    let of_a_file = io::Error::new(io::ErrorKind::NotFound, "no such file");
    for error in [
        sqlx::Error::RowNotFound,
        sqlx::Error::ColumnNotFound("x".into()),
        sqlx::Error::TypeNotFound { type_name: "x".into() },
        sqlx::Error::Decode("x".into()),
        sqlx::Error::Encode("x".into()),
        sqlx::Error::InvalidSavePointStatement,
    ] {
        assert!(!is_unavailable(&error), "{error:?}");
    }
    assert!(!is_unavailable(&of_a_file));
    assert!(!is_unavailable(&StoreError::invalid("x")));
    assert!(!is_unavailable(&StoreError::corrupt(format!("{:?}", projection()))));
}
