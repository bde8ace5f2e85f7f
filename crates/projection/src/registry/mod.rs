//! All that is kept of readers of a journal, whether someone runs them or not.

mod registered_projection;
#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod registry;
mod watching_registry;

pub use registered_projection::RegisteredProjection;
pub use registry::Registry;
