use super::shipped::{ids, publisher};
use crate::{
    account::{Account, DepositedV1},
    projecting::runner_rig::run,
    rig::{Rig, account, deposited, entity},
};
use actum_model::{
    Ctx, Effect, Entity, EventSourced, Handle, Metadata, Timestamp, TraceContext, payload,
};
use actum_persistence::{codec::Cbor, serializer::Serializer, store::NewEvent};
use actum_projection::{Message, Projection, StartAt};
use actum_testkit::MemoryBroker;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

#[derive(Clone, Serialize, Deserialize)]
struct Counted(u64);

payload!(Cbor: Counted = "counted");

/// An entity whose events are stored as CBOR.
struct Counter;

impl Entity for Counter {
    const KIND: &'static str = "counter";
    type Id = String;
    type Env = ();
    type Event = Counted;
    type Commands = (Counted,);
    fn initial(_: &String) -> Self {
        Self
    }
}

impl EventSourced for Counter {
    fn apply(&mut self, _: &Counted) {}
}

impl Handle<Counted> for Counter {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, _: Counted, _: &Ctx<'_, Self>) -> Result<Effect<Self, ()>, Infallible> {
        Ok(Effect::none().reply(()))
    }
}

fn event(payload: &impl actum_model::Payload, metadata: &Metadata) -> NewEvent {
    let serializer = Serializer::default();
    NewEvent {
        timestamp: Timestamp::from_micros(1_798_761_599_500_000),
        payload: serializer.encode(payload).unwrap(),
        metadata: serializer.encode_metadata(metadata, None).unwrap(),
    }
}

fn traced() -> Metadata {
    let trace = TraceContext::new("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    Metadata::new()
        .with_trace(trace.unwrap().with_tracestate("vendor=\"a b\""))
        .with_causation_id("7-1")
        .with_correlation_id("order 12")
}

/// What comes of an event of version 1, of the entity `über uns`.
async fn shipped() -> Message {
    let (rig, broker) = (Rig::new(1).await, MemoryBroker::new());
    let old = event(&DepositedV1 { euros: 3 }, &traced());
    rig.append(&account("über uns"), 0, vec![old]).await;
    let running = run(&rig, "a@1", publisher(&broker).source("https://bank.example")).await;
    running.caught_up().await;
    running.end().await;
    broker.messages().remove(0)
}

#[tokio::test(start_paused = true)]
async fn a_message_has_the_event_in_its_present_version_and_the_attributes_of_cloud_events() {
    let message = shipped().await;
    assert_eq!(&**message.data(), br#"{"cents":300}"#);
    let partition = message.recorded().partition.nr().to_string();
    let attributes = message.attributes();
    let attributes: Vec<_> = attributes.iter().map(|(name, value)| (*name, &**value)).collect();
    let expected = [
        ("specversion", "1.0"),
        ("id", "1-1"),
        ("source", "https://bank.example"),
        ("type", "account.deposited"),
        ("subject", "account/über uns"),
        ("time", "2026-12-31T23:59:59.500000Z"),
        ("datacontenttype", "application/json"),
        ("sequencenr", "1"),
        ("schemaversion", "2"),
        ("partition", &partition),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("tracestate", "vendor=\"a b\""),
        ("causationid", "7-1"),
        ("correlationid", "order 12"),
    ];
    assert_eq!(attributes, expected);
}

#[tokio::test(start_paused = true)]
async fn headers_hold_the_attributes_percent_encoded() {
    let message = shipped().await;
    let headers: Vec<_> = message.headers().collect();
    assert_eq!(headers.len(), message.attributes().len());
    for header in [
        ("ce-id", "1-1"),
        ("ce-subject", "account/%C3%BCber%20uns"),
        ("ce-tracestate", "vendor=%22a%20b%22"),
        ("ce-correlationid", "order%2012"),
    ] {
        let known = headers.iter().map(|(name, value)| (&**name, &**value));
        assert!(known.clone().any(|known| known == header), "{headers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_source_tells_events_of_two_journals_apart() {
    let mut unique = Vec::new();
    for source in [None, Some("/other")] {
        let (rig, broker) = (Rig::new(1).await, MemoryBroker::new());
        rig.deposit(&account("a"), 1).await;
        let publisher = publisher(&broker);
        let publisher = match source {
            None => publisher,
            Some(source) => publisher.source(source),
        };
        let running = run(&rig, "a@1", publisher).await;
        running.caught_up().await;
        unique.push(broker.messages()[0].unique_id());
        running.end().await;
    }
    assert_eq!(unique, ["/orders#1-1", "/other#1-1"]);
}

#[tokio::test(start_paused = true)]
async fn the_events_of_several_kinds_keep_their_codecs() {
    let (rig, broker) = (Rig::new(1).await, MemoryBroker::new());
    rig.append(&account("a"), 0, vec![deposited(1)]).await;
    rig.append(&entity("counter", "c"), 0, vec![event(&Counted(7), &Metadata::new())]).await;
    let running = run(&rig, "a@1", publisher(&broker).from::<Counter>()).await;
    running.caught_up().await;
    running.end().await;
    let messages = broker.messages();
    let types: Vec<_> = messages.iter().map(|one| (one.manifest(), one.content_type())).collect();
    assert_eq!(types, [("account.deposited", "application/json"), ("counted", "application/cbor")]);
    assert_eq!(&**messages[1].data(), [7]);
}

#[tokio::test(start_paused = true)]
async fn what_happened_before_the_publisher_was_there_or_rewound_is_marked() {
    let (rig, broker) = (Rig::new(1).await, MemoryBroker::new());
    rig.deposit(&account("a"), 2).await;
    let running = run(&rig, "a@1", publisher(&broker)).await;
    running.caught_up().await;
    rig.append(&account("a"), 2, vec![deposited(1)]).await;
    running.caught_up().await;
    let marks = |broker: &MemoryBroker| -> Vec<_> {
        broker.messages().iter().map(Message::is_replay).collect()
    };
    assert_eq!(marks(&broker), [true, true, false]);
    running.projection().rewind(StartAt::Beginning).await.unwrap();
    running.caught_up().await;
    assert_eq!(marks(&broker)[3..], [true, true, true]);
    assert_eq!(ids(&broker)[..3], ids(&broker)[3..], "they come again under the same names");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_publisher_cannot_take_back_what_it_has_shipped() {
    let (rig, broker) = (Rig::new(1).await, MemoryBroker::new());
    rig.deposit(&account("a"), 2).await;
    let running = run(&rig, "a@1", publisher(&broker)).await;
    running.caught_up().await;
    let why = running.projection().reset().await.unwrap_err().to_string();
    assert!(why.contains("cannot be taken back: rewind it"), "{why}");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_starts_now_ships_nothing_of_before() {
    let (rig, broker) = (Rig::new(1).await, MemoryBroker::new());
    rig.deposit(&account("a"), 2).await;
    let projection = Projection::publisher("orders", broker.clone()).from::<Account>();
    let running = run(&rig, "a@1", projection.start_at(StartAt::Now)).await;
    running.caught_up().await;
    rig.append(&account("a"), 2, vec![deposited(1)]).await;
    running.caught_up().await;
    assert_eq!(ids(&broker), ["1-3"]);
    running.end().await;
}
