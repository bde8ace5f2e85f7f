use super::*;
use sqlx::{
    ConnectOptions,
    postgres::{PgConnectOptions, PgSslMode},
};
use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

/// The error of a server that answers with these fields.
async fn server_error(fields: &[&str]) -> sqlx::Error {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let fields: String = fields.iter().map(|field| format!("{field}\0")).collect();
    let server = thread::spawn(move || {
        let mut client = listener.accept().unwrap().0;
        assert!(client.read(&mut [0; 1000]).unwrap() > 0);
        let length = u32::try_from(fields.len() + 5).unwrap().to_be_bytes();
        let parts = [b"E", length.as_slice(), fields.as_bytes(), b"\0"];
        client.write_all(&parts.concat()).unwrap();
    });
    let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port);
    let refused = options.username("me").ssl_mode(PgSslMode::Disable).connect().await;
    server.join().unwrap();
    refused.expect_err("it answers with nothing but errors")
}

/// An error behind which the server goes on.
async fn error(code: &str) -> sqlx::Error {
    server_error(&["SERROR", "VERROR", &format!("C{code}"), "Msomething is wrong"]).await
}

/// An error behind which it does not.
async fn last_word(code: &str) -> sqlx::Error {
    server_error(&["SFATAL", "VFATAL", &format!("C{code}"), "Msomething is wrong"]).await
}

#[test]
fn errors_behind_which_the_server_goes_on_are_classified_by_their_codes() {
    for (fault, codes) in [
        // connection exceptions; statement completion unknown; shutdowns and timeouts of sessions
        (Fault::Lost, "08000 08003 08006 08007 08P01 40003 57P01 57P02 57P04 57P05 25P03 25P04"),
        (Fault::Away, "53300 57P03"),
        // in a failed transaction; a changed plan; prepared statements of another client
        (Fault::Aborted, "25P02"),
        (Fault::Stale, "0A000 26000 42P05"),
        (Fault::Crossed, "40001 40P01"),
        (Fault::Slow, "55P03 57014"),
        (Fault::Full, "53000 53100 53200 53400"),
        (Fault::ReadOnly, "25006"),
        (Fault::Taken, "23505 42P06 42P07 42710 42723"),
        (Fault::Unfit, "54000 54001 54011 54023 22021"),
        (Fault::Missing, "3F000 42P01 42703 42704 42883"),
        (Fault::Rights, "42501"),
        (Fault::Login, "28000 28P01"),
        (Fault::NoDatabase, "3D000"),
        // no row where there must be one, damaged pages, failed checks, values that do not fit, wrong types
        (Fault::Corrupt, "P0002 P0003 XX001 XX002 21000 22003 22P02 23502 23514 42804 42846"),
        // the inside of the server, its files, what a trigger raises, what is in use, a wrong isolation level
        (Fault::Other, "XX000 58030 58P01 P0001 55000 55006 25000 40000 72000 F0000 57000"),
        // what no PostgreSQL says
        (Fault::Other, "? \u{e9} 99999"),
    ] {
        for code in codes.split(' ') {
            assert_eq!(Fault::of_state(code, false), fault, "{code}");
        }
    }
    assert_eq!(Fault::of_state("", false), Fault::Other);
}

#[test]
fn last_words_of_a_server_end_the_connection_whatever_they_are() {
    for (fault, codes) in [
        (Fault::Login, "28000 28P01"),
        (Fault::NoDatabase, "3D000"),
        (Fault::Away, "53300 57P03"),
        // a parameter that is not known, or not that value of it
        (Fault::Refused, "42704 22023 0A000"),
        // the disk that is full under the log of the server; a conflict with what a replica replays; an inside
        (Fault::Lost, "53100 53200 40001 57P01 57P04 57P05 25P03 25P04 08P01 55000 58030 XX000"),
        (Fault::Lost, "? \u{e9}"),
    ] {
        for code in codes.split(' ') {
            assert_eq!(Fault::of_state(code, true), fault, "{code}");
            assert!(fault.ends_connection(), "{code}");
        }
    }
    assert_eq!(Fault::of_state("42501", true), Fault::Rights, "while it is made");
}

#[test]
fn a_connection_goes_on_behind_what_concerns_one_statement() {
    for code in "40P01 55P03 57014 53100 23505 54000 42P01 42501 22003 XX000 P0001".split(' ') {
        assert!(!Fault::of_state(code, false).ends_connection(), "{code}");
    }
    for code in "25P02 0A000 26000 42P05 25006 57P01 08P01".split(' ') {
        assert!(Fault::of_state(code, false).ends_connection(), "{code}");
    }
}

fn io(kind: ErrorKind) -> sqlx::Error {
    sqlx::Error::Io(kind.into())
}

#[test]
fn errors_of_sqlx_are_classified_by_what_they_are() {
    let inside = || Box::<dyn Error + Send + Sync>::from("the inside");
    let handshake = std::io::Error::new(ErrorKind::InvalidData, inside());
    for (fault, error) in [
        (Fault::Lost, io(ErrorKind::UnexpectedEof)),
        (Fault::Lost, io(ErrorKind::ConnectionReset)),
        (Fault::Lost, io(ErrorKind::TimedOut)),
        (Fault::Lost, sqlx::Error::Protocol("the inside".into())),
        (Fault::Lost, sqlx::Error::WorkerCrashed),
        (Fault::Tls, sqlx::Error::Io(handshake)),
        (Fault::Tls, sqlx::Error::Tls(inside())),
        (Fault::Tls, sqlx::Error::Configuration(inside())),
        (Fault::Away, sqlx::Error::PoolTimedOut),
        (Fault::Away, sqlx::Error::PoolClosed),
        (Fault::Unfit, sqlx::Error::Encode(inside())),
        (Fault::Corrupt, sqlx::Error::Decode(inside())),
        (Fault::Corrupt, sqlx::Error::ColumnDecode { index: "7".into(), source: inside() }),
        (Fault::Corrupt, sqlx::Error::RowNotFound),
    ] {
        assert_eq!(Fault::of(&error), fault, "{error}");
    }
}

