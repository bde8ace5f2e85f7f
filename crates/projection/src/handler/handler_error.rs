use std::{error::Error, fmt, sync::Arc};

/// Why a handler did not handle an event. Any error becomes one by `?`.
///
/// What a target's database reports as unreachable is recognized, and so is a table or a column that is not there, or not granted:
/// that is no fault of the event either. Where it is, as where each entity has a table of its own, give
/// [`failed`](Self::failed) a text instead of the error. For anything else that is away for a while, a broker or a
/// service, say so by [`unavailable`](Self::unavailable): then the event is not blamed, nothing is counted, and it is tried
/// until it succeeds.
pub struct HandlerError {
    pub(crate) source: Box<dyn Error + Send + Sync>,
    pub(crate) is_unavailable: bool,
}

impl HandlerError {
    /// Something that is needed cannot be reached at the moment, whatever the event.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: source.into(), is_unavailable: true }
    }

    /// The event cannot be handled, for this reason.
    pub fn failed(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: source.into(), is_unavailable: false }
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for HandlerError {
    fn from(error: E) -> Self {
        Self { source: Box::new(error), is_unavailable: false }
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.source, f)
    }
}

/// Whether one of the causes of `error` is one of which `says_so` says so; or of which is an [`Arc`] of one.
pub(crate) fn any_cause(
    error: &(dyn Error + 'static),
    says_so: impl Fn(&(dyn Error + 'static)) -> bool,
) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let shared = error.downcast_ref::<Arc<dyn Error + Send + Sync>>();
        if says_so(error) || shared.is_some_and(|shared| says_so(&**shared)) {
            return true;
        }
        cause = error.source();
    }
    false
}
