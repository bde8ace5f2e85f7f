//! The caller's side: references to entities, and what is sent through them.

mod answer;
mod answer_slot;
mod ask_builder;
mod asked;
mod asking;
mod command_span;
mod command_target;
mod entity_ref;
mod entrance;
mod kind_ref;
mod peeked;
mod reply_to;
mod sent_when_polled;
mod tell_error;
mod tell_failures;

pub use ask_builder::{Ask, AskWithReceipt};
pub use asking::{Asking, AskingWithReceipt};
pub use entity_ref::EntityRef;
pub(crate) use entrance::{Entrance, EntranceParts};
pub use kind_ref::{EncodedAsking, EncodedCommand, KindRef};
pub use peeked::Peek;
pub use tell_error::TellError;
pub(crate) use tell_failures::TellFailures;
