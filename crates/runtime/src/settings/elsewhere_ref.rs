use crate::elsewhere::Elsewhere;
use std::{fmt, sync::Arc};

/// An [`Elsewhere`] in settings. Two are equal when one is a clone of the other.
#[derive(Clone)]
pub struct ElsewhereRef(pub(crate) Arc<dyn Elsewhere>);

impl PartialEq for ElsewhereRef {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for ElsewhereRef {}

impl fmt::Debug for ElsewhereRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ElsewhereRef").finish_non_exhaustive()
    }
}
