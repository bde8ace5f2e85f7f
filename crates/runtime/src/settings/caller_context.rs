use actum_model::Metadata;
use std::{fmt, sync::Arc};

/// Adds to the metadata of every command, on the side of its caller: for example the caller's trace context.
///
/// Two are equal when one is a clone of the other.
#[derive(Clone)]
pub struct CallerContext(Arc<dyn Fn(Metadata) -> Metadata + Send + Sync>);

impl CallerContext {
    /// From a function that takes the metadata of a command and returns it with what it adds.
    pub fn new(add: impl Fn(Metadata) -> Metadata + Send + Sync + 'static) -> Self {
        Self(Arc::new(add))
    }

    /// The metadata with what this adds.
    pub(crate) fn add_to(&self, metadata: Metadata) -> Metadata {
        (self.0)(metadata)
    }
}

impl PartialEq for CallerContext {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for CallerContext {}

impl fmt::Debug for CallerContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallerContext").finish_non_exhaustive()
    }
}
