use actum_model::{
    Codec, CodecError, Ctx, DurableState, Effect, Entity, Handle, NoEvents, Payload, Plain,
};
use std::convert::Infallible;

/// A durable state: in the cases it is the revision at which it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label(pub(crate) u64);

/// Writes a label as its number.
#[derive(Debug)]
pub(crate) enum LabelCodec {}

impl Codec<Label> for LabelCodec {
    const NAME: &'static str = "label";

    fn encode(value: &Label, out: &mut Vec<u8>) -> Result<(), CodecError> {
        <Plain as Codec<u64>>::encode(&value.0, out)
    }

    fn decode(bytes: &[u8]) -> Result<Label, CodecError> {
        <Plain as Codec<u64>>::decode(bytes).map(Label)
    }
}

impl Payload for Label {
    type Codec = LabelCodec;
    const MANIFEST: &'static str = "label";
}

impl Entity for Label {
    const KIND: &'static str = "label";
    type Id = String;
    type Env = ();
    type Event = NoEvents;
    type Commands = (u64,);

    fn initial(_: &String) -> Self {
        Self(0)
    }
}

impl DurableState for Label {}

impl Handle<u64> for Label {
    type Reply = ();
    type Rejection = Infallible;

    fn handle(&self, to: u64, ctx: &Ctx<'_, Self>) -> Result<Effect<Self>, Infallible> {
        Ok(ctx.replace(Self(to)))
    }
}
