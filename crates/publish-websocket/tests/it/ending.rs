use crate::rig::{Rig, until};
use actum_publish_websocket::{CLOSE_SHUTDOWN, CLOSE_SILENT, CLOSE_SLOW, LiveSettings};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_is_cut_with_the_reason_and_others_go_on() {
    let settings = LiveSettings::default().with_send_timeout(Duration::from_secs(2));
    let rig = Rig::with(settings).await;
    let (mut slow, _) = rig.connect("").await;
    let (mut quick, _) = rig.connect("").await;
    let large = "x".repeat(400_000);
    for _ in 0..25 {
        rig.note("a", &*large).await;
        assert_eq!(quick.data().await.as_str().unwrap().len(), large.len());
    }
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(2_500) {
        rig.note("a", "small").await;
        assert_eq!(quick.data().await, "small");
    }
    let (events, code, why) = slow.until_closed().await;
    assert_eq!((code, &*why), (CLOSE_SLOW, "the client is too slow: it took no frame within 2s"));
    assert!(events < 25, "{events}");
    slow.leave().await;
    until("it is gone", || rig.clients.count() == 1).await;
    rig.note("a", "more").await;
    assert_eq!(quick.data().await, "more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_again_leaves_nothing_behind() {
    let settings = LiveSettings::default().with_send_timeout(Duration::from_millis(50));
    let rig = Rig::with(settings.with_close_timeout(Duration::from_millis(50))).await;
    let (_asleep, _) = rig.connect("").await;
    let large = "x".repeat(400_000);
    for _ in 0..25 {
        rig.note("a", &*large).await;
    }
    until("it is gone", || rig.clients.count() == 0).await;
}

#[tokio::test]
async fn a_client_of_which_nothing_is_heard_is_closed() {
    let settings = LiveSettings::default().with_heartbeat(Duration::from_millis(20));
    let settings = settings.with_close_timeout(Duration::from_millis(100));
    let rig = Rig::with(settings.with_silence_max(Duration::from_millis(100))).await;
    // it takes everything in, and answers no ping
    let received = rig.listen_only().await;
    let contains = |bytes: &[u8]| received.windows(bytes.len()).any(|window| window == bytes);
    assert!(contains(b"{\"heartbeat\":"));
    assert!(contains(&CLOSE_SILENT.to_be_bytes()));
    assert!(contains(b"nothing was heard of the client for 100ms"));
    until("it is gone", || rig.clients.count() == 0).await;
}

#[tokio::test]
async fn what_a_client_says_counts_as_a_sign_of_life() {
    let settings = LiveSettings::default().with_heartbeat(Duration::from_millis(100));
    let rig = Rig::with(settings.with_silence_max(Duration::from_secs(3))).await;
    let (mut browser, _) = rig.connect("").await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(3_500) {
        browser.say("still here").await;
        browser.frame().await;
    }
    assert_eq!(rig.clients.count(), 1);
}

#[tokio::test]
async fn a_shutdown_closes_all_clients_and_says_when_to_come_back() {
    let rig = Rig::new().await;
    rig.note("a", "one").await;
    let mut browsers = Vec::new();
    for _ in 0..5 {
        browsers.push(rig.connect("after=beginning").await);
    }
    for (browser, _) in &mut browsers {
        assert_eq!(browser.data().await, "one");
    }
    assert_eq!(rig.clients.count(), 5);
    assert!(rig.engine.shutdown().await.is_clean());
    for (mut browser, hello) in browsers {
        let (_, code, why) = browser.until_closed().await;
        let retry = hello["retry_ms"].as_u64().unwrap();
        let expected = format!("the service is shutting down, come back in {retry} ms");
        assert_eq!((code, why), (CLOSE_SHUTDOWN, expected));
        browser.leave().await;
    }
    tokio::time::timeout(Duration::from_secs(10), rig.clients.closed()).await.unwrap();
    let (status, retry, _) = rig.refused("").await;
    assert_eq!((status, retry.is_some()), (503, true));
}
