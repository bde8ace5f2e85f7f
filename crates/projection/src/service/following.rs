use super::{
    ProjectionError,
    deleted_before::check_deleted,
    dividing::{Dividing, WantedSegments},
    shared::SharedProjection,
    standing::{FollowedVersion, Standing, active_version},
    switching::{SwitchEnd, Switching},
};
use crate::definition::Switch;
use actum_persistence::{
    error_chain::full_text,
    panics::log_safely,
    progress::{ProjectionId, StoredProjection},
    store::StoreError,
};
use actum_reader::{segment::Backoff, versions::FollowLimit};
use std::{sync::Arc, time::Duration};
use tokio::{
    task::JoinHandle,
    time::{Instant, timeout_at},
};

/// What the runner of a version does about the other versions of its name.
#[derive(Default)]
pub(super) struct Following {
    switching: Option<JoinHandle<Result<SwitchEnd, StoreError>>>,
    checking: Option<JoinHandle<()>>,
    /// Divides it as the active version is.
    dividing: Option<JoinHandle<Result<usize, ProjectionError>>>,
    /// How often in a row a switch has failed, and when the next is tried.
    failures: u32,
    next_try: Option<Instant>,
    looked: Option<LookAtActive>,
}

/// What was seen of the active version last.
struct LookAtActive {
    at: Instant,
    /// Which version was active; none if none was.
    active: Option<ProjectionId>,
    /// Whether it had been divided further than the one that follows it.
    is_divided_further: bool,
}

/// How often one that is to become active reads the active one.
const INTERVAL: Duration = Duration::from_millis(500);
/// Each time the active version is held for a moment.
const AFTER_FAILURE: Backoff =
    Backoff { first: Duration::from_secs(5), max: Duration::from_secs(300) };

impl Following {
    /// Reads how far the active version has come, and takes over from it when that is due.
    pub(super) async fn round(
        &mut self,
        shared: &Arc<SharedProjection>,
        stored: &StoredProjection,
        me: &Arc<str>,
    ) -> Result<(), StoreError> {
        self.take_in_switch(shared).await;
        self.take_in_division(shared).await;
        if stored.is_active {
            shared.set_standing(Standing::Active);
            return Ok(());
        }
        if !self.is_due(shared, stored) {
            return Ok(());
        }
        let active = self.look(shared).await?;
        shared.set_standing(Standing::behind(active.as_ref()));
        let limit = active.as_ref().map(FollowLimit::of);
        let same_layout = active.as_ref().is_some_and(|active| active.layout == stored.layout);
        if same_layout && limit.as_ref().is_some_and(|limit| !limit.has_divided(stored)) {
            self.looked.iter_mut().for_each(|looked| looked.is_divided_further = true);
            self.divide(shared, me);
            return Ok(());
        }
        let is_reached = limit.is_none_or(|limit| limit.is_reached_by(stored));
        let is_due = self.next_try.is_none_or(|next_try| next_try <= Instant::now());
        if is_reached && is_due && self.switching.is_none() && switches_by_itself(shared, stored) {
            let (shared, me) = (Arc::clone(shared), Arc::clone(me));
            self.switching =
                Some(tokio::spawn(async move { Switching::new(&shared, &me).run().await }));
        }
        Ok(())
    }

    /// Whether the active version is to be read: it may have come further, or this one waits to take over. Otherwise once a lease:
    /// another one may be active, or where it is at the end of the journal it may be at its beginning again.
    fn is_due(&self, shared: &SharedProjection, stored: &StoredProjection) -> bool {
        let Some(looked) = &self.looked else { return true };
        looked.at.elapsed() >= shared.registration.settings.lease
            || looked.is_divided_further
            || switches_by_itself(shared, stored)
            || !is_at_end(shared, stored)
    }

    /// The active version.
    async fn look(
        &mut self,
        shared: &SharedProjection,
    ) -> Result<Option<StoredProjection>, StoreError> {
        let known = self.looked.take().and_then(|looked| looked.active);
        let mut active = match &known {
            Some(known) => shared.progress.load(known).await?.filter(|known| known.is_active),
            None => None,
        };
        if active.is_none() {
            active = active_version(&*shared.progress, shared.id.name()).await?;
        }
        let id = active.as_ref().map(|active| active.id.clone());
        self.looked =
            Some(LookAtActive { at: Instant::now(), active: id, is_divided_further: false });
        Ok(active)
    }

