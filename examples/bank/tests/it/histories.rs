//! The history of an account, page by page.

use crate::service::Service;
use actum::{SqliteStore, settings::RuntimeSettings};
use serde_json::{Value, json};
use tempfile::TempDir;

/// An account, `a b`, with so many events: its opening and deposits of 2, 3, 4 and so on.
async fn with_events(count: u64) -> Service {
    let service = Service::start().await;
    fill(&service, count).await;
    service
}

async fn fill(service: &Service, count: u64) {
    service.post("/accounts/a%20b", &json!({ "owner": "Ada" })).await.json();
    for amount in 2..=count {
        service.post("/accounts/a%20b/deposits", &json!({ "amount": amount })).await.json();
    }
}

fn revisions(page: &Value) -> Vec<u64> {
    let events = page["events"].as_array().unwrap();
    events.iter().map(|event| event["revision"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn event_says_what_happened_and_when() {
    let service = with_events(2).await;
    let page = service.get("/accounts/a%20b/history").await.json();
    let mut events = page["events"].as_array().unwrap().clone();
    let times: Vec<_> = events
        .iter_mut()
        .map(|event| event.as_object_mut().unwrap().remove("at").unwrap())
        .collect();
    let expected = json!([
        { "revision": 1, "type": "opened", "owner": "Ada" },
        { "revision": 2, "type": "deposited", "amount": 2 },
    ]);
    assert_eq!(Value::Array(events), expected);
    for time in times {
        humantime::parse_rfc3339(time.as_str().unwrap()).unwrap();
    }
    assert_eq!((page.get("next"), &page["account"]), (None, &json!("a b")));
}

#[tokio::test]
async fn pages_lead_through_the_whole_history() {
    let service = with_events(205).await;
    for (first, pages) in
        [("", 3), ("?limit=50", 5), ("?limit=205", 1), ("?limit=1000", 1), ("?after=5", 2)]
    {
        let mut next = Some(format!("/accounts/a%20b/history{first}"));
        let (mut seen, mut read) = (Vec::new(), 0);
        while let Some(path) = next {
            let page = service.get(&path).await.json();
            seen.extend(revisions(&page));
            read += 1;
            next = page["next"].as_str().map(str::to_owned);
        }
        let from = if first == "?after=5" { 6 } else { 1 };
        assert_eq!((seen, read), ((from..=205).collect(), pages), "{first}");
    }
    let page = service.get("/accounts/a%20b/history?after=10&limit=3").await.json();
    assert_eq!(revisions(&page), [11, 12, 13]);
    assert_eq!(page["next"], "/accounts/a%20b/history?after=13&limit=3");
}

#[tokio::test]
async fn nothing_is_behind_the_end_of_a_history() {
    let directory = TempDir::new().unwrap();
    let store = SqliteStore::open(directory.path().join("bank.db")).await.unwrap();
    let on_disk = Service::over(store, RuntimeSettings::default()).await;
    fill(&on_disk, 3).await;
    for service in [with_events(3).await, on_disk] {
        for after in [3, 4, 1 << 62, u64::MAX >> 1, (u64::MAX >> 1) + 1, u64::MAX] {
            let page = service.get(&format!("/accounts/a%20b/history?after={after}")).await.json();
            assert_eq!(page, json!({ "account": "a b", "events": [] }), "after {after}");
        }
        service.stop().await;
    }
}

#[tokio::test]
async fn part_of_a_history_that_makes_no_sense_is_refused() {
    let service = with_events(1).await;
    for (query, detail) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit is 1001, a page has at most 1000"),
        ("limit=4294967296", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("after=-1", "after"),
        ("after=1.5", "after"),
        ("after=18446744073709551616", "after"),
        ("after=1&after=2", "duplicate field `after`"),
        ("before=7", "unknown field `before`"),
    ] {
        let reply = service.get(&format!("/accounts/a%20b/history?{query}")).await;
        reply.problem(400, "invalid-request", detail);
    }
}
