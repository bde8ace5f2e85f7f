//! Publishers: projections that ship events out, as messages that carry what CloudEvents 1.0 asks for.

mod cloud_time;
mod header_value;
mod message;
mod publish_error;
#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod publisher;
mod publishing;
mod waves;

pub use message::Message;
pub use publish_error::PublishError;
pub(crate) use publish_error::Unpublished;
pub use publisher::Publisher;
pub use publishing::{PublisherTarget, Publishing};
pub use waves::Waves;
