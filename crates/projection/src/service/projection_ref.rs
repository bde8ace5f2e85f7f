use super::{
    ProjectionError, ProjectionStatus, WaitError,
    deleted_before::check_deleted,
    read_status::read_status,
    rewinding::rewind,
    shared::{ServicePhase, SharedProjection},
    wait::Wait,
    work::Hurry,
};
use crate::definition::StartAt;
use actum_model::{EntityKey, Lane, Receipt};
use actum_persistence::progress::{
    DeadLetter, DeadLetterPlace, ParkedEntity, ParkedRequest, ProgressChange, Rewind, SaveError,
    Segment, StoredProjection,
};
use std::{fmt, future::Future, num::NonZeroU32, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// A projection of an engine, by its name. Cheap to clone.
///
/// Of several versions that the engine runs it is the active one at the time of each call, or the newest if it runs another one;
/// [`version`](Self::version) says which.
///
/// What is asked of it is kept in the database of its progress, so it holds for all processes that run it, and outlives them; but
/// for [`stop`](Self::stop) and [`start`](Self::start), which are of this process.
#[derive(Clone)]
pub struct ProjectionRef {
    pub(super) name: Arc<str>,
    /// The versions that the engine runs, the newest last.
    pub(super) versions: Arc<[Arc<SharedProjection>]>,
    /// The version that is meant; the active one if none is said.
    pub(super) version: Option<NonZeroU32>,
    /// The runner of this engine.
    pub(super) me: Arc<str>,
}

/// How long a wait lasts whose time is longer than the clock can count.
const FOREVER: Duration = Duration::from_secs(30 * 365 * 24 * 3_600);
/// How often a change is tried that others were in the way of.
const TRIES: u32 = 20;

impl ProjectionRef {
    pub(crate) fn new(
        name: &str,
        mut versions: Vec<Arc<SharedProjection>>,
        version: Option<NonZeroU32>,
        me: &Arc<str>,
    ) -> Self {
        versions.sort_by_key(|shared| shared.id.version());
        let (versions, me) = (versions.into(), Arc::clone(me));
        Self { name: name.into(), versions, version, me }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version that is meant: the active one, if the engine runs it, and the newest otherwise.
    pub(super) async fn shared(&self) -> Option<&Arc<SharedProjection>> {
        match (self.version, &*self.versions) {
            (Some(version), all) => all.iter().find(|shared| shared.id.version() == version),
            (None, [] | [_]) => self.versions.first(),
            (None, several) => {
                for shared in several {
                    let stored = shared.progress.load(&shared.id).await;
                    if stored.is_ok_and(|stored| stored.is_some_and(|stored| stored.is_active)) {
                        return Some(shared);
                    }
                }
                several.last()
            }
        }
    }

    pub(super) fn unknown(&self) -> ProjectionError {
        ProjectionError::Unknown { name: self.name.to_string() }
    }

    pub(super) async fn stored(
        &self,
    ) -> Result<(&Arc<SharedProjection>, StoredProjection), ProjectionError> {
        let shared = self.shared().await.ok_or_else(|| self.unknown())?;
        match shared.progress.load(&shared.id).await? {
            Some(stored) => Ok((shared, stored)),
            None => {
                let why = match shared.phase() {
                    ServicePhase::Starting(why) => why,
                    ServicePhase::Failed(why) => Some(why),
                    ServicePhase::Stopped => Some("it was stopped in this process".into()),
                    ServicePhase::Running | ServicePhase::Ended => None,
                };
                Err(ProjectionError::NotStarted { name: self.name.to_string(), why })
            }
        }
    }

    async fn wait(&self, within: Duration) -> Result<Wait, WaitError> {
        let now = Instant::now();
        let deadline = now.checked_add(within).unwrap_or(now + FOREVER);
        let shared = timeout_at(deadline, self.shared()).await;
        let timeout = |_| WaitError::Timeout { name: self.name.to_string(), within };
        let unknown = || WaitError::Unknown { name: self.name.to_string() };
        let shared = shared.map_err(timeout)?.ok_or_else(unknown)?;
        Ok(Wait::new(Arc::clone(shared), deadline, within))
    }

    /// How it is: what is kept of it, and what this process knows.
    ///
    /// # Errors
    /// [`ProjectionError`] when it is unknown or has not begun, or its progress or the heads of the journal cannot be read.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn status(&self) -> Result<ProjectionStatus, ProjectionError> {
        let (shared, stored) = self.stored().await?;
        read_status(shared, &stored).await
    }

    /// Waits until it has handled, or skipped, what a command has written: so that what is read from its rows then shows it.
    /// One that handles [states](crate::Projection::from_states) is waited for until it has come to where the changes of the
    /// entity's lane end now.
    ///
    /// # Errors
    /// [`WaitError`]: at once if it is paused or has stopped in front of that, or was [stopped](Self::stop) here and no other
    /// process runs it, or is rebuilt beside the active version, if the events of the entity are held back, if the journal has
    /// regressed or is another one than it has read, and if the engine has no such projection, or none of what the receipt is
    /// of; otherwise when it has not come so far within the time, also because what is kept of it cannot be read. It goes on
    /// then, and can be waited for again.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn caught_up_with(
        &self,
        receipt: &Receipt,
        within: Duration,
    ) -> Result<(), WaitError> {
        let wait = self.wait(within).await?;
        wait.check_lane(receipt.lane)?;
        if !wait.is_of_states() {
            let position = receipt.position.ok_or(WaitError::NoPosition)?;
            return wait.until(&[(receipt.lane, position)], true).await;
        }
        if receipt.position.is_some() {
            return Err(WaitError::OfEvents { name: self.name.to_string() });
        }
        let heads = wait.heads().await?;
        wait.until(&[(receipt.lane, heads.position(receipt.lane))], false).await
    }

    /// Waits until it has come to where the journal ends now. What is parked is not waited for.
    ///
    /// # Errors
    /// As [`caught_up_with`](Self::caught_up_with). While the heads of the journal cannot be read, it waits.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn caught_up(&self, within: Duration) -> Result<(), WaitError> {
        let wait = self.wait(within).await?;
        let heads = wait.heads().await?;
        let places = (0..).map(Lane::new).zip(heads.positions().iter().copied());
        wait.until(&places.collect::<Vec<_>>(), false).await
    }

    /// Pauses it: segments end behind the batch that is being handled. It stays so until it is
    /// [resumed](Self::resume), also when engines start again.
    ///
    /// # Errors
    /// [`ProjectionError`] when it is unknown, or the store fails.
    pub async fn pause(&self) -> Result<(), ProjectionError> {
        self.set_paused(true).await
    }

    /// Lets it go on, also segments that have stopped.
    ///
    /// # Errors
    /// [`ProjectionError`] when it is unknown, or the store fails.
    pub async fn resume(&self) -> Result<(), ProjectionError> {
        self.set_paused(false).await
    }

    async fn set_paused(&self, is_paused: bool) -> Result<(), ProjectionError> {
        let (shared, _) = self.stored().await?;
        shared.progress.set_paused(&shared.id, is_paused).await?;
        shared.poke.notify_one();
        Ok(())
    }

    /// Lets it begin somewhere else. What it has written stays, so its handler must be able to handle events again, or
    /// without those in between; one that is not, such as one that adds up, is [reset](Self::reset). Events it has handled before
    /// are [replays](crate::ProjectCtx::is_replay), and those that retention has deleted since do not come. Parked entities are forgotten, and dead letters behind that place.
    ///
    /// # Errors
    /// [`ProjectionError`] when it is unknown, the place is not in the journal, or the store fails.
    pub async fn rewind(&self, to: StartAt) -> Result<(), ProjectionError> {
        self.begin_at(
            to,
            |_| Ok(()),
            |shared, rewind| async move {
                let change = ProgressChange::Rewind(rewind);
                match shared.progress.change(&change).await {
                    Ok(()) => Ok(true),
                    Err(SaveError::Stale) => Ok(false),
                    Err(SaveError::Store(error)) => Err(ProjectionError::Store(error)),
                    Err(error) => {
                        let (name, why) = (shared.id.name().to_owned(), error.to_string().into());
                        Err(ProjectionError::Failed { name, why })
                    }
                }
            },
        )
        .await
    }

    /// Removes what it has written, by [`Projector::clear`](crate::Projector::clear), and lets it begin with the first event; in one
    /// transaction, if it is an exact one. Events that retention has deleted do not come again.
    ///
    /// # Errors
    /// [`ProjectionError`] when it is unknown, its handler fails, or the store does.
    pub async fn reset(&self) -> Result<(), ProjectionError> {
        self.clear(|_| Ok(())).await?;
        if let Some(shared) = self.shared().await {
            check_deleted(shared).await;
        }
        Ok(())
    }

    /// As [`reset`](Self::reset), if what is kept of it `may` be changed so.
    pub(super) async fn clear(
        &self,
        may: impl Fn(&StoredProjection) -> Result<(), ProjectionError>,
    ) -> Result<(), ProjectionError> {
        self.begin_at(StartAt::Beginning, may, |shared, rewind| async move {
            let limits = shared.limits(rewind.live_from.clone(), Hurry::default());
            match shared.registration.work.clear(&shared.progress, rewind, &limits).await {
                Ok(()) => Ok(true),
                Err(not_done) if not_done.is_stale => Ok(false),
                Err(not_done) => Err(ProjectionError::Failed {
                    name: shared.id.name().to_owned(),
                    why: not_done.why,
                }),
            }
        })
        .await
    }

    async fn begin_at<F: Future<Output = Result<bool, ProjectionError>>>(
        &self,
        to: StartAt,
        may: impl Fn(&StoredProjection) -> Result<(), ProjectionError>,
        change: impl Fn(Arc<SharedProjection>, Rewind) -> F,
    ) -> Result<(), ProjectionError> {
        for _ in 0..TRIES {
            let (shared, stored) = self.stored().await?;
            may(&stored)?;
            let rewind = rewind(shared, &stored, &to).await?;
            if change(Arc::clone(shared), rewind).await? {
                stored
                    .segments
                    .iter()
                    .for_each(|segment| shared.outdate(segment.segment, segment.epoch));
                shared.poke.notify_one();
                return Ok(());
            }
        }
        Err(ProjectionError::Changing { name: self.name.to_string() })
    }

    /// Parked entities, in the order of kind and id: the first `limit` behind `after`, 1,000 at most.
    ///
    /// # Errors
    /// [`ProjectionError`] when it is unknown, or the store fails.
    pub async fn parked(
        &self,
        after: Option<&EntityKey>,
        limit: u32,
    ) -> Result<Vec<ParkedEntity>, ProjectionError> {
        let (shared, stored) = self.stored().await?;
        Ok(shared
            .progress
            .parked(&shared.id, Segment::all(stored.layout.partitions), after, limit.min(1_000))
            .await?)
    }

    /// Has the events that are held back handled, of one parked entity or of all: the runner reads them from the journal, and
    /// goes on with the entity when it has caught up. Returns how many entities that is asked for.
    ///
    /// # Errors
    /// [`ProjectionError`] when it is unknown, or the store fails.
    pub async fn replay_parked(&self, entity: Option<&EntityKey>) -> Result<u64, ProjectionError> {
        self.request(entity, ParkedRequest::Replay).await
    }

    /// Goes on with one parked entity, or all, and never handles the events that were held back. Returns how many entities
    /// that is asked for.
    ///
    /// # Errors
    /// [`ProjectionError`] when it is unknown, or the store fails.
    pub async fn discard_parked(&self, entity: Option<&EntityKey>) -> Result<u64, ProjectionError> {
        self.request(entity, ParkedRequest::Discard).await
    }

    async fn request(
        &self,
        entity: Option<&EntityKey>,
        request: ParkedRequest,
    ) -> Result<u64, ProjectionError> {
        let (shared, _) = self.stored().await?;
        let requested = shared.progress.request(&shared.id, entity, request).await?;
        shared.poke.notify_one();
        Ok(requested)
    }

    /// Dead letters, in the order of their places: the first `limit` behind `after`, 1,000 at most.
    ///
    /// # Errors
    /// [`ProjectionError`] when it is unknown, or the store fails.
    pub async fn dead_letters(
        &self,
        after: Option<DeadLetterPlace>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, ProjectionError> {
        let (shared, stored) = self.stored().await?;
        let (all, limit) = (Segment::all(stored.layout.partitions), limit.min(1_000));
        Ok(shared.progress.dead_letters(&shared.id, all, false, after, limit).await?)
    }

    /// Has one dead letter handled, or all of them, behind what was handled since. Returns how many that is asked for.
    ///
    /// # Errors
    /// [`ProjectionError`] when it is unknown, or the store fails.
    pub async fn replay_dead_letters(
        &self,
        place: Option<DeadLetterPlace>,
    ) -> Result<u64, ProjectionError> {
        let (shared, _) = self.stored().await?;
        let requested = shared.progress.request_letter(&shared.id, place).await?;
        shared.poke.notify_one();
        Ok(requested)
    }

    /// Discards one dead letter, or all of them; returns how many there were.
    ///
    /// # Errors
    /// [`ProjectionError`] when it is unknown, or the store fails.
    pub async fn discard_dead_letters(
        &self,
        place: Option<DeadLetterPlace>,
    ) -> Result<u64, ProjectionError> {
        let (shared, _) = self.stored().await?;
        Ok(shared.progress.discard_letter(&shared.id, place).await?)
    }
}

impl fmt::Debug for ProjectionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProjectionRef").field("name", &self.name).finish_non_exhaustive()
    }
}
