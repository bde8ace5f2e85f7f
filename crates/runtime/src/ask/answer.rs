use actum_host::{AskError, Receipt};

/// What a caller gets in the end.
pub(crate) type Answer<R, X> = Result<(R, Receipt), AskError<X>>;
