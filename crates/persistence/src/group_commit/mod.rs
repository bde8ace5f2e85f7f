//! Group commit: while one transaction of a lane is under way the writes of many entities gather, and they go together
//! the moment it returns. No timer; an idle lane writes at once.
//!
//! ```text
//!  partitions ── submit ──► LaneQueue ── gather ──► GroupCommit ── Step::Write ──► store
//!       ▲                                              │  ▲
//!       └────────── CommitSink ◄────── Settled ────────┘  └── finished / resolved ──┘
//! ```
//! [`GroupCommit`] decides and is pure; a [`GroupWriter`] is the task that carries it out, a [`LaneWriter`] on the
//! journal and a [`StateWriter`] on durable states.
//!
//! While a store is away no write waits for it: after a batch of unknown outcome that could not be resolved at the first
//! attempt every write is refused as unavailable, until the outcome is found out or given up.
//!
//! The writes of that batch themselves are not given up: their senders want to know whether they are stored, the next
//! attempt may find out, and until then each waits, at most until its own deadline. So do further changes of the same
//! entities: they were decided on a state that holds the writes in doubt, and are kept in the entity's cell, unsent.
//!
//! A write that left no trace, since its events were deleted or its state was written over, is reported at once as of
//! unknown outcome; no further attempt is made for it.

mod batch_store;
mod commit;
mod commit_sink;
mod committed_batch;
mod entity_set;
#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod group_commit;
mod group_write;
mod lane_queue;
mod settings;
mod undrained;
mod unknown;
mod writer;
mod writer_core;
mod writer_scope;
mod writer_task;

pub use commit::{CommitError, Committed, Settled};
pub use commit_sink::CommitSink;
pub use committed_batch::CommittedBatch;
pub use group_commit::{GroupCommit, Step};
pub use group_write::GroupWrite;
pub use lane_queue::LaneQueue;
pub use settings::GroupCommitSettings;
pub use undrained::Undrained;
pub use writer::{GroupWriter, LaneWriter, StateWriter};
pub use writer_scope::WriterScope;
