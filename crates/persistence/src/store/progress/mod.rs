//! What is kept of those who read the journal with an offset: how far they have come, who runs them, what they could not
//! handle.
//!
//! [`ProgressStore`] speaks of names and numbers; a database that also holds what a projection writes is an
//! [`ExactTarget`]: there rows and progress are committed in one transaction.
//!
//! # What may grow
//! What a store answers with is `#[non_exhaustive]` and has a constructor. Exhaustive on purpose, since a store that overlooked a
//! new part would lose it, is what it is asked for and what it keeps: [`NewProjection`], [`Activation`], [`SeenActive`],
//! [`SegmentClaim`], [`SeenOwner`], [`RunnerRenewal`], [`ProgressChange`], [`ProgressSave`], [`ReplayedTo`], [`Rewind`], [`ParkedEntity`],
//! [`ParkedRequest`], [`DeadLetter`], [`DeadLetterPlace`], [`LastRead`]. So is what says that a name is not one: [`InvalidProjectionId`].

mod activation;
mod dead_letter;
mod epoch;
mod exact_target;
mod new_projection;
mod parked_entity;
mod progress_change;
mod progress_place;
mod progress_store;
mod projection_id;
mod read_progress;
mod runner_renewal;
mod save_error;
mod segment;
mod segment_claim;
mod stored_projection;
mod target_hold;

pub use activation::{Activation, SeenActive};
pub use dead_letter::{DeadLetter, DeadLetterPlace};
pub use epoch::Epoch;
pub use exact_target::ExactTarget;
pub use new_projection::NewProjection;
pub use parked_entity::{ParkedEntity, ParkedRequest};
pub use progress_change::{ProgressChange, ProgressSave, ReplayedTo, Rewind};
pub use progress_place::ProgressPlace;
pub use progress_store::{KeepsProgress, ProgressStore};
pub use projection_id::{InvalidProjectionId, ProjectionId};
pub use read_progress::{LastRead, ReadProgress};
pub use runner_renewal::{RunnerRenewal, check_count};
pub use save_error::SaveError;
pub use segment::Segment;
pub use segment_claim::{SeenOwner, SegmentClaim};
pub use stored_projection::{RunnerRow, StoredProjection, StoredSegment};
pub use target_hold::TargetHold;

/// What the source of a projection begins with that is a kind of durable states, and not one of events.
pub const SOURCE_OF_STATES: &str = "states:";
/// What the source of a projection begins with that is a kind of streams, and not one of entities.
pub const SOURCE_OF_STREAMS: &str = "streams:";
/// How many projections a store is asked for in one call at most.
pub const PROJECTIONS_AT_ONCE_MAX: usize = 100;
/// The longest name of a runner, in bytes.
pub const RUNNER_BYTES_MAX: usize = 255;
/// The longest text that is kept of an error, in bytes.
pub const ERROR_BYTES_MAX: usize = 2_000;
