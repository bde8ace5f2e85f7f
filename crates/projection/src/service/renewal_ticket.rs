use super::joint_renewals::{CallUnderWay, JointRenewals, Renewed, no_answer};
use actum_persistence::progress::{ProgressStore, RunnerRenewal};
use actum_reader::runner::RoundWindow;
use std::sync::Arc;
use tokio::{
    select,
    sync::oneshot,
    time::{Instant, sleep_until},
};

/// A renewal that waits for its round, or is under way. When it is dropped it does not go any more, or its answer goes to no
/// one.
pub(super) struct RenewalTicket {
    renewals: JointRenewals,
    nr: u64,
    /// When it goes at the latest.
    due: Instant,
    called: oneshot::Receiver<CallUnderWay>,
    under_way: Option<CallUnderWay>,
}

impl RenewalTicket {
    /// Goes within its window, with those of others whose progress is kept at the same place, or without.
    pub(super) fn enter(
        renewals: &JointRenewals,
        progress: &Arc<dyn ProgressStore>,
        renewal: RunnerRenewal,
        window: RoundWindow,
    ) -> Self {
        let (sender, called) = oneshot::channel();
        let due = Instant::now() + window.until;
        let nr = renewals.enter(progress, renewal, window, sender);
        Self { renewals: renewals.clone(), nr, due, called, under_way: None }
    }

    /// Waits until its call has begun: when it is due, or before, when others go.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub(super) async fn begun(&mut self) {
        if self.under_way.is_some() {
            return;
        }
        select! {
            biased;
            called = &mut self.called => {
                self.under_way = called.ok();
                return;
            }
            () = sleep_until(self.due) => {}
        }
        self.go();
    }

    /// Lets it go now; it makes no difference if it is under way.
    pub(super) fn go(&mut self) {
        if self.under_way.is_none() {
            self.renewals.go(self.nr);
            self.under_way = self.called.try_recv().ok();
        }
    }

    /// Waits for its outcome, once it has begun.
    ///
    /// # Cancel safety
    /// Dropping the future leaves it under way.
    pub(super) async fn renewed(&mut self) -> Renewed {
        let lost = Renewed { begun: self.due, stored: Err(no_answer()) };
        let Some(call) = &mut self.under_way else { return lost };
        let renewed = (&mut call.renewed).await.unwrap_or(lost);
        self.under_way = None; // its answer comes once
        renewed
    }

    /// Withdraws it; if its call has begun, waits for that to end.
    pub(super) async fn withdraw(mut self) {
        self.renewals.leave(self.nr);
        if self.under_way.is_none() {
            self.under_way = self.called.try_recv().ok();
        }
        if self.under_way.is_some() {
            self.renewed().await;
        }
    }
}

impl Drop for RenewalTicket {
    fn drop(&mut self) {
        self.renewals.leave(self.nr);
    }
}
