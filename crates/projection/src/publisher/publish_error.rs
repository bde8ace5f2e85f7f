use std::{error::Error, fmt};

/// Why messages were not published.
///
/// It decides about the events: one that is rejected has failed, and what follows is the policy of the projection. What is
/// unavailable blames none of them, and is tried until it is there.
pub struct PublishError {
    pub(crate) what: Unpublished,
    pub(crate) source: Box<dyn Error + Send + Sync>,
}

/// Which messages were not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unpublished {
    /// This one, and not because of the others.
    Rejected(usize),
    /// It is not known which; nothing can be at the moment.
    Unavailable,
}

impl PublishError {
    /// Message `at` of those that were to be published, the first is 0, can't be: it is too large, or says what is not taken.
    /// Those in front of it are published.
    pub fn rejected(at: usize, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { what: Unpublished::Rejected(at), source: source.into() }
    }

    /// The broker cannot be reached, has no room, or takes nothing at the moment for another reason that lies in no message.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { what: Unpublished::Unavailable, source: source.into() }
    }

    /// Which message was rejected; none when it is the broker that is unavailable.
    #[must_use]
    pub fn rejected_at(&self) -> Option<usize> {
        match self.what {
            Unpublished::Rejected(at) => Some(at),
            Unpublished::Unavailable => None,
        }
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            Unpublished::Rejected(at) => write!(f, "message {at} of those to publish was rejected"),
            Unpublished::Unavailable => f.write_str("nothing can be published at the moment"),
        }
    }
}

impl fmt::Debug for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishError")
            .field("what", &self.what)
            .field("source", &self.source)
            .finish()
    }
}

impl Error for PublishError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
