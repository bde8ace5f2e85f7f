//! Statements and the totals of days: what a projection makes of the events of accounts.

use crate::{place::Place, service::Service};
use actum::{
    SqliteStore, Timestamp,
    postgres::{PostgresSettings, PostgresStore},
};
use actum_testkit::GivenEvents;
use bank::{
    domain::{
        Account, AccountEvent,
        AccountEvent::{Closed, Deposited, Opened, Withdrawn},
        Money,
    },
    read_models::ProjectionPace,
    statements::{DayTotal, StatementLine, Statements, Zone},
};
use serde_json::{Value, json};
use sqlx::Connection;
use std::num::NonZeroU32;
use tempfile::TempDir;

const MANY: NonZeroU32 = NonZeroU32::MAX;

fn zurich() -> Zone {
    "Europe/Zurich".parse().unwrap()
}

fn opened() -> AccountEvent {
    Opened { owner: "Ada".to_owned() }
}

fn deposited(amount: u64) -> AccountEvent {
    Deposited { amount: Money::new(amount).unwrap() }
}

fn withdrawn(amount: u64) -> AccountEvent {
    Withdrawn { amount: Money::new(amount).unwrap() }
}

fn at(time: &str) -> Timestamp {
    humantime::parse_rfc3339(time).unwrap().into()
}

/// The night in which a day of 23 hours begins in Zurich, and its end.
fn given() -> GivenEvents {
    GivenEvents::new()
        .at(at("2026-03-28T22:59:59Z"))
        .of::<Account>("ada", [opened(), deposited(100)])
        .at(at("2026-03-28T23:00:00Z"))
        .of::<Account>("bob", [opened(), deposited(7)])
        .of::<Account>("ada", [withdrawn(30)])
        .at(at("2026-03-29T21:59:59Z"))
        .of::<Account>("bob", [withdrawn(7), Closed])
        .at(at("2026-03-29T22:00:00Z"))
        .of::<Account>("ada", [deposited(1)])
}

type Days = Vec<(String, u64, u128, u64, u128)>;

async fn days(statements: &Statements) -> Days {
    let days = statements.days("", MANY).await.unwrap().into_iter();
    let row =
        |day: DayTotal| (day.day, day.deposits, day.deposited, day.withdrawals, day.withdrawn);
    days.map(row).collect()
}

async fn lines(statements: &Statements, account: &str) -> Vec<(u64, String, String, i64, i64)> {
    let lines = statements.lines(account, 0, MANY).await.unwrap().into_iter();
    let row = |line: StatementLine| (line.revision, line.day, line.what, line.amount, line.balance);
    lines.map(row).collect()
}

async fn check(statements: Statements) {
    let expected_days = vec![
        ("2026-03-28".to_owned(), 1, 100, 0, 0),
        ("2026-03-29".to_owned(), 1, 7, 2, 37),
        ("2026-03-30".to_owned(), 1, 1, 0, 0),
    ];
    let line = |nr, day: &str, what: &str, amount, balance| {
        (nr, day.to_owned(), what.to_owned(), amount, balance)
    };
    let expected_lines = vec![
        line(1, "2026-03-28", "opened", 0, 0),
        line(2, "2026-03-28", "deposited", 100, 100),
        line(3, "2026-03-29", "withdrawn", -30, 70),
        line(4, "2026-03-30", "deposited", 1, 71),
    ];
    given()
        .when_projected(statements.projection(ProjectionPace::default()))
        .await
        .then_rows(
            async || (days(&statements).await, lines(&statements, "ada").await),
            (expected_days, expected_lines),
        )
        .await;
    let bob = statements.lines("bob", 2, NonZeroU32::MIN).await.unwrap();
    let expected = StatementLine {
        revision: 3,
        at: "2026-03-29T21:59:59.000000Z".to_owned(),
        day: "2026-03-29".to_owned(),
        what: "withdrawn".to_owned(),
        amount: -7,
        balance: 0,
    };
    assert_eq!(bob, [expected]);
}

/// What is moved on a day may be more than any account can hold.
async fn check_largest(statements: Statements) {
    let largest = u64::try_from(i64::MAX).unwrap();
    let account = [opened(), deposited(largest), withdrawn(largest)];
    GivenEvents::new()
        .of::<Account>("ada", account.clone())
        .of::<Account>("bob", account)
        .when_projected(statements.projection(ProjectionPace::default()))
        .await
        .then_rows(async || days(&statements).await, {
            let twice = 2 * u128::from(largest);
            vec![("1970-01-01".to_owned(), 2, twice, 2, twice)]
        })
        .await;
}

async fn on_postgres(place: &Place, zone: Zone) -> Statements {
    let Place::Postgres { url, schema, .. } = place else { unreachable!("a place of PostgreSQL") };
    let settings = PostgresSettings::default().with_schema(schema);
    let store = PostgresStore::connect_with(url, settings).await.unwrap();
    Statements::in_database(&store, schema, zone)
}

#[tokio::test]
async fn days_are_those_of_a_zone_and_the_same_when_they_are_built_again() {
    let directory = TempDir::new().unwrap();
    let store = SqliteStore::open(directory.path().join("bank.db")).await.unwrap();
    check(Statements::in_file(&store, zurich())).await;
}

#[tokio::test]
async fn days_in_postgres_are_those_of_a_zone_too() {
    let Some(place) = Place::postgres() else { return };
    check(on_postgres(&place, zurich()).await).await;
}

