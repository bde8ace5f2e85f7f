//! Addresses that lead nowhere, methods they do not take, and ids of accounts.

use crate::service::{Reply, Service};
use bank::http::ProblemType;
use serde_json::json;

#[tokio::test]
async fn address_that_leads_nowhere_is_a_problem() {
    let service = Service::with_ada().await;
    for path in [
        "/",
        "/account",
        "/accounts/",
        "/accounts/ada/",
        "/accounts/ada/deposit",
        "/accounts/ada/deposits/1",
        "/Accounts/ada",
        "/problems/",
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let reply = Reply::of(service.request(method, path)).await;
            reply.problem(404, "unknown-route", &format!("there is nothing at {path}"));
        }
    }
    let reply = service.get("/problems/bad-weather").await;
    reply.problem(404, "unknown-route", "there is no such problem type");
}

#[tokio::test]
async fn method_that_an_address_does_not_take_is_answered_with_those_it_takes() {
    let service = Service::with_ada().await;
    for (path, takes) in [
        ("/accounts/ada", &["POST", "GET", "HEAD"][..]),
        ("/accounts", &["GET", "HEAD"]),
        ("/accounts/ada/deposits", &["POST"]),
        ("/accounts/ada/withdrawals", &["POST"]),
        ("/accounts/ada/close", &["POST"]),
        ("/accounts/ada/history", &["GET", "HEAD"]),
        ("/accounts/ada/statement", &["GET", "HEAD"]),
        ("/days", &["GET", "HEAD"]),
        ("/live", &["GET", "HEAD"]),
        ("/projections", &["GET", "HEAD"]),
        ("/projections/accounts/pause", &["POST"]),
        ("/problems", &["GET", "HEAD"]),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
            if takes.contains(&method) {
                continue;
            }
            let reply = Reply::of(service.request(method, path)).await;
            let detail = format!("{path} does not take {method}");
            reply.problem(405, "method-not-allowed", &detail);
            let mut allow: Vec<_> = reply.header("allow").unwrap().split(',').collect();
            let mut takes = takes.to_vec();
            allow.sort_unstable();
            takes.sort_unstable();
            assert_eq!(allow, takes, "{method} {path}");
        }
    }
    assert_eq!(service.ada().await, (100, 2));
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let service = Service::with_ada().await;
    let reply = Reply::of(service.request("HEAD", "/accounts/ada")).await;
    assert_eq!((reply.status, reply.header("etag"), reply.text.as_str()), (200, Some("\"2\""), ""));
    let reply = Reply::of(service.request("HEAD", "/accounts/bob")).await;
    assert_eq!((reply.status, reply.text.as_str()), (404, ""));
}

#[tokio::test]
async fn type_of_every_problem_is_an_address_that_explains_it() {
    let service = Service::start().await;
    let list = service.get("/problems").await.text;
    assert_eq!(list.lines().count(), ProblemType::ALL.len());
    for ProblemType { name, status, title, advice } in ProblemType::ALL {
        let line = format!("{} /problems/{name}: {title}", status.as_u16());
        assert!(list.lines().any(|listed| listed == line), "{line} is not in\n{list}");
        let shown = service.get(&format!("/problems/{name}")).await;
        assert_eq!((shown.status, shown.text), (200, format!("{title}\n{status}\n\n{advice}\n")));
    }
}

#[tokio::test]
async fn id_is_any_text_of_1_to_512_bytes_without_nul() {
    let service = Service::start().await;
    let (longest, longer) = ("x".repeat(512), "x".repeat(513));
    let (wide, wider) = ("%C3%BC".repeat(256), "%C3%BC".repeat(257));
    for (segment, id) in [
        ("a", "a"),
        ("A", "A"),
        ("Z%C3%BCrich", "Zürich"),
        ("Zu%CC%88rich", "Zu\u{308}rich"),
        ("%F0%9F%8F%A6", "🏦"),
        ("a%2Fb", "a/b"),
        ("a%20b", "a b"),
        ("100%25", "100%"),
        ("%3Fa=b", "?a=b"),
        ("%0A", "\n"),
        (&longest, &longest),
        (&wide, &"ü".repeat(256)),
    ] {
        let path = format!("/accounts/{segment}");
        let opened = service.post(&path, &json!({ "owner": id.trim().len().to_string() })).await;
        assert_eq!(opened.status, 201, "{opened:?}");
        assert_eq!(opened.header("location"), Some(path.as_str()));
        assert_eq!(opened.json()["account"], id);
        assert_eq!(service.get(&path).await.json()["account"], id);
        assert_eq!(service.get(&format!("{path}/history")).await.json()["account"], id);
    }
    for rest in ["deposits", "close"] {
        let reply = service.post(&format!("/accounts//{rest}"), &json!({ "amount": 1 })).await;
        reply.problem(400, "invalid-request", "an entity id must not be empty");
    }
    for (segment, detail) in [
        (longer.as_str(), "an entity id has at most 512 bytes, this one has 513"),
        (&wider, "an entity id has at most 512 bytes, this one has 514"),
        ("a%00b", "an entity id must not contain NUL"),
        ("%FF", "UTF-8"),
    ] {
        for (method, rest) in [
            ("GET", ""),
            ("POST", ""),
            ("POST", "/deposits"),
            ("POST", "/close"),
            ("GET", "/history"),
        ] {
            let body =
                if rest.is_empty() { json!({ "owner": "a" }) } else { json!({ "amount": 1 }) };
            let request = service.request(method, &format!("/accounts/{segment}{rest}"));
            Reply::of(request.json(&body)).await.problem(400, "invalid-request", detail);
        }
    }
}

#[tokio::test]
async fn what_is_hardly_http_gets_an_answer_and_hurts_no_one() {
    let service = Service::with_ada().await;
    for (request, status) in [
        ("GET /accounts/ü HTTP/1.1\r\nhost: bank\r\nconnection: close\r\n\r\n", "404"),
        ("GET /accounts/ada HTTP/1.0\r\n\r\n", "200"),
        (
            "GET http://elsewhere/accounts/ada HTTP/1.1\r\nhost: bank\r\nconnection: close\r\n\r\n",
            "200",
        ),
        ("NONSENSE\r\n\r\n", "400"),
        ("GET /accounts/ada HTTP/9.9\r\n\r\n", "400"),
    ] {
        let answer = service.raw(request.as_bytes()).await;
        assert_eq!(answer.split_whitespace().nth(1), Some(status), "{request}{answer}");
    }
    assert_eq!(service.ada().await, (100, 2));
}
