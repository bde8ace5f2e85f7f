//! What a client learns of how far it is behind, also while the store is away.

use crate::rig::{Browser, Rig};
use actum::store::StoreError;
use actum_publish_websocket::{CLOSE_STOPPED, LiveSettings};
use actum_testkit::{Fault, Operation};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const BEAT: Duration = Duration::from_millis(20);

fn beating() -> LiveSettings {
    LiveSettings::default().with_heartbeat(BEAT)
}

/// More than what is read for all clients together: each is read from the store then.
const MANY: u64 = 2_010;

async fn note_many(rig: &Rig) {
    for nr in 0..MANY {
        rig.note("a", nr.to_string()).await;
    }
}

#[tokio::test]
async fn a_store_that_goes_away_while_a_client_connects_costs_it_no_offset() {
    let (rig, faults) = Rig::failing(LiveSettings::default()).await;
    rig.note("a", "one").await;
    rig.connect("").await; // now the journal is followed
    let mut tries = 0;
    let (mut browser, hello): (Browser, Value) = loop {
        assert!(tries < 1_000);
        tries += 1;
        // the subscription asks for the heads, then the hello; where something else asked first, the request is refused
        faults.next(Operation::Heads, Fault::none());
        faults.always(Operation::Heads, Fault::unavailable());
        let connected = rig.try_connect("after=1").await;
        if let Ok(mut browser) = connected {
            let hello = browser.frame().await;
            break (browser, hello);
        }
        faults.stop();
    };
    let hello = &hello["hello"];
    assert_eq!(
        (&hello["offset"], &hello["head"], &hello["age_ms"]),
        (&json!("1"), &json!(null), &json!(null))
    );
    faults.stop();
    rig.note("a", "two").await;
    assert_eq!(browser.data().await, "two");
}

#[tokio::test]
async fn an_event_that_cannot_be_read_for_now_has_no_age_and_comes_later() {
    let (rig, faults) = Rig::failing(beating()).await;
    rig.note("a", "one").await;
    faults.always(Operation::ReadLane, Fault::unavailable());
    let (mut browser, hello) = rig.connect("after=beginning").await;
    assert_eq!((&hello["head"], &hello["age_ms"]), (&json!(null), &json!(null)));
    for _ in 0..3 {
        assert_eq!(browser.heartbeat().await, json!({ "offset": "0", "age_ms": null }));
    }
    faults.stop();
    assert_eq!(browser.data().await, "one");
    assert_eq!(browser.heartbeat().await, json!({ "offset": "1", "age_ms": 0 }));
}

#[tokio::test]
async fn a_journal_that_is_damaged_is_a_reason_to_begin_again() {
    let (rig, faults) = Rig::failing(LiveSettings::default()).await;
    rig.note("a", "one").await;
    let damaged = StoreError::Corrupt { what: "a page is torn".to_owned() };
    faults.always(Operation::ReadLane, Fault::fail(damaged));
    let mut browser = rig.try_connect("after=0").await.unwrap();
    let (_, code, why) = browser.until_closed().await;
    assert_eq!(code, CLOSE_STOPPED);
    assert!(why.contains("a page is torn"), "{why}");
}

#[tokio::test]
async fn a_client_that_has_all_shows_nothing_old_however_old_the_last_event_is() {
    let rig = Rig::with(beating()).await;
    rig.note("a", "one").await;
    let noted = Instant::now();
    // a heartbeat is sent to another meanwhile, so time passes
    let (mut other, _) = rig.connect("").await;
    while noted.elapsed() < Duration::from_millis(100) {
        other.heartbeat().await;
    }
    let (mut browser, _) = rig.connect("after=beginning").await;
    assert_eq!(browser.data().await, "one");
    assert_eq!(browser.heartbeat().await["age_ms"], 0);
}

#[tokio::test]
async fn a_client_that_waits_for_the_store_shows_what_is_as_old_as_the_last_event_it_got() {
    let (rig, faults) = Rig::failing(beating().with_buffer_bytes(1)).await;
    note_many(&rig).await;
    // the hello reads ahead of its one event, then each event is read by itself: one or two come
    faults.next_n(Operation::ReadLane, 3, Fault::none());
    faults.always(Operation::ReadLane, Fault::unavailable());
    let (mut browser, hello) = rig.connect("after=beginning").await;
    assert_eq!(hello["head"], MANY.to_string());
    assert_eq!(browser.data().await, "0");
    let (mut events, mut beats, mut last) = (1, 0, 0);
    while beats < 5 {
        let frame = browser.frame().await;
        if frame.get("event").is_some() {
            events += 1;
            continue;
        }
        let age = frame["heartbeat"]["age_ms"].as_u64().unwrap();
        assert!(age > last && age < 60_000, "{frame} behind {last}");
        (last, beats) = (age, beats + 1);
    }
    assert!(events < 3, "{events}");
    faults.stop();
    assert_eq!(browser.data().await, events.to_string());
}
