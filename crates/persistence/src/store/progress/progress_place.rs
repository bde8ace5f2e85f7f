use std::{fmt, sync::Arc};

/// Where progress is kept, and through what it is reached: two stores of one process that have the same can stand in for each
/// other in a call. It is to be compared while one of them lives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProgressPlace(Arc<str>);

impl ProgressPlace {
    /// The place of this name, which nothing else in the process has that is reached in another way.
    pub fn new(name: impl fmt::Display) -> Self {
        Self(name.to_string().into())
    }
}

/// Its name.
impl fmt::Display for ProgressPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
