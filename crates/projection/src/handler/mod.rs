//! What a user writes: a projector and what it does with an event of each kind.

mod handler_error;
mod project_ctx;
mod projector;
mod source;
mod target;

pub use handler_error::HandlerError;
pub(crate) use handler_error::any_cause;
pub(crate) use project_ctx::HandlerPlace;
pub use project_ctx::ProjectCtx;
pub use projector::{Project, ProjectState, ProjectStream, Projector};
pub(crate) use source::{EntitySource, Failed, Source, StateSource, StreamSource};
pub use target::{AtLeastOnce, Target};
