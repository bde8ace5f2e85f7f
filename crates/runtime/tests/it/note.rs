//! A durable-state entity in good order.

use crate::rig::Rig;
use actum_model::{Ctx, DurableState, Effect, Entity, Handle, NoEvents};
use actum_persistence::{codec::Json, store::StateRecord};
use actum_runtime::{EntityRef, Registration, Runtime, settings::EntitySettings};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) text: String,
}

/// Answered with the text before it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Write(pub(crate) String);
/// Answered with the text after it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Add(pub(crate) String);
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Erase;
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Read;

actum_model::payload! {
    Json: Note = "note.state", Write = "write", Add = "add", Erase = "erase", Read = "read"
}

impl Entity for Note {
    const KIND: &'static str = "note";
    type Id = String;
    type Env = ();
    type Event = NoEvents;
    type Commands = (Write, Add, Erase, Read);

    fn initial(_: &String) -> Self {
        Self::default()
    }
}

impl DurableState for Note {}

type Answer = Result<Effect<Note, String>, Infallible>;

impl Handle<Write> for Note {
    type Reply = String;
    type Rejection = Infallible;
    fn handle(&self, Write(text): Write, _: &Ctx<'_, Self>) -> Answer {
        Ok(Effect::replace(Note { text }).reply(self.text.clone()))
    }
}

impl Handle<Add> for Note {
    type Reply = String;
    type Rejection = Infallible;
    fn handle(&self, Add(text): Add, _: &Ctx<'_, Self>) -> Answer {
        let text = format!("{}{text}", self.text);
        Ok(Effect::replace(Note { text }).reply_with(|note: &Note| note.text.clone()))
    }
}

impl Handle<Erase> for Note {
    type Reply = String;
    type Rejection = Infallible;
    fn handle(&self, Erase: Erase, _: &Ctx<'_, Self>) -> Answer {
        Ok(Effect::delete().reply_with(|note: &Note| note.text.clone()))
    }
}

impl Handle<Read> for Note {
    type Reply = String;
    type Rejection = Infallible;
    fn handle(&self, Read: Read, _: &Ctx<'_, Self>) -> Answer {
        Ok(Effect::none().reply(self.text.clone()))
    }
}

pub(crate) fn notes() -> Registration {
    Registration::durable_state::<Note>((), EntitySettings::default())
}

pub(crate) fn note(engine: &Runtime, id: &str) -> EntityRef<Note> {
    engine.entity(id)
}

/// What the store has of a note, whatever engines believe.
pub(crate) async fn record(rig: &Rig, id: &str) -> Option<StateRecord> {
    use actum_persistence::store::DurableStateStore;
    let key = crate::rig::key("note", id);
    rig.memory.reopen().load(&[key]).await.unwrap().remove(0)
}
