//! Opens and closes the partitions of an engine, and starts them again when they fail.

mod messages;
mod stage;
mod supervision;
#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod supervisor;

pub(crate) use messages::{Close, SupervisorMessage};
pub use messages::{Closed, PartitionNotOpened};
pub(crate) use supervision::GRACE;
pub(crate) use supervisor::{Supervisor, SupervisorArguments};
