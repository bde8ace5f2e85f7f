//! Bodies that are wrong, and how wrong they may be.

use crate::service::{Reply, Service};
use serde_json::json;
use std::time::Duration;

const DEPOSITS: &str = "/accounts/ada/deposits";

async fn post_text(service: &Service, path: &str, body: impl Into<reqwest::Body>) -> Reply {
    let request = service.request("POST", path).header("content-type", "application/json");
    Reply::of(request.body(body)).await
}

#[tokio::test]
async fn what_is_not_json_is_distinguished_from_what_is_not_an_order() {
    let service = Service::with_ada().await;
    let deep = "[".repeat(10_000);
    for (body, name, detail) in [
        ("", "malformed-json", "EOF while parsing"),
        ("{\"amount\":", "malformed-json", "EOF while parsing"),
        ("{\"amount\":5", "malformed-json", "EOF while parsing"),
        ("{\"amount\":5}}", "malformed-json", "trailing characters"),
        ("{\"amount\":5}{\"amount\":5}", "malformed-json", "trailing characters"),
        ("{'amount':5}", "malformed-json", "key must be a string"),
        ("{\"amount\":05}", "malformed-json", "invalid number"),
        ("{\"amount\":NaN}", "malformed-json", "expected value"),
        ("{\"amount\":1e999}", "malformed-json", "number out of range"),
        ("amount=5", "malformed-json", "expected value"),
        ("{}", "invalid-body", "missing field `amount`"),
        ("{\"amount\":\"5\"}", "invalid-body", "invalid type: string \"5\""),
        ("{\"amount\":true}", "invalid-body", "invalid type: boolean `true`"),
        ("{\"amount\":null}", "invalid-body", "invalid type: null"),
        ("{\"amount\":[5]}", "invalid-body", "invalid type: sequence"),
        ("{\"amount\":{\"value\":5}}", "invalid-body", "invalid type: map"),
        ("{\"amount\":-1}", "invalid-body", "invalid type: integer `-1`"),
        ("{\"amount\":-9223372036854775809}", "invalid-body", "invalid type: floating point"),
        ("{\"amount\":0.5}", "invalid-body", "invalid type: floating point `0.5`"),
        ("{\"amount\":5.0}", "invalid-body", "invalid type: floating point `5.0`"),
        ("{\"amount\":5e0}", "invalid-body", "invalid type: floating point `5.0`"),
        ("{\"amount\":9223372036854775808}", "invalid-body", "integer `9223372036854775808`"),
        ("{\"amount\":18446744073709551616}", "invalid-body", "invalid type: floating point"),
        ("{\"amount\":5,\"currency\":\"EUR\"}", "invalid-body", "unknown field `currency`"),
        ("{\"amount\":5,\"amount\":5}", "invalid-body", "duplicate field `amount`"),
        ("{\"Amount\":5}", "invalid-body", "unknown field `Amount`"),
        ("[5]", "invalid-body", "invalid type: sequence, expected a JSON object"),
        ("5", "invalid-body", "invalid type: integer `5`, expected a JSON object"),
        ("null", "invalid-body", "invalid type: null, expected a JSON object"),
        (&deep, "invalid-body", "invalid type: sequence, expected a JSON object"),
        ("{\"amount\":0}", "invalid-amount", "an amount is at least 1"),
    ] {
        for path in [DEPOSITS, "/accounts/ada/withdrawals"] {
            let status = if name == "malformed-json" { 400 } else { 422 };
            post_text(&service, path, body.to_owned()).await.problem(status, name, detail);
        }
    }
    assert_eq!(service.ada().await, (100, 2), "nothing of that was done");
    service.stop().await;
}

#[tokio::test]
async fn money_says_what_it_must_be() {
    let service = Service::with_ada().await;
    let expected = "expected a whole number of minor units from 0 to 9223372036854775807";
    for amount in ["1.5", "-1", "\"1\"", "9223372036854775808"] {
        let body = format!("{{\"amount\":{amount}}}");
        post_text(&service, DEPOSITS, body).await.problem(422, "invalid-body", expected);
    }
}

