//! What is sent over a transport: messages to each peer, gathered into batches, acknowledged and bounded.
//!
//! ```text
//! Links ── Link: its state under a lock, frames are sent without it
//!            ├─ LinkState    which phase, what to send next, who is silent        (pure)
//!            ├─ Outgoing     gathers messages into batches, cuts long ones        (pure)
//!            └─ Incoming     checks batches, puts long messages together          (pure)
//! ```
//! * **A batch** holds at most 128 KiB. At most two are on their way, and up to eight where a round trip takes long; the next
//!   one gathers meanwhile. So a lone message goes at once, without a timer, and many go together.
//! * **What was taken** is said with what goes the other way, or at once where the sender waits for it: it is the credit for
//!   more, and the peer's application has handled what came before. So a peer that is slow slows down those who send to it,
//!   up to the bound of their buffer.
//! * **A message above 64 KiB** goes in pieces between small ones.
//! * **Heartbeats** show that a peer lives and how far it is. A peer that is silent is reported, and later dialled again.
//! * **A connection that is to be replaced**, since it relies on certificates that were, is left in order: both sides say
//!   goodbye when nothing of theirs is under way, and go on with the next one.

mod incoming;
#[expect(clippy::module_inception, reason = "the module has links, and this is one of them")]
mod link;
mod link_frame;
mod link_phase;
mod link_refusal;
mod link_settings;
mod link_sink;
mod link_state;
mod link_status;
mod link_violation;
mod links;
mod outgoing;

mod round_trip;
#[cfg(test)]
mod tests;

pub use actum_placement::failure::LinkReport;
pub use link_refusal::LinkRefusal;
pub use link_settings::LinkSettings;
pub use link_sink::LinkSink;
pub use link_status::{LinkCounts, LinkStatus};
use link_violation::LinkViolation;
pub use links::Links;
