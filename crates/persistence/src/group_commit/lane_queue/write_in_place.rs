use super::LaneQueue;

/// Writes a batch on the thread of its submitter.
pub(in crate::group_commit) trait WriteInPlace<W, T>: Send {
    /// Begins to write what is gathered in `queue`. To be called by a submitter that has found the writer idle and knows that
    /// the batch need not wait for more. Says whether nothing is left to do for the task.
    ///
    /// So the request of a caller who is alone is on its way to the store before the task has been woken. Where others write
    /// too, this would only make small batches of one large one.
    fn write_in_place(&mut self, queue: &LaneQueue<W, T>) -> bool;

    /// Settles everything after a panic.
    fn start_over(&mut self, queue: &LaneQueue<W, T>, panic: &str);
}
