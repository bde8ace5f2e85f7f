use actum_model::{Codec, CodecError, Ctx, DurableState, Effect, Entity, Handle, NoEvents, Plain};
use std::convert::Infallible;

struct Prefs;

impl Codec<Prefs> for Plain {
    const NAME: &'static str = "plain";
    fn encode(_: &Prefs, _: &mut Vec<u8>) -> Result<(), CodecError> {
        Ok(())
    }
    fn decode(_: &[u8]) -> Result<Prefs, CodecError> {
        Ok(Prefs)
    }
}

actum_model::payload!(Plain: Prefs = "prefs");

impl Entity for Prefs {
    const KIND: &'static str = "prefs";
    type Id = String;
    type Env = ();
    type Event = NoEvents;
    type Commands = (bool,);
    fn initial(_: &String) -> Self {
        Prefs
    }
}

impl DurableState for Prefs {}

impl Handle<bool> for Prefs {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, _: bool, _: &Ctx<'_, Self>) -> Result<Effect<Self>, Infallible> {
        Ok(Effect::persist_all([]))
    }
}

fn main() {}
