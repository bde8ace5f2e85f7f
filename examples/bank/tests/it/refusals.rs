//! What the rules of the bank refuse, as problems.

use crate::service::Service;
use serde_json::json;

#[tokio::test]
async fn unknown_account_is_a_problem_wherever_it_is_named() {
    let service = Service::start().await;
    let (name, detail) = ("unknown-account", "the account does not exist");
    for path in ["/accounts/bob", "/accounts/bob/history"] {
        service.get(path).await.problem(404, name, detail);
    }
    for path in ["/accounts/bob/deposits", "/accounts/bob/withdrawals", "/accounts/bob/close"] {
        service.post(path, &json!({ "amount": 1 })).await.problem(404, name, detail);
    }
}

#[tokio::test]
async fn want_of_money_says_what_there_is() {
    let service = Service::with_ada().await;
    let refused = service.post("/accounts/ada/withdrawals", &json!({ "amount": 101 })).await;
    let detail = "the account holds 100, 101 cannot be withdrawn";
    let document = refused.problem(409, "insufficient-funds", detail);
    assert_eq!((&document["balance"], &document["amount"]), (&json!(100), &json!(101)));
    assert_eq!(service.ada().await, (100, 2));
    let done = service.post("/accounts/ada/withdrawals", &json!({ "amount": 100 })).await;
    let expected = json!({ "account": "ada", "type": "withdrawn", "amount": 100, "balance": 0, "revision": 3 });
    assert_eq!(done.json(), expected);
}

#[tokio::test]
async fn balance_that_would_be_too_large_is_a_problem() {
    let service = Service::with_ada().await;
    let max = i64::MAX;
    let refused = service.post("/accounts/ada/deposits", &json!({ "amount": max })).await;
    let document = refused.problem(409, "balance-overflow", "the account holds 100");
    assert_eq!((&document["balance"], &document["amount"]), (&json!(100), &json!(max)));
    let done = service.post("/accounts/ada/deposits", &json!({ "amount": max - 100 })).await;
    assert_eq!(done.json()["balance"], max);
}

#[tokio::test]
async fn account_is_opened_once_and_closed_once() {
    let service = Service::with_ada().await;
    let open = json!({ "owner": "Ada" });
    let again = service.post("/accounts/ada", &open).await;
    again.problem(409, "account-open", "the account is open already");

    let early = service.post("/accounts/ada/close", &json!({})).await;
    let document = early.problem(409, "account-not-empty", "the account holds 100");
    assert_eq!(document["balance"], 100);
    service.post("/accounts/ada/withdrawals", &json!({ "amount": 100 })).await.json();
    let closed = service.post("/accounts/ada/close", &json!({})).await.json();
    assert_eq!(closed, json!({ "account": "ada", "type": "closed", "balance": 0, "revision": 4 }));

    for (path, body) in [
        ("/accounts/ada", open),
        ("/accounts/ada/deposits", json!({ "amount": 1 })),
        ("/accounts/ada/withdrawals", json!({ "amount": 1 })),
        ("/accounts/ada/close", json!({})),
    ] {
        let refused = service.post(path, &body).await;
        refused.problem(409, "account-closed", "the account is closed");
    }
    let shown = service.get("/accounts/ada").await.json();
    assert_eq!((&shown["status"], &shown["revision"]), (&json!("closed"), &json!(4)));
}
