use crate::{Failure, gate::Gate};
use actum_persistence::store::{Incarnation, StoreError, WriterStore};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout_at};

/// Keeps this engine's claim on its journal alive; until the task is aborted, or another writer takes over.
///
/// A lease that could not be renewed in time is treated as lost by this engine's own clock, whatever the store says: no
/// state is shown that another writer may have changed. That holds while a renewal hangs, too; one that succeeds later
/// proves that nobody did. It does not hold right after the whole process was stopped: until this task runs again, what
/// is in memory is shown. What is written is fenced by the journal in any case.
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
        let mut renewal = pin!(writers.renew(incarnation, lease));
        let renewed = match timeout_at(valid_until, &mut renewal).await {
            Ok(renewed) => renewed,
            Err(_) => {
                suspend(&gate, &mut suspended);
                renewal.await
            }
        };
        match renewed {
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
                if Instant::now() >= valid_until {
                    suspend(&gate, &mut suspended);
                }
            }
        }
    }
}

fn suspend(gate: &Gate, suspended: &mut bool) {
    if !std::mem::replace(suspended, true) {
        gate.suspend(&Failure::unavailable("the writer lease could not be renewed in time"));
    }
}
