//! The pure vocabulary of Actum: what a user implements and the values that travel.
//!
//! Nothing here is asynchronous, reads a clock or does I/O. A domain crate can depend on this crate alone.
//!
//! * What a user implements: [`Entity`] with [`EventSourced`] or [`DurableState`], one [`Handle`] a command,
//!   [`Payload`] for everything that is stored or sent.
//! * What a handler returns: an [`Effect`]. What it may look at: a [`Ctx`].
//! * Who and where: [`EntityKey`], [`Partition`], [`SequenceNr`], [`Revision`], [`Lane`], [`Position`], [`Offset`].

mod command_id;
mod command_set;
mod command_visitor;
mod ctx;
mod effect;
mod entity;
mod entity_id;
mod entity_key;
mod handle;
mod metadata;
mod partition;
mod payload;
mod plain;
mod position;
mod receipt;
mod sequence_nr;
mod timestamp;
mod trace_context;
mod unanswered;

pub use command_id::{CommandId, InvalidCommandId};
pub use command_set::{At, CommandSet, Lists};
pub use command_visitor::CommandVisitor;
pub use ctx::Ctx;
pub use effect::{Change, Effect, EffectParts, ReplyFrom};
pub use entity::{DurableState, Entity, EventSourced, Never, NoEvents};
pub use entity_id::{EntityId, ID_BYTES_MAX, InvalidId, check_id};
pub use entity_key::{EntityKey, InvalidKey, KIND_BYTES_MAX, check_kind};
pub use handle::Handle;
pub use metadata::Metadata;
pub use partition::{Partition, PartitionCount, partition_hash};
pub use payload::{Codec, CodecError, DecodeError, Payload, StoredPayload};
pub use plain::{Each, Plain};
pub use position::{InvalidOffset, Lane, LaneCount, Offset, Position};
pub use receipt::{InvalidReceipt, Receipt};
pub use sequence_nr::{Revision, SequenceNr};
pub use timestamp::Timestamp;
pub use trace_context::{InvalidTraceContext, TraceContext};
pub use unanswered::Unanswered;
