use crate::{CommandId, TraceContext};

/// What travels with a command and is stored with each of its events.
///
/// An empty one allocates nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    command_id: Option<CommandId>,
    correlation_id: Option<Box<str>>,
    causation_id: Option<Box<str>>,
    trace: Option<Box<TraceContext>>,
    headers: Vec<(Box<str>, Box<str>)>,
}

impl Metadata {
    /// No metadata.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.command_id.is_none()
            && self.correlation_id.is_none()
            && self.causation_id.is_none()
            && self.trace.is_none()
            && self.headers.is_empty()
    }

    /// What names the caller's intention, see [`CommandId`].
    #[must_use]
    pub fn command_id(&self) -> Option<&CommandId> {
        self.command_id.as_ref()
    }

    /// What ties everything together that one request set off.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }

    /// What directly caused this: the id of an event or of a command.
    #[must_use]
    pub fn causation_id(&self) -> Option<&str> {
        self.causation_id.as_deref()
    }

    /// The W3C trace context of the caller.
    #[must_use]
    pub fn trace(&self) -> Option<&TraceContext> {
        self.trace.as_deref()
    }

    /// The user's own headers, in the order they were added.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The value of the first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// Sets the command id.
    #[must_use]
    pub fn with_command_id(mut self, id: CommandId) -> Self {
        self.command_id = Some(id);
        self
    }

    /// Sets the correlation id.
    #[must_use]
    pub fn with_correlation_id(mut self, id: impl Into<Box<str>>) -> Self {
        self.correlation_id = Some(id.into());
        self
    }

    /// Sets the causation id.
    #[must_use]
    pub fn with_causation_id(mut self, id: impl Into<Box<str>>) -> Self {
        self.causation_id = Some(id.into());
        self
    }

    /// Sets the trace context.
    #[must_use]
    pub fn with_trace(mut self, trace: TraceContext) -> Self {
        self.trace = Some(Box::new(trace));
        self
    }

    /// Adds a header; names may repeat.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<Box<str>>, value: impl Into<Box<str>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}
