use super::{
    rest_request::RestRequest,
    shared::SharedProjection,
    standing::{Standing, active_version},
};
use actum_persistence::{
    panics::log_safely,
    progress::{Activation, SaveError, StoredProjection},
    store::StoreError,
};
use actum_reader::{
    share_out::{SeenRenewals, switch_name},
    versions::FollowLimit,
};
use std::time::Duration;
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
    /// Asks the active version.
    rest: RestRequest<'a>,
    /// Since when it rests.
    rests: Option<Instant>,
}

/// How long the active version rests at most.
const REST_MAX: Duration = Duration::from_secs(3);
const INTERVAL: Duration = Duration::from_millis(50);

impl<'a> Switching<'a> {
    pub(super) fn new(shared: &'a SharedProjection, me: &str) -> Self {
        let rest = RestRequest::new(shared, switch_name(me), SeenRenewals::default());
        Self { shared, rest, rests: None }
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
        self.rest.end().await; // the version that was active follows now, if another one is
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
            let limit = FollowLimit::of(active);
            if !limit.is_reached_by(&own) {
                let is_asked = self.rest.is_asked();
                return Ok(if is_asked { None } else { Some(SwitchEnd::Behind) });
            }
            if !limit.has_divided(&own) {
                return Ok(None); // its runner divides it
            }
            if !self.rest.ask(active).await? {
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

    fn log_switch(&self, former: Option<&StoredProjection>) {
        let former = former.map(|former| former.id.version().get());
        log_safely(
            || tracing::info!(projection = %self.shared.id, former, "version of a projection is active"),
        );
    }
}
