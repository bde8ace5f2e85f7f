use super::Batch;
use actum_persistence::progress::ProgressSave;

/// A save of which it is not known whether it was kept.
#[derive(Clone, Debug)]
pub(super) enum UnknownSave {
    /// Of the first events of a batch.
    Batch(Batch, usize),
    /// Of what was not saved.
    Rest(ProgressSave),
}
