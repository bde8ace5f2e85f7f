use crate::rig::{Rig, until};
use actum::{Engine, MemoryStore};
use actum_publish_websocket::{CLOSE_STOPPED, LiveEvents, LiveSettings, Origins};
use std::{collections::HashSet, time::Duration};
use tokio_tungstenite::tungstenite::Error;

#[tokio::test]
async fn a_request_that_is_not_valid_is_refused_with_the_reason() {
    let rig = Rig::new().await;
    for (query, why) in [
        ("after=yesterday", "`yesterday` is not an offset"),
        ("kinds=notes,accounts", "there is no kind `accounts` here"),
        ("kinds=", "there is no kind `` here"),
        ("entity=notes", "`notes` is not an entity: its kind and id have a `/` between them"),
        ("entity=accounts/a", "there is no kind `accounts` here"),
        ("entity=notes/", "an entity id must not be empty"),
        ("kinds=notes&entity=notes/a", "`kinds` and `entity` do not go together"),
    ] {
        let (status, _, text) = rig.refused(query).await;
        assert_eq!(status, 400, "{query}: {text}");
        assert!(text.contains(why), "{query}: {text}");
    }
    assert_eq!(rig.clients.count(), 0);
    // what is meant for others is left to them
    rig.connect("token=secret").await;
}

#[tokio::test]
async fn an_offset_that_the_journal_does_not_have_is_not_waited_for_and_a_page_sees_why() {
    let rig = Rig::new().await;
    rig.note("a", "one").await;
    let lanes = "an offset of another journal: that has 2 lanes, this one 1";
    for (offset, why) in [("1000", "and the journal ends at 1"), ("1,2", lanes)] {
        let mut browser = rig.try_connect(&format!("after={offset}")).await.unwrap();
        let (_, code, reason) = browser.until_closed().await;
        let expected = format!("`start_at` is behind {offset}, {why}");
        assert_eq!((code, reason), (CLOSE_STOPPED, expected));
        browser.leave().await;
    }
    until("they are gone", || rig.clients.count() == 0).await;
}

#[tokio::test]
async fn clients_are_bounded_and_more_are_asked_to_come_back() {
    let rig = Rig::with(LiveSettings::default().with_clients_max(2)).await;
    let (first, _) = rig.connect("").await;
    let (_second, _) = rig.connect("").await;
    assert_eq!(rig.clients.count(), 2);
    let (status, retry, text) = rig.refused("").await;
    assert_eq!((status, &*text), (503, "too many clients"));
    let seconds: u64 = retry.unwrap().parse().unwrap();
    assert!((1..=10).contains(&seconds), "{seconds}");
    first.leave().await;
    until("there is room", || rig.clients.count() == 1).await;
    rig.connect("").await;
}

#[tokio::test]
async fn each_client_gets_another_time_to_come_back() {
    let (first, last) = (Duration::from_millis(2_000), Duration::from_millis(9_000));
    let rig = Rig::with(LiveSettings::default().with_retry(first..=last)).await;
    let mut waits = HashSet::new();
    for _ in 0..20 {
        let (_, hello) = rig.connect("").await;
        let wait = hello["retry_ms"].as_u64().unwrap();
        assert!((2_000..=9_000).contains(&wait), "{wait}");
        waits.insert(wait);
    }
    assert!(waits.len() > 10, "{waits:?}");
}

#[tokio::test]
async fn settings_are_checked_together() {
    let engine = Engine::builder("e").store(MemoryStore::new()).streams_only();
    let engine = engine.start().await.unwrap();
    let settings = LiveSettings::default()
        .with_clients_max(0)
        .with_buffer_bytes(0)
        .with_heartbeat(Duration::ZERO)
        .with_silence_max(Duration::from_secs(7_200))
        .with_send_timeout(Duration::ZERO)
        .with_close_timeout(Duration::from_secs(61))
        .with_retry(Duration::from_secs(2)..=Duration::from_secs(1));
    let error = LiveEvents::new(&engine).settings(settings).route::<()>().unwrap_err();
    assert_eq!(
        error.problems,
        [
            "`clients_max` is 0, it must be 1 to 1,000,000",
            "`buffer_bytes` is 0 bytes, it must be 1 byte to 64 MiB",
            "`send_timeout` is 0 ms, it must be 1 ms to 10 minutes",
            "`heartbeat` is 0 ms, it must be 1 ms to 10 minutes",
            "`silence_max` is 2 hours, it must be 0 ms to 1 hour",
            "`retry.end()` is 1 s, it must be 2 s to 1 hour",
            "`close_timeout` is 61 s, it must be 1 ms to 1 minute",
            "there is no kind of entities: call `.from::<Entity>()`",
        ]
    );
}

#[tokio::test]
async fn a_page_of_another_origin_may_not_connect_unless_it_is_named() {
    let rig = Rig::new().await;
    let same = format!("http://{}", rig.address);
    assert!(rig.connect_from(Some(&same), "").await.is_ok());
    for origin in ["http://evil.example", "null", "http://127.0.0.1"] {
        let Err(Error::Http(response)) = rig.connect_from(Some(origin), "").await else {
            panic!("{origin} may connect");
        };
        assert_eq!(response.status(), 403);
    }
    let origins = Origins::These(vec!["https://app.example".to_owned()]);
    let rig = Rig::with(LiveSettings::default().with_origins(origins)).await;
    assert!(rig.connect_from(Some("https://app.example"), "").await.is_ok());
    assert!(rig.connect_from(Some("http://evil.example"), "").await.is_err());
}
