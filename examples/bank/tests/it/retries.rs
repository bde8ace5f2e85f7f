//! Keys and revisions: what makes it safe to send something again.

use crate::service::{Reply, Service};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::JoinSet;

const DEPOSITS: &str = "/accounts/ada/deposits";
const WITHDRAWALS: &str = "/accounts/ada/withdrawals";

async fn keyed(service: &Service, path: &str, body: Value, key: &str) -> Reply {
    service.post_with(path, &body, ("idempotency-key", key)).await
}

/// The date is when it was answered, and the receipt says where the account is by then; all else is to be the same.
fn same(mut one: Reply, mut other: Reply) {
    for changes in ["date", "receipt"] {
        assert!(one.headers.remove(changes).is_some() && other.headers.remove(changes).is_some());
    }
    assert_eq!(one, other);
}

#[tokio::test]
async fn retry_with_the_same_key_gets_the_recorded_answer() {
    let service = Service::start().await;
    let open = || keyed(&service, "/accounts/ada", json!({ "owner": " Ada " }), "k1");
    let deposit = || keyed(&service, DEPOSITS, json!({ "amount": 100 }), "k2");
    let withdraw = || keyed(&service, WITHDRAWALS, json!({ "amount": 100 }), "k3");
    let close = || keyed(&service, "/accounts/ada/close", json!({}), "k4");
    let first = [open().await, deposit().await, withdraw().await, close().await];
    assert_eq!(first.each_ref().map(|reply| reply.status), [201, 200, 200, 200]);
    assert_eq!(first[1].json()["balance"], 100);
    // whatever has become of the account since
    let again = [open().await, deposit().await, withdraw().await, close().await];
    first.into_iter().zip(again).for_each(|(first, again)| same(first, again));
    assert_eq!(service.ada().await, (0, 4));
}

#[tokio::test]
async fn one_key_sent_by_many_at_once_is_done_once() {
    let service = Arc::new(Service::with_ada().await);
    let mut senders = JoinSet::new();
    for _ in 0..32 {
        let service = Arc::clone(&service);
        senders
            .spawn(async move { keyed(&service, DEPOSITS, json!({ "amount": 5 }), "gift").await });
    }
    let replies = senders.join_all().await;
    let first = replies[0].json();
    assert_eq!(first["balance"], 105);
    assert!(replies.iter().all(|reply| reply.json() == first));
    assert_eq!(service.ada().await, (105, 3));
}

#[tokio::test]
async fn key_that_was_used_for_something_else_is_refused() {
    let service = Service::with_ada().await;
    keyed(&service, DEPOSITS, json!({ "amount": 5 }), "k").await.json();
    let other = keyed(&service, DEPOSITS, json!({ "amount": 6 }), "k").await;
    let detail = "the command id `k` was used by a `deposit` with other content";
    other.problem(422, "key-reused", detail);
    for (path, body, command) in [
        (WITHDRAWALS, json!({ "amount": 5 }), "withdraw"),
        ("/accounts/ada/close", json!({}), "close"),
        ("/accounts/ada", json!({ "owner": "Ada" }), "open"),
    ] {
        let detail = format!("the command id `k` of this `{command}` was used by a `deposit`");
        keyed(&service, path, body, "k").await.problem(422, "key-reused", &detail);
    }
    assert_eq!(service.ada().await, (105, 3), "nothing more was done");
}

#[tokio::test]
async fn key_belongs_to_its_account() {
    let service = Service::with_ada().await;
    service.post("/accounts/bob", &json!({ "owner": "Bob" })).await.json();
    keyed(&service, DEPOSITS, json!({ "amount": 5 }), "k").await.json();
    let bob = keyed(&service, "/accounts/bob/deposits", json!({ "amount": 7 }), "k").await.json();
    assert_eq!(bob["balance"], 7);
}

