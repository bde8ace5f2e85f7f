//! The program on PostgreSQL: what it says, and what it keeps to itself.

use crate::{
    place::{Place, own_server},
    program::{self, Program},
};
use actum_test_servers::{PostgresServerSettings, TestPostgres, unique_name};
use bank::{
    client::{Action, Client, Order, Outcome},
    database::Database,
    domain::Money,
};
use sqlx::{Connection, PgConnection};
use std::{net::TcpListener, process::Output, time::Duration};
use tokio::time::{sleep, timeout};

const PASSWORD: &str = "open-sesame";

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

async fn run(args: &[&str]) -> Said {
    let Output { status, stdout, stderr } = program::run(args).await;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: status.code(), out: text(stdout), err: text(stderr) }
}

/// Runs a bank that cannot serve, and gives what it says.
async fn refusal(args: &[&str]) -> String {
    let said = run(&[&["serve", "--listen", "127.0.0.1:0"], args].concat()).await;
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
    assert!(!said.err.contains(PASSWORD), "{}", said.err);
    said.err
}

#[tokio::test]
async fn what_is_in_the_way_of_a_bank_on_postgres_is_named() {
    let settings = PostgresServerSettings::default().with_password(PASSWORD);
    let Some(server) = own_server(settings) else { return };
    let port = server.port();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed_port = closed.local_addr().unwrap().port();
    drop(closed);
    let with = |password: &str| format!("postgres://actum:{password}@127.0.0.1:{port}");
    for (url, expected) in [
        (format!("postgres://actum@127.0.0.1:{closed_port}/postgres"), "refused"),
        (format!("{}/postgres", with("wrong")), "password authentication failed"),
        (format!("{}/nothing", with(PASSWORD)), "nothing"),
        (format!("{}/postgres?sslmode=require", with(PASSWORD)), "TLS"),
        (format!("mysql://root:{PASSWORD}@127.0.0.1/bank"), "does not begin with `postgres://`"),
    ] {
        let said = refusal(&["--database", &url]).await;
        println!("{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(expected), "not `{expected}`: {said}");
    }
    let url = format!("{}/postgres", with(PASSWORD));
    let said = refusal(&["--database", &url, "--writer-lease", "1ms"]).await;
    assert!(said.contains("`writer_lease` is 1 ms"), "{said}");
    let said = refusal(&["--database", "bank.db", "--schema", "bank"]).await;
    assert!(said.contains("--schema"), "{said}");
}

#[tokio::test]
async fn password_is_used_and_never_shown() {
    let settings = PostgresServerSettings::default().with_password(PASSWORD);
    let Some(server) = own_server(settings) else { return };
    let url = server.url("postgres");
    assert!(url.contains(PASSWORD));
    let mut bank = Program::serve(["--database", &url]);
    bank.url().await;
    let kept = bank.line().await.unwrap();
    assert!(kept.contains(&format!("127.0.0.1:{}/postgres", server.port())), "{kept}");
    assert!(!kept.contains(PASSWORD), "{kept}");
    while let Some(line) = bank.line().await.filter(|line| !line.contains("cargo run")) {
        assert!(!line.contains(PASSWORD), "{line}");
    }
    assert!(!format!("{:?}", url.parse::<Database>()).contains(PASSWORD));
    bank.kill().await;
}

#[tokio::test]
async fn database_is_migrated_ahead_and_checked() {
    let Some(server) = TestPostgres::shared() else { return };
    let (url, schema) = (server.admin_url(), unique_name("bank"));
    let place = ["--database", url, "--schema", &schema];
    let migrate = async |more: &[&str]| run(&[&["migrate"], &place[..], more].concat()).await;

    for _ in 0..2 {
        let before = migrate(&["--check"]).await;
        assert_eq!(before.code, Some(1), "{}", before.err);
        assert!(
            before.out.lines().count() > 0
                && before.out.lines().all(|line| line.ends_with("pending"))
        );
    }
    let now = migrate(&[]).await;
    assert_eq!(now.code, Some(0), "{}", now.err);
    assert!(now.out.lines().all(|line| line.ends_with("applied now")), "{}", now.out);
    for args in [&["--check"][..], &[]] {
        let after = migrate(args).await;
        assert_eq!(after.code, Some(0), "{}", after.err);
        assert!(after.out.lines().all(|line| line.ends_with("applied before")), "{}", after.out);
    }

    let file = run(&["migrate", "--database", "bank.db"]).await;
    assert_eq!(file.code, Some(1));
    assert!(file.err.contains("bank.db is a file"), "{}", file.err);
}

#[tokio::test]
async fn bank_that_ended_well_leaves_the_database_to_the_next_at_once() {
    let Some(place) = Place::postgres() else { return };
    for nr in 0..3 {
        let mut bank = Program::serve(place.args());
        let client = Client::new(bank.url().await).unwrap();
        let (account, key) = (format!("account-{nr}"), format!("key-{nr}"));
        let order = Order { account, action: Action::Open("Ada".to_owned()), key };
        let opened = client.send(&order).await;
        assert!(matches!(opened, Outcome::Applied(_)), "{opened:?}");
        for earlier in 0..nr {
            assert!(client.standing(&format!("account-{earlier}")).await.is_ok());
        }
        bank.signal("TERM").await;
        assert!(bank.ended().await.success());
    }
}

/// As after a fail-over to a replica that did not have them.
#[tokio::test]
async fn newest_changes_that_the_database_has_lost_are_not_shown_for_long() {
    let Some(Place::Postgres { url, schema, pooled, .. }) = Place::postgres() else { return };
    let lease = Duration::from_secs(6);
    let place = Place::Postgres { url: url.clone(), schema: schema.clone(), pooled, lease };
    let mut bank = Program::serve(place.args());
    let client = Client::new(bank.url().await).unwrap();
    let hundred = Money::new(100).unwrap();
    let balance = async || client.standing("ada").await.unwrap().balance.minor_units();
    let send = async |action, key: &str| {
        let order = Order { account: "ada".to_owned(), action, key: key.to_owned() };
        let outcome = client.send(&order).await;
        assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    };
    send(Action::Open("Ada".to_owned()), "open").await;
    for key in ["first", "second", "third"] {
        send(Action::Deposit(hundred), key).await;
    }
    assert_eq!(balance().await, 300);

    let mut database = PgConnection::connect(&url).await.unwrap();
    let lose = format!("DELETE FROM \"{schema}\".events WHERE sequence_nr > 2");
    let lost = sqlx::query(sqlx::AssertSqlSafe(lose)).execute(&mut database).await.unwrap();
    assert_eq!(lost.rows_affected(), 2);
    let left = async {
        while balance().await != 100 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(30), left).await.expect("it looks three times a lease");
    send(Action::Deposit(hundred), "third").await; // its first time was lost
    assert_eq!(balance().await, 200);
    bank.kill().await;
}
