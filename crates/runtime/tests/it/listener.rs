//! A subscriber that listens to what an engine logs, on the thread of one test.

use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    fmt,
    pin::pin,
    sync::{Arc, LazyLock},
};
use tokio::sync::Notify;
use tracing::{
    Dispatch, Event, Level, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::{DefaultGuard, set_default},
};
use tracing_subscriber::{
    Layer, filter::LevelFilter, layer::Context, layer::SubscriberExt, registry,
    registry::LookupSpan,
};

/// What was said so far.
#[derive(Clone, Default)]
pub(crate) struct Listener(Arc<Ears>);

#[derive(Default)]
struct Ears {
    heard: Mutex<Heard>,
    more: Notify,
}

#[derive(Default)]
struct Heard {
    events: Vec<Said>,
    spans: Vec<(Id, Said)>,
}

/// An event, or a span with everything recorded in it.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) level: Level,
    pub(crate) target: &'static str,
    pub(crate) name: &'static str,
    /// The span it was said in.
    pub(crate) within: Option<&'static str>,
    fields: BTreeMap<&'static str, String>,
}

/// While a process has one subscriber only, `tracing` lets whichever thread comes first decide for all whether anybody
/// listens; with two more that never go it asks every one.
static DEAF: LazyLock<[Dispatch; 2]> =
    LazyLock::new(|| [LevelFilter::OFF; 2].map(|nothing| Dispatch::new(registry().with(nothing))));

/// To be called by a test that sets a subscriber of its own.
pub(crate) fn several_subscribers() {
    LazyLock::force(&DEAF);
}

impl Listener {
    /// Listens to what is said on this thread at `level` and above, until the guard is dropped.
    pub(crate) fn listen(level: Level) -> (Self, DefaultGuard) {
        several_subscribers();
        let listener = Self::default();
        let guard =
            set_default(registry().with(LevelFilter::from_level(level)).with(listener.clone()));
        (listener, guard)
    }

    pub(crate) fn events(&self) -> Vec<Said> {
        self.0.heard.lock().events.clone()
    }

    /// The spans of this name.
    pub(crate) fn spans(&self, name: &str) -> Vec<Said> {
        let heard = self.0.heard.lock();
        heard.spans.iter().map(|(_, said)| said).filter(|said| said.name == name).cloned().collect()
    }

    /// The events whose message this is.
    pub(crate) fn saying(&self, message: &str) -> Vec<Said> {
        self.events().into_iter().filter(|said| said.message() == message).collect()
    }

    /// Waits until something with this message is said.
    pub(crate) async fn hears(&self, message: &str) {
        loop {
            let mut more = pin!(self.0.more.notified());
            more.as_mut().enable();
            if !self.saying(message).is_empty() {
                return;
            }
            more.await;
        }
    }

    /// Everything that was said.
    pub(crate) fn text(&self) -> String {
        let heard = self.0.heard.lock();
        format!("{:#?}\n{:#?}", heard.events, heard.spans)
    }
}

impl Said {
    pub(crate) fn by(event: &Event<'_>) -> Self {
        let mut said = Self::of(event.metadata());
        event.record(&mut said);
        said
    }

    pub(crate) fn message(&self) -> &str {
        self.field("message").unwrap_or_default()
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Listener {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut said = Said::of(attributes.metadata());
        said.within = context.lookup_current().map(|span| span.name());
        attributes.record(&mut said);
        self.0.heard.lock().spans.push((id.clone(), said));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        // ids of closed spans are used again: the last one is meant
        if let Some((_, said)) =
            self.0.heard.lock().spans.iter_mut().rev().find(|(other, _)| other == id)
        {
            values.record(said);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut said = Said::of(event.metadata());
        said.within = context.lookup_current().map(|span| span.name());
        event.record(&mut said);
        self.0.heard.lock().events.push(said);
        self.0.more.notify_waiters();
    }
}

impl Said {
    fn of(metadata: &'static tracing::Metadata<'static>) -> Self {
        let (level, target, name) = (*metadata.level(), metadata.target(), metadata.name());
        Self { level, target, name, within: None, fields: BTreeMap::new() }
    }
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }
}
