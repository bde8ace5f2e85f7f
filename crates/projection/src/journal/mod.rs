//! Reading: what is asked for is said by a builder that is the reader itself, and nothing is read before its first `next`.

mod changed;
mod changes_as_events;
mod decoding;
mod entity_list;
mod events;
mod history;
mod info;
#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod journal;
mod page_reader;
mod read_error;
mod recorded;
mod state_changes;

pub use changed::Changed;
pub(crate) use changes_as_events::ChangesAsEvents;
pub(crate) use decoding::{decode_change, decode_event, stored_event};
pub use entity_list::EntityList;
pub use events::Events;
pub use history::History;
pub use info::JournalInfo;
pub use journal::Journal;
pub use read_error::ReadError;
pub use recorded::Recorded;
pub use state_changes::StateChanges;
