//! Effects and contexts.

use actum_model::{
    Change, Codec, CodecError, CommandId, Ctx, DurableState, Effect, Entity, EventSourced, Handle,
    Metadata, NoEvents, Plain, ReplyFrom, SequenceNr,
};
use std::{convert::Infallible, sync::mpsc};

#[derive(Debug)]
struct Sum(u64);

impl Entity for Sum {
    const KIND: &'static str = "sum";
    type Id = String;
    type Env = u8;
    type Event = u64;
    type Commands = (u64,);
    fn initial(_: &String) -> Self {
        Self(0)
    }
}

impl EventSourced for Sum {
    fn apply(&mut self, event: &u64) {
        self.0 += event;
    }
}

impl Handle<u64> for Sum {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, add: u64, _: &Ctx<'_, Self>) -> Result<Effect<Self>, Infallible> {
        Ok(Effect::persist(add))
    }
}

struct Flag(bool);

impl Codec<Flag> for Plain {
    const NAME: &'static str = "plain";
    fn encode(flag: &Flag, out: &mut Vec<u8>) -> Result<(), CodecError> {
        <Plain as Codec<bool>>::encode(&flag.0, out)
    }
    fn decode(bytes: &[u8]) -> Result<Flag, CodecError> {
        <Plain as Codec<bool>>::decode(bytes).map(Flag)
    }
}

actum_model::payload!(Plain: Flag = "flag");

impl Entity for Flag {
    const KIND: &'static str = "flag";
    type Id = String;
    type Env = ();
    type Event = NoEvents;
    type Commands = (bool,);
    fn initial(_: &String) -> Self {
        Self(false)
    }
}

impl DurableState for Flag {}

impl Handle<bool> for Flag {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, to: bool, _: &Ctx<'_, Self>) -> Result<Effect<Self>, Infallible> {
        Ok(if to { Effect::replace(Flag(true)) } else { Effect::delete() })
    }
}

#[test]
fn each_effect_carries_its_change() {
    let change = |effect: Effect<Sum>| effect.into_parts().change;
    assert!(matches!(change(Effect::none()), Change::Nothing));
    assert!(matches!(change(Effect::persist(3u64)), Change::Event(3)));
    assert!(matches!(change(Effect::persist(3u8)), Change::Event(3)));
    let Change::Events(events) = change(Effect::persist_all([1, 2, 3])) else {
        panic!("no events")
    };
    assert_eq!(events, [1, 2, 3]);
    assert!(matches!(change(Effect::persist_all([])), Change::Events(none) if none.is_empty()));
    let replaced = Effect::<Flag>::replace(Flag(true)).into_parts().change;
    assert!(matches!(replaced, Change::Replace(Flag(true))));
    assert!(matches!(Effect::<Flag>::delete().into_parts().change, Change::Delete));
}

#[test]
fn a_reply_keeps_everything_else() {
    let (sent, received) = mpsc::sync_channel(2);
    let effect = Effect::<Sum>::persist(3u64)
        .after_commit(move || sent.send("committed").unwrap())
        .passivate()
        .reply_with(|sum| sum.0 + 1);
    let parts = effect.into_parts();
    assert!(matches!(parts.change, Change::Event(3)));
    assert!(parts.passivate);
    let ReplyFrom::State(reply) = parts.reply else { panic!("the reply depends on the state") };
    assert_eq!(reply(&Sum(41)), 42);
    assert!(received.try_recv().is_err());
    parts.after_commit.unwrap()();
    assert_eq!(received.recv(), Ok("committed"));
}

#[test]
fn a_second_action_runs_after_the_first() {
    let (sent, received) = mpsc::sync_channel(2);
    let again = sent.clone();
    let effect = Effect::<Sum>::none()
        .after_commit(move || sent.send(1).unwrap())
        .after_commit(move || again.send(2).unwrap());
    effect.into_parts().after_commit.unwrap()();
    assert_eq!(received.iter().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn an_effect_stays_in_memory_and_answers_nothing_unless_asked_to() {
    let parts = Effect::<Sum>::none().into_parts();
    assert!(!parts.passivate && parts.after_commit.is_none());
    assert!(matches!(parts.reply, ReplyFrom::Value(())));
}

#[test]
fn an_effect_shows_how_much_it_changes_but_no_data() {
    assert_eq!(format!("{:?}", Effect::<Sum>::persist(7u64)), "Effect { change: Events(1), .. }");
    let shown = [
        format!("{:?}", Effect::<Sum>::none().into_parts().change),
        format!("{:?}", Effect::<Sum>::persist_all([1, 2]).into_parts().change),
        format!("{:?}", Effect::<Flag>::replace(Flag(true)).into_parts().change),
        format!("{:?}", Effect::<Flag>::delete().into_parts().change),
    ];
    assert_eq!(shown, ["Nothing", "Events(2)", "Replace", "Delete"]);
}

#[test]
fn a_context_shows_what_it_was_made_of() {
    let id = String::from("a");
    let metadata = Metadata::new().with_command_id(CommandId::new("c").unwrap());
    let ctx = Ctx::<Sum>::new(&id, &9, SequenceNr::new(4), &metadata);
    assert_eq!((ctx.id().as_str(), *ctx.env(), ctx.sequence_nr().get()), ("a", 9, 4));
    assert_eq!(ctx.metadata(), &metadata);
    assert_eq!(ctx.command_id().map(CommandId::as_str), Some("c"));
}

#[test]
fn handlers_of_both_kinds_of_entity_are_plain_functions() {
    let (id, metadata) = (String::from("a"), Metadata::new());
    let ctx = Ctx::new(&id, &9, SequenceNr::ZERO, &metadata);
    let Ok(effect) = Sum::initial(&id).handle(5, &ctx);
    let Change::Event(event) = effect.into_parts().change else { panic!("no event") };
    let mut sum = Sum::initial(&id);
    sum.apply(&event);
    assert_eq!(sum.0, 5);
    let ctx = Ctx::new(&id, &(), SequenceNr::ZERO, &metadata);
    let Ok(effect) = Flag::initial(&id).handle(true, &ctx);
    assert!(matches!(effect.into_parts().change, Change::Replace(Flag(true))));
}
