//! A durable-state entity in good order, whose environment has no default.

use actum_model::{Ctx, DurableState, Effect, Entity, Handle, NoEvents};
use actum_persistence::codec::Json;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Preferences {
    pub(crate) theme: String,
}

/// The themes there are.
pub(crate) struct Themes(pub(crate) Vec<&'static str>);

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SetTheme(pub(crate) String);
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reset;

#[derive(Debug, Serialize, Deserialize, PartialEq)]
pub(crate) struct NoSuchTheme;

impl std::fmt::Display for NoSuchTheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("there is no such theme")
    }
}

impl std::error::Error for NoSuchTheme {}

actum_model::payload! {
    Json: Preferences = "preferences", SetTheme = "set-theme", Reset = "reset", NoSuchTheme = "no-such-theme"
}

impl Entity for Preferences {
    const KIND: &'static str = "preferences";
    type Id = u64;
    type Env = Themes;
    type Event = NoEvents;
    type Commands = (SetTheme, Reset);
    fn initial(_: &u64) -> Self {
        Self { theme: "light".into() }
    }
}

impl DurableState for Preferences {}

impl Handle<SetTheme> for Preferences {
    type Reply = String;
    type Rejection = NoSuchTheme;
    fn handle(
        &self,
        SetTheme(theme): SetTheme,
        ctx: &Ctx<'_, Self>,
    ) -> Result<Effect<Self, String>, NoSuchTheme> {
        if !ctx.env().0.contains(&theme.as_str()) {
            return Err(NoSuchTheme);
        }
        let former = self.theme.clone();
        if former == theme {
            return Ok(Effect::none().reply(former));
        }
        Ok(Effect::replace(Self { theme }).reply(former))
    }
}

impl Handle<Reset> for Preferences {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, _: Reset, ctx: &Ctx<'_, Self>) -> Result<Effect<Self, u64>, Infallible> {
        Ok(Effect::delete().reply(ctx.sequence_nr().get()))
    }
}
