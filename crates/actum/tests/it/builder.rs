//! What the builder is given beside the settings counts, whatever the order.

use crate::counter::Counter;
use actum::{
    Engine, EngineBuilder, Lane, MemoryStore, Metadata, Position, TraceContext,
    observe::Observer,
    settings::{PageLimit, RuntimeSettings},
    store::{EventFilter, EventStore},
};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// How many commands were admitted.
#[derive(Default)]
struct Admitted(AtomicUsize);

impl Observer for Admitted {
    fn admitted(&self, _: &'static str, _: &'static str) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// What another observer and another context would see or add.
fn settings(unused: &Arc<Admitted>) -> RuntimeSettings {
    RuntimeSettings::default()
        .with_observer(Arc::clone(unused) as _)
        .with_caller_context(|metadata| metadata.with_header("from", "the settings"))
}

fn with_trace(metadata: Metadata) -> Metadata {
    metadata.with_trace(TraceContext::new(TRACE).unwrap())
}

/// One command; returns the metadata of its event.
async fn stored_metadata(builder: EngineBuilder) -> Metadata {
    let store = MemoryStore::new();
    let engine = builder.store(store.clone()).entity::<Counter>(()).start().await.unwrap();
    engine.entity::<Counter>("a").ask(1u64).await.unwrap();
    let (filter, limit) = (EventFilter::default(), PageLimit::default());
    let page = store.read_lane(Lane::default(), Position::ZERO, &filter, limit).await.unwrap();
    assert!(engine.shutdown().await.is_clean());
    page.events[0].event.decode_metadata().unwrap()
}

#[tokio::test]
async fn observer_and_context_of_the_builder_take_the_place_of_those_in_the_settings() {
    let [seen, unused] = [(); 2].map(|()| Arc::<Admitted>::default());
    let given = |builder: EngineBuilder| builder.observer(seen.clone()).caller_context(with_trace);
    let begun = || Engine::builder("counters");
    for builder in
        [given(begun().settings(settings(&unused))), given(begun()).settings(settings(&unused))]
    {
        assert_eq!(stored_metadata(builder).await, with_trace(Metadata::new()));
        assert_eq!(seen.0.swap(0, Relaxed), 1);
    }
    assert_eq!(unused.0.load(Relaxed), 0);
}

#[tokio::test]
async fn those_of_the_settings_count_where_the_builder_has_none() {
    let seen = Arc::<Admitted>::default();
    let metadata = stored_metadata(Engine::builder("counters").settings(settings(&seen))).await;
    assert_eq!(metadata, Metadata::new().with_header("from", "the settings"));
    assert_eq!(seen.0.load(Relaxed), 1);
}
