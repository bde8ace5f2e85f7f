use crate::rig::{Rig, caught_up, connect, note};
use actum::{Engine, Projection, Publishing, StartAt};
use actum_publish_nats::Nats;
use actum_testkit::{TcpProxy, Then};
use std::time::Duration;

const WINDOW: Duration = Duration::from_millis(200);

/// Waits until the stream has forgotten what it has now.
async fn window_has_passed(rig: &Rig) {
    // the server forgets ids with a timer of its own
    let probe = async |nr: u32| {
        let mut headers = actum_publish_nats::async_nats::HeaderMap::new();
        headers.insert("Nats-Msg-Id", "probe");
        let jetstream = rig.jetstream();
        let sent = jetstream.publish_with_headers(format!("notes.probe{nr}"), headers, "".into());
        !sent.await.unwrap().await.unwrap().duplicate
    };
    assert!(probe(0).await);
    rig.until("the window has passed", async || probe(1).await).await;
}

async fn numbers(rig: &Rig) -> Vec<u64> {
    rig.events().await.into_iter().map(|(_, nr)| nr).collect()
}

/// Publishes three events, and rewinds when `before` has ended.
async fn rewound(
    rig: &Rig,
    projection: Projection<Publishing<Nats>>,
    before: impl AsyncFnOnce(),
) -> Engine {
    let engine = rig.engine(projection).await;
    for text in ["one", "two", "three"] {
        note(&engine, "a", text).await;
    }
    caught_up(&engine).await;
    before().await;
    engine.projection("to-nats").rewind(StartAt::Beginning).await.unwrap();
    caught_up(&engine).await;
    engine
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewind_inside_the_window_is_swallowed() {
    let Some(rig) = Rig::new().await else { return };
    let engine = rewound(&rig, Rig::publisher(rig.nats()), async || {}).await;
    assert_eq!(numbers(&rig).await, [1, 2, 3]);
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewind_behind_the_window_is_in_the_stream_again_under_the_same_ids() {
    let Some(rig) = Rig::with_window(WINDOW).await else { return };
    let behind = async || window_has_passed(&rig).await;
    let engine = rewound(&rig, Rig::publisher(rig.nats()), behind).await;
    let kept = rig.kept().await;
    let ids: Vec<_> = kept.iter().filter_map(|kept| kept.header("ce-id")).collect();
    assert_eq!(ids, ["1-1", "1-2", "1-3", "1-1", "1-2", "1-3"]);
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_acknowledged_before_an_outage_longer_than_the_window_comes_twice_and_in_order()
 {
    let Some(rig) = Rig::with_window(WINDOW).await else { return };
    let proxy = TcpProxy::start(([127, 0, 0, 1], rig.server.port()).into());
    let client = connect(format!("nats://{}", proxy.address())).await;
    let engine = rig.engine(Rig::publisher(Rig::nats_over(client))).await;
    note(&engine, "a", "one").await;
    caught_up(&engine).await;
    let lost = proxy.on(b"HPUB notes.a.", Then::CutAfterAnswer);
    proxy.refuse(true); // the connection that is there goes on until it is cut
    note(&engine, "a", "two").await;
    lost.fired().await;
    note(&engine, "a", "three").await;
    window_has_passed(&rig).await;
    proxy.refuse(false);
    caught_up(&engine).await;
    let kept = rig.kept().await;
    let ids: Vec<_> = kept.iter().filter_map(|kept| kept.header("ce-id")).collect();
    assert_eq!(ids, ["1-1", "1-2", "1-2", "1-3"], "as many as were in doubt, under the same ids");
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sources_do_not_swallow_each_other_s_messages() {
    let Some(mut rig) = Rig::new().await else { return };
    for source in ["/one", "/two"] {
        rig.store = actum::MemoryStore::new();
        let engine = rig.engine(Rig::publisher(rig.nats()).source(source)).await;
        note(&engine, "a", "text").await;
        caught_up(&engine).await;
        assert!(engine.shutdown().await.is_clean());
    }
    let kept = rig.kept().await;
    let ids: Vec<_> = kept.iter().map(|kept| kept.header("Nats-Msg-Id").unwrap()).collect();
    assert_eq!(ids, ["/one#1-1", "/two#1-1"]);
}
