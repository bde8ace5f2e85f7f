//! A broken arrangement fails before any command is handled, in words that begin with `given`.

use crate::{
    account::{Account, AccountEvent::Withdrawn, Refused, Withdraw},
    broken::{As, Leaky, Odd, SetLost, Thing, deed, thing},
    failing::{fails_with, failure},
};
use actum_model::{Ctx, Effect, Entity, EntityId, EventSourced, Handle, InvalidId};
use actum_testkit::{Given, Persisted};
use std::{borrow::Cow, convert::Infallible};

fn odd_with(name: &str) -> Given<Odd> {
    Given::<Odd>::entity("o").events([As(Thing::Fine(1)), As(thing(name)), As(Thing::Fine(3))])
}

/// What is said of an event that is broken in the way `name` says.
fn said_of(name: &str) -> String {
    failure(|| odd_with(name).when(deed("reject 1")).then_rejected_with(|_| true))
}

#[test]
fn a_given_event_must_survive_its_codec() {
    let of = "given odd/o: event 2 of 3, As(";
    let does_not = "): the event does not survive its codec: ";
    let expected = [
        ("cannot-encode", "CannotEncode", "encoding failed: no encoding"),
        ("encode-panics", "EncodePanics", "encoding panicked: encoder gave up"),
        (
            "cannot-decode",
            "CannotDecode",
            "decoding failed: `event`, schema version 1, is not valid faulty: no decoding",
        ),
        ("decode-panics", "DecodePanics", "decoding panicked: decoder gave up"),
        (
            "forgets",
            "Forgets(7)",
            "it comes back as another value (- before, + after)\n    - As(Forgets(7))\n    + As(Forgets(0))",
        ),
    ];
    for (name, shown, why) in expected {
        assert_eq!(said_of(name), format!("{of}{shown}{does_not}{why}"));
    }
    let text = said_of("drifts");
    assert!(
        text.contains(
            "comes back as another value (- before, + after)\n    - faulty event 1: [04, "
        ),
        "{text}"
    );
}

#[test]
fn a_given_event_must_be_applicable() {
    assert_eq!(
        said_of("poison"),
        "given odd/o: event 2 of 3, As(Poison): `apply` panicked: cannot swallow that"
    );
    fails_with(
        || {
            let overdrawn = Given::<Account>::entity("a").events([Withdrawn(1)]);
            overdrawn.when(Withdraw(1)).then_rejected(Refused::NotOpen);
        },
        "given account/a: event 1 of 1, Withdrawn(1): `apply` panicked: attempt to subtract with overflow",
    );
}

#[test]
fn a_given_event_must_be_applied_the_same_way_each_time() {
    let text = said_of("chance");
    let expected =
        "given odd/o: replaying the stored events gives another state (- applied, + replayed)";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn a_given_state_must_survive_its_codec() {
    let leaky = || Given::<Leaky>::entity("l").state(Leaky { kept: 1, lost: 2 });
    fails_with(
        || leaky().when(SetLost(0)).then_accepted(),
        "given leaky/l: the state does not survive its codec: it comes back as another value (- before, + after)
    - Leaky { kept: 1, lost: 2 }
    + Leaky { kept: 1, lost: 0 }",
    );
    drop(
        Given::<Leaky>::entity("l")
            .state(Leaky { kept: 1, lost: 0 })
            .when(SetLost(0))
            .then_accepted(),
    );
}

#[test]
fn the_initial_state_must_be_one() {
    let of = |id: &str| failure(|| Given::<Odd>::entity(id).when(deed("nothing")).then_accepted());
    assert_eq!(of("unborn"), "given odd/unborn: `initial` panicked: no beginning");
    let text = of("shifting");
    assert!(
        text.starts_with("given odd/shifting: `initial` makes another state each time\n"),
        "{text}"
    );
}

#[test]
fn a_given_id_must_be_one() {
    let of = |id: &str| failure(|| Given::<Account>::entity(id).when(Withdraw(1)).then_accepted());
    assert_eq!(of(""), "given account/: an entity id must not be empty");
    let long = "x".repeat(513);
    assert_eq!(
        of(&long),
        format!("given account/{long}: an entity id has at most 512 bytes, this one has 513")
    );
}

/// An id that is another one once it was text, or none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Folded(String);

impl EntityId for Folded {
    fn to_text(&self) -> Cow<'_, str> {
        self.0.to_lowercase().into()
    }
    fn from_text(text: &str) -> Result<Self, InvalidId> {
        match text {
            "none" => Err(InvalidId::malformed(text, "a name")),
            _ => Ok(Self(text.into())),
        }
    }
}

/// Has an id that folds, and two commands of one name.
#[derive(Debug)]
struct Muddled<const TWICE: bool>;

macro_rules! muddled {
    ($twice:literal, $commands:ty) => {
        impl Entity for Muddled<$twice> {
            const KIND: &'static str = "muddled";
            type Id = Folded;
            type Env = ();
            type Event = u8;
            type Commands = $commands;
            fn initial(_: &Folded) -> Self {
                Self
            }
        }
        impl EventSourced for Muddled<$twice> {
            fn apply(&mut self, _: &u8) {}
        }
        impl<C: actum_model::Payload> Handle<C> for Muddled<$twice> {
            type Reply = ();
            type Rejection = Infallible;
            fn handle(&self, _: C, _: &Ctx<'_, Self>) -> Result<Effect<Self>, Infallible> {
                Ok(Effect::none())
            }
        }
    };
}
muddled!(false, (u8, bool));
muddled!(true, (u8, Vec<bool>, Vec<u8>));

#[test]
fn an_id_must_be_the_one_it_was() {
    let of = |id: &str| {
        failure(|| Given::<Muddled<false>>::entity(Folded(id.into())).when(1u8).then_accepted())
    };
    assert_eq!(
        of("A"),
        r#"given muddled/a: the id Folded("A") comes back from its text as Folded("a")"#
    );
    assert_eq!(
        of("none"),
        "given muddled/none: the id cannot be read back from its text: `none` is not a name"
    );
    Given::<Muddled<false>>::entity(Folded("a".into())).when(1u8).then_accepted();
}

#[test]
fn two_commands_must_not_share_a_manifest() {
    let text =
        failure(|| Given::<Muddled<true>>::entity(Folded("a".into())).when(1u8).then_accepted());
    assert_eq!(text, "given muddled/a: two listed commands have the manifest `list`");
}

#[test]
fn no_broken_arrangement_passes_as_an_expected_rejection() {
    fn rejects<E, How>(given: Given<E>) -> String
    where
        E: Persisted<How> + Entity<Env = ()> + Handle<crate::broken::Do, Reply: std::fmt::Debug>,
        E::Commands: actum_model::Lists<crate::broken::Do, actum_model::At<0>>,
    {
        failure(|| given.when(deed("reject 1")).then_rejected_with(|_| true))
    }
    for name in [
        "cannot-encode",
        "encode-panics",
        "cannot-decode",
        "decode-panics",
        "forgets",
        "drifts",
        "poison",
        "chance",
    ] {
        let text = rejects(odd_with(name));
        assert!(text.starts_with("given odd/o: "), "{name}: {text}");
    }
    odd_with("2").when(deed("reject 1")).then_rejected(As(Thing::Fine(1)));
}
