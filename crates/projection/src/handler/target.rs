use actum_persistence::progress::ExactTarget;

/// Where a projection writes: a database that is an [`ExactTarget`], or [`AtLeastOnce`] for anything else.
pub trait Target: Send + Sync + 'static {
    /// What a handler writes through.
    type Connection: Send;
}

/// Whatever a handler reaches by itself: a search index, a mail server, a cache. Progress is saved behind it, so after a crash
/// events come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtLeastOnce;

impl Target for AtLeastOnce {
    type Connection = ();
}

impl<T: ExactTarget> Target for T {
    type Connection = <T as ExactTarget>::Connection;
}
