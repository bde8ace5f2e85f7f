use actum_host::AskError;
use actum_persistence::error_chain::fmt_causes;
use std::{convert::Infallible, error::Error, fmt};

/// Why a [`tell`](crate::EntityRef::tell) was not taken: the command is not applied.
#[derive(Clone, Debug)]
pub struct TellError(pub AskError<Infallible>);

impl From<AskError<Infallible>> for TellError {
    fn from(reason: AskError<Infallible>) -> Self {
        Self(reason)
    }
}

impl fmt::Display for TellError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the command was not taken: {}", self.0)?;
        fmt_causes(self, f)
    }
}

impl Error for TellError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source() // the reason is in the message
    }
}
