//! Streams, for code that wants no actor: what the runtime appends and what the journal reads, in one place.

#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod stream;
mod transact_error;

pub use stream::Stream;
pub use transact_error::TransactError;
