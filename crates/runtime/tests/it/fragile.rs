//! An event-sourced entity whose code fails where a test says so.

use crate::rig::Rig;
use actum_model::{Ctx, Effect, Entity, EventSourced, Handle};
use actum_persistence::codec::Json;
use actum_runtime::{EntityRef, Registration, Runtime, settings::EntitySettings};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error};
use std::{
    convert::Infallible,
    fmt,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Waker},
    time::{Duration, Instant},
};

/// Where it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum At {
    Nowhere,
    Handle,
    /// The first of two events is applied, the second one panics.
    Apply,
    Encode,
    /// Encoding says so, and does not panic.
    Unencodable,
    Reply,
    /// Recording the reply panics, which happens for commands with an id only.
    RecordReply,
    AfterCommit,
}

/// Answered with the total after it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Fail(pub(crate) At);
/// A query that takes this long, and answers with the total.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Dawdle(pub(crate) Duration);
/// A query in whose midst a paused clock moves on by this, as if it took as long.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Delay(pub(crate) Duration);
/// A query that leaves its entity to panic when it is dropped.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Arm;
/// As [`Arm`], and the entity leaves memory: it panics in the midst of its partition, which fails.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Grenade;
/// Panics whenever it is dropped, as a command and as the reply, which it is too. One that is to be refused is, for a
/// reason that panics when it is shown.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Thorn {
    pub(crate) refused: bool,
}
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Unspeakable;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Added {
    #[serde(serialize_with = "encode")]
    at: At,
}

#[derive(Debug)]
pub(crate) struct Total {
    pub(crate) total: u64,
    fails: bool,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Fragile {
    pub(crate) total: u64,
    #[serde(skip)]
    charge: Charge,
}

/// Panics when it is dropped, once it is armed.
#[derive(Default)]
struct Charge(AtomicBool);

/// What has run after commits.
#[derive(Clone, Default)]
pub(crate) struct Actions(Arc<AtomicUsize>);

actum_model::payload! {
    Json: Fragile = "fragile.state", Added = "added", Fail = "fail", Dawdle = "dawdle", Delay = "delay", Arm = "arm",
    Grenade = "grenade", Thorn = "thorn", Unspeakable = "unspeakable", Total = "total"
}

fn encode<S: Serializer>(at: &At, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        At::Encode => panic!("in encode"),
        At::Unencodable => Err(S::Error::custom("has no encoding")),
        at => at.serialize(serializer),
    }
}

impl Serialize for Total {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert!(!self.fails, "in recording the reply");
        self.total.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Total {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { total: u64::deserialize(deserializer)?, fails: false })
    }
}

impl Drop for Thorn {
    fn drop(&mut self) {
        panic!("in dropping a command or a reply");
    }
}

impl Clone for Charge {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        assert!(!*self.0.get_mut(), "in dropping the state");
    }
}

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("in showing the rejection")
    }
}

impl std::error::Error for Unspeakable {}

impl Actions {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Entity for Fragile {
    const KIND: &'static str = "fragile";
    type Id = String;
    type Env = Actions;
    type Event = Added;
    type Commands = (Fail, Dawdle, Delay, Arm, Grenade, Thorn);

    fn initial(id: &String) -> Self {
        assert!(!id.starts_with("stillborn"), "in initial");
        Self::default()
    }
}

impl EventSourced for Fragile {
    fn apply(&mut self, event: &Added) {
        assert_ne!(event.at, At::Apply, "in apply");
        self.total += 1;
    }
}

type Answer = Result<Effect<Fragile, Total>, Infallible>;

impl Handle<Fail> for Fragile {
    type Reply = Total;
    type Rejection = Infallible;
    fn handle(&self, Fail(at): Fail, ctx: &Ctx<'_, Self>) -> Answer {
        assert_ne!(at, At::Handle, "in handle");
        let events = match at {
            At::Apply | At::Encode | At::Unencodable => {
                vec![Added { at: At::Nowhere }, Added { at }]
            }
            at => vec![Added { at }],
        };
        let actions = ctx.env().clone();
        let effect = Effect::persist_all(events).after_commit(move || {
            actions.0.fetch_add(1, Ordering::SeqCst);
            assert_ne!(at, At::AfterCommit, "in after_commit");
        });
        Ok(effect.reply_with(move |state: &Self| {
            assert_ne!(at, At::Reply, "in reply");
            Total { total: state.total, fails: at == At::RecordReply }
        }))
    }
}

impl Handle<Dawdle> for Fragile {
    type Reply = Total;
    type Rejection = Infallible;
    fn handle(&self, Dawdle(duration): Dawdle, _: &Ctx<'_, Self>) -> Answer {
        tracing::trace!("dawdling");
        let started = Instant::now(); // of the real clock, as handlers are measured
        while started.elapsed() < duration {
            std::hint::spin_loop();
        }
        Ok(Effect::none().reply(Total { total: self.total, fails: false }))
    }
}

impl Handle<Delay> for Fragile {
    type Reply = Total;
    type Rejection = Infallible;
    fn handle(&self, Delay(duration): Delay, _: &Ctx<'_, Self>) -> Answer {
        // what it waits for then is of no interest
        let moves = pin!(tokio::time::advance(duration));
        let _ = moves.poll(&mut Context::from_waker(Waker::noop()));
        Ok(Effect::none().reply(Total { total: self.total, fails: false }))
    }
}

impl Handle<Arm> for Fragile {
    type Reply = Total;
    type Rejection = Infallible;
    fn handle(&self, Arm: Arm, _: &Ctx<'_, Self>) -> Answer {
        self.charge.0.store(true, Ordering::SeqCst);
        Ok(Effect::none().reply(Total { total: self.total, fails: false }))
    }
}

impl Handle<Grenade> for Fragile {
    type Reply = Total;
    type Rejection = Infallible;
    fn handle(&self, Grenade: Grenade, ctx: &Ctx<'_, Self>) -> Answer {
        self.handle(Arm, ctx).map(Effect::passivate)
    }
}

impl Handle<Thorn> for Fragile {
    type Reply = Thorn;
    type Rejection = Unspeakable;
    fn handle(&self, thorn: Thorn, _: &Ctx<'_, Self>) -> Result<Effect<Self, Thorn>, Unspeakable> {
        if thorn.refused {
            std::mem::forget(thorn);
            return Err(Unspeakable);
        }
        Ok(Effect::none().reply(thorn))
    }
}

pub(crate) fn fragile(engine: &Runtime, id: &str) -> EntityRef<Fragile> {
    engine.entity(id)
}

/// An engine that runs it, beside what has run after commits.
pub(crate) async fn start(rig: &Rig) -> (Runtime, Actions) {
    let actions = Actions::default();
    (rig.start_with(vec![registered(&actions)], Default::default()).await, actions)
}

pub(crate) fn registered(actions: &Actions) -> Registration {
    Registration::event_sourced::<Fragile>(actions.clone(), EntitySettings::default())
}
