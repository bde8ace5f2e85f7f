use crate::rig::{Note, Noted, Notes, Rig};
use actum::{Ctx, Effect, Engine, Entity, EventSourced, Handle, Json, MemoryStore, Payload};
use actum_publish_websocket::LiveSettings;
use serde_json::json;
use std::{convert::Infallible, time::Duration};

#[tokio::test]
async fn events_come_live_and_in_order_as_cloud_events() {
    let rig = Rig::new().await;
    rig.note("a", "before").await;
    let (mut browser, hello) = rig.connect("").await;
    assert_eq!(
        (&hello["offset"], &hello["head"], &hello["age_ms"]),
        (&json!("1"), &json!("1"), &json!(0))
    );
    for nr in 0..50 {
        rig.note("a", format!("note {nr}")).await;
    }
    for nr in 0..50 {
        let (mut event, offset) = browser.event().await;
        assert_eq!(offset, (nr + 2).to_string());
        if nr == 0 {
            assert!(event["time"].take().as_str().unwrap().ends_with('Z'));
            let expected = json!({
                "specversion": "1.0",
                "id": "1-2",
                "source": "https://notes.example",
                "type": "note.noted",
                "subject": "notes/a",
                "time": null,
                "datacontenttype": "application/json",
                "sequencenr": "2",
                "schemaversion": "1",
                "partition": event["partition"],
                "data": "note 0",
            });
            assert_eq!(event, expected);
        }
        assert_eq!(event["data"], format!("note {nr}"));
    }
}

#[tokio::test]
async fn a_client_goes_on_behind_the_last_offset_it_got() {
    let rig = Rig::new().await;
    for nr in 0..20 {
        rig.note("a", nr.to_string()).await;
    }
    let (mut seen, mut after) = (Vec::new(), "beginning".to_owned());
    while seen.len() < 20 {
        let (mut browser, _) = rig.connect(&format!("after={after}")).await;
        for _ in 0..3.min(20 - seen.len()) {
            let (event, offset) = browser.event().await;
            seen.push(event["data"].as_str().unwrap().to_owned());
            after = offset;
        }
        browser.leave().await;
    }
    assert_eq!(seen, (0..20).map(|nr| nr.to_string()).collect::<Vec<_>>());
    let (_, hello) = rig.connect(&format!("after={after}")).await;
    assert_eq!(hello["age_ms"], 0, "it has all");
}

#[tokio::test]
async fn a_client_behind_learns_how_old_is_what_it_has() {
    let rig = Rig::new().await;
    rig.note("a", "one").await;
    let begun = std::time::Instant::now();
    let (mut age, mut passed) = (0, 0);
    while passed < 100 {
        passed = u64::try_from(begun.elapsed().as_millis()).unwrap();
        let (_, hello) = rig.connect("after=beginning").await;
        assert_eq!((&hello["offset"], &hello["head"]), (&json!("0"), &json!("1")));
        age = hello["age_ms"].as_u64().unwrap();
    }
    assert!((100..10_000).contains(&age), "{age} behind {passed}");
}

#[tokio::test]
async fn kinds_and_an_entity_select_what_comes() {
    let rig = Rig::new().await;
    rig.note("a", "one").await;
    rig.count("a", 7).await;
    rig.note("b/c d", "two").await;
    let (mut kinds, _) = rig.connect("after=beginning&kinds=counter").await;
    let (event, offset) = kinds.event().await;
    assert_eq!((&event["type"], &*offset), (&json!("counter.counted"), "2"));
    assert_eq!(event["data_base64"], "Bw==");
    let (mut both, _) = rig.connect("after=beginning&kinds=counter,notes").await;
    assert_eq!(both.data().await, "one");
    assert_eq!(both.event().await.0["datacontenttype"], "application/cbor");
    let (mut entity, _) = rig.connect("after=beginning&entity=notes/b/c%20d").await;
    assert_eq!(entity.data().await, "two");
    rig.note("a", "three").await;
    rig.note("b/c d", "four").await;
    assert_eq!(entity.data().await, "four");
}

#[tokio::test]
async fn heartbeats_say_how_far_a_client_has_come_where_nothing_fits_its_filter() {
    let settings = LiveSettings::default().with_heartbeat(Duration::from_millis(20));
    let rig = Rig::with(settings.with_silence_max(Duration::from_secs(3))).await;
    let (mut browser, _) = rig.connect("kinds=counter").await;
    for nr in 0..9 {
        rig.note("a", nr.to_string()).await;
    }
    // for longer than silence is tolerated: pings are answered
    let begun = std::time::Instant::now();
    let mut last = json!(null);
    while begun.elapsed() < Duration::from_millis(3_500) || last["offset"] != "9" {
        last = browser.frame().await["heartbeat"].take();
        // while it is not there, nothing was sent that has an age
        let expected = if last["offset"] == "9" { json!(0) } else { json!(null) };
        assert!([json!(0), expected].contains(&last["age_ms"]), "{last}");
    }
    rig.count("c", 1).await;
    assert_eq!(browser.event().await.1, "10");
}

/// The notes of a later version of the program.
struct LaterNotes;

#[derive(Clone)]
struct LaterNoted(Noted);

impl Payload for LaterNoted {
    type Codec = Later;
    const MANIFEST: &'static str = Noted::MANIFEST;
    const SCHEMA_VERSION: u32 = 2;
}

enum Later {}

impl actum::Codec<LaterNoted> for Later {
    const NAME: &'static str = "json";
    fn encode(value: &LaterNoted, out: &mut Vec<u8>) -> Result<(), actum::CodecError> {
        Json::encode(&value.0, out)
    }
    fn decode(bytes: &[u8]) -> Result<LaterNoted, actum::CodecError> {
        Json::decode(bytes).map(LaterNoted)
    }
}

impl Entity for LaterNotes {
    const KIND: &'static str = Notes::KIND;
    type Id = String;
    type Env = ();
    type Event = LaterNoted;
    type Commands = (Note,);
    fn initial(_: &String) -> Self {
        Self
    }
}

impl EventSourced for LaterNotes {
    fn apply(&mut self, _: &LaterNoted) {}
}

impl Handle<Note> for LaterNotes {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, Note(text): Note, _: &Ctx<'_, Self>) -> Result<Effect<Self, ()>, Infallible> {
        Ok(Effect::persist(LaterNoted(Noted(text))).reply(()))
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_named_and_others_follow() {
    let store = MemoryStore::new();
    let later = Engine::builder("notes").store(store.clone()).entity::<LaterNotes>(());
    let later = later.start().await.unwrap();
    later.entity::<LaterNotes>("a").ask(Note("new".into())).await.unwrap();
    assert!(later.shutdown().await.is_clean());
    let engine =
        Engine::builder("notes").store(store.reopen()).entity::<Notes>(()).start().await.unwrap();
    let rig = Rig::over(engine, LiveSettings::default()).await;
    rig.note("b", "known").await;
    let (mut browser, _) = rig.connect("after=beginning").await;
    let unreadable = browser.frame().await;
    let why = unreadable["unreadable"].as_str().unwrap();
    assert!(why.contains("notes/a"), "{why}");
    assert_eq!(browser.data().await, "known");
}
