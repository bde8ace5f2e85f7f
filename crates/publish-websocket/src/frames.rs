use actum::{Message, Offset};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json, value::RawValue};
use std::time::Duration;

/// What a client learns first.
pub(crate) struct Hello<'a> {
    pub(crate) offset: &'a Offset,
    pub(crate) head: Option<&'a Offset>,
    pub(crate) age: Option<Duration>,
    pub(crate) heartbeat: Duration,
    pub(crate) silence: Duration,
    pub(crate) retry: Duration,
}

pub(crate) fn hello(hello: &Hello<'_>) -> String {
    json!({ "hello": {
        "offset": hello.offset.to_string(),
        "head": hello.head.map(ToString::to_string),
        "age_ms": hello.age.map(millis),
        "heartbeat_ms": millis(hello.heartbeat),
        "silence_ms": millis(hello.silence),
        "retry_ms": millis(hello.retry),
    }})
    .to_string()
}

pub(crate) fn heartbeat(offset: &Offset, age: Option<Duration>) -> String {
    json!({ "heartbeat": { "offset": offset.to_string(), "age_ms": age.map(millis) } }).to_string()
}

pub(crate) fn unreadable(why: &str) -> String {
    json!({ "unreadable": why }).to_string()
}

/// An event in the JSON format of CloudEvents, with its offset.
pub(crate) fn event(message: &Message, offset: &Offset) -> String {
    let attributes = message.attributes().into_iter();
    let attributes: Map<_, _> =
        attributes.map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
    let attributes = Value::Object(attributes).to_string();
    let attributes = attributes.strip_suffix('}').unwrap_or(&attributes);
    format!("{{\"event\":{attributes},{}}},\"offset\":\"{offset}\"}}", data(message))
}

/// The member of the data: as it is where that is JSON, else as text.
fn data(message: &Message) -> String {
    let is_json = message.content_type() == "application/json";
    let json = is_json.then(|| serde_json::from_slice::<&RawValue>(message.data()).ok()).flatten();
    match json {
        Some(json) => format!("\"data\":{}", json.get()),
        None => format!("\"data_base64\":\"{}\"", STANDARD.encode(message.data())),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
