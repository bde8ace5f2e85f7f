use actum_model::{
    CommandSet, Ctx, Effect, Entity, EventSourced, Handle, Lists, Metadata, Payload, Plain,
    SequenceNr,
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
