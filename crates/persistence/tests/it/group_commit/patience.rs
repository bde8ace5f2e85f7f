use std::{fmt, time::Duration};
use tokio::{sync::mpsc::Receiver, time::timeout};

/// Takes the next of what must come; a test that waits in vain fails instead of hanging.
///
/// With paused time the hour passes as soon as nothing else can happen.
pub(super) async fn next<V: fmt::Debug>(receiver: &mut Receiver<V>) -> V {
    let next = timeout(Duration::from_hours(1), receiver.recv()).await;
    next.expect("something must come").expect("its sender is alive")
}

/// Whether nothing comes any more, since the sender is gone; a test that waits in vain fails instead of hanging.
pub(super) async fn is_over<V: fmt::Debug>(receiver: &mut Receiver<V>) -> bool {
    let next = timeout(Duration::from_hours(1), receiver.recv()).await;
    next.expect("its sender must go").is_none()
}

/// Waits for what must come; a test that waits in vain fails instead of hanging.
pub(super) async fn soon<V>(awaited: impl Future<Output = V>) -> V {
    timeout(Duration::from_hours(1), awaited).await.expect("it must come")
}
