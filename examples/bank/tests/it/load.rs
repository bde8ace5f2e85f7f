//! `bank load` believes nothing: it finds out about a bank that lies.

use crate::program;
use actum::MemoryStore;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, Method},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Json, Response},
};
use bank::{
    Bank,
    cli::LoadArgs,
    http,
    load::{self, Verdict},
};
use serde_json::{Value, json};
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};
use tokio::net::TcpListener;

/// What a bank does wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    Nothing,
    /// One account is shown with 1 more than it holds.
    BalanceShown,
    /// One deposit is acknowledged and never done.
    DepositLost,
    /// One deposit is done twice.
    DepositDoubled,
    /// A key means nothing: what is sent again is done again.
    KeysIgnored,
    /// What is sent again is answered otherwise.
    AnswersChanged,
}

#[derive(Clone)]
struct Liar {
    lie: Lie,
    lied: Arc<AtomicBool>,
    /// The key of what was lost; it stays lost when it is sent again.
    lost: Arc<OnceLock<HeaderValue>>,
}

impl Liar {
    /// Whether this is what it loses: the first that comes, again and again.
    fn loses(&self, request: &Request) -> bool {
        let key = &request.headers()["idempotency-key"];
        self.lost.get_or_init(|| key.clone()) == key
    }
}

/// Serves a bank that lies, and says where.
async fn serve(lie: Lie) -> String {
    let bank = Bank::start(MemoryStore::new()).await.unwrap();
    let liar = Liar { lie, lied: Arc::default(), lost: Arc::default() };
    let (router, _followers) = http::router(bank);
    let router: Router = router.layer(from_fn_with_state(liar, answer));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    url
}

async fn answer(State(liar): State<Liar>, mut request: Request, next: Next) -> Response {
    let deposits = request.uri().path().ends_with("/deposits");
    let first = || !liar.lied.swap(true, Ordering::Relaxed);
    match liar.lie {
        Lie::BalanceShown if request.method() == Method::GET => {
            let is_it = request.uri().path().ends_with("-7");
            let mut shown = json_of(next.run(request).await).await;
            if is_it {
                shown["balance"] = json!(shown["balance"].as_u64().unwrap() + 1);
            }
            Json(shown).into_response()
        }
        Lie::DepositLost if deposits && liar.loses(&request) => {
            let amount = body_of(request).await["amount"].clone();
            Json(json!({ "type": "deposited", "amount": amount, "balance": amount, "revision": 2 }))
                .into_response()
        }
        Lie::DepositDoubled if deposits && first() => {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            let mut unkeyed = Request::from_parts(parts.clone(), Body::from(body.clone()));
            unkeyed.headers_mut().remove("idempotency-key");
            assert!(next.clone().run(unkeyed).await.status().is_success());
            next.run(Request::from_parts(parts, Body::from(body))).await
        }
        Lie::KeysIgnored => {
            request.headers_mut().remove("idempotency-key");
            next.run(request).await
        }
        Lie::AnswersChanged if deposits => {
            let mut answer = json_of(next.run(request).await).await;
            answer["balance"] = json!(fastrand::u32(..));
            Json(answer).into_response()
        }
        _ => next.run(request).await,
    }
}

async fn body_of(request: Request) -> Value {
    serde_json::from_slice(&to_bytes(request.into_body(), usize::MAX).await.unwrap()).unwrap()
}

async fn json_of(response: Response) -> Value {
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    serde_json::from_slice(&bytes).unwrap_or_default() // the list of problems is none
}

/// Drives a bank for a second, which is enough to send some orders again.
async fn drive(lie: Lie) -> (Verdict, String) {
    let url = Some(serve(lie).await);
    let args = LoadArgs { url, clients: 64, accounts: 20, seconds: 1, seed: Some(1) };
    let mut said = Vec::new();
    let verdict = load::run(&args, &mut said).await.unwrap();
    (verdict, String::from_utf8(said).unwrap())
}

#[tokio::test]
async fn honest_bank_is_right() {
    let (verdict, said) = drive(Lie::Nothing).await;
    assert!(verdict.is_right(), "{said}");
    assert!(said.ends_with("\nall 20 balances are exactly what was acknowledged\n"), "{said}");
    for part in [
        "64 clients, 20 accounts, 1 s, seed 1",
        "   1 s  ",
        "requests/s",
        " a second",
        "answered within",
        "p99.9",
    ] {
        assert!(said.contains(part), "no `{part}` in {said}");
    }
}

#[tokio::test]
async fn balance_that_is_wrong_by_1_is_found() {
    let (verdict, said) = drive(Lie::BalanceShown).await;
    assert!(!verdict.is_right());
    assert_eq!((verdict.wrong.len(), verdict.surprises, verdict.unknown), (1, 0, 0), "{said}");
    assert!(said.contains("\nWRONG: load-") && said.contains("-7 holds "), "{said}");
    assert!(said.ends_with("\n1 of 20 accounts are not what was acknowledged\n"), "{said}");
}

#[tokio::test]
async fn change_that_was_acknowledged_and_lost_is_found() {
    let (verdict, said) = drive(Lie::DepositLost).await;
    assert_eq!(verdict.wrong.len(), 1, "{said}");
}

#[tokio::test]
async fn change_that_was_done_twice_is_found() {
    let (verdict, said) = drive(Lie::DepositDoubled).await;
    assert_eq!(verdict.wrong.len(), 1, "{said}");
}

#[tokio::test]
async fn key_that_means_nothing_is_found() {
    let (verdict, said) = drive(Lie::KeysIgnored).await;
    assert!(!verdict.wrong.is_empty() && verdict.surprises > 0, "{said}");
    assert!(said.contains("\nODD: ") && said.contains(" answers cannot be right\n"), "{said}");
}

#[tokio::test]
async fn answer_that_changes_is_found() {
    let (verdict, said) = drive(Lie::AnswersChanged).await;
    assert!(verdict.wrong.is_empty() && verdict.surprises > 0 && !verdict.is_right(), "{said}");
}

#[tokio::test]
async fn program_fails_when_a_balance_is_wrong() {
    for (lie, succeeds) in [(Lie::Nothing, true), (Lie::BalanceShown, false)] {
        let url = serve(lie).await;
        let args = ["load", "--url", &url, "--clients", "8", "--accounts", "10", "--seconds", "1"];
        let output = program::run(args).await;
        assert_eq!(output.status.code(), Some(i32::from(!succeeds)), "{output:?}");
    }
}

#[tokio::test]
async fn where_no_bank_is_there_is_nothing_to_drive() {
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", unused.local_addr().unwrap());
    drop(unused);
    let output = program::run(["load", "--url", &url]).await;
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, format!("bank: nothing listens at {url}\n"));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new()).into_future());
    let output = program::run(["load", "--url", &url]).await;
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, format!("bank: {url} is no bank: /problems is 404 Not Found\n"));
}