#[tokio::test]
async fn totals_may_be_larger_than_an_integer_of_the_database() {
    let directory = TempDir::new().unwrap();
    let store = SqliteStore::open(directory.path().join("bank.db")).await.unwrap();
    check_largest(Statements::in_file(&store, Zone::UTC)).await;
    let Some(place) = Place::postgres() else { return };
    check_largest(on_postgres(&place, Zone::UTC).await).await;
}

#[tokio::test]
async fn rows_of_another_zone_are_not_mixed_with_new_ones() {
    let directory = TempDir::new().unwrap();
    let store = SqliteStore::open(directory.path().join("bank.db")).await.unwrap();
    let made = given().when_projected(
        Statements::in_file(&store, Zone::UTC).projection(ProjectionPace::default()),
    );
    drop(made.await);
    let other = Statements::in_file(&store, zurich()).projection(ProjectionPace::default());
    given().when_projected(other).await.then_failed(|why| {
        assert!(why.contains("the days are those of UTC"), "{why}");
        assert!(why.contains("start it with --zone UTC"), "{why}");
    });
}

#[tokio::test]
async fn statement_that_lacks_a_line_takes_no_later_one() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("bank.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let statements = Statements::in_file(&store, Zone::UTC);
    let account = [opened(), deposited(1), deposited(2)];
    let two = GivenEvents::new().of::<Account>("ada", account[..2].to_vec());
    drop(two.when_projected(statements.projection(ProjectionPace::default())).await);
    let mut file = sqlx::SqliteConnection::connect(&path.display().to_string()).await.unwrap();
    let delete = sqlx::query("DELETE FROM bank_statements WHERE revision = 2");
    assert_eq!(delete.execute(&mut file).await.unwrap().rows_affected(), 1);
    let more = GivenEvents::new().of::<Account>("ada", account);
    more.when_projected(statements.projection(ProjectionPace::default()))
        .await
        .then_failed(|why| why.contains("account ada is not as event 3 expects it"));
}

fn numbers(page: &Value, name: &str) -> Vec<u64> {
    page[name].as_array().unwrap().iter().map(|row| row["revision"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn statement_is_read_page_by_page_and_shows_what_was_acknowledged() {
    let directory = TempDir::new().unwrap();
    let service = Service::on(&directory.path().join("bank.db")).await;
    service.open_ada().await;
    for _ in 0..3 {
        service.post("/accounts/ada/withdrawals", &json!({ "amount": 1 })).await.json();
    }
    let first = service.get("/accounts/ada/statement?limit=3").await.json();
    assert_eq!((&first["account"], numbers(&first, "lines")), (&json!("ada"), vec![1, 2, 3]));
    let next = first["next"].as_str().unwrap();
    let second = service.get(next).await.json();
    assert_eq!((numbers(&second, "lines"), second.get("next")), (vec![4, 5], None));
    assert_eq!(
        (&second["lines"][1]["balance"], &second["lines"][1]["type"]),
        (&json!(97), &json!("withdrawn"))
    );
    let days = service.get("/days").await.json();
    assert_eq!(days["zone"], "UTC");
    let day = &days["days"][0];
    assert_eq!((&day["deposits"], &day["deposited"]), (&json!(1), &json!(100)));
    assert_eq!((&day["withdrawals"], &day["withdrawn"]), (&json!(3), &json!(3)));
    let unknown = service.get("/accounts/bob/statement").await;
    unknown.problem(404, "unknown-account", "the account does not exist");
    service.stop().await;
}

#[tokio::test]
async fn receipt_of_a_write_makes_a_read_show_it() {
    let directory = TempDir::new().unwrap();
    let service = Service::on(&directory.path().join("bank.db")).await;
    service.open_ada().await;
    for amount in 1..=20_u64 {
        let done = service.post("/accounts/ada/deposits", &json!({ "amount": amount })).await;
        let receipt = done.header("receipt").unwrap().to_owned();
        for path in ["/accounts", "/accounts/ada/statement?limit=1000", "/days"] {
            let shown = service.request("GET", path).header("receipt", &receipt);
            let shown = crate::service::Reply::of(shown).await.json();
            let revision = amount + 2;
            match path {
                "/accounts" => assert_eq!(shown["accounts"][0]["revision"], revision),
                "/days" => assert_eq!(shown["days"][0]["deposits"], amount + 1),
                _ => assert_eq!(numbers(&shown, "lines").last(), Some(&revision)),
            }
        }
    }
    let without_place = service.request("GET", "/accounts").header("receipt", "1.0");
    let shown = crate::service::Reply::of(without_place).await.json();
    assert_eq!(shown["accounts"][0]["revision"], 22);
    let shown = service.get("/accounts/ada").await;
    assert!(shown.header("receipt").is_some(), "{shown:?}");
    for (receipt, detail) in [
        ("x", "Receipt: `x` is not a receipt"),
        ("1.2.3.4", "is not a receipt"),
        ("1.2.3", "is of lane 2"),
    ] {
        let refused = service.request("GET", "/accounts").header("receipt", receipt);
        crate::service::Reply::of(refused).await.problem(400, "invalid-request", detail);
    }
    service.stop().await;
}

#[tokio::test]
async fn bank_that_keeps_nothing_beside_its_journal_says_so() {
    let service = Service::with_ada().await;
    for path in ["/accounts", "/accounts/ada/statement", "/days"] {
        service.get(path).await.problem(503, "unavailable", "keeps no lists and no statements");
    }
    assert_eq!(service.get("/projections").await.json(), json!({ "projections": [] }));
}
