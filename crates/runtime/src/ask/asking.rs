use super::answer_slot::Caller;
use actum_host::{AskError, Receipt};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// Waits for the reply of a command. Allocates nothing of its own.
///
/// # Cancel safety
/// Dropping it does not take the command back: it may still be applied.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Asking<R, X>(pub(super) AskingWithReceipt<R, X>);

/// Waits for the reply of a command and for where it left its entity.
///
/// # Cancel safety
/// As [`Asking`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct AskingWithReceipt<R, X>(pub(super) AskState<R, X>);

#[derive(Debug)]
pub(super) enum AskState<R, X> {
    Waiting(Caller<R, X>),
    /// It was not even taken.
    Refused(Option<AskError<X>>),
}

// nothing in here is pinned
impl<R, X> Unpin for Asking<R, X> {}
impl<R, X> Unpin for AskingWithReceipt<R, X> {}

impl<R, X> Future for Asking<R, X> {
    type Output = Result<R, AskError<X>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|answer| answer.map(|(reply, _)| reply))
    }
}

impl<R, X> Future for AskingWithReceipt<R, X> {
    type Output = Result<(R, Receipt), AskError<X>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            AskState::Waiting(caller) => caller.poll(cx), // every job answers, even when it is dropped
            AskState::Refused(error) => {
                Poll::Ready(Err(error.take().expect("a future is not polled after it is ready")))
            }
        }
    }
}
