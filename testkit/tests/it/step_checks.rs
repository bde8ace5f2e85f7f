//! What every step checks without being asked.

use crate::{
    broken::{As, Leaky, Odd, SetLost, Thing, deed, start_over},
    failing::{fails_with, failure},
};
use actum_model::{Ctx, Effect, Entity, EventSourced, Handle};
use actum_persistence::codec::Json;
use actum_testkit::Given;
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, convert::Infallible, sync::mpsc::sync_channel};

fn odd() -> Given<Odd> {
    Given::<Odd>::entity("o")
}

/// What is said when `Odd` does `what`, though the test expects nothing in particular.
fn said_of(what: &str) -> String {
    start_over();
    let text = failure(|| odd().when(deed(what)).then_accepted());
    let begin = format!("when Do({what:?}), step 1 of odd/o: ");
    text.strip_prefix(&begin)
        .unwrap_or_else(|| panic!("it does not begin with `{begin}`: {text}"))
        .to_owned()
}

#[test]
fn odd_is_not_always_broken() {
    odd()
        .when(deed("store 1 2"))
        .then_events([As(Thing::Fine(1)), As(Thing::Fine(2))])
        .expect_revision(2);
    odd().when(deed("reply 3")).then_reply(As(Thing::Fine(3)));
    odd().when(deed("reject 4")).then_rejected(As(Thing::Fine(4)));
}

#[test]
fn a_command_must_survive_its_codec() {
    let said = |thing| failure(|| odd().when(As::<1>(thing)).then_accepted());
    let expected = [
        (Thing::CannotEncode, "encoding failed: no encoding"),
        (Thing::EncodePanics, "encoding panicked: encoder gave up"),
        (
            Thing::CannotDecode,
            "decoding failed: `command`, schema version 1, is not valid faulty: no decoding",
        ),
        (Thing::DecodePanics, "decoding panicked: decoder gave up"),
        (
            Thing::Forgets(7),
            "it comes back as another value (- before, + after)\n    - As(Forgets(7))\n    + As(Forgets(0))",
        ),
    ];
    for (thing, why) in expected {
        let begin = format!(
            "when As({thing:?}), step 1 of odd/o: the command does not survive its codec: "
        );
        assert_eq!(said(thing), begin + why);
    }
}

#[test]
fn an_event_must_survive_its_codec() {
    let begin =
        "the event As(Forgets(7)) does not survive its codec: it comes back as another value";
    assert!(said_of("store 1 forgets").starts_with(begin), "{}", said_of("store 1 forgets"));
    let text = said_of("store cannot-encode");
    assert_eq!(
        text,
        "the event As(CannotEncode) does not survive its codec: encoding failed: no encoding"
    );
    let text = said_of("store cannot-decode");
    assert!(text.contains("does not survive its codec: decoding failed: `event`"), "{text}");
}

#[test]
fn a_reply_must_survive_its_codec() {
    let text = said_of("reply forgets");
    assert_eq!(
        text,
        "the reply As(Forgets(7)) does not survive its codec: it comes back as another value (- before, + after)
    - As(Forgets(7))
    + As(Forgets(0))"
    );
    assert!(
        said_of("reply cannot-encode")
            .starts_with("the reply As(CannotEncode) does not survive its codec: encoding failed")
    );
}

#[test]
fn a_rejection_must_survive_its_codec_even_where_it_is_expected() {
    let said = |what| failure(|| odd().when(deed(what)).then_rejected_with(|_| true));
    let text = said("reject forgets");
    assert!(
        text.contains(": the rejection As(Forgets(7)) does not survive its codec: it comes back"),
        "{text}"
    );
    let text = said("reject cannot-decode");
    assert!(
        text.contains(
            ": the rejection As(CannotDecode) does not survive its codec: decoding failed"
        ),
        "{text}"
    );
}

#[test]
fn a_durable_state_must_survive_its_codec() {
    fails_with(
        || Given::<Leaky>::entity("l").when(SetLost(9)).then_accepted(),
        "when SetLost(9), step 1 of leaky/l: the new state does not survive its codec: \
         it comes back as another value (- before, + after)
    - Leaky { kept: 0, lost: 9 }
    + Leaky { kept: 0, lost: 0 }",
    );
}

#[test]
fn handling_twice_must_decide_the_same() {
    let twice = "handling it twice on the same state gives two outcomes";
    assert_eq!(
        said_of("store 5 varies"),
        format!(
            "{twice} (- first, + then)\n      As(Fine(5))\n    - As(Fine(1))\n    + As(Fine(2))"
        )
    );
    assert_eq!(
        said_of("store-sometimes"),
        format!("{twice}: first it stored 1 events, then it changed nothing")
    );
    assert_eq!(
        said_of("reject-sometimes"),
        format!("{twice}: first it was rejected with As(Fine(1)), then accepted")
    );
    assert_eq!(
        said_of("accept-sometimes"),
        format!("{twice}: first it was accepted, then rejected with As(Fine(1))")
    );
    assert_eq!(
        said_of("reject varies"),
        format!("{twice} (- first, + then)\n    - As(Fine(1))\n    + As(Fine(2))")
    );
    assert_eq!(
        said_of("reply varies"),
        format!("{twice} (- first, + then)\n    - As(Fine(1))\n    + As(Fine(2))")
    );
    assert_eq!(
        said_of("reply-varies"),
        format!("{twice} (- first, + then)\n    - As(Fine(1))\n    + As(Fine(2))")
    );
    assert_eq!(
        said_of("passivate-sometimes"),
        format!("{twice}: one passivates the entity, the other does not")
    );
}

