//! What runs projections: tasks around the pure parts.

mod all_parked;
mod at_least_once;
mod controls;
mod entering;
mod event_at;
mod exact;
mod handling;
mod journal_place;
mod needed;
mod projection_error;
mod projection_ref;
mod projection_service;
mod publishing;
mod read_status;
mod registration;
mod rewinding;
mod runner;
mod segment_check;
mod segment_task;
mod shared;
mod start_offset;
mod status;
mod wait;
mod work;

pub use journal_place::{JournalPlace, JournalPlaces};
pub use projection_error::{ProjectionError, WaitError};
pub use projection_ref::ProjectionRef;
pub use projection_service::{ProjectionService, ServiceParts};
pub use registration::{ProjectionRegistration, RunsOn};
pub(crate) use segment_check::check_journal;
pub(crate) use start_offset::start_offset;
pub use status::{Lag, ProjectionState, ProjectionStatus, SegmentStatus};
