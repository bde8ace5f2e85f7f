/// What a writer left behind when its time was over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{unsent} writes were not sent to the store, and the outcome of {unknown} is unknown")]
pub struct Undrained {
    /// Writes that were never sent; settled as unavailable.
    pub unsent: usize,
    /// Writes in flight; settled as of unknown outcome.
    pub unknown: usize,
}
