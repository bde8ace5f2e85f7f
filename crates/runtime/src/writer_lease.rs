use crate::{
    gate::Gate,
    journal_check::JournalCheck,
    term::{Term, lapsed},
};
use actum_persistence::{
    error_chain::full_text,
    panics::log_safely,
    store::{Incarnation, StoreError, WriterStore},
};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until, timeout_at};

/// How soon a renewal that failed is tried again, at the latest: as soon as the store is back, commands are to be taken.
const RETRY: Duration = Duration::from_millis(250);

/// Keeps this engine's claim on its journal alive; until the task is aborted, or another writer takes over. The lease
/// holds until `valid_until` at first.
///
/// A lease that could not be renewed in time is treated as lost by this engine's own clock, whatever the store says: no
/// state is shown that another writer may have changed. That holds while a renewal hangs, too; one that succeeds later
/// proves that no other writer did. What is written is fenced by the journal in any case.
///
/// With each renewal it looks whether the journal has lost something; after renewals that failed, before the lease counts
/// again.
pub(crate) async fn keep(
    writers: Arc<dyn WriterStore>,
    incarnation: Incarnation,
    lease: Duration,
    mut valid_until: Instant,
    gate: Arc<Gate>,
    term: Arc<Term>,
    check: Arc<JournalCheck>,
) {
    let (mut suspended, mut failing) = (false, false);
    let mut next = valid_until - lease * 2 / 3;
    loop {
        sleep_until(next).await;
        let asked = Instant::now();
        let mut renewal = pin!(writers.renew(incarnation, lease));
        let renewed = match timeout_at(valid_until, &mut renewal).await {
            Ok(renewed) => renewed,
            Err(_) => {
                gate.health().renewals.failed(no_answer());
                suspend(&gate, &mut suspended);
                renewal.await
            }
        };
        let renewed = match renewed {
            // what was away may be another database now: before commands are taken again, entities know
            Ok(()) if failing || suspended => {
                look_for_losses(&check, asked + lease).await.map(|()| true)
            }
            Ok(()) => Ok(false),
            Err(error) => Err(error),
        };
        match renewed {
            Ok(is_checked) => {
                valid_until = asked + lease;
                next = asked + lease / 3; // at once if this one took longer
                term.set_end(valid_until);
                failing = false;
                gate.health().renewals.succeeded();
                if std::mem::take(&mut suspended) {
                    gate.reopen();
                    log_safely(|| {
                        tracing::info!(%incarnation, "writer lease renewed, commands are taken again");
                    });
                }
                if !is_checked && let Err(error) = look_for_losses(&check, next).await {
                    let error = full_text(&error);
                    // the next renewal tells whether the store is away
                    log_safely(|| tracing::debug!(error, "heads of the journal not read"));
                }
            }
            Err(StoreError::Fenced { .. }) => return gate.fence(incarnation),
            Err(error @ StoreError::Lost { .. }) => {
                gate.lose(&error);
                gate.health().renewals.failed(error);
                return;
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    let error = full_text(&error);
                    log_safely(|| {
                        tracing::warn!(%incarnation, error, "writer lease not renewed");
                    });
                }
                gate.health().renewals.failed(error);
                next = Instant::now() + RETRY.min(lease / 3);
                if Instant::now() >= valid_until {
                    suspend(&gate, &mut suspended);
                }
            }
        }
    }
}

/// Looks for losses of the journal; that has to be done by `deadline`.
async fn look_for_losses(check: &JournalCheck, deadline: Instant) -> Result<(), StoreError> {
    let no_answer =
        |_| StoreError::unavailable("reading heads", "the store has not answered in time");
    timeout_at(deadline, check.check()).await.map_err(no_answer)?
}

fn no_answer() -> StoreError {
    StoreError::unavailable(
        "renewing a writer slot",
        "the store has not answered before the lease ended",
    )
}

fn suspend(gate: &Gate, suspended: &mut bool) {
    if !std::mem::replace(suspended, true) {
        gate.suspend(&lapsed());
    }
}
