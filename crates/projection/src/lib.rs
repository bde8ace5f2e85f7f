//! What reads the journal beside the entities of an engine.
//!
//! [`Journal`] gives what there is: the history of an entity, events in the order in which they were committed, the entities of a
//! kind. Each is read page by page: the next page comes while this one is handled, and no more than that is held in memory.
//!
//! An internal crate of Actum's: users see its types through `actum`.

mod journal;

pub use journal::{EntityList, Events, History, Journal, JournalInfo, ReadError, Recorded};
