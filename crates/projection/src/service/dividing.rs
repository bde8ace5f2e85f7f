use super::{
    ProjectionError,
    controls::Controls,
    rest_request::RestRequest,
    segment_run::run_segment,
    shared::{ServicePhase, SharedProjection},
    standing::active_version,
};
use actum_persistence::{
    panics::log_safely,
    progress::{Epoch, SaveError, Segment, SegmentClaim, StoredProjection, StoredSegment},
    store::StoreError,
};
use actum_reader::{
    division::{Behind, Division, DivisionStep, NotDivided},
    segment::SegmentEnd,
    share_out::{SeenRenewals, division_name},
    versions::FollowLimit,
};
use std::{num::NonZeroU16, sync::Arc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout, timeout_at},
};

/// What a projection is divided into.
#[derive(Clone, Copy, Debug)]
pub(super) enum WantedSegments {
    /// So many segments.
    Count(NonZeroU16),
    /// What it has, and further where the active version is divided.
    AsActive,
}

/// A division of a projection into other segments.
///
/// Its runners rest meanwhile. Those of its segments that have to come as far as others are claimed by this, which has
/// them read exactly so far. If its process dies in the middle, what was saved is saved, and within a lease the others go on
/// with the segments that are there.
pub(super) struct Dividing<'a> {
    shared: &'a Arc<SharedProjection>,
    me: &'a Arc<str>,
    wanted: WantedSegments,
    rest: RestRequest<'a>,
    /// When the last renewal was begun that succeeded.
    renewed: Instant,
    /// Segments that read on until they are level with others.
    levelling: JoinSet<SegmentEnd>,
    controls: Vec<Controls>,
    /// Why it is not done, if it takes too long.
    late: NotDivided,
}

/// How long it may take beyond two leases, in which runners rest, and those who died are found to be dead.
const DIVIDE_MAX: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_millis(50);

impl<'a> Dividing<'a> {
    pub(super) fn new(
        shared: &'a Arc<SharedProjection>,
        me: &'a Arc<str>,
        wanted: WantedSegments,
    ) -> Self {
        Self {
            shared,
            me,
            wanted,
            rest: RestRequest::new(shared, division_name(me), SeenRenewals::default()),
            renewed: Instant::now(),
            levelling: JoinSet::new(),
            controls: Vec::new(),
            late: NotDivided::Busy,
        }
    }

    /// Divides; returns how many segments there are.
    pub(super) async fn run(mut self) -> Result<usize, ProjectionError> {
        let Ok(mut seen) = self.shared.divides.try_lock() else {
            return Err(self.not_divided(NotDivided::InProgress { runner: Arc::clone(self.me) }));
        };
        self.rest = RestRequest::new(self.shared, division_name(self.me), seen.clone());
        let deadline = Instant::now() + 2 * self.lease() + DIVIDE_MAX;
        let ended = loop {
            if let Some(why) = self.cannot_run() {
                break Err(why);
            }
            let in_time = deadline.min(self.renewed + self.lease()).max(Instant::now() + INTERVAL);
            let step = timeout_at(in_time, self.step()).await;
            let step = step.unwrap_or_else(|_| Err(no_answer().into()));
            match step {
                Ok(Some(count)) => break Ok(count),
                Err(error) if !matches!(error, ProjectionError::Store(_)) => break Err(error),
                Err(error) if Instant::now() >= deadline => break Err(error),
                Ok(None) if Instant::now() >= deadline => {
                    break Err(self.not_divided(self.late.clone()));
                }
                Ok(None) | Err(_) => {}
            }
            self.check_lease();
            sleep(INTERVAL).await;
        };
        self.end().await;
        *seen = self.rest.into_seen();
        ended
    }

    /// Why nothing runs it here, if nothing does.
    fn cannot_run(&self) -> Option<ProjectionError> {
        match self.shared.phase() {
            ServicePhase::Failed(why) => Some(ProjectionError::Failed { name: self.name(), why }),
            ServicePhase::Stopped => Some(self.not_divided(NotDivided::StoppedHere)),
            _ => self.shared.is_ending().then(|| self.not_divided(NotDivided::Ending)),
        }
    }

    /// Does what can be done now; none if there is more to be done.
    async fn step(&mut self) -> Result<Option<usize>, ProjectionError> {
        let SharedProjection { progress, id, .. } = &**self.shared;
        let Some(stored) = progress.load(id).await? else { return Err(self.not_started()) };
        self.check_others(&stored)?;
        let division = self.division(&stored).await?;
        let next = division.next(&stored).map_err(|why| self.not_divided(why))?;
        if next == DivisionStep::Done {
            return Ok(Some(division.count()));
        }
        let is_at_rest = self.ask(&stored).await?;
        while self.levelling.try_join_next().is_some() {}
        if !is_at_rest || !self.levelling.is_empty() {
            return Ok(None);
        }
        match next {
            DivisionStep::Done => return Ok(Some(division.count())),
            DivisionStep::Release(owned) => self.release(owned).await?,
            DivisionStep::Level(behind) => self.level(behind, &stored).await?,
            DivisionStep::Divide { seen, into } => {
                let is_divided = self.divide(&seen, &into).await?;
                return Ok(is_divided.then(|| division.count()));
            }
        }
        Ok(None)
    }

