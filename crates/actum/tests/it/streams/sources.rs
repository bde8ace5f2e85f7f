//! What may be a source is named unambiguously.

use super::{Booked, SECOND};
use crate::counter::Counter;
use actum::{
    AtLeastOnce, Changed, Ctx, DurableState, Effect, Engine, Entity, Expected, Handle,
    HandlerError, MemoryStore, NoEvents, Project, ProjectCtx, ProjectState, ProjectStream,
    Projection, Projector, Recorded, StartError, Stream, Subscription, SubscriptionError,
};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// A kind of entities that is called like what is kept of streams.
#[derive(Debug, Serialize, Deserialize)]
struct Odd;

actum::payload!(actum::Json: Odd = "odd");

impl Entity for Odd {
    const KIND: &'static str = "streams:ledger";
    type Id = String;
    type Env = ();
    type Event = NoEvents;
    type Commands = (u64,);
    fn initial(_: &String) -> Self {
        Self
    }
}

impl DurableState for Odd {}

impl Handle<u64> for Odd {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, _: u64, _: &Ctx<'_, Self>) -> Result<Effect<Self>, Infallible> {
        Ok(Effect::none())
    }
}

#[derive(Clone)]
struct Nothing;

impl Projector for Nothing {
    type Target = AtLeastOnce;
}

impl<E: Entity> Project<E> for Nothing {
    async fn project(
        &mut self,
        _: &Recorded<E::Event>,
        _: &mut ProjectCtx<'_, AtLeastOnce>,
    ) -> Result<(), HandlerError> {
        Ok(())
    }
}

impl<S: DurableState> ProjectState<S> for Nothing {
    async fn project_state(
        &mut self,
        _: &Changed<S>,
        _: &mut ProjectCtx<'_, AtLeastOnce>,
    ) -> Result<(), HandlerError> {
        Ok(())
    }
}

impl<E: actum::Payload> ProjectStream<E> for Nothing {
    async fn project_stream(
        &mut self,
        _: &Recorded<E>,
        _: &mut ProjectCtx<'_, AtLeastOnce>,
    ) -> Result<(), HandlerError> {
        Ok(())
    }
}

fn named(name: &str) -> Projection<Nothing> {
    Projection::at_least_once(name, Nothing)
}

#[tokio::test]
async fn sources_that_are_not_one_thing_are_refused_with_their_names() {
    let builder = Engine::builder("ledgers").store(MemoryStore::new()).entity::<Counter>(());
    let error = builder
        .projection(named("both").from::<Counter>().from_streams::<u64>("counter"))
        .projection(named("of-entities").from_streams::<u64>("counter"))
        .projection(named("twice").from_streams::<u64>("a").from_streams::<Booked>("a"))
        .projection(named("nameless").from_streams::<u64>(""))
        .projection(named("mixed").from_streams::<u64>("a").from_states::<Odd>())
        .start()
        .await
        .unwrap_err();
    let StartError::Invalid { problems } = error else { panic!("{error}") };
    let mut problems = problems.into_iter();
    for expected in [
        "projection `both` has the kind `counter` as one of entities and as one of streams: it can be one of the two",
        "projection `twice` names the kind `a` twice",
        "projection `nameless`: `` cannot name a kind of entity: it needs 1 to 64 bytes without NUL",
        "projection `mixed` has sources of events and of states, whose positions cannot be compared: make two of it",
        "projection `mixed` has the source `streams:ledger`: no kind of a source may begin with `states:` or `streams:`",
        "projection `both` has streams of the kind `counter` as a source, and the engine runs that as entities: call `.from::<Entity>()`",
        "projection `of-entities` has streams of the kind `counter` as a source, and the engine runs that as entities: call `.from::<Entity>()`",
    ] {
        assert_eq!(problems.next().as_deref(), Some(expected));
    }
    assert_eq!(problems.next(), None);
}

#[tokio::test]
async fn subscriptions_refuse_them_too() {
    let builder = Engine::builder("ledgers").store(MemoryStore::new()).entity::<Counter>(());
    let engine = builder.start().await.unwrap();
    let of_entities = Subscription::transient().from_streams("counter", Some::<Recorded<u64>>);
    let both = Subscription::transient()
        .from_streams("ledger", Some::<Recorded<u64>>)
        .from::<Ledger, _>(Some);
    let odd = Subscription::durable("odd").from_streams("streams:a", Some::<Recorded<u64>>);
    let nameless = Subscription::transient().stream("ledger", "", Some::<Recorded<u64>>);
    for (subscription, expected) in [
        (
            of_entities,
            "the subscription has streams of the kind `counter` as a source, and the engine runs that as entities: call `.from::<Entity>()`",
        ),
        (
            both,
            "the kind `ledger` is a source as one of entities and as one of streams: it can be one of the two",
        ),
        (odd, "the source `streams:a`: no kind of a source may begin with `states:` or `streams:`"),
        (nameless, "an entity id must not be empty"),
    ] {
        let error = engine.subscribe(subscription).await.unwrap_err();
        let SubscriptionError::Invalid { problems } = error else { panic!("{error}") };
        assert_eq!(problems, [expected]);
    }
    assert!(engine.shutdown().await.is_clean());
}

/// An entity of the kind that is a stream elsewhere.
struct Ledger;

impl Entity for Ledger {
    const KIND: &'static str = "ledger";
    type Id = String;
    type Env = ();
    type Event = u64;
    type Commands = (u64,);
    fn initial(_: &String) -> Self {
        Self
    }
}

impl actum::EventSourced for Ledger {
    fn apply(&mut self, _: &u64) {}
}

impl Handle<u64> for Ledger {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, by: u64, ctx: &Ctx<'_, Self>) -> Result<Effect<Self>, Infallible> {
        Ok(ctx.persist(by))
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_begun_with_streams_does_not_go_on_with_entities_of_the_same_kind() {
    let store = MemoryStore::new();
    let builder = Engine::builder("ledgers").store(store.reopen()).streams_only();
    let engine = builder
        .projection(named("of-ledgers").from_streams::<u64>("ledger"))
        .start()
        .await
        .unwrap();
    let ledger: Stream<u64> = engine.stream("ledger", "a");
    let receipt = ledger.append(Expected::NEW, [1]).await.unwrap();
    engine.projection("of-ledgers").caught_up_with(&receipt, 10 * SECOND).await.unwrap();
    assert!(engine.shutdown().await.is_clean());

    let builder = Engine::builder("ledgers").store(store.reopen()).entity::<Ledger>(());
    let engine = builder.projection(named("of-ledgers").from::<Ledger>()).start().await.unwrap();
    let waited = engine.projection("of-ledgers").caught_up_with(&receipt, 10 * SECOND).await;
    let why = waited.unwrap_err().to_string();
    let expected = r#"was begun with the sources ["streams:ledger"] and has ["ledger"] now"#;
    assert!(why.contains(expected), "{why}");
    assert!(engine.shutdown().await.is_clean());
}
