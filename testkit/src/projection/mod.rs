//! Given events, then rows: what a projection makes of a journal.

mod given_events;
mod given_journal;
mod projected;
mod projecting;

pub use given_events::GivenEvents;
pub use projected::Projected;
