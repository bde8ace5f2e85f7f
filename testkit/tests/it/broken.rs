//! Entities that break the rules, each in the way it is asked to.

use actum_model::{
    Codec, CodecError, Ctx, DurableState, Effect, Entity, EventSourced, Handle, NoEvents,
};
use actum_persistence::codec::Json;
use serde::{Deserialize, Serialize};
use std::{
    cell::Cell,
    collections::HashMap,
    convert::Infallible,
    sync::atomic::{AtomicU8, Ordering},
};

thread_local! {
    static TURN: Cell<u8> = const { Cell::new(0) };
}

/// Counts on, in this thread: the chance that no handler may depend on.
fn chance() -> u8 {
    TURN.set(TURN.get() + 1);
    TURN.get()
}

/// Lets chance count from 1 again.
pub(crate) fn start_over() {
    TURN.set(0);
}

/// A value with a fault of its own.
#[derive(Clone, Debug)]
pub(crate) enum Thing {
    Fine(u8),
    CannotEncode,
    CannotDecode,
    EncodePanics,
    DecodePanics,
    /// Comes back as 0.
    Forgets(u8),
    /// Is encoded otherwise each time.
    Drifts,
    /// Cannot be applied.
    Poison,
    /// Is applied otherwise each time.
    Chance,
    /// Fills a hash map.
    Spread,
}

/// Things as events (0), commands (1), replies (2) and rejections (3).
#[derive(Clone, Debug)]
pub(crate) struct As<const ROLE: u8>(pub(crate) Thing);

impl<const ROLE: u8> std::fmt::Display for As<ROLE> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("it will not")
    }
}

impl<const ROLE: u8> std::error::Error for As<ROLE> {}

/// The codec that does what its value says.
pub(crate) enum Faulty {}

impl<const ROLE: u8> Codec<As<ROLE>> for Faulty {
    const NAME: &'static str = "faulty";

    fn encode(value: &As<ROLE>, out: &mut Vec<u8>) -> Result<(), CodecError> {
        match value.0 {
            Thing::Fine(n) => out.extend([0, n]),
            Thing::CannotEncode => return Err(CodecError::new("no encoding")),
            Thing::CannotDecode => out.push(1),
            Thing::EncodePanics => panic!("encoder gave up"),
            Thing::DecodePanics => out.push(2),
            Thing::Forgets(n) => out.extend([3, n]),
            Thing::Drifts => out.extend([4, chance()]),
            Thing::Poison => out.push(5),
            Thing::Chance => out.push(6),
            Thing::Spread => out.push(7),
        }
        Ok(())
    }

    fn decode(bytes: &[u8]) -> Result<As<ROLE>, CodecError> {
        Ok(As(match bytes {
            [0, n] => Thing::Fine(*n),
            [2] => panic!("decoder gave up"),
            [3, _] => Thing::Forgets(0),
            [4, _] => Thing::Drifts,
            [5] => Thing::Poison,
            [6] => Thing::Chance,
            [7] => Thing::Spread,
            _ => return Err(CodecError::new("no decoding")),
        }))
    }
}

/// Does what `Do` says.
#[derive(Debug, Default)]
pub(crate) struct Odd {
    seen: Vec<u8>,
    touched: AtomicU8,
    map: HashMap<u8, u8>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Do(String);

pub(crate) fn deed(what: &str) -> Do {
    Do(what.to_owned())
}

actum_model::payload! {
    Faulty: As<0> = "event", As<1> = "command", As<2> = "reply", As<3> = "rejection"
}
actum_model::payload!(Json: Do = "do");

impl Entity for Odd {
    const KIND: &'static str = "odd";
    type Id = String;
    type Env = ();
    type Event = As<0>;
    type Commands = (Do, As<1>);
    fn initial(id: &String) -> Self {
        match id.as_str() {
            "unborn" => panic!("no beginning"),
            "shifting" => Self { seen: vec![chance()], ..Self::default() },
            _ => Self::default(),
        }
    }
}

impl EventSourced for Odd {
    fn apply(&mut self, event: &As<0>) {
        match event.0 {
            Thing::Poison => panic!("cannot swallow that"),
            Thing::Chance => self.seen.push(chance()),
            Thing::Spread => self.map.extend((0..60).map(|n| (n, n))),
            Thing::Fine(n) => self.seen.push(n),
            _ => self.seen.push(0),
        }
    }
}

impl Handle<As<1>> for Odd {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, _: As<1>, _: &Ctx<'_, Self>) -> Result<Effect<Self>, Infallible> {
        Ok(Effect::none())
    }
}

