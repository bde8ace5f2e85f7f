use crate::{Entity, Handle, Lists, Payload};

/// Takes a command whose type is known only by the manifest it came with, see
/// [`CommandSet::decode`](crate::CommandSet::decode).
///
/// `S` is the set the command is of, [`Entity::Commands`] unless another one is named.
///
/// # Examples
/// ```
/// # use actum_model::{
/// #     CommandSet, CommandVisitor, Ctx, Effect, Entity, EventSourced, Handle, Lists, Payload, StoredPayload,
/// # };
/// # struct Counter(u64);
/// # impl Entity for Counter {
/// #     const KIND: &'static str = "counter";
/// #     type Id = String;
/// #     type Env = ();
/// #     type Event = u64;
/// #     type Commands = (u64, String);
/// #     fn initial(_: &String) -> Self { Self(0) }
/// # }
/// # impl EventSourced for Counter {
/// #     fn apply(&mut self, event: &u64) { self.0 += event }
/// # }
/// # macro_rules! handled {
/// #     ($($command:ty)*) => { $(
/// #         impl Handle<$command> for Counter {
/// #             type Reply = ();
/// #             type Rejection = std::convert::Infallible;
/// #             fn handle(&self, _: $command, _: &Ctx<'_, Self>) -> Result<Effect<Self>, Self::Rejection> {
/// #                 Ok(Effect::none())
/// #             }
/// #         }
/// #     )* };
/// # }
/// # handled! { u64 String }
/// /// Says what a command is called and what its reply is called.
/// struct Names;
///
/// impl<E: Entity> CommandVisitor<E> for Names {
///     type Output = [&'static str; 2];
///
///     fn visit<C, I>(self, _: C) -> Self::Output
///     where
///         E: Handle<C>,
///         C: Payload,
///         E::Commands: Lists<C, I>,
///     {
///         [C::MANIFEST, <E::Reply as Payload>::MANIFEST]
///     }
/// }
///
/// type Commands = <Counter as Entity>::Commands;
/// let sent = StoredPayload::encode(&5u64)?;
/// assert_eq!(<Commands as CommandSet<Counter>>::decode(&sent, Names)?, ["u64", "unit"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait CommandVisitor<E: Entity, S = <E as Entity>::Commands> {
    /// What comes of it.
    type Output;

    /// Takes the command; `I` is its place in the set.
    fn visit<C, I>(self, command: C) -> Self::Output
    where
        E: Handle<C>,
        C: Payload,
        S: Lists<C, I>;
}