#[tokio::test]
async fn text_that_is_no_text_is_malformed() {
    let service = Service::start().await;
    for body in [&b"{\"owner\":\"\xff\"}"[..], b"{\"owner\":\"\\ud800\"}", b"{\"owner\":\"a\nb\"}"]
    {
        let reply = post_text(&service, "/accounts/ada", body.to_owned()).await;
        reply.problem(400, "malformed-json", " at line ");
    }
    service.get("/accounts/ada").await.problem(404, "unknown-account", "does not exist");
}

#[tokio::test]
async fn owner_is_a_name_of_1_to_100_characters() {
    let service = Service::start().await;
    for (owner, found) in [(String::new(), 0), (" \t\n ".to_owned(), 0), ("ß".repeat(101), 101)] {
        let reply = service.post("/accounts/ada", &json!({ "owner": owner })).await;
        let detail = format!("the name of the owner has 1 to 100 characters, not {found}");
        reply.problem(422, "invalid-owner", &detail);
    }
    let longest = "名".repeat(100);
    let reply = service.post("/accounts/ada", &json!({ "owner": format!("  {longest} ") })).await;
    assert_eq!(reply.json()["owner"], longest);
    assert_eq!(service.get("/accounts/ada").await.json()["owner"], longest);
}

#[tokio::test]
async fn body_has_to_be_said_to_be_json() {
    let service = Service::with_ada().await;
    let detail = "the header Content-Type is not application/json";
    let body = "{\"amount\":5}";
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application", "json", ""] {
        let request = service.request("POST", DEPOSITS).header("content-type", kind).body(body);
        Reply::of(request).await.problem(415, "unsupported-media-type", detail);
    }
    let request = service.request("POST", DEPOSITS).body(body);
    Reply::of(request).await.problem(415, "unsupported-media-type", detail);
    assert_eq!(service.ada().await, (100, 2));

    let kind = "Application/JSON; charset=utf-8";
    let request = service.request("POST", DEPOSITS).header("content-type", kind).body(body);
    assert_eq!(Reply::of(request).await.json()["balance"], 105);
}

#[tokio::test]
async fn body_has_at_most_16_kib() {
    let service = Service::with_ada().await;
    let padded = |bytes: usize| format!("{{\"amount\":5{:1$}}}", "", bytes - 12);
    let largest = post_text(&service, DEPOSITS, padded(16 << 10)).await;
    assert_eq!(largest.json()["balance"], 105);
    let detail = "it has more than 16384 bytes";
    let larger = post_text(&service, DEPOSITS, padded((16 << 10) + 1)).await;
    larger.problem(413, "body-too-large", detail);

    // a body in pieces does not say how long it will be
    let piece = format!("2000\r\n{:8192}\r\n", "");
    let request = format!(
        "POST {DEPOSITS} HTTP/1.1\r\nhost: bank\r\nconnection: close\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n{}0\r\n\r\n",
        piece.repeat(3)
    );
    let answer = service.raw(request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains(detail), "{answer}");
    assert_eq!(service.ada().await, (105, 3));
}

#[tokio::test(start_paused = true)]
async fn body_that_does_not_arrive_is_not_waited_for() {
    let service = Service::with_ada().await;
    let began = tokio::time::Instant::now();
    let request = format!(
        "POST {DEPOSITS} HTTP/1.1\r\nhost: bank\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: 12\r\n\r\n{{\"amount\":"
    );
    let answer = service.raw(request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(
        answer.contains("/problems/slow-body") && answer.contains("longer than 10s"),
        "{answer}"
    );
    assert!(began.elapsed() >= Duration::from_secs(10));
    assert_eq!(service.ada().await, (100, 2));
}