#[test]
fn handled_once_leaves_the_second_time_out() {
    odd().handled_once().when(deed("store varies")).then_events_with(|events| events.len() == 1);
    odd().handled_once().when(deed("reject varies")).then_rejected_with(|_| true);
}

#[test]
fn a_handler_must_not_change_the_state_it_is_given() {
    let text = said_of("touch");
    assert!(
        text.starts_with("the handler changed the state it was given (- before, + after)\n"),
        "{text}"
    );
    assert!(text.contains("\n    -     touched: 0,\n    +     touched: 1,\n"), "{text}");
    let text = said_of("reply-touches");
    assert!(
        text.starts_with("`reply_with` changed the state it was given (- before, + after)\n"),
        "{text}"
    );
}

#[test]
fn a_panic_of_user_code_says_where_it_was() {
    assert_eq!(said_of("panic out of luck"), "the handler panicked: out of luck");
    assert_eq!(said_of("reply-panics"), "`reply_with` panicked: no answer");
    assert_eq!(said_of("after-commit-panics"), "`after_commit` panicked: too late");
    assert_eq!(
        said_of("store poison"),
        "the event As(Poison): `apply` panicked: cannot swallow that"
    );
}

#[test]
fn a_panic_is_no_rejection() {
    let text = failure(|| odd().when(deed("panic no")).then_rejected_with(|_| true));
    assert_eq!(text, r#"when Do("panic no"), step 1 of odd/o: the handler panicked: no"#);
}

#[test]
fn stored_events_must_give_the_same_state_as_the_originals() {
    let text = said_of("store chance");
    let begin = "replaying the stored events gives another state (- applied, + replayed)\n";
    assert!(text.starts_with(begin), "{text}");
}

#[test]
fn hash_maps_are_named_as_a_reason_and_can_be_allowed() {
    let text = said_of("store spread");
    assert!(text.starts_with("replaying the stored events gives another state"), "{text}");
    assert!(
        text.ends_with(
            "\n    only the order differs: if a hash map or set is the reason, use a BTreeMap, or `Given::unordered`"
        ),
        "{text}"
    );
    odd().unordered().when(deed("store spread")).then_events([As(Thing::Spread)]);
    let text = failure(|| odd().unordered().when(deed("store chance")).then_accepted());
    assert!(text.contains("replaying the stored events gives another state"), "{text}");
}

#[test]
fn after_commit_runs_once_for_an_accepted_step() {
    let (sent, received) = sync_channel(9);
    Given::<Herald>::entity("h").env(Some(sent)).when(Shout { a: HashMap::new() }).then_accepted();
    assert_eq!(received.iter().count(), 1);
}

/// Notifies its environment, and keeps a state that is stored as a hash map.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Herald {
    heard: HashMap<u32, u32>,
    #[serde(skip)]
    unsaved: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct Shout {
    a: HashMap<u32, u32>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Shouted {
    heard: HashMap<u32, u32>,
}

actum_model::payload!(Json: Herald = "herald", Shout = "shout", Shouted = "shouted");

impl Entity for Herald {
    const KIND: &'static str = "herald";
    type Id = String;
    type Env = Option<std::sync::mpsc::SyncSender<()>>;
    type Event = Shouted;
    type Commands = (Shout,);
    fn initial(_: &String) -> Self {
        Self::default()
    }
}

impl EventSourced for Herald {
    fn apply(&mut self, event: &Shouted) {
        self.heard.clone_from(&event.heard);
        self.unsaved += 1;
    }
}

impl Handle<Shout> for Herald {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(
        &self,
        Shout { a: heard }: Shout,
        ctx: &Ctx<'_, Self>,
    ) -> Result<Effect<Self>, Infallible> {
        let env = ctx.env().clone();
        let notify = move || env.iter().for_each(|env| env.send(()).unwrap());
        Ok(Effect::persist(Shouted { heard }).after_commit(notify))
    }
}

#[test]
fn encodings_of_hash_maps_are_compared_regardless_of_order_where_asked() {
    let many = || Shout { a: (0..50).map(|n| (n, n)).collect() };
    let text = failure(|| Given::<Herald>::entity("h").when(many()).then_accepted());
    assert!(
        text.contains("the command does not survive its codec: it comes back as another value"),
        "{text}"
    );
    assert!(text.contains("only the order differs"), "{text}");
    Given::<Herald>::entity("h").unordered().when(many()).then_accepted();
}

#[test]
fn a_state_that_snapshots_are_taken_of_must_survive_its_codec() {
    let shout = || Shout { a: HashMap::new() };
    Given::<Herald>::entity("h").when(shout()).then_accepted();
    fails_with(
        || Given::<Herald>::entity("h").snapshots().when(shout()).then_accepted(),
        "when Shout { a: {} }, step 1 of herald/h: the state does not survive its codec: \
         it comes back as another value (- before, + after)
    - Herald { heard: {}, unsaved: 1 }
    + Herald { heard: {}, unsaved: 0 }",
    );
    let given = || Given::<Herald>::entity("h").events([Shouted { heard: HashMap::new() }]);
    let text = failure(|| given().snapshots().when(shout()).then_accepted());
    assert!(text.starts_with("given herald/h: the state does not survive its codec"), "{text}");
}
