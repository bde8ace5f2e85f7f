use crate::rig::{Noted, Rig, caught_up, note};
use actum::{Metadata, TraceContext};
use actum_publish_nats::{Nats, Subject};
use std::collections::HashMap;

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_in_the_stream_in_order() {
    let Some(rig) = Rig::new().await else { return };
    let engine = rig.engine(Rig::publisher(rig.nats()).segments(4)).await;
    for nr in 0..40 {
        for id in ["a", "b", "c"] {
            note(&engine, id, format!("{id} {nr}")).await;
        }
    }
    caught_up(&engine).await;
    let mut last: HashMap<String, u64> = HashMap::new();
    for (entity, nr) in rig.events().await {
        let last = last.entry(entity.clone()).or_default();
        assert_eq!(nr, *last + 1, "of {entity}");
        *last = nr;
    }
    assert_eq!(last.len(), 3);
    assert!(last.values().all(|last| *last == 40), "{last:?}");
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_has_the_event_and_the_headers_of_cloud_events() {
    let Some(rig) = Rig::new().await else { return };
    let engine = rig.engine(Rig::publisher(rig.nats()).source("https://notes.example")).await;
    let trace = TraceContext::new("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let metadata = Metadata::new().with_trace(trace.unwrap()).with_correlation_id("r\u{fc}ck 7");
    let entity = engine.entity::<crate::rig::Notes>("a.b c");
    entity.ask(crate::rig::Note("hello".into())).metadata(metadata).await.unwrap();
    caught_up(&engine).await;
    let kept = rig.kept().await;
    let [kept] = &kept[..] else { panic!("{kept:?}") };
    assert_eq!(&*kept.message.subject, "notes.a%2Eb%20c.note.noted");
    let noted: Noted = serde_of(&kept.message.payload);
    assert_eq!(noted, Noted("hello".into()));
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-id", "1-1"),
        ("ce-source", "https://notes.example"),
        ("ce-type", "note.noted"),
        ("ce-subject", "notes/a.b%20c"),
        ("ce-datacontenttype", "application/json"),
        ("ce-sequencenr", "1"),
        ("ce-schemaversion", "1"),
        ("ce-traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("ce-correlationid", "r%C3%BCck%207"),
        ("Nats-Msg-Id", "https://notes.example#1-1"),
        ("Nats-Expected-Stream", "NOTES"),
    ] {
        assert_eq!(kept.header(name), Some(value), "{name}");
    }
    assert!(kept.header("ce-time").unwrap().ends_with('Z'));
    assert!(engine.shutdown().await.is_clean());
}

fn serde_of(bytes: &[u8]) -> Noted {
    use actum::Codec as _;
    actum::Json::decode(bytes).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closure_says_the_subject() {
    let Some(rig) = Rig::new().await else { return };
    let subject = Subject::by(|message| format!("notes.nr{}", message.recorded().sequence_nr));
    let engine = rig.engine(Rig::publisher(Nats::new(rig.jetstream(), "NOTES", subject))).await;
    note(&engine, "a", "x").await;
    note(&engine, "a", "y").await;
    caught_up(&engine).await;
    let kept = rig.kept().await;
    let subjects: Vec<_> = kept.iter().map(|kept| &*kept.message.subject).collect();
    assert_eq!(subjects, ["notes.nr1", "notes.nr2"]);
    assert!(engine.shutdown().await.is_clean());
}
