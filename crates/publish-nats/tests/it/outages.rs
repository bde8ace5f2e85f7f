use crate::rig::{Rig, caught_up, note};
use actum::ProjectionState;
use actum_publish_nats::NatsSettings;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// The last number of each entity; each event is there once, behind the one in front of it.
async fn exactly_in_order(rig: &Rig) -> HashMap<String, u64> {
    let mut last: HashMap<String, u64> = HashMap::new();
    for (entity, nr) in rig.events().await {
        let last = last.entry(entity.clone()).or_default();
        assert_eq!(nr, *last + 1, "of {entity}");
        *last = nr;
    }
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_and_started_again_gets_everything_once_and_in_order() {
    let Some(mut rig) = Rig::new().await else { return };
    let engine = rig.engine(Rig::publisher(rig.nats()).segments(4)).await;
    let writer = {
        let engine = engine.clone();
        tokio::spawn(async move {
            for nr in 0..400 {
                note(&engine, ["a", "b", "c", "d", "e"][nr % 5], "text").await;
                tokio::task::yield_now().await;
            }
        })
    };
    for _ in 0..3 {
        let before = rig.stream().await.get_info().await.unwrap().state.messages;
        rig.until("something is published", async || {
            let info = rig.stream().await.get_info().await;
            let now = info.map_or(0, |info| info.state.messages);
            now > before || now == 400
        })
        .await;
        rig.server.kill().unwrap();
        rig.server.start_again().unwrap();
        rig.until("it is connected", async || rig.client.flush().await.is_ok()).await;
    }
    writer.await.unwrap();
    caught_up(&engine).await;
    let last = exactly_in_order(&rig).await;
    assert!(last.len() == 5 && last.values().all(|last| *last == 80), "{last:?}");
    assert_eq!(engine.projection("to-nats").status().await.unwrap().parked, 0);
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_blames_no_event_and_leaves_nothing_with_the_client() {
    let Some(mut rig) = Rig::new().await else { return };
    let engine = rig.engine(Rig::publisher(rig.nats())).await;
    note(&engine, "a", "one").await;
    caught_up(&engine).await;
    rig.server.kill().unwrap();
    for _ in 0..300 {
        note(&engine, "a", "x".repeat(1_000)).await;
    }
    let projection = engine.projection("to-nats");
    rig.until_waiting(&projection, "there is no connection to NATS").await;
    let sent = rig.client.statistics().out_messages.load(std::sync::atomic::Ordering::Relaxed);
    // many attempts, of which none gives the client something to keep
    let (begun, attempts) = (Instant::now(), Duration::from_millis(100) * 10);
    rig.until("it was tried often", async || begun.elapsed() > attempts).await;
    assert_eq!(projection.status().await.unwrap().parked, 0);
    rig.server.start_again().unwrap();
    caught_up(&engine).await;
    assert_eq!(exactly_in_order(&rig).await["notes/a"], 301);
    let sent =
        rig.client.statistics().out_messages.load(std::sync::atomic::Ordering::Relaxed) - sent;
    assert!(sent < 400, "{sent} messages were sent for 300 events");
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_nothing_counts_as_away_and_gets_everything_once() {
    let Some(rig) = Rig::new().await else { return };
    let settings = NatsSettings::default().with_ack_timeout(Duration::from_millis(200));
    let engine = rig.engine(Rig::publisher(rig.nats().settings(settings))).await;
    note(&engine, "a", "one").await;
    caught_up(&engine).await;
    rig.server.pause().unwrap();
    for id in ["a", "b", "c"] {
        note(&engine, id, "text").await;
        note(&engine, id, "text").await;
    }
    let projection = engine.projection("to-nats");
    for _ in 0..3 {
        rig.until_waiting(&projection, "the stream `NOTES` has not acknowledged in time").await;
        rig.until("it tries again", async || {
            projection.status().await.unwrap().state == ProjectionState::Running
        })
        .await;
    }
    assert_eq!(projection.status().await.unwrap().parked, 0);
    rig.server.go_on().unwrap();
    caught_up(&engine).await;
    let last = exactly_in_order(&rig).await;
    assert_eq!((last["notes/a"], last["notes/b"], last["notes/c"]), (3, 2, 2));
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_starts_while_nats_is_away() {
    let Some(mut rig) = Rig::new().await else { return };
    rig.server.kill().unwrap();
    let engine = rig.engine(Rig::publisher(rig.nats())).await;
    note(&engine, "a", "one").await;
    let projection = engine.projection("to-nats");
    rig.until_waiting(&projection, "there is no connection to NATS").await;
    rig.server.start_again().unwrap();
    caught_up(&engine).await;
    assert_eq!(exactly_in_order(&rig).await["notes/a"], 1);
    assert!(engine.shutdown().await.is_clean());
}
