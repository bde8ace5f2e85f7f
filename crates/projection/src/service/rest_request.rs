use super::shared::SharedProjection;
use actum_persistence::{
    error_chain::full_text,
    panics::log_safely,
    progress::{ProjectionId, RunnerRow, StoredProjection},
    store::StoreError,
};
use actum_reader::share_out::SeenRenewals;
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// Asks the runners of a projection to rest.
///
/// It enters among them under a name by which they know it: they finish and save what they are at, give their segments
/// back, and take none while that name renews. If this process dies, they go on within a lease.
pub(super) struct RestRequest<'a> {
    shared: &'a SharedProjection,
    name: Arc<str>,
    /// The version that is asked.
    asked: Option<ProjectionId>,
    /// The renewals of its runners.
    pub(super) seen: SeenRenewals,
}

/// How long the end of a request may take.
const END_MAX: Duration = Duration::from_secs(1);

impl<'a> RestRequest<'a> {
    /// A request under a name that says what it is for. No one is asked yet.
    pub(super) fn new(shared: &'a SharedProjection, name: Arc<str>) -> Self {
        Self { shared, name, asked: None, seen: SeenRenewals::default() }
    }

    /// The name of the request.
    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether a version was asked.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// Asks a version, or asks it again, which is due three times a lease. Says whether it is at rest: no one else who lives
    /// has a segment of it, by what was read.
    pub(super) async fn ask(&mut self, stored: &StoredProjection) -> Result<bool, StoreError> {
        self.asked = Some(stored.id.clone());
        self.shared.progress.renew(&stored.id, &self.name, &[]).await?;
        self.see(&stored.runners);
        let owners = stored.segments.iter().filter_map(|segment| segment.owner.as_ref());
        Ok(!owners.filter(|owner| **owner != self.name).any(|owner| self.lives(owner)))
    }

    /// Takes in the runners that are there.
    pub(super) fn see(&mut self, runners: &[RunnerRow]) {
        self.seen.see(runners, self.shared.now());
    }

    /// Whether a runner has renewed within a lease, by those that were seen.
    pub(super) fn lives(&self, runner: &str) -> bool {
        let lease = self.shared.registration.settings.lease;
        self.seen.unchanged(runner, self.shared.now()).is_some_and(|it| it < lease)
    }

    /// Lets those who were asked go on.
    pub(super) async fn end(&mut self) {
        let Some(asked) = self.asked.take() else { return };
        let left = timeout(END_MAX, self.shared.progress.leave(&asked, &self.name)).await;
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
