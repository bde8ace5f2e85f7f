//! The one serializer: every path that stores or reads a value goes through it, so limits and upcasts hold everywhere.

mod encode_error;
mod metadata;
mod metadata_error;
mod recent_command;
mod recent_commands;
mod recorded_reply;
mod scratch;
#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod serializer;
mod size_limits;
mod stored_event;
mod wire;

pub use encode_error::EncodeError;
pub use metadata_error::MetadataError;
pub use recent_command::RecentCommand;
pub use recent_commands::{CommandMark, RecentCommands, Uptime};
pub use recorded_reply::RecordedReply;
pub use serializer::Serializer;
pub use size_limits::SizeLimits;
