//! Foreign code that may panic: the code of users and of stores.
//!
//! The one place of the engine that catches panics.

use std::{
    any::Any,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

/// Runs foreign code and turns a panic into its message.
///
/// The state it worked on may be half changed afterwards; a caller drops that state or knows it untouched.
///
/// # Errors
/// The message of the panic.
pub fn guard<R>(code: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|panic| panic_message(&*panic))
}

/// Logs where a subscriber that panics must not stop what is under way: the event is lost then, and nothing else.
pub fn log_safely(log: impl FnOnce()) {
    let _ = guard(log);
}

/// Awaits foreign code and turns a panic into its message. The future is not polled again after one.
///
/// # Errors
/// The message of the panic.
///
/// # Cancel safety
/// That of the future.
pub async fn guarded<R>(future: impl Future<Output = R>) -> Result<R, String> {
    let mut future = pin!(future);
    poll_fn(|context| match guard(|| future.as_mut().poll(context)) {
        Ok(poll) => poll.map(Ok),
        Err(message) => Poll::Ready(Err(message)),
    })
    .await
}

/// The message of a panic that was caught elsewhere, for example by a runtime that joins a task.
#[must_use]
pub fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
