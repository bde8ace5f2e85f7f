use super::{
    shared::SharedProjection,
    standing::{Standing, active_version},
};
use actum_persistence::{
    error_chain::full_text,
    panics::log_safely,
    progress::{Activation, ProjectionId, SaveError, StoredProjection},
    store::StoreError,
};
use actum_reader::{
    share_out::{SeenRenewals, switch_name},
    versions::FollowLimit,
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// How a switch has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SwitchEnd {
    /// The version is active.
    Active,
    /// It has not come as far as the active version.
    Behind,
    /// The active version has not rested in time, or the new one has not reached what that had saved last.
    TooSlow,
    /// Nothing is kept of it any more.
    Gone,
}

/// A switch to a version of a projection.
///
/// It enters among the runners of the active version, under a name by which those know that they are to rest: they finish
/// and save what they are at, give their segments back, and take none. Then the new version reads what was saved last, and
/// becomes active: what is behind that is live for it. So no event is live in both, as long as no process hangs. If this one
/// dies in the middle, its name does not renew, and the runners go on within a lease.
pub(super) struct Switching<'a> {
    shared: &'a SharedProjection,
    name: Arc<str>,
    /// The version that is asked to rest.
    asked: Option<ProjectionId>,
    /// Since when it rests.
    rests: Option<Instant>,
    /// The renewals of its runners.
    seen: SeenRenewals,
}

/// How long the active version rests at most.
const REST_MAX: Duration = Duration::from_secs(3);
const INTERVAL: Duration = Duration::from_millis(50);

impl<'a> Switching<'a> {
    pub(super) fn new(shared: &'a SharedProjection, me: &str) -> Self {
        let (name, seen) = (switch_name(me), SeenRenewals::default());
        Self { shared, name, asked: None, rests: None, seen }
    }

    /// Switches, if the version has come as far as the active one.
    pub(super) async fn run(mut self) -> Result<SwitchEnd, StoreError> {
        // runners check three times a lease; one that dies is waited for
        let deadline = Instant::now() + 2 * self.shared.registration.settings.lease + REST_MAX;
        let ended = loop {
            let step = self.step().await;
            if let Ok(Some(end)) = step {
                break Ok(end);
            }
            let now = Instant::now();
            let has_rested = self.rests.is_some_and(|since| now >= since + REST_MAX);
            if now >= deadline || has_rested || self.shared.is_ending() {
                break step.map(|_| SwitchEnd::TooSlow);
            }
            sleep(INTERVAL).await;
        };
        self.release_active().await;
        self.shared.poke.notify_one();
        ended
    }

    /// Does what can be done now; none if it is to be tried again.
    async fn step(&mut self) -> Result<Option<SwitchEnd>, StoreError> {
        let SharedProjection { progress, id, .. } = self.shared;
        let Some(own) = progress.load(id).await? else { return Ok(Some(SwitchEnd::Gone)) };
        if own.is_active {
            return Ok(Some(SwitchEnd::Active));
        }
        let active = active_version(&**progress, id.name()).await?;
        self.shared.set_standing(Standing::behind(active.as_ref()));
        if let Some(active) = &active {
            if !FollowLimit::of(active).is_reached_by(&own) {
                let is_asked = self.asked.is_some();
                return Ok(if is_asked { None } else { Some(SwitchEnd::Behind) });
            }
            self.asked = Some(active.id.clone());
            progress.renew(&active.id, &self.name, &[]).await?;
            if !self.is_at_rest(active) {
                self.rests = None;
                return Ok(None);
            }
            self.rests.get_or_insert_with(Instant::now);
        }
        match progress.activate(&Activation::of(&own, active.as_ref())).await {
            Ok(()) => {
                self.log_switch(active.as_ref());
                Ok(Some(SwitchEnd::Active))
            }
            Err(SaveError::Stale) => Ok(None),
            Err(SaveError::Store(error)) => Err(error),
            Err(error) => Err(StoreError::invalid(error.to_string())),
        }
    }

    /// Whether no one who lives runs a segment of the active version.
    fn is_at_rest(&mut self, active: &StoredProjection) -> bool {
        let (now, lease) = (self.shared.now(), self.shared.registration.settings.lease);
        self.seen.see(&active.runners, now);
        let lives = |name: &Arc<str>| self.seen.unchanged(name, now).is_some_and(|it| it < lease);
        !active.segments.iter().filter_map(|segment| segment.owner.as_ref()).any(lives)
    }

    /// Lets the runners of the version that was active go on, which follows now if another one is.
    async fn release_active(&mut self) {
        let Some(asked) = self.asked.take() else { return };
        if let Err(error) = self.shared.progress.leave(&asked, &self.name).await {
            log_safely(
                || tracing::warn!(projection = %asked, error = full_text(&error), "runners rest behind a switch until their lease ends"),
            );
        }
    }

    fn log_switch(&self, former: Option<&StoredProjection>) {
        let former = former.map(|former| former.id.version().get());
        log_safely(
            || tracing::info!(projection = %self.shared.id, former, "version of a projection is active"),
        );
    }
}
