use actum_model::{Ctx, Effect, Entity, EventSourced, Handle};
use actum_persistence::codec::Json;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// An entity that keeps every tag that was added to it, as a count and a digest of all of them in their order.
#[derive(Default)]
pub(crate) struct Tagged {
    nr: u64,
    digest: u64,
}

/// Adds a tag that no other command has.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Add(pub(crate) u64);
/// Reads.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Look;
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Added(pub(crate) u64);

/// How an entity is behind a command: how many tags it has, and their digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tags {
    pub(crate) nr: u64,
    pub(crate) digest: u64,
}

actum_model::payload! {
    Json: Add = "add", Look = "look", Added = "added", Tags = "tags"
}

/// The digest behind one more tag.
pub(crate) fn fold(digest: u64, tag: u64) -> u64 {
    (digest.rotate_left(7) ^ tag).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Entity for Tagged {
    const KIND: &'static str = "tagged";
    type Id = String;
    type Env = ();
    type Event = Added;
    type Commands = (Add, Look);

    fn initial(_: &String) -> Self {
        Self::default()
    }
}

impl EventSourced for Tagged {
    fn apply(&mut self, Added(tag): &Added) {
        (self.nr, self.digest) = (self.nr + 1, fold(self.digest, *tag));
    }
}

impl Tagged {
    fn tags(&self) -> Tags {
        Tags { nr: self.nr, digest: self.digest }
    }
}

impl Handle<Add> for Tagged {
    type Reply = Tags;
    type Rejection = Infallible;
    fn handle(&self, Add(tag): Add, ctx: &Ctx<'_, Self>) -> Result<Effect<Self, Tags>, Infallible> {
        Ok(ctx.persist(Added(tag)).reply_with(Self::tags))
    }
}

impl Handle<Look> for Tagged {
    type Reply = Tags;
    type Rejection = Infallible;
    fn handle(&self, _: Look, _: &Ctx<'_, Self>) -> Result<Effect<Self, Tags>, Infallible> {
        Ok(Effect::none().reply(self.tags()))
    }
}
