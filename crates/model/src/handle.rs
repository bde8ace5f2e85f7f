use crate::{Ctx, Effect, Entity, Payload};

/// Handles one type of command: its own reply and its own rejection.
///
/// `handle` is a pure function: it reads the state, the command and the context, and returns what should happen. It
/// does no I/O and changes nothing; `?` turns a broken rule into the rejection. What must be fetched first is fetched
/// before the command is sent, and comes with it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle the command `{C}`",
    label = "no handler for this command",
    note = "add `impl Handle<{C}> for {Self}`"
)]
pub trait Handle<C: Payload>: Entity {
    /// What a caller gets when the command is done; `()` if nothing.
    type Reply: Payload;
    /// Why the entity refuses the command; [`std::convert::Infallible`] if it never does.
    type Rejection: std::error::Error + Payload;

    /// Decides what `command` does to this state.
    ///
    /// # Errors
    /// The rejection: nothing is stored, and the caller gets it as it is.
    fn handle(
        &self,
        command: C,
        ctx: &Ctx<'_, Self>,
    ) -> Result<Effect<Self, Self::Reply>, Self::Rejection>;
}
