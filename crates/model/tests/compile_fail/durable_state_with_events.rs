use actum_model::{Ctx, DurableState, Effect, Entity, Handle};
use std::convert::Infallible;

struct Prefs;

impl Entity for Prefs {
    const KIND: &'static str = "prefs";
    type Id = String;
    type Env = ();
    type Event = u64;
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
        Ok(Effect::none())
    }
}

fn main() {}
