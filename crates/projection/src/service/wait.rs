use super::{
    WaitError,
    all_parked::all_parked,
    entering::differs,
    event_at::event_at,
    segment_check::{check_progress, check_read},
    shared::{ServicePhase, SharedProjection},
    standing::{Standing, active_version, is_rebuilding},
};
use actum_model::{EntityKey, Lane, LaneCount, Offset, Partition, Position};
use actum_persistence::{
    progress::{RunnerRow, Segment, StoredProjection, StoredSegment},
    store::StoreError,
};
use actum_reader::share_out::SeenRenewals;
use std::{future::pending, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout_at};

/// A wait for a projection.
pub(super) struct Wait {
    shared: Arc<SharedProjection>,
    within: Duration,
    deadline: Instant,
    /// The runners that it has seen, where this process runs nothing of it.
    seen: SeenRenewals,
}

/// How often what another process has saved is read.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

impl Wait {
    pub(super) fn new(shared: Arc<SharedProjection>, deadline: Instant, within: Duration) -> Self {
        Self { shared, within, deadline, seen: SeenRenewals::default() }
    }

    /// Whether the projection handles states.
    pub(super) fn is_of_states(&self) -> bool {
        self.shared.registration.reads_states()
    }

    /// Whether the journal has the lane: a receipt may come from anywhere.
    pub(super) fn check_lane(&self, lane: Lane) -> Result<(), WaitError> {
        let lanes = self.shared.feed.events().layout().lanes.get();
        if lane.nr() < lanes { Ok(()) } else { Err(WaitError::NoLane { lane, lanes }) }
    }

    /// How far the journal goes now. While it ends in front of what was known before it has regressed, and those who read it
    /// are yet to find that.
    pub(super) async fn heads(&self) -> Result<Offset, WaitError> {
        let feed = &self.shared.feed;
        let heads = async {
            loop {
                let known = feed.heads().borrow().offset.clone();
                match feed.events().heads().await {
                    Ok(heads) if !is_beyond(&known, &heads) => return heads,
                    Ok(_) | Err(_) => sleep(CHECK_INTERVAL).await,
                }
            }
        };
        timeout_at(self.deadline, heads).await.map_err(|_| self.timeout())
    }

    /// Waits until everything up to these places was handled or skipped; `is_write` if it is one place, of a write whose
    /// entity may be parked.
    pub(super) async fn until(
        mut self,
        places: &[(Lane, Position)],
        is_write: bool,
    ) -> Result<(), WaitError> {
        let mut moved = self.shared.moved();
        loop {
            moved.borrow_and_update();
            match timeout_at(self.deadline, self.check(places, is_write)).await {
                Ok(Ok(true)) => return Ok(()),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => return Err(error),
                Err(_) => return Err(self.timeout()),
            }
            let news = async {
                tokio::select! {
                    changed = moved.changed() => if changed.is_err() { pending::<()>().await },
                    () = sleep(CHECK_INTERVAL) => {}
                }
            };
            if timeout_at(self.deadline, news).await.is_err() {
                return Err(self.timeout());
            }
        }
    }

    /// Whether it has come so far; an error if it will not.
    async fn check(
        &mut self,
        places: &[(Lane, Position)],
        is_write: bool,
    ) -> Result<bool, WaitError> {
        match self.shared.phase() {
            ServicePhase::Failed(why) => return Err(WaitError::Stopped { name: self.name(), why }),
            ServicePhase::Ended => return Err(WaitError::Ended { name: self.name() }),
            ServicePhase::Starting(_) | ServicePhase::Running | ServicePhase::Stopped => {}
        }
        if let Some(has_all) = self.check_here(places, is_write) {
            return Ok(has_all);
        }
        // a store that fails is asked again until the time is over
        let Ok(stored) = self.shared.progress.load(&self.shared.id).await else {
            return Ok(false);
        };
        let Some(stored) = stored else { return self.check_begin().await };
        // it cannot run here, also when that has not been found out yet
        if let Some(why) = differs(&stored, &self.shared) {
            return Err(WaitError::Stopped { name: self.name(), why: why.into() });
        }
        let event = match places {
            [(lane, position)] if is_write => {
                match event_at(&**self.shared.feed.events(), *lane, *position).await {
                    Ok(event) => event,
                    Err(_) => return Ok(false),
                }
            }
            _ => None,
        };
        let partition = event.as_ref().map(|event| event.partition);
        let has_all = self.check_stored(&stored, places, partition)?;
        if !has_all {
            self.check_runners(&stored.runners)?;
        }
        if has_all {
            match self.check_journal(&stored, places, partition).await {
                Ok(None) => {}
                Ok(Some(why)) => return Err(WaitError::Stopped { name: self.name(), why }),
                Err(_) => return Ok(false),
            }
        }
        let Some(event) = event.filter(|_| stored.parked > 0) else { return Ok(has_all) };
        match self.parked(&event.entity, event.partition).await {
            Ok(None) => Ok(has_all),
            Ok(Some(why)) => Err(WaitError::Parked { name: self.name(), why }),
            Err(_) => Ok(false),
        }
    }