#[tokio::test]
async fn a_commit_is_unknown_when_the_connection_ended_and_only_then() {
    for code in "40001 40P01 55P03 57014 53100 25006 23505 54000 42P01 42501 XX000".split(' ') {
        let error = commit_error("x", error(code).await);
        assert!(!error.maybe_written(), "{code}: {error:?}");
    }
    for code in "57P01 53100 53200 40001 XX000 42501 28000 3D000 08006 0A000".split(' ') {
        let error = commit_error("x", last_word(code).await);
        assert!(error.maybe_written(), "{code}: {error:?}");
    }
    assert!(commit_error("x", error("08007").await).maybe_written());
    assert!(commit_error("x", error("40003").await).maybe_written());
    for kind in [ErrorKind::UnexpectedEof, ErrorKind::BrokenPipe, ErrorKind::TimedOut] {
        assert!(commit_error("x", io(kind)).maybe_written());
    }
    let forged = std::io::Error::new(ErrorKind::InvalidData, "a record that cannot be read");
    assert!(commit_error("x", sqlx::Error::Io(forged)).maybe_written());
    assert!(commit_error("x", sqlx::Error::Protocol("nonsense".into())).maybe_written());
    assert!(!commit_error("x", sqlx::Error::PoolTimedOut).maybe_written());
    assert!(!commit_error("x", sqlx::Error::Encode("too long".into())).maybe_written());
}

#[tokio::test]
async fn a_server_that_speaks_another_language_is_understood() {
    let spoken =
        server_error(&["SFATALE", "VFATAL", "C57P01", "Mterminazione della connessione"]).await;
    assert_eq!(Fault::of(&spoken), Fault::Lost);
    let spoken = server_error(&["SFEHLER", "VERROR", "C40P01", "MVerklemmung entdeckt"]).await;
    assert_eq!(Fault::of(&spoken), Fault::Crossed);
    // proxies leave out what servers before 9.6 did not have; a severity that is not known is the worst
    let proxy = server_error(&["SFATAL", "C08P01", "Mno more connections allowed"]).await;
    assert!(is_last_word(&proxy));
    let unknown = server_error(&["SFEHLER", "C40001", "Mirgendetwas"]).await;
    assert_eq!(Fault::of(&unknown), Fault::Lost);
}

#[tokio::test]
async fn what_the_server_says_is_reported_on_one_line_and_no_row_with_it() {
    let deadlock = server_error(&[
        "SERROR",
        "VERROR",
        "C40P01",
        "Mdeadlock detected",
        "DProcess 1 waits.\nProcess 2 waits.",
        "HSee the log.",
    ])
    .await;
    assert_eq!(
        cause(deadlock).to_string(),
        "deadlock detected; Process 1 waits; Process 2 waits; See the log (SQLSTATE 40P01)"
    );
    let row =
        server_error(&["SERROR", "VERROR", "C23514", "Mfailed", "DFailing row contains (7)."]);
    assert_eq!(cause(row.await).to_string(), "failed (SQLSTATE 23514)");
}

#[tokio::test]
async fn errors_of_a_proxy_that_pools_name_the_setting() {
    let refused = ["SFATAL", "VFATAL", "C08P01", "Munsupported startup parameter: options"];
    for error in [server_error(&refused).await, error("26000").await, error("42P05").await] {
        assert!(cause(error).to_string().ends_with("needs its setting `transaction_pooling`"));
    }
    for error in [last_word("08P01").await, error("40001").await] {
        assert!(!cause(error).to_string().contains("pooling"));
    }
}

#[tokio::test]
async fn what_a_statement_found_wrong_is_distinguished_from_what_may_be_better_next_time() {
    for code in "23505 42P01 42883 22003 P0002 XX001".split(' ') {
        let error = store_error("x", error(code).await);
        assert!(matches!(error, StoreError::Corrupt { .. }), "{code}: {error:?}");
    }
    let error = store_error("x", self::error("54000").await);
    assert!(matches!(error, StoreError::Invalid { .. }), "{error:?}");
    for code in "57P01 53100 40P01 57014 25006 42501 26000 0A000 25P02 28P01 XX000".split(' ') {
        let error = store_error("x", self::error(code).await);
        assert!(matches!(error, StoreError::Unavailable { .. }), "{code}: {error:?}");
    }
}

#[tokio::test]
async fn no_error_says_what_the_one_above_it_has_said() {
    let inside = || Box::<dyn Error + Send + Sync>::from("the inside");
    let nested = sqlx::Error::Configuration(Box::new(sqlx::Error::Configuration(inside())));
    for error in [
        sqlx::Error::Io(std::io::Error::other("the inside")),
        nested,
        sqlx::Error::Tls(inside()),
        sqlx::Error::Protocol("the inside".into()),
        sqlx::Error::PoolTimedOut,
        error("57014").await,
    ] {
        let error = store_error("reading", error);
        let below = std::iter::successors(Some(&error as &dyn Error), |error: &&dyn Error| {
            (*error).source()
        });
        let said: Vec<String> = below.map(ToString::to_string).collect();
        for (nr, below) in said.iter().enumerate().skip(1) {
            assert!(said[..nr].iter().all(|above| !above.contains(below)), "{said:#?}");
        }
        assert!(said.join(": ").matches("the inside").count() < 2, "{said:?}");
    }
}
