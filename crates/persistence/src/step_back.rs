use std::{future::poll_fn, task::Poll};

/// Lets the tasks run that are queued on this thread already.
///
/// Unlike tokio's `yield_now` it does not check for I/O first, which takes longer than a commit in memory. It also frees
/// the task woken last: that one waits in a place from which no other thread of tokio takes tasks, so it would be stuck
/// for as long as the calling task is.
///
/// # Cancel safety
/// Dropping the future has no effect.
pub async fn step_back() {
    let mut stepped = false;
    poll_fn(|context| {
        if std::mem::replace(&mut stepped, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
