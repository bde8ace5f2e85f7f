use crate::rig::{Rig, STREAM, caught_up, note};
use actum_publish_nats::{Nats, Subject, async_nats::jetstream::stream};
use std::time::Duration;

/// The messages of `a` behind a rejected one wait, while `b` goes on; replayed they come in order.
async fn parks(rig: &Rig, nats: Nats, bad: &str, why: &str, mend: impl AsyncFnOnce()) {
    let engine = rig.engine(Rig::publisher(nats)).await;
    note(&engine, "a", "one").await;
    note(&engine, "a", bad).await;
    note(&engine, "a", "three").await;
    note(&engine, "b", "one").await;
    caught_up(&engine).await;
    let expected = |events: &[(&str, u64)]| -> Vec<(String, u64)> {
        events.iter().map(|(id, nr)| (format!("notes/{id}"), *nr)).collect()
    };
    let sorted = async || {
        let mut events = rig.events().await;
        events.sort();
        events
    };
    assert_eq!(sorted().await, expected(&[("a", 1), ("b", 1)]));
    let projection = engine.projection("to-nats");
    let parked = projection.parked(None, 10).await.unwrap();
    assert_eq!((parked.len(), parked[0].from.get()), (1, 2));
    assert!(parked[0].error.contains(why), "{}", parked[0].error);
    mend().await;
    projection.replay_parked(None).await.unwrap();
    rig.until("the rest is published", async || rig.events().await.len() == 4).await;
    let events = rig.events().await;
    assert_eq!(events[2..], expected(&[("a", 2), ("a", 3)]));
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_beyond_the_limit_of_the_stream_parks_its_entity_and_later_ones_wait() {
    let Some(rig) = Rig::new().await else { return };
    let limited = |max: i32| stream::Config {
        name: STREAM.to_owned(),
        subjects: vec!["notes.>".to_owned()],
        max_message_size: max,
        ..stream::Config::default()
    };
    rig.jetstream().update_stream(&limited(2_000)).await.unwrap();
    let mend = async || {
        rig.jetstream().update_stream(&limited(-1)).await.unwrap();
    };
    let large = "x".repeat(2_000);
    parks(&rig, rig.nats(), &large, "the message is too large: ", mend).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_beyond_the_limit_of_the_server_is_its_event_s_failure_and_ends_no_connection() {
    let Some(rig) = Rig::with_conf(&[("max_payload", "2000")]).await else { return };
    rig.nats().create_stream(["notes.>"], Duration::from_secs(60)).await.unwrap();
    let engine = rig.engine(Rig::publisher(rig.nats())).await;
    // with its headers it is over the limit, by itself it is not
    note(&engine, "a", "x".repeat(1_900)).await;
    note(&engine, "a", "two").await;
    note(&engine, "b", "one").await;
    caught_up(&engine).await;
    assert_eq!(rig.events().await, [("notes/b".to_owned(), 1)]);
    let parked = engine.projection("to-nats").parked(None, 10).await.unwrap();
    assert!(parked[0].error.starts_with("the message is too large: "), "{}", parked[0].error);
    assert!(!rig.server.log().contains("maximum payload"), "{}", rig.server.log());
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subject_that_is_none_is_its_event_s_failure() {
    let Some(rig) = Rig::new().await else { return };
    let subject = Subject::by(|message| {
        let is_bad = message.data().starts_with(b"\"bad");
        if is_bad { "notes..a".to_owned() } else { "notes.a".to_owned() }
    });
    let nats = Nats::new(rig.jetstream(), STREAM, subject);
    let engine = rig.engine(Rig::publisher(nats)).await;
    note(&engine, "a", "bad").await;
    note(&engine, "b", "good").await;
    caught_up(&engine).await;
    assert_eq!(rig.events().await, [("notes/b".to_owned(), 1)]);
    let parked = engine.projection("to-nats").parked(None, 10).await.unwrap();
    assert_eq!(&*parked[0].error, "`notes..a` is not a subject: it has an empty token");
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_stream_is_waited_for_and_named() {
    let Some(rig) = Rig::with_conf(&[]).await else { return };
    let engine = rig.engine(Rig::publisher(rig.nats())).await;
    note(&engine, "a", "one").await;
    let projection = engine.projection("to-nats");
    rig.until_waiting(&projection, "the stream `NOTES` does not exist, create it").await;
    rig.nats().create_stream(["notes.>"], Duration::from_secs(60)).await.unwrap();
    caught_up(&engine).await;
    assert_eq!(rig.events().await.len(), 1);
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn subjects_that_the_stream_does_not_have_blame_no_event() {
    let Some(rig) = Rig::new().await else { return };
    let other = Subject::template("other.{id}").unwrap();
    let engine = rig.engine(Rig::publisher(Nats::new(rig.jetstream(), STREAM, other))).await;
    note(&engine, "a", "one").await;
    let projection = engine.projection("to-nats");
    let none = "no stream takes the subject `other.a`: the stream `NOTES` does not exist or has other subjects";
    rig.until_waiting(&projection, none).await;
    // one that is not asked to
    let config = stream::Config {
        name: "OTHERS".to_owned(),
        subjects: vec!["other.>".to_owned()],
        ..stream::Config::default()
    };
    rig.jetstream().create_stream(config).await.unwrap();
    rig.until_waiting(&projection, "another stream than `NOTES` takes the subject `other.a`").await;
    assert_eq!(projection.status().await.unwrap().parked, 0);
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_full_is_waited_for() {
    let Some(rig) = Rig::with_conf(&[]).await else { return };
    let config = |max| stream::Config {
        name: STREAM.to_owned(),
        subjects: vec!["notes.>".to_owned()],
        max_messages: max,
        discard: stream::DiscardPolicy::New,
        ..stream::Config::default()
    };
    rig.jetstream().create_stream(config(2)).await.unwrap();
    let engine = rig.engine(Rig::publisher(rig.nats())).await;
    for text in ["one", "two", "three"] {
        note(&engine, "a", text).await;
    }
    let projection = engine.projection("to-nats");
    rig.until_waiting(&projection, "the stream `NOTES` does not take more").await;
    assert_eq!(projection.status().await.unwrap().parked, 0);
    rig.jetstream().update_stream(&config(10)).await.unwrap();
    caught_up(&engine).await;
    let numbers: Vec<_> = rig.events().await.into_iter().map(|(_, nr)| nr).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert!(engine.shutdown().await.is_clean());
}
