//! Read models of durable states.

use actum::{
    Changed, Ctx, DurableState, Effect, Engine, Entity, Handle, HandlerError, MemoryStore,
    MemoryTarget, NoEvents, ProjectCtx, ProjectState, Projection, Projector,
};
use serde::{Deserialize, Serialize};
use std::{convert::Infallible, time::Duration};
use tokio::time::{Instant, sleep};

#[derive(Debug, Serialize, Deserialize)]
struct Tag(String);

actum::payload!(actum::Json: Tag = "tag");

impl Entity for Tag {
    const KIND: &'static str = "tag";
    type Id = String;
    type Env = ();
    type Event = NoEvents;
    type Commands = (String,);
    fn initial(_: &String) -> Self {
        Self(String::new())
    }
}

impl DurableState for Tag {}

/// Names it, or deletes it by an empty name.
impl Handle<String> for Tag {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, name: String, _: &Ctx<'_, Self>) -> Result<Effect<Self>, Infallible> {
        Ok(if name.is_empty() { Effect::delete() } else { Effect::replace(Self(name)) })
    }
}

#[derive(Clone)]
struct Tags;

impl Projector for Tags {
    type Target = MemoryTarget;
}

impl ProjectState<Tag> for Tags {
    async fn project_state(
        &mut self,
        changed: &Changed<Tag>,
        ctx: &mut ProjectCtx<'_, MemoryTarget>,
    ) -> Result<(), HandlerError> {
        match &changed.state {
            Some(tag) => ctx.tx().insert(changed.entity.id(), tag.0.clone()),
            None => ctx.tx().remove(changed.entity.id()),
        }
        Ok(())
    }
}

async fn start(target: &MemoryTarget) -> Engine {
    let tags = Projection::exact("tags", target.clone(), Tags).from_states::<Tag>();
    let engine = Engine::builder("tags").store(MemoryStore::new());
    engine.durable_state::<Tag>(()).projection(tags).start().await.unwrap()
}

#[tokio::test]
async fn a_write_can_be_waited_for_and_a_deletion_too() {
    let target = MemoryTarget::new();
    let engine = start(&target).await;
    let tag = engine.entity::<Tag>("a");
    for (name, row) in
        [("one", Some("one")), ("two", Some("two")), ("", None), ("three", Some("three"))]
    {
        let (_, receipt) = tag.ask(name.to_owned()).with_receipt().await.unwrap();
        let tags = engine.projection("tags");
        tags.caught_up_with(&receipt, Duration::from_secs(10)).await.unwrap();
        assert_eq!(target.row("a").as_deref(), row.map(str::as_bytes), "{name}");
    }
    let mut changes = engine.journal().state_changes::<Tag>();
    let change = changes.next().await.unwrap().unwrap();
    assert_eq!((change.revision.get(), change.state.unwrap().0.as_str()), (4, "three"));
    assert!(changes.next().await.unwrap().is_none());
    assert!(engine.shutdown().await.is_clean());
}

/// The engine tells of its own writes: no one waits for the next time the store is asked, a second later.
#[tokio::test(start_paused = true)]
async fn a_write_wakes_the_projection_and_holds_no_event_back() {
    let target = MemoryTarget::new();
    let engine = start(&target).await;
    for nr in 0..20 {
        sleep(Duration::from_secs(5)).await; // until the store is asked seldom
        let began = Instant::now();
        engine.entity::<Tag>("a").ask(nr.to_string()).await.unwrap();
        while target.row("a").as_deref() != Some(nr.to_string().as_bytes()) {
            sleep(Duration::from_millis(1)).await;
            assert!(began.elapsed() < Duration::from_millis(50), "it is not there yet");
        }
    }
    assert_eq!(engine.readers().read_to(actum::Lane::new(0)), None, "it needs no events");
    assert!(engine.shutdown().await.is_clean());
}
