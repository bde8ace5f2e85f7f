use super::{
    JournalPlace, ReadShare, joint_renewals::JointRenewals, projection_ref::ProjectionRef,
    registration::ProjectionRegistration, run_here::run_here, shared::SharedProjection,
};
use crate::{
    feed::{Announced, FeedSettings, LazyFeed, RoomForBytes},
    journal::ChangesAsEvents,
};
use actum_persistence::{
    commits::Commits,
    progress::{ProgressStore, ProjectionId},
    store::{DurableStateStore, EventStore, StoreError},
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// The projections of an engine.
#[derive(Clone)]
pub struct ProjectionService {
    projections: Arc<[Arc<SharedProjection>]>,
    pub(crate) runner: Arc<str>,
    pub(crate) progress: Arc<dyn ProgressStore>,
    pub(crate) feed: LazyFeed,
    pub(crate) renewals: JointRenewals,
}

/// What an engine gives to its projections.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "it is taken apart at once")]
pub struct ServiceParts {
    /// What names this life of the engine among the runners: `name@incarnation`.
    pub runner: Arc<str>,
    /// The journal.
    pub events: Arc<dyn EventStore>,
    /// The durable states.
    pub states: Arc<dyn DurableStateStore>,
    /// Where progress is kept of projections that have no database of their own.
    pub progress: Arc<dyn ProgressStore>,
    /// What this process commits, if it does.
    pub commits: Option<Commits>,
    /// What all of them together take.
    pub share: ReadShare,
}

/// How often a process that hears of its own commits asks for those of others.
const POLL_BESIDE_COMMITS: Duration = Duration::from_secs(1);
const POLL_ALONE: Duration = Duration::from_millis(500);

impl ProjectionService {
    /// Runs projections, each at its place, until those are asked to end. Their registrations have no
    /// [problems](ProjectionRegistration::problems).
    ///
    /// # Errors
    /// [`StoreError`] when the heads of the journal cannot be read.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start(
        parts: ServiceParts,
        projections: Vec<(ProjectionRegistration, Arc<dyn JournalPlace>)>,
    ) -> Result<Self, StoreError> {
        let ServiceParts { runner, events, states, progress, commits, share } = parts;
        let poll_idle = if commits.is_some() { POLL_BESIDE_COMMITS } else { POLL_ALONE };
        let room = RoomForBytes::new(share.bytes_max);
        let catch_up = Arc::new(Semaphore::new(share.catch_up_reads_max));
        let settings = FeedSettings { room, catch_up, poll_idle };
        let changes = Arc::new(ChangesAsEvents::new(states, events.layout()));
        let followed = Announced::States(commits.clone());
        let of_states = LazyFeed::new(changes, followed, settings.clone());
        let of_events = LazyFeed::new(events, Announced::Events(commits), settings);
        let renewals = JointRenewals::new();
        let mut all = Vec::with_capacity(projections.len());
        for (registration, place) in projections {
            let id = ProjectionId::new(&registration.name, registration.settings.version);
            let id = id.map_err(|error| StoreError::invalid(error.to_string()))?;
            let kept = registration.work.progress().unwrap_or_else(|| Arc::clone(&progress));
            let feed = if registration.reads_states() { &of_states } else { &of_events };
            let feed = feed.get().await?;
            let shared = Arc::new(SharedProjection::new(id, registration, kept, feed));
            // it ends when its place says so, and the engine waits for that
            let (me, renewals) = (Arc::clone(&runner), renewals.clone());
            tokio::spawn(run_here(Arc::clone(&shared), me, renewals, place));
            all.push(shared);
        }
        Ok(Self { projections: all.into(), runner, progress, feed: of_events, renewals })
    }

    /// The projection of this name.
    #[must_use]
    pub fn projection(&self, name: &str) -> ProjectionRef {
        ProjectionRef::new(name, self.versions(name), None, &self.runner)
    }

    /// All projections, each in its version, in the order in which they were given.
    pub fn projections(&self) -> impl Iterator<Item = ProjectionRef> {
        self.projections.iter().map(|shared| {
            let (name, version) = (shared.id.name(), shared.id.version());
            ProjectionRef::new(name, self.versions(name), Some(version), &self.runner)
        })
    }

    fn versions(&self, name: &str) -> Vec<Arc<SharedProjection>> {
        self.projections.iter().filter(|shared| shared.id.name() == name).cloned().collect()
    }
}

impl fmt::Debug for ProjectionService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.projections.iter().map(|shared| &shared.id)).finish()
    }
}