#[tokio::test]
async fn what_was_refused_is_decided_again() {
    let service = Service::with_ada().await;
    let withdraw = || keyed(&service, WITHDRAWALS, json!({ "amount": 150 }), "k");
    withdraw().await.problem(409, "insufficient-funds", "holds 100");
    service.post(DEPOSITS, &json!({ "amount": 50 })).await.json();
    let done = withdraw().await.json();
    assert_eq!((done["balance"].as_u64(), done["revision"].as_u64()), (Some(0), Some(4)));
}

#[tokio::test]
async fn account_remembers_more_keys_than_requests_may_be_under_way() {
    let service = Service::with_ada().await;
    let first = keyed(&service, DEPOSITS, json!({ "amount": 1 }), "first").await.json();
    for nr in 0..2_500 {
        keyed(&service, DEPOSITS, json!({ "amount": 1 }), &format!("k{nr}")).await.json();
    }
    let again = keyed(&service, DEPOSITS, json!({ "amount": 1 }), "first").await.json();
    assert_eq!(again, first);
}

#[tokio::test]
async fn key_is_1_to_128_characters_of_ascii() {
    let service = Service::with_ada().await;
    let longest = keyed(&service, DEPOSITS, json!({ "amount": 1 }), &"k".repeat(128)).await;
    assert_eq!(longest.json()["balance"], 101);
    for (key, detail) in [
        ("", "Idempotency-Key: a command id must not be empty"),
        (&"k".repeat(129), "Idempotency-Key: a command id has at most 128 bytes"),
        ("schlüssel", "the header idempotency-key is not plain ASCII"),
    ] {
        let reply = keyed(&service, DEPOSITS, json!({ "amount": 1 }), key).await;
        reply.problem(400, "invalid-request", detail);
    }
    let twice = service.request("POST", DEPOSITS).json(&json!({ "amount": 1 }));
    let twice = twice.header("idempotency-key", "a").header("idempotency-key", "b");
    let detail = "the header idempotency-key is there more than once";
    Reply::of(twice).await.problem(400, "invalid-request", detail);
    assert_eq!(service.ada().await, (101, 3));
}

#[tokio::test]
async fn order_for_a_revision_is_done_at_that_revision_only() {
    let service = Service::with_ada().await;
    let etag = service.get("/accounts/ada").await.header("etag").unwrap().to_owned();
    assert_eq!(etag, "\"2\"");
    let deposit = |tag: &'static str| {
        let service = &service;
        async move { service.post_with(DEPOSITS, &json!({ "amount": 1 }), ("if-match", tag)).await }
    };
    let done = deposit("\"2\"").await;
    assert_eq!((done.json()["balance"].as_u64(), done.header("etag")), (Some(101), Some("\"3\"")));
    for (tag, expected) in [("\"2\"", 2), ("\"4\"", 4), ("\"18446744073709551615\"", u64::MAX)] {
        let late = deposit(tag).await;
        let detail = format!("expected {expected}, the entity is at 3");
        let document = late.problem(412, "revision-mismatch", &detail);
        assert_eq!((&document["expected"], &document["actual"]), (&json!(expected), &json!(3)));
    }
    for tag in ["2", "\"two\"", "W/\"3\"", "\"3\", \"4\"", "\"-1\"", ""] {
        let detail = format!("If-Match: `{tag}` is not the ETag of an account");
        deposit(tag).await.problem(400, "invalid-request", &detail);
    }
    assert_eq!(deposit("*").await.json()["balance"], 102);
}

#[tokio::test]
async fn retry_of_an_order_for_a_revision_gets_the_recorded_answer() {
    let service = Service::with_ada().await;
    let deposit = || async {
        let request = service.request("POST", DEPOSITS).json(&json!({ "amount": 1 }));
        Reply::of(request.header("if-match", "\"2\"").header("idempotency-key", "k")).await
    };
    let first = deposit().await;
    assert_eq!(first.json()["revision"], 3);
    same(first, deposit().await);
    assert_eq!(service.ada().await, (101, 3));
}
