use actum_projection::ReadError;
use actum_runtime::AppendError;

/// Why a [transaction](crate::Stream::transact) has appended nothing, or is not known to have.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransactError<R> {
    /// The decision was against it. Nothing was appended.
    #[error("the decision rejected it")]
    Rejected(#[source] R),
    /// The events were not appended, or it is [not known](AppendError::maybe_appended) whether they were. A conflict is not
    /// among these.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The stream could not be read. Nothing was appended.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Others have appended to the stream between each reading and its decision. Nothing was appended; try again later.
    #[error("others appended to the stream in each of {attempts} attempts to decide about it")]
    TooManyConflicts {
        /// How many attempts were made.
        attempts: u32,
    },
}

impl<R> TransactError<R> {
    /// The rejection, if it is one.
    pub fn rejection(&self) -> Option<&R> {
        if let Self::Rejected(rejection) = self { Some(rejection) } else { None }
    }

    /// Whether the events may have been appended, or may still be.
    #[must_use]
    pub fn maybe_appended(&self) -> bool {
        matches!(self, Self::Append(error) if error.maybe_appended())
    }
}