pub(crate) fn thing(name: &str) -> Thing {
    match name {
        "cannot-encode" => Thing::CannotEncode,
        "cannot-decode" => Thing::CannotDecode,
        "encode-panics" => Thing::EncodePanics,
        "decode-panics" => Thing::DecodePanics,
        "forgets" => Thing::Forgets(7),
        "drifts" => Thing::Drifts,
        "poison" => Thing::Poison,
        "chance" => Thing::Chance,
        "spread" => Thing::Spread,
        "varies" => Thing::Fine(chance()),
        number => Thing::Fine(number.parse().unwrap()),
    }
}

impl Handle<Do> for Odd {
    type Reply = As<2>;
    type Rejection = As<3>;
    fn handle(&self, Do(what): Do, _: &Ctx<'_, Self>) -> Result<Effect<Self, As<2>>, As<3>> {
        let (verb, rest) = what.split_once(' ').unwrap_or((&what, "1"));
        let done = || As::<2>(Thing::Fine(0));
        let odd_turn = || chance() % 2 == 1;
        Ok(match verb {
            "store" => {
                Effect::persist_all(rest.split(' ').map(|name| As(thing(name)))).reply(done())
            }
            "store-sometimes" if odd_turn() => Effect::persist(As(Thing::Fine(1))).reply(done()),
            "reply" => Effect::none().reply(As(thing(rest))),
            "reply-varies" => Effect::none().reply_with(|_| As(Thing::Fine(chance()))),
            "reply-touches" => Effect::none().reply_with(move |odd: &Self| {
                odd.touched.fetch_add(1, Ordering::Relaxed);
                done()
            }),
            "reply-panics" => Effect::none().reply_with(|_| panic!("no answer")),
            "reject" => return Err(As(thing(rest))),
            "reject-sometimes" if odd_turn() => return Err(As(Thing::Fine(1))),
            "accept-sometimes" if !odd_turn() => return Err(As(Thing::Fine(1))),
            "passivate-sometimes" if odd_turn() => Effect::none().reply(done()).passivate(),
            "panic" => panic!("{rest}"),
            "touch" => {
                self.touched.fetch_add(1, Ordering::Relaxed);
                Effect::none().reply(done())
            }
            "after-commit-panics" => {
                Effect::none().reply(done()).after_commit(|| panic!("too late"))
            }
            _ => Effect::none().reply(done()),
        })
    }
}

/// A state that loses a field on its way through its codec.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Leaky {
    pub(crate) kept: u8,
    #[serde(skip)]
    pub(crate) lost: u8,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SetLost(pub(crate) u8);

actum_model::payload!(Json: Leaky = "leaky", SetLost = "set-lost");

impl Entity for Leaky {
    const KIND: &'static str = "leaky";
    type Id = String;
    type Env = ();
    type Event = NoEvents;
    type Commands = (SetLost,);
    fn initial(_: &String) -> Self {
        Self::default()
    }
}

impl DurableState for Leaky {}

impl Handle<SetLost> for Leaky {
    type Reply = u8;
    type Rejection = Infallible;
    fn handle(
        &self,
        SetLost(lost): SetLost,
        _: &Ctx<'_, Self>,
    ) -> Result<Effect<Self, u8>, Infallible> {
        Ok(Effect::replace(Self { lost, ..self.clone() }).reply(self.lost))
    }
}
