use actum_model::{
    CommandSet, CommandVisitor, Ctx, DecodeError, Effect, Entity, EventSourced, Handle, Lists,
    Metadata, Payload, Plain, SequenceNr, StoredPayload,
};
use std::convert::Infallible;

/// Handles every number type, and 32 commands of its own.
struct Counter(u64);

/// The commands `C<0>` to `C<31>`.
struct C<const N: u64>;

impl<const N: u64> actum_model::Codec<C<N>> for Plain {
    const NAME: &'static str = "plain";
    fn encode(_: &C<N>, _: &mut Vec<u8>) -> Result<(), actum_model::CodecError> {
        Ok(())
    }
    fn decode(_: &[u8]) -> Result<C<N>, actum_model::CodecError> {
        Ok(C)
    }
}

macro_rules! thirty_two {
    ($($n:literal $manifest:literal)*) => {
        $(actum_model::payload!(Plain: C<$n> = $manifest);)*
        impl Entity for Counter {
            const KIND: &'static str = "counter";
            type Id = String;
            type Env = u64;
            type Event = u64;
            type Commands = ($(C<$n>,)*);
            fn initial(_: &String) -> Self {
                Self(0)
            }
        }
        #[test]
        fn a_set_of_32_commands_lists_each_of_them() {
            $(assert_eq!(ask::<Counter, C<$n>, _>(C), $n);)*
            let manifests = <<Counter as Entity>::Commands as CommandSet<Counter>>::MANIFESTS;
            assert_eq!(manifests, [$($manifest),*]);
        }
    };
}

thirty_two! {
    0 "0" 1 "1" 2 "2" 3 "3" 4 "4" 5 "5" 6 "6" 7 "7" 8 "8" 9 "9" 10 "10"
    11 "11" 12 "12" 13 "13" 14 "14" 15 "15" 16 "16" 17 "17" 18 "18" 19 "19" 20 "20" 21 "21"
    22 "22" 23 "23" 24 "24" 25 "25" 26 "26" 27 "27" 28 "28" 29 "29" 30 "30" 31 "31"
}

impl EventSourced for Counter {
    fn apply(&mut self, event: &u64) {
        self.0 += event;
    }
}

impl<const N: u64> Handle<C<N>> for Counter
where
    C<N>: Payload,
{
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, _: C<N>, _: &Ctx<'_, Self>) -> Result<Effect<Self, u64>, Infallible> {
        Ok(Effect::none().reply(N))
    }
}

/// Has the bounds of a reference to an entity, so a command that is not listed would not compile.
fn ask<E, C, I>(command: C) -> E::Reply
where
    E: Handle<C, Rejection = Infallible> + Entity<Id = String, Env = u64>,
    C: Payload,
    E::Commands: Lists<C, I>,
{
    let (id, metadata) = (String::from("a"), Metadata::new());
    let ctx = Ctx::new(&id, &7, SequenceNr::ZERO, &metadata);
    let Ok(effect) = E::initial(&id).handle(command, &ctx);
    match effect.into_parts().reply {
        actum_model::ReplyFrom::Value(value) => value,
        actum_model::ReplyFrom::State(_) => panic!("the reply was known"),
    }
}

#[test]
fn sets_of_1_and_2_commands_keep_their_order() {
    assert_eq!(<(C<3>,) as CommandSet<Counter>>::MANIFESTS, ["3"]);
    assert_eq!(<(C<9>, C<1>) as CommandSet<Counter>>::MANIFESTS, ["9", "1"]);
}

/// Hands a command to a counter and gives back its reply, encoded.
struct Asking;

impl<S> CommandVisitor<Counter, S> for Asking {
    type Output = StoredPayload;

    fn visit<C, I>(self, command: C) -> StoredPayload
    where
        Counter: Handle<C>,
        C: Payload,
        S: Lists<C, I>,
    {
        let (id, metadata) = (String::from("a"), Metadata::new());
        let ctx = Ctx::new(&id, &7, SequenceNr::ZERO, &metadata);
        let Ok(effect) = Counter(0).handle(command, &ctx) else { panic!("nothing is refused") };
        match effect.into_parts().reply {
            actum_model::ReplyFrom::Value(value) => StoredPayload::encode(&value).unwrap(),
            actum_model::ReplyFrom::State(_) => panic!("the reply was known"),
        }
    }
}

fn decoded<S: CommandSet<Counter>>(stored: &StoredPayload) -> Result<u64, DecodeError> {
    S::decode(stored, Asking).map(|reply| reply.decode().unwrap())
}

type All = <Counter as Entity>::Commands;

