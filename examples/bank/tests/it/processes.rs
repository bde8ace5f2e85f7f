//! How the program starts, ends, and gets along with others.

use crate::{
    place::Place,
    program::{self, Program},
};
use bank::client::{Action, Client, Order, Outcome};
use std::{fs, net::TcpListener, path::Path, process::Output};
use tempfile::{NamedTempFile, TempDir};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

fn serve_once<'a>(listen: &'a str, database: &'a Path) -> [&'a str; 5] {
    ["serve", "--listen", listen, "--database", database.to_str().unwrap()]
}

/// Runs a bank that cannot serve, and gives what it says.
async fn refusal<'a>(args: impl IntoIterator<Item = &'a str>) -> String {
    let Output { status, stdout, stderr } = program::run(args).await;
    assert_eq!(status.code(), Some(1));
    assert_eq!(String::from_utf8(stdout).unwrap(), "", "it does not say that it listens");
    String::from_utf8(stderr).unwrap()
}

fn opening(account: &str) -> Order {
    let (account, key) = (account.to_owned(), format!("open-{account}"));
    Order { account, action: Action::Open("Ada".to_owned()), key }
}

#[tokio::test]
async fn second_bank_on_a_file_is_refused_and_takes_over_once_the_first_is_killed() {
    let directory = TempDir::new().unwrap();
    let database = directory.path().join("bank.db");
    let mut first = Program::start(&database);
    let client = Client::new(first.url().await).unwrap();
    let opened = client.send(&opening("ada")).await;
    assert!(matches!(opened, Outcome::Applied(_)), "{opened:?}");

    let said = refusal(serve_once("127.0.0.1:0", &database)).await;
    let (path, id) = (database.display(), first.id());
    let expected = format!(
        "bank: cannot use {path}: another engine writes to this journal: \
         the writer slot `journal` is held by engine `bank`"
    );
    assert!(said.starts_with(&expected), "{said}");
    assert!(said.contains(&format!(", process {id}, started 20")), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(client.standing("ada").await.is_ok(), "the first goes on");

    first.kill().await;
    let mut second = Program::start(&database);
    let client = Client::new(second.url().await).unwrap();
    assert_eq!(client.standing("ada").await.unwrap().owner, "Ada");
    second.kill().await;
}

#[cfg(unix)]
#[tokio::test]
async fn bank_whose_file_is_taken_away_acknowledges_nothing_more_says_so_and_ends() {
    type Mishap = fn(&Path);
    let mishaps: [(Mishap, &str); 2] = [
        (|database| fs::remove_file(database).unwrap(), "was removed"),
        (|database| fs::rename(database, database.with_extension("old")).unwrap(), "was renamed"),
    ];
    for (happens, says) in mishaps {
        let directory = TempDir::new().unwrap();
        let database = directory.path().canonicalize().unwrap().join("bank.db");
        let complaints = NamedTempFile::new().unwrap();
        let args = ["--database".as_ref(), database.as_os_str()];
        let mut bank = Program::complaining(args, complaints.reopen().unwrap());
        let client = Client::new(bank.url().await).unwrap();
        assert!(matches!(client.send(&opening("ada")).await, Outcome::Applied(_)));
        happens(&database);
        let late = client.send(&opening("bob")).await;
        assert!(!matches!(late, Outcome::Applied(_)), "{late:?}");
        assert_eq!(bank.ended().await.code(), Some(1));
        let said = fs::read_to_string(complaints.path()).unwrap();
        let last = format!("bank: the store is lost: `{}` {says}", database.display());
        assert!(said.lines().last().unwrap().starts_with(&last), "{said}");
    }
}

#[tokio::test]
async fn standby_bank_waits_and_takes_over_when_the_first_ends() {
    for place in
        [Some(Place::file()), Place::postgres().map(Place::with_long_lease)].into_iter().flatten()
    {
        let mut first = Program::serve(place.args());
        let mut client = Client::new(first.url().await).unwrap();
        let opened = client.send(&opening("ada")).await;
        assert!(matches!(opened, Outcome::Applied(_)), "{opened:?}");
        for ending in ["TERM", "KILL"] {
            let mut second = Program::standby(place.args()).await;
            assert!(client.standing("ada").await.is_ok(), "the first goes on");
            first.signal(ending).await;
            client = Client::new(second.url().await).unwrap();
            assert_eq!(client.standing("ada").await.unwrap().owner, "Ada");
            first.ended().await;
            first = second;
        }
        first.signal("TERM").await;
        assert!(first.ended().await.success());
    }
}

#[tokio::test]
async fn what_is_in_the_way_of_a_bank_is_named() {
    let directory = TempDir::new().unwrap();
    let (text, none) = (directory.path().join("text.db"), directory.path().join("none"));
    fs::write(&text, "this is a letter, and has been one for a long time").unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let missing = none.join("bank.db");
    for (listen, database, expected) in [
        (taken.as_str(), directory.path().join("a.db"), format!("cannot listen on {taken}")),
        ("nonsense", directory.path().join("a.db"), "cannot listen on nonsense".to_owned()),
        ("127.0.0.1:0", text.clone(), format!("`{}` is not a SQLite database", text.display())),
        (
            "127.0.0.1:0",
            directory.path().to_owned(),
            format!("`{}` is not a file", directory.path().display()),
        ),
        ("127.0.0.1:0", missing, format!("there is no directory `{}`", none.display())),
    ] {
        let said = refusal(serve_once(listen, &database)).await;
        assert!(said.starts_with("bank: ") && said.contains(&expected), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let left = fs::read(&text).unwrap();
    assert!(left.starts_with(b"this is a letter"), "what is no database is left alone");
}

#[tokio::test]
async fn arguments_that_make_no_sense_are_explained() {
    for (args, expected) in [
        (&["--port", "80"][..], "--port"),
        (&["load", "--clients", "0"], "--clients"),
        (&["load", "--seconds", "-1"], "-1"),
        (&["projections", "divide", "accounts", "0"], "a whole number from 1 to 65,535"),
        (&["projections", "divide", "accounts", "100000"], "a whole number from 1 to 65,535"),
        (&["--listen", "127.0.0.1:0", "load"], "cannot be used with"),
        (&["withdraw"], "withdraw"),
    ] {
        let Output { status, stderr, .. } = program::run(args).await;
        let said = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(2), "{said}");
        assert!(said.contains(expected) && said.contains("--help"), "{said}");
    }
}

#[tokio::test]
async fn bank_that_is_asked_to_end_ends_well_and_leaves_the_file_to_the_next() {
    let directory = TempDir::new().unwrap();
    let database = directory.path().join("bank.db");
    for (nr, signal) in ["TERM", "INT"].into_iter().enumerate() {
        let mut bank = Program::start(&database);
        let client = Client::new(bank.url().await).unwrap();
        let account = format!("account-{nr}");
        let opened = client.send(&opening(&account)).await;
        assert!(matches!(opened, Outcome::Applied(_)), "{opened:?}");
        for earlier in 0..nr {
            assert!(client.standing(&format!("account-{earlier}")).await.is_ok());
        }
        // the client keeps its connection, which must not keep the bank
        bank.signal(signal).await;
        assert!(bank.ended().await.success(), "{signal}");
        let beside = fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(beside, 1, "a bank that ended well leaves one file");
    }
}

#[tokio::test]
async fn request_under_way_is_answered_before_the_end() {
    let directory = TempDir::new().unwrap();
    let mut bank = Program::start(&directory.path().join("bank.db"));
    let address = bank.url().await.trim_start_matches("http://").to_owned();
    let mut connection = TcpStream::connect(&address).await.unwrap();
    let head = "POST /accounts/ada HTTP/1.1\r\nhost: bank\r\nconnection: close\r\nexpect: 100-continue\r\n\
                content-type: application/json\r\ncontent-length: 15\r\n\r\n";
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut going_on = [0; 25];
    connection.read_exact(&mut going_on).await.unwrap();
    assert_eq!(&going_on, b"HTTP/1.1 100 Continue\r\n\r\n", "the bank waits for the body");

    bank.signal("TERM").await;
    while TcpStream::connect(&address).await.is_ok() {} // until it takes no more requests
    connection.write_all(b"{\"owner\":\"Ada\"}").await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert!(bank.ended().await.success());
}
