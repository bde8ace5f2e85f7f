//! Values that could not be read back are refused when they are encoded: nothing is stored, and the entity goes on.

use crate::rig::{Rig, assert_is};
use actum_model::{
    Codec, Ctx, DurableState, Effect, Entity, EventSourced, Handle, NoEvents, Payload,
};
use actum_persistence::codec::{Cbor, Json};
use actum_runtime::{
    AskError, Registration, Runtime,
    settings::{EntitySettings, SnapshotSettings},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, convert::Infallible, fmt, marker::PhantomData};

/// A value that may have no way back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Reading {
    #[default]
    Fine,
    Float(f64),
    MaybeFloat(Option<f64>),
    Nested(Option<Option<u8>>),
    Tree(Tree),
    Flattened(Flattened),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Tree(Vec<Tree>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flattened {
    id: u8,
    #[serde(flatten)]
    amount: Option<Amount>,
    #[serde(flatten)]
    rest: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Amount {
    cents: i128,
}

/// A reading in codec `C`, as event (0), reply (1), rejection (2), state (3), command (4 to 7) and durable state (8).
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
struct As<C, const ROLE: usize> {
    reading: Reading,
    #[serde(skip)]
    codec: PhantomData<fn() -> C>,
}

impl<C, const ROLE: usize> As<C, ROLE> {
    fn new(reading: Reading) -> Self {
        Self { reading, codec: PhantomData }
    }

    fn of<const OTHER: usize>(other: As<C, OTHER>) -> Self {
        Self::new(other.reading)
    }
}

impl<C, const ROLE: usize> Clone for As<C, ROLE> {
    fn clone(&self) -> Self {
        Self::new(self.reading.clone())
    }
}

impl<C, const ROLE: usize> fmt::Display for As<C, ROLE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl<C: fmt::Debug, const ROLE: usize> std::error::Error for As<C, ROLE> {}

const MANIFESTS: [&str; 9] =
    ["event", "reply", "rejection", "state", "store", "answer", "refuse", "read", "whole"];

impl<C: Codec<Self>, const ROLE: usize> Payload for As<C, ROLE> {
    type Codec = C;
    const MANIFEST: &'static str = MANIFESTS[ROLE];
}

type Event<C> = As<C, 0>;
type Reply<C> = As<C, 1>;
type Rejection<C> = As<C, 2>;
/// The state of an event-sourced entity: the last reading.
type Gauge<C> = As<C, 3>;
/// Stores the reading, and is answered with that.
type Store<C> = As<C, 4>;
/// Stores that all is fine, and is answered with the reading.
type Answer<C> = As<C, 5>;
/// Is refused with the reading.
type Refuse<C> = As<C, 6>;
type Read<C> = As<C, 7>;
/// A durable state: the last reading.
type Whole<C> = As<C, 8>;

macro_rules! gauges {
    ($($codec:ident $gauge:literal $whole:literal)*) => { $(
        impl Entity for Gauge<$codec> {
            const KIND: &'static str = $gauge;
            type Id = String;
            type Env = ();
            type Event = Event<$codec>;
            type Commands = (Store<$codec>, Answer<$codec>, Refuse<$codec>, Read<$codec>);
            fn initial(_: &String) -> Self {
                Self::new(Reading::Fine)
            }
        }

        impl EventSourced for Gauge<$codec> {
            fn apply(&mut self, event: &Event<$codec>) {
                self.reading = event.reading.clone();
            }
        }

        impl Entity for Whole<$codec> {
            const KIND: &'static str = $whole;
            type Id = String;
            type Env = ();
            type Event = NoEvents;
            type Commands = (Store<$codec>, Answer<$codec>, Read<$codec>);
            fn initial(_: &String) -> Self {
                Self::new(Reading::Fine)
            }
        }

        impl DurableState for Whole<$codec> {}

        handled! { $codec, Gauge: Store |_, command| Ok(Effect::persist(Event::of(command)).reply(Reply::new(Reading::Fine))) }
        handled! { $codec, Gauge: Answer |_, command| {
            Ok(Effect::persist(Event::new(Reading::Fine)).reply(Reply::of(command)))
        } }
        handled! { $codec, Gauge: Refuse |_, command| Err(Rejection::of(command)) }
        handled! { $codec, Gauge: Read |state, _| Ok(Effect::none().reply(Reply::of(state.clone()))) }
        handled! { $codec, Whole: Store |_, command| Ok(Effect::replace(Whole::of(command)).reply(Reply::new(Reading::Fine))) }
        handled! { $codec, Whole: Answer |_, command| {
            Ok(Effect::replace(Whole::new(Reading::Fine)).reply(Reply::of(command)))
        } }
        handled! { $codec, Whole: Read |state, _| Ok(Effect::none().reply(Reply::of(state.clone()))) }
    )* };
}

macro_rules! handled {
    ($codec:ident, $entity:ident: $command:ident |$state:pat_param, $taken:pat_param| $body:expr) => {
        impl Handle<$command<$codec>> for $entity<$codec> {
            type Reply = Reply<$codec>;
            type Rejection = Rejection<$codec>;
            fn handle(
                &self,
                $taken: $command<$codec>,
                _: &Ctx<'_, Self>,
            ) -> Result<Effect<Self, Reply<$codec>>, Rejection<$codec>> {
                let $state = self;
                $body
            }
        }
    };
}

gauges! { Json "gauge.json" "whole.json" Cbor "gauge.cbor" "whole.cbor" }

fn tree(levels: usize) -> Reading {
    Reading::Tree((0..levels).fold(Tree(vec![]), |inner, _| Tree(vec![inner])))
}

fn flattened(amount: Option<i128>, rest: &str) -> Reading {
    let amount = amount.map(|cents| Amount { cents });
    let rest = BTreeMap::from([(rest.to_owned(), "x".to_owned())]);
    Reading::Flattened(Flattened { id: 1, amount, rest })
}

/// What both codecs refuse.
fn hopeless() -> Vec<Reading> {
    vec![
        Reading::Nested(Some(None)),
        flattened(Some(1), "note"),
        flattened(Some(i128::MAX), "note"),
        flattened(None, "id"),
        tree(2_000),
    ]
}

fn hopeless_in_json() -> Vec<Reading> {
    let mut all = hopeless();
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        all.extend([Reading::Float(float), Reading::MaybeFloat(Some(float))]);
    }
    all.extend([tree(125), tree(130)]);
    all
}

fn fine() -> Vec<Reading> {
    vec![
        Reading::Float(-0.0),
        Reading::MaybeFloat(Some(f64::MAX)),
        Reading::MaybeFloat(None),
        Reading::Nested(Some(Some(1))),
        Reading::Nested(None),
        flattened(None, "note"),
        tree(124),
    ]
}

macro_rules! held_through_the_engine {
    ($module:ident, $codec:ident, $hopeless:expr) => {
        mod $module {
            use super::*;

            async fn start(rig: &Rig) -> Runtime {
                let settings = EntitySettings::<Gauge<$codec>>::default()
                    .with_snapshots(SnapshotSettings::every(1));
                let kinds = vec![
                    Registration::event_sourced((), settings),
                    Registration::durable_state::<Whole<$codec>>((), EntitySettings::default()),
                ];
                rig.start_with(kinds, Default::default()).await
            }

            #[tokio::test(start_paused = true)]
            async fn an_event_is_refused_and_the_entity_goes_on() {
                let rig = Rig::new();
                let mut engine = start(&rig).await;
                let mut stored = 0;
                for (bad, good) in $hopeless.into_iter().zip(fine().into_iter().cycle()) {
                    let gauge = engine.entity::<Gauge<$codec>>("g");
                    let error = gauge.ask(Store::new(bad.clone())).await.unwrap_err();
                    assert_is!(&error, AskError::Invalid { what } if what.starts_with("`event` cannot be encoded: "));
                    let error = gauge.ask(Store::new(bad)).command_id("again").await.unwrap_err();
                    assert_is!(error, AskError::Invalid { .. });
                    gauge.ask(Store::new(good.clone())).await.unwrap();
                    stored += 1;
                    assert_eq!(rig.stored(Gauge::<$codec>::KIND, "g").await.len(), stored);
                    assert!(engine.shutdown().await.is_clean());
                    engine = start(&rig).await;
                    let gauge = engine.entity::<Gauge<$codec>>("g");
                    let back = gauge.ask(Read::new(Reading::Fine)).await.unwrap();
                    assert_eq!(format!("{:?}", back.reading), format!("{good:?}"));
                }
            }

            #[tokio::test(start_paused = true)]
            async fn a_reply_that_is_recorded_is_refused_with_its_command() {
                let rig = Rig::new();
                let engine = start(&rig).await;
                let gauge = engine.entity::<Gauge<$codec>>("g");
                let whole = engine.entity::<Whole<$codec>>("w");
                for bad in $hopeless {
                    let error = gauge.ask(Answer::new(bad.clone())).command_id("c").await.unwrap_err();
                    assert_is!(&error, AskError::Invalid { what } if what.contains("the reply cannot be recorded: `reply` cannot be encoded: "));
                    let error = whole.ask(Answer::new(bad)).command_id("c").await.unwrap_err();
                    assert_is!(error, AskError::Invalid { .. });
                    assert_eq!(gauge.ask(Read::new(Reading::Fine)).await.unwrap().reading, Reading::Fine);
                }
                assert_eq!(rig.stored(Gauge::<$codec>::KIND, "g").await.len(), 0);
                // the id is free: nothing was done under it
                gauge.ask(Answer::new(Reading::Fine)).command_id("c").await.unwrap();
                whole.ask(Answer::new(Reading::Fine)).command_id("c").await.unwrap();
                assert_eq!(rig.stored(Gauge::<$codec>::KIND, "g").await.len(), 1);
                // without an id nothing is recorded, and a reply in this process is never encoded
                for bad in $hopeless {
                    let reply = gauge.ask(Answer::new(bad.clone())).await.unwrap();
                    assert_eq!(format!("{:?}", reply.reading), format!("{bad:?}"));
                }
            }

            #[tokio::test(start_paused = true)]
            async fn a_durable_state_is_refused_and_can_still_be_replaced() {
                let rig = Rig::new();
                let mut engine = start(&rig).await;
                let mut before = Reading::Fine;
                for (bad, good) in $hopeless.into_iter().zip(fine().into_iter().cycle()) {
                    let whole = engine.entity::<Whole<$codec>>("w");
                    let error = whole.ask(Store::new(bad)).await.unwrap_err();
                    assert_is!(&error, AskError::Invalid { what } if what.starts_with("`whole` cannot be encoded: "));
                    assert_eq!(whole.ask(Read::new(Reading::Fine)).await.unwrap().reading, before);
                    whole.ask(Store::new(good.clone())).await.unwrap();
                    assert!(engine.shutdown().await.is_clean());
                    engine = start(&rig).await;
                    let whole = engine.entity::<Whole<$codec>>("w");
                    assert_eq!(whole.ask(Read::new(Reading::Fine)).await.unwrap().reading, good);
                    before = good;
                }
            }

            #[tokio::test(start_paused = true)]
            async fn a_rejection_is_not_stored_and_reaches_a_caller_in_this_process_as_it_is() {
                let rig = Rig::new();
                let engine = start(&rig).await;
                let gauge = engine.entity::<Gauge<$codec>>("g");
                for bad in $hopeless {
                    let error = gauge.ask(Refuse::new(bad.clone())).command_id("c").await.unwrap_err();
                    let rejection = error.rejection().expect("it is a rejection");
                    assert_eq!(format!("{:?}", rejection.reading), format!("{bad:?}"));
                    // what would be sent to another node is encoded, and that fails
                    assert!(actum_model::StoredPayload::encode(rejection).is_err());
                }
                assert_eq!(rig.stored(Gauge::<$codec>::KIND, "g").await.len(), 0);
            }
        }
    };
}

held_through_the_engine!(json, Json, hopeless_in_json());
held_through_the_engine!(cbor, Cbor, hopeless());

/// A state whose events are fine and which is not: their sum leaves the finite numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sum(f64);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Added(f64);

#[derive(Debug, Serialize, Deserialize)]
struct Add(f64);

actum_model::payload!(Json: Sum = "sum", Added = "added", Add = "add");

impl Entity for Sum {
    const KIND: &'static str = "sum";
    type Id = String;
    type Env = ();
    type Event = Added;
    type Commands = (Add,);
    fn initial(_: &String) -> Self {
        Self(0.0)
    }
}

impl EventSourced for Sum {
    fn apply(&mut self, event: &Added) {
        self.0 += event.0;
    }
}

impl Handle<Add> for Sum {
    type Reply = bool;
    type Rejection = Infallible;
    fn handle(&self, Add(n): Add, _: &Ctx<'_, Self>) -> Result<Effect<Self, bool>, Infallible> {
        Ok(Effect::persist(Added(n)).reply_with(|sum: &Self| sum.0.is_finite()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_could_not_be_read_back_is_not_taken() {
    let start = async |rig: &Rig| {
        let settings = EntitySettings::<Sum>::default().with_snapshots(SnapshotSettings::every(1));
        rig.start_with(vec![Registration::event_sourced((), settings)], Default::default()).await
    };
    let rig = Rig::new();
    let engine = start(&rig).await;
    let sum = engine.entity::<Sum>("s");
    assert!(sum.ask(Add(f64::MAX)).await.unwrap());
    for _ in 0..3 {
        assert!(!sum.ask(Add(f64::MAX)).await.unwrap());
    }
    assert!(engine.shutdown().await.is_clean());
    let engine = start(&rig).await;
    let sum = engine.entity::<Sum>("s");
    assert_eq!(sum.state().await.unwrap(), Sum(f64::INFINITY));
    assert!(!sum.ask(Add(1.0)).await.unwrap());
    assert_eq!(
        rig.stored("sum", "s").await.len(),
        5,
        "events stay behind a snapshot that was not taken"
    );
}