#[test]
fn a_stored_command_finds_its_type_by_its_manifest() {
    for n in 0..32 {
        let sent = StoredPayload {
            manifest: n.to_string().into(),
            ..StoredPayload::encode(&C::<0>).unwrap()
        };
        assert_eq!(decoded::<All>(&sent).unwrap(), n);
    }
    assert_eq!(decoded::<(C<3>,)>(&StoredPayload::encode(&C::<3>).unwrap()).unwrap(), 3);
}

#[test]
fn a_command_that_is_not_listed_is_named_beside_those_that_are() {
    for manifest in ["32", "", "33", "1 ", "01"] {
        let sent =
            StoredPayload { manifest: manifest.into(), ..StoredPayload::encode(&C::<0>).unwrap() };
        let error = decoded::<(C<3>, C<31>)>(&sent).unwrap_err();
        assert!(
            matches!(&error, DecodeError::UnlistedCommand { listed: ["3", "31"], .. }),
            "{error:?}"
        );
        let expected =
            format!("the command `{manifest}` is not listed, the entity handles `3`, `31`");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_listed_command_that_cannot_be_decoded_says_why() {
    let stored = StoredPayload::encode(&Ordered::Placed(1)).unwrap();
    let newer = StoredPayload { schema_version: 2, ..stored.clone() };
    let error = decoded::<(C<0>, Ordered)>(&newer).unwrap_err();
    assert!(matches!(error, DecodeError::NewerSchema { version: 2, .. }), "{error:?}");
    let damaged = StoredPayload { bytes: b"xyz".as_slice().into(), ..stored };
    let error = decoded::<(C<0>, Ordered)>(&damaged).unwrap_err();
    assert!(matches!(error, DecodeError::Damaged { codec: "plain", .. }), "{error:?}");
}

/// A command whose manifest says which variant it is, beside one whose manifest looks like a variant of it.
#[derive(Debug)]
enum Ordered {
    Placed(u8),
    Cancelled,
}

struct Item(u8);

impl actum_model::Codec<Ordered> for Plain {
    const NAME: &'static str = "plain";
    fn encode(value: &Ordered, out: &mut Vec<u8>) -> Result<(), actum_model::CodecError> {
        if let Ordered::Placed(n) = value {
            out.push(*n);
        }
        Ok(())
    }
    fn decode(bytes: &[u8]) -> Result<Ordered, actum_model::CodecError> {
        match bytes {
            [] => Ok(Ordered::Cancelled),
            [n] => Ok(Ordered::Placed(*n)),
            _ => Err(actum_model::CodecError::new("one byte at most")),
        }
    }
}

impl Payload for Ordered {
    type Codec = Plain;
    const MANIFEST: &'static str = "order";
    fn manifest(&self) -> &'static str {
        match self {
            Self::Placed(_) => "order.placed",
            Self::Cancelled => "order.cancelled",
        }
    }
}

impl actum_model::Codec<Item> for Plain {
    const NAME: &'static str = "plain";
    fn encode(value: &Item, out: &mut Vec<u8>) -> Result<(), actum_model::CodecError> {
        out.push(value.0);
        Ok(())
    }
    fn decode(bytes: &[u8]) -> Result<Item, actum_model::CodecError> {
        Ok(Item(bytes[0]))
    }
}

impl Payload for Item {
    type Codec = Plain;
    const MANIFEST: &'static str = "order.item";
}

impl Handle<Ordered> for Counter {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, command: Ordered, _: &Ctx<'_, Self>) -> Result<Effect<Self, u64>, Infallible> {
        Ok(Effect::none().reply(match command {
            Ordered::Placed(n) => n.into(),
            Ordered::Cancelled => 100,
        }))
    }
}

impl Handle<Item> for Counter {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, item: Item, _: &Ctx<'_, Self>) -> Result<Effect<Self, u64>, Infallible> {
        Ok(Effect::none().reply(200 + u64::from(item.0)))
    }
}

#[test]
fn a_manifest_that_varies_by_value_leads_to_the_type_of_the_value() {
    let sent = |stored: Result<StoredPayload, _>| {
        let stored: StoredPayload = stored.unwrap();
        [decoded::<(Ordered, Item)>(&stored).unwrap(), decoded::<(Item, Ordered)>(&stored).unwrap()]
    };
    assert_eq!(sent(StoredPayload::encode(&Ordered::Placed(7))), [7, 7]);
    assert_eq!(sent(StoredPayload::encode(&Ordered::Cancelled)), [100, 100]);
    assert_eq!(sent(StoredPayload::encode(&Item(7))), [207, 207]);
}
