use super::{Ask, AskWithReceipt, Peek};
use actum_host::{AskError, Receipt};
use actum_model::{Entity, Handle, Payload};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

/// What no ask is: a future by itself. It lets the compiler say what to do where one is used as a future.
///
/// An ask is sent by `.await` or [`into_future`](IntoFuture::into_future), not when it is first polled, so that several
/// can be under way before the first is awaited.
#[diagnostic::on_unimplemented(
    message = "an `ask` is not a future by itself",
    label = "`.into_future()` is missing behind it",
    note = "`.into_future()` sends the command and gives the future of its reply, for example `tokio::spawn(account.ask(command).into_future())`"
)]
pub trait SentWhenPolled {}

// with no impl at all the compiler would advise to write one
#[diagnostic::do_not_recommend]
impl SentWhenPolled for Infallible {}

impl<E: Handle<C>, C: Payload> Future for Ask<E, C>
where
    Self: SentWhenPolled,
{
    type Output = Result<E::Reply, AskError<E::Rejection>>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        unreachable!("no ask is sent when it is polled")
    }
}

impl<E: Handle<C>, C: Payload> Future for AskWithReceipt<E, C>
where
    Self: SentWhenPolled,
{
    type Output = Result<(E::Reply, Receipt), AskError<E::Rejection>>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        unreachable!("no ask is sent when it is polled")
    }
}

impl<E: Entity + Clone + Payload> Future for Peek<E>
where
    Self: SentWhenPolled,
{
    type Output = Result<E, AskError<Infallible>>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        unreachable!("no look at a state is sent when it is polled")
    }
}