    /// The segments that it is to have: of a version that follows, each lies in one of the active version.
    async fn division(&self, stored: &StoredProjection) -> Result<Division, ProjectionError> {
        let active = match stored.is_active {
            true => None,
            false => active_version(&*self.shared.progress, stored.id.name()).await?,
        };
        let active = active.filter(|active| active.layout == stored.layout);
        let limit = active.as_ref().map(FollowLimit::of);
        let division = match self.wanted {
            WantedSegments::Count(count) => Division::into(stored.layout.partitions, count),
            WantedSegments::AsActive => Ok(Division::as_kept(stored)),
        };
        let division = division.map_err(|why| self.not_divided(why))?;
        Ok(match limit {
            Some(limit) => division.within(&limit),
            None => division,
        })
    }

    /// Checks that no one else divides it, to whom this gives way.
    fn check_others(&mut self, stored: &StoredProjection) -> Result<(), ProjectionError> {
        match self.rest.divided_by(stored) {
            Some(runner) => Err(self.not_divided(NotDivided::InProgress { runner: runner.into() })),
            None => Ok(()),
        }
    }

    /// Asks the runners to rest; says whether they do.
    async fn ask(&mut self, stored: &StoredProjection) -> Result<bool, StoreError> {
        let (begun, is_new) = (Instant::now(), !self.rest.is_asked());
        let is_at_rest = self.rest.ask(stored).await?;
        self.renewed = begun;
        if is_new {
            self.shared.poke.notify_one(); // the one of this process need not be waited for
        }
        Ok(is_at_rest)
    }

    /// Takes segments from owners that seem to be dead: then they can save nothing any more.
    async fn release(&self, owned: Vec<(Segment, Epoch)>) -> Result<(), ProjectionError> {
        let SharedProjection { progress, id, .. } = &**self.shared;
        for (segment, epoch) in owned {
            match progress.release(id, segment, epoch).await {
                Ok(()) | Err(SaveError::Stale) => {}
                Err(error) => return Err(self.of_save(error)),
            }
        }
        Ok(())
    }

    /// Has segments read on, each exactly as far as those that it will be merged with.
    async fn level(
        &mut self,
        behind: Vec<Behind>,
        stored: &StoredProjection,
    ) -> Result<(), StoreError> {
        if self.shared.phase() != ServicePhase::Running {
            return Ok(()); // what it writes to may not be prepared
        }
        if let Some(first) = behind.first() {
            self.late = NotDivided::TooSlow { partitions: first.segment.partitions() };
        }
        self.controls.clear();
        for Behind { segment, epoch, to, .. } in behind {
            let claim = SegmentClaim {
                projection: stored.id.clone(),
                segment,
                runner: Arc::clone(self.rest.name()),
                epoch,
                replaces: None,
            };
            if let Some(claimed) = self.shared.progress.claim(&claim).await? {
                let (controls, run) = run_segment(self.shared, claimed, stored, Some(to));
                self.controls.push(controls);
                self.levelling.spawn(run);
            }
        }
        Ok(())
    }

    /// Replaces the segments; false if they have changed since they were read.
    async fn divide(
        &self,
        seen: &[(Segment, Epoch)],
        into: &[StoredSegment],
    ) -> Result<bool, ProjectionError> {
        let SharedProjection { progress, id, .. } = &**self.shared;
        match progress.divide(id, seen, into).await {
            Ok(()) => {}
            Err(SaveError::Stale) => return Ok(false),
            Err(error) => return Err(self.of_save(error)),
        }
        seen.iter().for_each(|(segment, epoch)| self.shared.outdate(*segment, *epoch));
        let (from, to) = (seen.len(), into.len());
        log_safely(
            || tracing::info!(projection = %id, from, to, "segments of a projection divided"),
        );
        Ok(true)
    }

    /// Handles nothing any more when others may have taken over: no renewal has succeeded for a lease.
    fn check_lease(&mut self) {
        if self.renewed + self.lease() <= Instant::now() {
            self.levelling.abort_all();
        }
    }

    /// Ends: what is being handled is finished or undone within a bound, and the others go on.
    async fn end(&mut self) {
        self.controls.iter().for_each(Controls::end);
        let within = self.shared.registration.settings.shutdown_timeout;
        let all = async { while self.levelling.join_next().await.is_some() {} };
        if timeout(within, all).await.is_err() {
            self.levelling.shutdown().await;
        }
        if self.rest.is_asked() {
            self.rest.end().await;
            self.shared.poke.notify_one();
        }
    }

    fn lease(&self) -> Duration {
        self.shared.registration.settings.lease
    }

    fn name(&self) -> String {
        self.shared.id.name().to_owned()
    }

    fn not_divided(&self, why: NotDivided) -> ProjectionError {
        ProjectionError::NotDivided { name: self.name(), why }
    }

    fn not_started(&self) -> ProjectionError {
        let why = match self.shared.phase() {
            ServicePhase::Starting(why) => why,
            _ => None,
        };
        ProjectionError::NotStarted { name: self.name(), why }
    }

    fn of_save(&self, error: SaveError) -> ProjectionError {
        match error {
            SaveError::Store(error) => ProjectionError::Store(error),
            error => ProjectionError::Failed { name: self.name(), why: error.to_string().into() },
        }
    }
}

fn no_answer() -> StoreError {
    StoreError::unavailable("dividing a projection", "no answer in time")
}