    /// Divides it further, where the active version is: it follows that in each of its segments.
    fn divide(&mut self, shared: &Arc<SharedProjection>, me: &Arc<str>) {
        let (shared, me) = (Arc::clone(shared), Arc::clone(me));
        self.dividing.get_or_insert_with(|| {
            tokio::spawn(async move {
                Dividing::new(&shared, &me, WantedSegments::AsActive).run().await
            })
        });
    }

    /// How long a round may wait for the next one.
    pub(super) fn interval(shared: &SharedProjection, stored: &StoredProjection) -> Duration {
        let wait = shared.registration.settings.lease / 3;
        let is_waiting = !stored.is_active && switches_by_itself(shared, stored);
        if is_waiting { wait.min(INTERVAL) } else { wait }
    }

    /// Checks whether events were deleted that a projection which has just begun would handle.
    pub(super) fn check_deleted(&mut self, shared: &Arc<SharedProjection>) {
        let shared = Arc::clone(shared);
        self.checking = Some(tokio::spawn(async move { check_deleted(&shared).await }));
    }

    /// Ends what it has begun: a switch gives back what it holds.
    pub(super) async fn end(&mut self, deadline: Instant) {
        if let Some(checking) = self.checking.take() {
            checking.abort();
        }
        end_in_time(self.switching.take(), deadline).await;
        end_in_time(self.dividing.take(), deadline).await;
    }

    async fn take_in_division(&mut self, shared: &SharedProjection) {
        let Some(dividing) = self.dividing.take_if(|dividing| dividing.is_finished()) else {
            return;
        };
        let why = match dividing.await {
            // another process may do the same: what is still to be done is found in this round
            Ok(Ok(_) | Err(ProjectionError::NotDivided { .. })) => return,
            Ok(Err(error)) => full_text(&error),
            Err(error) => error.to_string(),
        };
        log_safely(
            || tracing::warn!(projection = %shared.id, why, "version of a projection not divided as the active one, tried again"),
        );
    }

    async fn take_in_switch(&mut self, shared: &SharedProjection) {
        let Some(switching) = self.switching.take_if(|switching| switching.is_finished()) else {
            return;
        };
        let why = match switching.await {
            Ok(Ok(SwitchEnd::Active)) => {
                self.failures = 0;
                return;
            }
            Ok(Ok(SwitchEnd::Behind | SwitchEnd::Gone)) => return,
            Ok(Ok(SwitchEnd::TooSlow)) => "it has not reached the active one in time".into(),
            Ok(Err(error)) => full_text(&error),
            Err(error) => error.to_string(),
        };
        self.failures = self.failures.saturating_add(1);
        let wait = AFTER_FAILURE.after(self.failures, fastrand::f64());
        self.next_try = Some(Instant::now() + wait);
        log_safely(
            || tracing::warn!(projection = %shared.id, why, "version of a projection has not become active, tried again later"),
        );
    }
}

async fn end_in_time<T>(task: Option<JoinHandle<T>>, deadline: Instant) {
    if let Some(mut task) = task
        && timeout_at(deadline, &mut task).await.is_err()
    {
        task.abort();
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.switching.iter().for_each(JoinHandle::abort);
        self.dividing.iter().for_each(JoinHandle::abort);
        self.checking.iter().for_each(JoinHandle::abort);
    }
}

/// Whether a version may read to the end of the journal, by what was seen of the active one.
fn is_at_end(shared: &SharedProjection, stored: &StoredProjection) -> bool {
    let heads = shared.feed.heads();
    let heads = &heads.borrow().offset;
    match &*shared.standing().borrow() {
        Standing::Follows(Some(FollowedVersion { limit, .. })) => {
            stored.segments.iter().all(|one| {
                let (limit, mut lanes) =
                    (limit.of_segment(one.segment), one.segment.lanes(stored.layout.lanes));
                lanes.all(|lane| limit.position(lane) >= heads.position(lane))
            })
        }
        _ => false,
    }
}

/// Whether it takes over from the version that is active once it has caught up.
fn switches_by_itself(shared: &SharedProjection, stored: &StoredProjection) -> bool {
    let is_newer = match &*shared.standing().borrow() {
        Standing::Follows(followed) => {
            followed.as_ref().is_none_or(|active| active.version < shared.id.version())
        }
        Standing::Unknown | Standing::Active => false,
    };
    let switch = shared.registration.settings.switch;
    switch == Switch::WhenCaughtUp && !stored.is_paused && is_newer
}
