use crate::{
    CommandVisitor, DecodeError, Entity, Handle, Payload, StoredPayload, payload::is_variant_of,
};

/// The place of a command in [`Entity::Commands`]; inferred, never written.
#[derive(Debug)]
pub struct At<const N: usize>;

/// The commands an entity lists: a tuple of 1 to 32 types, each with a [`Handle`].
///
/// The list makes it a compile-time fact that every command that is sent can be decoded from its stored form:
/// [`CommandSet::decode`] finds its type by its manifest.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the commands of `{E}`",
    note = "`Entity::Commands` is a tuple of 1 to 32 command types, such as `(Open, Deposit)`; one command is `(Open,)`",
    note = "each needs `impl Payload` and `impl Handle<TheCommand> for {E}`"
)]
pub trait CommandSet<E> {
    /// The manifests of the listed commands, in order.
    const MANIFESTS: &'static [&'static str];

    /// Decodes a command that was stored or sent, and hands it to `visitor` as the type it has.
    ///
    /// The type is the listed one whose manifest is that of the payload; of several, such as `order` and `order.item`
    /// for `order.item.added`, the longest.
    ///
    /// # Errors
    /// [`DecodeError::UnlistedCommand`] when no command of that manifest is listed; otherwise why the payload cannot be
    /// decoded. The visitor is not called then.
    fn decode<V>(stored: &StoredPayload, visitor: V) -> Result<V::Output, DecodeError>
    where
        Self: Sized,
        E: Entity,
        V: CommandVisitor<E, Self>;
}

/// The place of the command that a payload is of.
fn place_of(manifest: &str, listed: &[&str]) -> Option<usize> {
    let places = 0..listed.len();
    places.filter(|i| is_variant_of(manifest, listed[*i])).max_by_key(|i| listed[*i].len())
}

/// Says that a command set lists the command `C`, at the place `I`.
#[diagnostic::on_unimplemented(
    message = "the command `{C}` is not listed in `Entity::Commands`",
    label = "not a listed command of this entity",
    note = "add it to the tuple `type Commands = (…, {C})`, so that it can be decoded from its stored form"
)]
pub trait Lists<C, I> {}

/// Keeps `(C,)` from having a single [`Lists`], which the compiler would take for the only choice: it would then call
/// another command a mismatched type instead of one that is not listed.
struct Unlisted;

#[diagnostic::do_not_recommend]
impl<C> Lists<Unlisted, At<{ usize::MAX }>> for (C,) {}

macro_rules! command_sets {
    // one more type a round: emits the tuple of all types seen so far
    (@grow [$($done:ident $n:literal)*]) => {};
    (@grow [$($done:ident $n:literal)*] $next:ident $m:literal $($rest:tt)*) => {
        command_sets!(@emit $($done $n)* $next $m);
        command_sets!(@grow [$($done $n)* $next $m] $($rest)*);
    };
    (@emit $($t:ident $n:literal)*) => {
        impl<En: Entity, $($t: Payload),*> CommandSet<En> for ($($t,)*)
        where
            $(En: Handle<$t>),*
        {
            const MANIFESTS: &'static [&'static str] = &[$($t::MANIFEST),*];

            fn decode<Vi>(stored: &StoredPayload, visitor: Vi) -> Result<Vi::Output, DecodeError>
            where
                Vi: CommandVisitor<En, Self>,
            {
                let listed = <Self as CommandSet<En>>::MANIFESTS;
                match place_of(&stored.manifest, listed) {
                    $(Some($n) => Ok(visitor.visit::<$t, At<$n>>(stored.decode()?)),)*
                    _ => Err(DecodeError::UnlistedCommand { manifest: stored.manifest.clone(), listed }),
                }
            }
        }
        command_sets!(@lists ($($t),*) $($t $n)*);
    };
    (@lists $all:tt $($t:ident $n:literal)*) => { $( command_sets!(@one $all $t $n); )* };
    (@one ($($all:ident),*) $t:ident $n:literal) => {
        #[diagnostic::do_not_recommend]
        impl<$($all),*> Lists<$t, At<$n>> for ($($all,)*) {}
    };
}

command_sets! { @grow []
    C0 0 C1 1 C2 2 C3 3 C4 4 C5 5 C6 6 C7 7 C8 8 C9 9 C10 10 C11 11 C12 12 C13 13 C14 14 C15 15
    C16 16 C17 17 C18 18 C19 19 C20 20 C21 21 C22 22 C23 23 C24 24 C25 25 C26 26 C27 27 C28 28 C29 29 C30 30 C31 31
}
