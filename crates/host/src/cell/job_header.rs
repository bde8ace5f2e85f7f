use super::{Envelope, OpenAsk};
use std::sync::Arc;

/// What can be asked of a command whatever its entity, here or on its way elsewhere.
pub trait JobHeader: Send {
    /// What came with the command.
    fn envelope(&self) -> &Envelope;

    /// The manifest of the command.
    fn command(&self) -> &'static str;

    /// The caller's wait, to be noted; `None` when no caller waits.
    fn open_ask(&self) -> Option<Arc<dyn OpenAsk>>;

    /// Marks the command as begun. It must be neither handled nor sent when this says no: its caller was answered that it
    /// was not.
    fn begin(&mut self) -> bool;
}