    /// Whether it has come so far, by the segments of this process alone; none if that does not say it.
    fn check_here(&self, places: &[(Lane, Position)], is_write: bool) -> Option<bool> {
        let layout = self.shared.feed.events().layout();
        let local = self.shared.all_local();
        // where it was divided, one that is over may be shown for a while
        let segments = local.iter().map(|(segment, _)| *segment);
        if !Segment::have_same_partitions(segments, [Segment::all(layout.partitions)]) {
            return None;
        }
        let concerned = || {
            local.iter().filter(|(segment, _)| {
                places.iter().any(|place| segment.has_lane(place.0, layout.lanes))
            })
        };
        if concerned().any(|(_, view)| view.waits.is_some() || (is_write && view.parked > 0)) {
            return None;
        }
        // beyond the end that is known: the journal may have regressed
        let heads = self.shared.feed.heads().borrow().offset.clone();
        if concerned().any(|(_, view)| is_beyond(&view.offset, &heads)) {
            return None;
        }
        let mut behind = concerned()
            .filter(|(segment, view)| is_behind(*segment, &view.offset, places, layout.lanes));
        let has_all = behind.next().is_none();
        // one that is rebuilt says so
        (has_all || *self.shared.standing().borrow() == Standing::Active).then_some(has_all)
    }

    /// Whether one will come so far of which nothing is kept yet: not before it has caught up, where another is active.
    async fn check_begin(&self) -> Result<bool, WaitError> {
        if self.shared.phase() == ServicePhase::Stopped {
            return Err(self.stopped_here());
        }
        let SharedProjection { progress, id, .. } = &*self.shared;
        match active_version(&**progress, id.name()).await {
            Ok(Some(active)) if active.id.version() < id.version() => Err(self.rebuilding()),
            _ => Ok(false),
        }
    }

    /// Whether it has come so far, by what is kept and by the segments of this process.
    fn check_stored(
        &self,
        stored: &StoredProjection,
        places: &[(Lane, Position)],
        partition: Option<Partition>,
    ) -> Result<bool, WaitError> {
        let lanes = stored.layout.lanes;
        let behind = concerned(stored, places, partition).filter(|one| {
            let local = self.shared.local(one.segment);
            let offset = local.as_ref().map_or(one.progress.offset(), |view| &view.offset);
            is_behind(one.segment, offset, places, lanes)
        });
        let behind: Vec<_> = behind.collect();
        if behind.is_empty() {
            return Ok(true);
        }
        if let Some(why) = behind.iter().find_map(|one| one.stopped.clone()) {
            return Err(WaitError::Stopped { name: self.name(), why });
        }
        if stored.is_paused {
            return Err(WaitError::Paused { name: self.name() });
        }
        if is_rebuilding(stored) {
            return Err(self.rebuilding());
        }
        Ok(false)
    }

    /// Whether it is run at all: by another process, where it was stopped in this one.
    fn check_runners(&mut self, runners: &[RunnerRow]) -> Result<(), WaitError> {
        if self.shared.phase() != ServicePhase::Stopped {
            return Ok(());
        }
        let (lease, now) = (self.shared.registration.settings.lease, self.shared.now());
        self.seen.see(runners, now);
        if self.seen.any_lives(lease, now) { Ok(()) } else { Err(self.stopped_here()) }
    }

    /// Why it has not come so far although its offset says so, if the journal has regressed or is another one.
    async fn check_journal(
        &self,
        stored: &StoredProjection,
        places: &[(Lane, Position)],
        partition: Option<Partition>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        let (events, lanes) = (&**self.shared.feed.events(), stored.layout.lanes);
        let heads = events.heads().await?; // behind what was saved
        for StoredSegment { segment, progress, stopped, .. } in concerned(stored, places, partition)
        {
            if let Some(why) = check_read(*segment, lanes, progress.offset(), &heads) {
                return Ok(Some(stopped.clone().unwrap_or_else(|| why.into())));
            }
            // a runner finds itself that its journal has become another one
            if let Some(why) = stopped
                && check_progress(events, *segment, lanes, progress).await?.is_some()
            {
                return Ok(Some(Arc::clone(why)));
            }
        }
        Ok(None)
    }

    /// Why the entity is parked, if it is.
    async fn parked(
        &self,
        entity: &EntityKey,
        partition: Partition,
    ) -> Result<Option<Arc<str>>, StoreError> {
        let Some(segment) = Segment::new(partition, partition) else { return Ok(None) };
        let parked = all_parked(&*self.shared.progress, &self.shared.id, segment).await?;
        Ok(parked.into_iter().find(|parked| parked.entity == *entity).map(|parked| parked.error))
    }

    fn name(&self) -> String {
        self.shared.id.name().to_owned()
    }

    fn stopped_here(&self) -> WaitError {
        WaitError::StoppedHere { name: self.name() }
    }

    fn rebuilding(&self) -> WaitError {
        WaitError::Rebuilding { name: self.name(), version: self.shared.id.version() }
    }

    fn timeout(&self) -> WaitError {
        WaitError::Timeout { name: self.name(), within: self.within }
    }
}

/// The segments whose events are waited for: those of a partition, if the place is one of its events.
fn concerned<'a>(
    stored: &'a StoredProjection,
    places: &'a [(Lane, Position)],
    partition: Option<Partition>,
) -> impl Iterator<Item = &'a StoredSegment> {
    let lanes = stored.layout.lanes;
    stored.segments.iter().filter(move |StoredSegment { segment, .. }| {
        partition.is_none_or(|partition| segment.contains(partition))
            && places.iter().any(|place| segment.has_lane(place.0, lanes))
    })
}

/// Whether an offset lies behind the end of the journal in a lane.
fn is_beyond(offset: &Offset, heads: &Offset) -> bool {
    offset.positions().iter().zip(heads.positions()).any(|(at, head)| at > head)
}

fn is_behind(
    segment: Segment,
    offset: &Offset,
    places: &[(Lane, Position)],
    lanes: LaneCount,
) -> bool {
    let is_behind = |(lane, position): &(Lane, Position)| offset.position(*lane) < *position;
    places.iter().any(|place| segment.has_lane(place.0, lanes) && is_behind(place))
}
