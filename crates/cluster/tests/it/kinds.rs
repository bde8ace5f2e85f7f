//! Kinds of entities beside accounts.

use crate::account::Deposited;
use actum_model::{
    Ctx, DurableState, Effect, Entity, EventSourced, Handle, NoEvents, TraceContext,
};
use actum_persistence::codec::Json;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// A durable state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) text: String,
}

/// Answered with the trace it came with.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Write(pub(crate) String);

/// Event-sourced, and nothing says how its state is encoded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tally;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Fail;

actum_model::payload! {
    Json: Note = "note", Write = "write", Tally = "tally", Fail = "fail"
}

impl Entity for Note {
    const KIND: &'static str = "note";
    type Id = String;
    type Env = ();
    type Event = NoEvents;
    type Commands = (Write,);

    fn initial(_: &String) -> Self {
        Self::default()
    }
}

impl DurableState for Note {}

impl Handle<Write> for Note {
    type Reply = Option<String>;
    type Rejection = Infallible;
    fn handle(
        &self,
        Write(text): Write,
        ctx: &Ctx<'_, Self>,
    ) -> Result<Effect<Self, Option<String>>, Infallible> {
        let trace = ctx.metadata().trace().map(TraceContext::traceparent).map(str::to_owned);
        Ok(Effect::replace(Self { text }).reply(trace))
    }
}

impl Entity for Tally {
    const KIND: &'static str = "tally";
    type Id = String;
    type Env = ();
    type Event = Deposited;
    type Commands = (Fail,);

    fn initial(_: &String) -> Self {
        Self
    }
}

impl EventSourced for Tally {
    fn apply(&mut self, _: &Deposited) {}
}

impl Handle<Fail> for Tally {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, _: Fail, _: &Ctx<'_, Self>) -> Result<Effect<Self, ()>, Infallible> {
        panic!("it cannot")
    }
}
