//! Values of the user's that panic when they are dropped do no harm to their neighbours.

use crate::rig::{Rig, assert_is, send};
use actum_model::{Ctx, Effect, Entity, EntityId, EventSourced, Handle, InvalidId};
use actum_persistence::codec::Json;
use actum_runtime::{
    AskError, EntityRef, Registration, Runtime,
    settings::{EntitySettings, RuntimeSettings},
};
use actum_testkit::{Fault, Operation};
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Panics when it is dropped inside of the engine: its id is `thorn`, and it was made there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Id {
    text: String,
    is_sharp: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Grown {
    is_sharp: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Rose {
    grown: u64,
}

/// Grows; with an event, or an action behind it, that panics when it is dropped.
#[derive(Debug, Serialize, Deserialize)]
struct Grow {
    event_is_sharp: bool,
    action_is_sharp: bool,
}

/// As it is dropped, it panics.
struct Sharp(Arc<AtomicUsize>);

actum_model::payload! { Json: Rose = "rose.state", Grown = "grown", Grow = "grow" }

/// Ids are made by tests, too, which drop them in peace.
static INSIDE: AtomicBool = AtomicBool::new(false);

/// How many ids, and how many events, have panicked.
static PANICKED_IDS: AtomicUsize = AtomicUsize::new(0);
static PANICKED_EVENTS: AtomicUsize = AtomicUsize::new(0);

fn panic_if(is_sharp: bool, panicked: &AtomicUsize, what: &str) {
    if is_sharp {
        panicked.fetch_add(1, Ordering::SeqCst);
        panic!("in dropping {what}");
    }
}

impl EntityId for Id {
    fn to_text(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.text)
    }

    fn from_text(text: &str) -> Result<Self, InvalidId> {
        let is_sharp = text == "thorn" && INSIDE.load(Ordering::SeqCst);
        Ok(Self { text: text.to_owned(), is_sharp })
    }
}

impl Drop for Id {
    fn drop(&mut self) {
        panic_if(self.is_sharp, &PANICKED_IDS, "an id");
    }
}

impl Drop for Grown {
    fn drop(&mut self) {
        panic_if(self.is_sharp, &PANICKED_EVENTS, "an event");
    }
}

impl Drop for Sharp {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("in dropping an action");
    }
}

impl Entity for Rose {
    const KIND: &'static str = "rose";
    type Id = Id;
    type Env = Arc<AtomicUsize>;
    type Event = Grown;
    type Commands = (Grow,);

    fn initial(_: &Id) -> Self {
        Self::default()
    }
}

impl EventSourced for Rose {
    fn apply(&mut self, _: &Grown) {
        self.grown += 1;
    }
}

impl Handle<Grow> for Rose {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, grow: Grow, ctx: &Ctx<'_, Self>) -> Result<Effect<Self, u64>, Infallible> {
        let effect = Effect::persist(Grown { is_sharp: grow.event_is_sharp })
            .reply_with(|rose: &Self| rose.grown);
        if !grow.action_is_sharp {
            return Ok(effect);
        }
        let sharp = Sharp(Arc::clone(ctx.env()));
        Ok(effect.after_commit(move || std::mem::forget(sharp)))
    }
}

const GROW: Grow = Grow { event_is_sharp: false, action_is_sharp: false };

async fn start(rig: &Rig, idle: Option<Duration>) -> (Runtime, Arc<AtomicUsize>) {
    let dropped = Arc::new(AtomicUsize::new(0));
    let settings = EntitySettings::default().with_idle_timeout(idle);
    let kind = Registration::event_sourced::<Rose>(Arc::clone(&dropped), settings);
    (rig.start_with(vec![kind], RuntimeSettings::default()).await, dropped)
}

fn rose(engine: &Runtime, text: &str) -> EntityRef<Rose> {
    engine.entity(Id { text: text.to_owned(), is_sharp: false })
}

#[tokio::test(start_paused = true)]
async fn an_event_that_panics_when_it_is_dropped_is_stored_and_read_back() {
    let rig = Rig::of_one_partition();
    let (engine, _) = start(&rig, None).await;
    let neighbour = rose(&engine, "b");
    assert_eq!(neighbour.ask(GROW).await.unwrap(), 1);
    let reads = rig.faults.calls(Operation::Recover);
    let sharp = Grow { event_is_sharp: true, ..GROW };
    assert_eq!(rose(&engine, "a").ask(sharp).await.unwrap(), 1);
    assert_eq!(PANICKED_EVENTS.load(Ordering::SeqCst), 1);
    assert_eq!(neighbour.ask(GROW).await.unwrap(), 2);
    assert_eq!(rig.faults.calls(Operation::Recover), reads + 1, "the neighbour stays in memory");
    assert!(engine.shutdown().await.is_clean());
    let (engine, _) = start(&rig, None).await;
    assert_eq!(rose(&engine, "a").ask(GROW).await.unwrap(), 2);
    assert_eq!(PANICKED_EVENTS.load(Ordering::SeqCst), 2, "the one that was read, too");
}

#[tokio::test(start_paused = true)]
async fn an_action_that_never_runs_may_panic_when_it_is_dropped() {
    let rig = Rig::of_one_partition();
    let (engine, dropped) = start(&rig, None).await;
    let neighbour = rose(&engine, "b");
    assert_eq!(neighbour.ask(GROW).await.unwrap(), 1);
    let reads = rig.faults.calls(Operation::Recover);
    rig.faults.next(Operation::Append, Fault::unavailable());
    let sharp = Grow { action_is_sharp: true, ..GROW };
    assert_is!(rose(&engine, "a").ask(sharp).await, Err(AskError::Unavailable { .. }));
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    assert_eq!(neighbour.ask(GROW).await.unwrap(), 2);
    assert_eq!(rig.faults.calls(Operation::Recover), reads + 1, "the neighbour stays in memory");
}

#[tokio::test(start_paused = true)]
async fn an_id_that_panics_when_its_entity_leaves_harms_no_other() {
    let rig = Rig::of_one_partition();
    let idle = Duration::from_secs(1);
    let (engine, _) = start(&rig, Some(idle)).await;
    let thorn = rose(&engine, "thorn");
    INSIDE.store(true, Ordering::SeqCst);
    assert_eq!(thorn.ask(GROW).await.unwrap(), 1);
    INSIDE.store(false, Ordering::SeqCst);
    tokio::time::sleep(idle / 2).await;
    let neighbour = rose(&engine, "b");
    assert_eq!(neighbour.ask(GROW).await.unwrap(), 1);
    let append = rig.hold_next(Operation::Append);
    let waiting = send(neighbour.ask(GROW));
    append.held(1).await;
    tokio::time::sleep(idle * 2).await; // the thorn leaves
    assert_eq!((engine.usage().entities, PANICKED_IDS.load(Ordering::SeqCst)), (1, 1));
    append.open();
    assert_eq!(waiting.await.unwrap().unwrap(), 2, "its neighbour goes on");
    assert_eq!(thorn.ask(GROW).await.unwrap(), 2);
}
