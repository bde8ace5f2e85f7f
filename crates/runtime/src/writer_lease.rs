use crate::{Failure, gate::Gate};
use actum_persistence::store::{Incarnation, StoreError, WriterStore};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// Keeps this engine's claim on its journal alive; until the task is aborted, or another writer takes over.
///
/// A lease that could not be renewed in time is treated as lost by this engine's own clock, whatever the store says: no
/// state is shown that another writer may have changed. A renewal that succeeds later proves that nobody did.
pub(crate) async fn keep(
    writers: Arc<dyn WriterStore>,
    incarnation: Incarnation,
    lease: Duration,
    gate: Arc<Gate>,
) {
    let mut valid_until = Instant::now() + lease;
    let mut suspended = false;
    loop {
        sleep(lease / 3).await;
        let asked = Instant::now();
        match writers.renew(incarnation, lease).await {
            Ok(()) => {
                valid_until = asked + lease;
                if std::mem::take(&mut suspended) {
                    tracing::info!(%incarnation, "writer lease renewed, commands are taken again");
                    gate.reopen();
                }
            }
            Err(StoreError::Fenced { .. }) => return gate.fence(incarnation),
            Err(error) => {
                tracing::warn!(%incarnation, %error, "writer lease not renewed");
                if Instant::now() >= valid_until && !std::mem::replace(&mut suspended, true) {
                    gate.suspend(&Failure::unavailable(
                        "the writer lease could not be renewed in time",
                    ));
                }
            }
        }
    }
}
