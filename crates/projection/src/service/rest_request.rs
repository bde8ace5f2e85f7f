use super::shared::SharedProjection;
use actum_persistence::{
    error_chain::full_text,
    panics::log_safely,
    progress::{ProjectionId, StoredProjection},
    store::StoreError,
};
use actum_reader::share_out::{RestMachine, SeenRenewals};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// Asks the runners of a projection to rest.
///
/// It enters among them under a name by which they know it: they finish and save what they are at, give their segments
/// back, and take none while that name renews. If this process dies, they go on within a lease.
pub(super) struct RestRequest<'a> {
    shared: &'a SharedProjection,
    machine: RestMachine,
    /// The version that is asked.
    asked: Option<ProjectionId>,
}

/// How long the end of a request may take.
const END_MAX: Duration = Duration::from_secs(1);

impl<'a> RestRequest<'a> {
    /// A request under a name that says what it is for, of one who has `seen` these renewals. No one is asked yet.
    pub(super) fn new(shared: &'a SharedProjection, name: Arc<str>, seen: SeenRenewals) -> Self {
        let lease = shared.registration.settings.lease;
        Self { shared, machine: RestMachine::new(name, lease, seen), asked: None }
    }

    /// The name of the request.
    pub(super) fn name(&self) -> &Arc<str> {
        self.machine.name()
    }

    /// Whether a version was asked.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// Asks a version, or asks it again, which is due three times a lease. Says whether it is at rest: no one else who lives
    /// has a segment of it, by what was read.
    pub(super) async fn ask(&mut self, stored: &StoredProjection) -> Result<bool, StoreError> {
        self.asked = Some(stored.id.clone());
        self.shared.progress.renew(&stored.id, self.name(), &[]).await?;
        let now = self.shared.now();
        self.machine.see(&stored.runners, now);
        Ok(self.machine.is_at_rest(stored, now))
    }

    /// The runner that divides the projection already, by what was read.
    pub(super) fn divided_by<'s>(&mut self, stored: &'s StoredProjection) -> Option<&'s str> {
        let now = self.shared.now();
        self.machine.see(&stored.runners, now);
        self.machine.gives_way_to(&stored.runners, self.is_asked(), now)
    }

    /// The renewals that it has seen.
    pub(super) fn into_seen(self) -> SeenRenewals {
        self.machine.into_seen()
    }

    /// Lets those who were asked go on.
    pub(super) async fn end(&mut self) {
        let Some(asked) = self.asked.take() else { return };
        let left = timeout(END_MAX, self.shared.progress.leave(&asked, self.name())).await;
        let why = match left {
            Ok(Ok(())) => return,
            Ok(Err(error)) => full_text(&error),
            Err(_) => "no answer in time".to_owned(),
        };
        log_safely(
            || tracing::warn!(projection = %asked, error = why, "runners rest until the lease of a request ends"),
        );
    }
}
