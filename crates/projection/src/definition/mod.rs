//! What a user says of a projection.

mod projection;
mod projection_settings;
mod source_kind;
mod start_at;
mod switch;

pub use projection::Projection;
pub(crate) use projection::Sources;
pub use projection_settings::ProjectionSettings;
pub(crate) use source_kind::{SourceKind, SourceModel};
pub use start_at::StartAt;
pub use switch::Switch;
