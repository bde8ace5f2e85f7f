//! `bank projections`, and what it asks of a bank.

use crate::service::{Reply, Service};
use bank::{cli::Cli, projections};
use clap::Parser;
use serde_json::json;
use tempfile::TempDir;

/// What the program writes, or why it ends with an error.
async fn say(service: &Service, args: &[&str]) -> Result<String, String> {
    say_of(&service.url(), args).await
}

/// As [`say`], of the bank at this address.
async fn say_of(url: &str, args: &[&str]) -> Result<String, String> {
    let words = ["bank", "projections", "--url", url].into_iter().chain(args.iter().copied());
    let Some(bank::cli::Command::Projections(args)) = Cli::parse_from(words).command else {
        unreachable!("it is that command");
    };
    let mut out = Vec::new();
    match projections::run(&args, &mut out).await {
        Ok(()) => Ok(String::from_utf8(out).unwrap()),
        Err(error) => Err(format!("{error:#}")),
    }
}

async fn with_rows() -> (TempDir, Service) {
    let directory = TempDir::new().unwrap();
    let service = Service::on(&directory.path().join("bank.db")).await;
    service.open_ada().await;
    let _caught_up = service.get("/days").await.json();
    (directory, service)
}

#[tokio::test]
async fn projections_are_listed_with_their_lag() {
    let (_directory, service) = with_rows().await;
    let _caught_up = service.get("/accounts").await.json();
    let listed = say(&service, &[]).await.unwrap();
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines.len(), 3, "{listed}");
    for (line, name) in lines[1..].iter().zip(["accounts", "statements"]) {
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words[..5], [name, "running", "0", "0.0", "s"], "{listed}");
    }
    assert_eq!(say(&service, &["list"]).await.unwrap().lines().count(), 3);
    service.stop().await;
}

#[tokio::test]
async fn projection_is_rebuilt_and_shows_the_same() {
    let (_directory, service) = with_rows().await;
    let before = service.get("/days").await.json();
    let said = say(&service, &["rebuild", "statements"]).await.unwrap();
    assert!(said.starts_with("statements: rebuilt from 2 events in "), "{said}");
    assert_eq!(service.get("/days").await.json(), before);
    service.stop().await;
}

#[tokio::test]
async fn projection_that_is_paused_says_so_and_goes_on_when_it_is_asked_to() {
    let (_directory, service) = with_rows().await;
    assert_eq!(say(&service, &["pause", "statements"]).await.unwrap(), "statements: paused\n");
    // the batch that is being handled goes on to its end
    let (mut deposits, mut shown) = (1, None);
    while shown.as_ref().is_none_or(|shown: &Reply| shown.status == 200) {
        assert!(deposits < 1_000, "it is not paused: {shown:?}");
        service.post("/accounts/ada/deposits", &json!({ "amount": 1 })).await.json();
        deposits += 1;
        shown = Some(service.get("/days").await);
    }
    let refused = shown.unwrap();
    refused.problem(503, "unavailable", "the projection `statements` is paused");
    let listed = say(&service, &[]).await.unwrap();
    assert!(listed.contains("statements       paused "), "{listed}");
    let error = say(&service, &["rebuild", "statements"]).await.unwrap_err();
    assert!(error.starts_with("statements is paused"), "{error}");
    assert_eq!(say(&service, &["resume", "statements"]).await.unwrap(), "statements: goes on\n");
    assert_eq!(service.get("/days").await.json()["days"][0]["deposits"], deposits);
    let said = say(&service, &["replay", "statements"]).await.unwrap();
    assert_eq!(said, "statements: replays 0 parked accounts and 0 dead letters\n");
    service.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_in_words() {
    let (_directory, service) = with_rows().await;
    for action in ["rebuild", "replay", "pause", "resume"] {
        let error = say(&service, &[action, "nothing"]).await.unwrap_err();
        assert_eq!(error, "the bank has no projection nothing");
    }
    let unknown = service.post("/projections/accounts/dance", &json!({})).await;
    let takes = "a projection takes rebuild, replay, pause, resume and divide";
    unknown.problem(404, "unknown-route", takes);
    service.stop().await;
}

#[tokio::test]
async fn projection_is_divided_and_shows_the_same() {
    let (_directory, service) = with_rows().await;
    let mut amount = 0;
    for segments in ["5", "2", "1"] {
        let said = say(&service, &["divide", "statements", segments]).await.unwrap();
        assert_eq!(said, format!("statements: divided, segments: {segments}\n"));
        amount += 1;
        service.post("/accounts/ada/deposits", &json!({ "amount": 1 })).await.json();
        assert_eq!(service.get("/days").await.json()["days"][0]["deposits"], amount + 1);
        let listed = say(&service, &[]).await.unwrap();
        let line = listed.lines().find(|line| line.starts_with("statements")).unwrap();
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!((words[1], *words.last().unwrap()), ("running", segments), "{listed}");
    }
    service.stop().await;
}

#[tokio::test]
async fn division_that_cannot_be_is_said_in_words() {
    let (_directory, service) = with_rows().await;
    let error = say(&service, &["divide", "statements", "257"]).await.unwrap_err();
    assert!(
        error.ends_with("the journal has 256 partitions, and each segment has one at least"),
        "{error}"
    );
    let divide = "/projections/statements/divide";
    for query in ["", "?segments=0", "?segments=many", "?segments=2&more=1"] {
        let refused = service.post(&format!("{divide}{query}"), &json!({})).await;
        refused.problem(400, "invalid-request", "divide takes a number of segments, 1 or more");
    }
    let refused = service.post("/projections/statements/pause?segments=2", &json!({})).await;
    refused.problem(400, "invalid-request", "pause takes nothing behind a question mark");
    let url = service.url();
    service.stop().await;
    let error = say_of(&url, &["list"]).await.unwrap_err();
    assert!(error.starts_with(&format!("no bank answers at {url}: ")), "{error}");
}

#[tokio::test]
async fn page_of_another_host_changes_nothing() {
    let (_directory, service) = with_rows().await;
    let own = service.url();
    for path in [
        "/projections/statements/pause",
        "/projections/statements/rebuild",
        "/projections/statements/replay",
        "/projections/statements/divide?segments=2",
        "/accounts/ada/close",
    ] {
        for origin in ["http://evil.example", "null", "http://127.0.0.1"] {
            let asked = Reply::of(service.request("POST", path).header("origin", origin)).await;
            asked.problem(403, "foreign-origin", "a page of another host asks for a change");
        }
    }
    let listed = say(&service, &[]).await.unwrap();
    assert!(listed.contains("statements       running "), "{listed}");
    for path in ["/projections/statements/pause", "/projections/statements/resume"] {
        let asked = Reply::of(service.request("POST", path).header("origin", &own)).await;
        assert_eq!(asked.status, 200, "{asked:?}");
    }
    let read = Reply::of(service.request("GET", "/days").header("origin", "http://evil.example"));
    assert_eq!(read.await.status, 200, "what only reads is kept from a page by its browser");
    service.stop().await;
}
