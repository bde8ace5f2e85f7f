//! Streams: events of kinds that no entity of the engine owns, for code that wants no actor.
//!
//! ```text
//!   StreamWriter ── append ──► StreamEntrance: encoded ──► StreamAppends: one of each stream at a time
//!                                                              ▲                │
//!                                                  Gate: settled└── LaneQueue ◄─┘ beside the appends of entities
//! ```
//! An append takes the way of an entity's from the queue of its lane on: the same batches, the same fence, the same
//! resolution of unknown outcomes, and the same announcement. No partition has to do with it.

mod append_error;
mod append_options;
mod append_room;
mod append_ticket;
mod expected;
mod stream_append;
mod stream_appends;
mod stream_entrance;
mod stream_lines;
mod stream_turns;
mod stream_writer;

pub use append_error::AppendError;
pub use append_options::AppendOptions;
pub(crate) use append_ticket::is_of_stream;
pub use expected::Expected;
pub(crate) use stream_appends::StreamAppends;
pub(crate) use stream_entrance::StreamEntrance;
pub use stream_turns::StreamTurn;
pub(crate) use stream_turns::StreamTurns;
pub use stream_writer::StreamWriter;
