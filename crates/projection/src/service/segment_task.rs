use super::{
    all_parked::all_parked,
    control_state::ControlState,
    follow_bounds::FollowBounds,
    giving_back::give_back,
    read_bounds::ReadBounds,
    segment_check::check_progress,
    shared::SharedProjection,
    wait_log::{WaitLog, WaitNews},
    work::Work,
};
use crate::feed::{FeedPage, Heads};
use actum_model::{EntityKey, Lane, Offset, Position, Timestamp};
use actum_persistence::{
    error_chain::full_text,
    panics::log_safely,
    progress::{
        DeadLetter, Epoch, ParkedEntity, ProgressChange, ProgressSave, SaveError, Segment,
        StoredSegment,
    },
    store::{EntityRead, EventFilter, PageLimit, StoreError},
};
use actum_reader::segment::{
    BatchOutcome, SegmentEnd, SegmentMachine, SegmentStep, Surrounding, error_text,
};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    task::JoinHandle,
    time::sleep_until,
};

/// Runs a segment from its claim to its end.
pub(super) struct SegmentTask {
    shared: Arc<SharedProjection>,
    segment: Segment,
    epoch: Epoch,
    machine: SegmentMachine,
    work: Box<dyn Work>,
    wanted: watch::Receiver<ControlState>,
    heads: watch::Receiver<Heads>,
    /// How far it may read.
    bounds: ReadBounds,
    /// How often the journal had been checked when it might have become another one.
    doubts: u64,
    filter: EventFilter,
    limit: PageLimit,
    /// The room of the page that is being handled.
    room: Option<OwnedSemaphorePermit>,
    ahead: Option<Ahead>,
    log: WaitLog,
}

/// A page that is read while the one in front of it is handled.
struct Ahead {
    lane: Lane,
    after: Position,
    reading: JoinHandle<Result<FeedPage, StoreError>>,
}

/// How many requests are read together; the rest comes when they are done.
pub(crate) const REQUESTS_MAX: u32 = 1_000;

impl SegmentTask {
    /// Begins with a segment that was just claimed.
    pub(super) async fn begin(
        shared: Arc<SharedProjection>,
        claimed: StoredSegment,
        follows: bool,
        until: Option<Offset>,
        work: Box<dyn Work>,
        wanted: watch::Receiver<ControlState>,
    ) -> Result<Self, StoreError> {
        let StoredSegment { segment, epoch, .. } = claimed;
        let settings = &shared.registration.settings;
        let lanes = shared.feed.events().layout().lanes;
        let heads = shared.feed.heads();
        let doubts = heads.borrow().doubts;
        let is_wrong =
            check_progress(&**shared.feed.events(), segment, lanes, &claimed.progress).await?;
        let (parked, letters) = requests(&shared, segment).await?;
        let mut rules = settings.rules(shared.registration.work.is_exact());
        rules.latest_only = shared.registration.reads_states();
        let bounds =
            ReadBounds { follows: follows.then(|| FollowBounds::new(&shared, segment)), until };
        if follows {
            // a switch waits until everything is saved
            rules.save_interval = rules.save_interval.min(SAVE_INTERVAL_MAX);
        }
        let mut machine =
            SegmentMachine::new(shared.id.clone(), claimed, &parked, lanes, rules, shared.now());
        machine.requested(parked, letters);
        if let Some(what) = is_wrong {
            machine.fail(&what);
        }
        let (filter, limit) = (shared.filter(segment), settings.page_limit());
        let (room, ahead, log) = (None, None, WaitLog::default());
        Ok(Self {
            shared,
            segment,
            epoch,
            machine,
            work,
            wanted,
            heads,
            bounds,
            doubts,
            filter,
            limit,
            room,
            ahead,
            log,
        })
    }

    /// Runs until the segment ends.
    pub(super) async fn run(mut self) -> SegmentEnd {
        loop {
            self.take_in_controls().await;
            self.check_journal().await;
            let step = self.next_step();
            if !self.machine.holds_events() {
                // before the next page is waited for: if all held one and waited for another, no one would get any
                self.room = None;
            }
            self.show();
            match step {
                SegmentStep::ReadLane { lane, after } => self.read_lane(lane, after).await,
                SegmentStep::ReadEntity { entity, after, one } => {
                    self.read_entity(entity, after, one).await;
                }
                SegmentStep::Handle(batch) => {
                    let outcome = self.work.run(&batch).await;
                    if let BatchOutcome::Unknown { error } = &outcome {
                        self.log_unknown(error);
                    }
                    self.machine.ended(&batch, outcome, self.around());
                }
                SegmentStep::Save(save) => self.save(save).await,
                SegmentStep::Idle { until } => self.idle(until).await,
                SegmentStep::Wait { until } => self.wait(until).await,
                SegmentStep::End(end) => {
                    return give_back(&self.shared, self.segment, self.epoch, end).await;
                }
            }
        }
    }

    fn next_step(&mut self) -> SegmentStep {
        let (now, heads) = (self.shared.now(), self.heads.borrow());
        let bounded = self.bounds.of_heads(&heads.offset);
        let heads = bounded.as_ref().unwrap_or(&heads.offset);
        let step = self.machine.next(now, heads);
        let is_idle = matches!(step, SegmentStep::Idle { .. });
        if is_idle && self.bounds.is_reached(self.machine.progress().offset()) {
            self.machine.stop();
            return self.machine.next(now, heads);
        }
        step
    }

    fn around(&self) -> Surrounding {
        let wall = Timestamp::from(SystemTime::now());
        Surrounding { now: self.shared.now(), wall, chance: fastrand::f64() }
    }

    fn show(&mut self) {
        let (view, id, segment) = (self.machine.view(), &self.shared.id, self.segment);
        let error = view.waits.as_deref();
        match self.log.see(error.is_some(), self.shared.now()) {
            Some(WaitNews::Waits) => {
                log_safely(|| tracing::warn!(projection = %id, %segment, error, "segment waits"));
            }
            Some(WaitNews::GoesOn) => {
                log_safely(|| tracing::info!(projection = %id, %segment, "segment goes on"));
            }
            None => {}
        }
        self.shared.show(segment, self.epoch, view);
    }

    async fn take_in_controls(&mut self) {
        if !self.wanted.has_changed().unwrap_or(true) {
            return;
        }
        let wanted = *self.wanted.borrow_and_update();
        if wanted.is_lost {
            return self.machine.lose();
        }
        if wanted.ends || self.wanted.has_changed().is_err() {
            return self.machine.stop();
        }
        if let Err(error) = self.read_requests().await {
            let id = &self.shared.id;
            log_safely(|| {
                tracing::warn!(projection = %id, error = full_text(&error), "requests of a projection not read");
            });
        }
    }

    /// Reads what is asked of parked entities and dead letters. What fails is read again in the next round.
    async fn read_requests(&mut self) -> Result<(), StoreError> {
        let (parked, letters) = requests(&self.shared, self.segment).await?;
        self.machine.requested(parked, letters);
        Ok(())
    }

    /// Checks that the journal is the one that was read, where it may have become another one since; stops if it is not.
    async fn check_journal(&mut self) {
        let doubts = self.heads.borrow().doubts;
        if doubts == self.doubts {
            return;
        }
        self.ahead = None;
        self.machine.forget_events();
        let (events, progress) = (self.shared.feed.events(), self.machine.progress());
        match check_progress(&**events, self.segment, events.layout().lanes, progress).await {
            Ok(is_wrong) => {
                self.doubts = doubts;
                is_wrong.into_iter().for_each(|why| self.machine.fail(&why));
            }
            Err(error) => self.machine.read_failed(&full_text(&error), self.around()),
        }
    }

    async fn read_lane(&mut self, lane: Lane, after: Position) {
        let ahead = self.ahead.take().filter(|ahead| ahead.lane == lane && ahead.after == after);
        let read = match ahead {
            Some(mut ahead) => match (&mut ahead.reading).await {
                Ok(read) => read,
                Err(_) => {
                    Err(StoreError::unavailable("reading the journal", "the read was broken off"))
                }
            },
            None => self.shared.feed.read(lane, after, &self.filter, self.limit).await,
        };
        match read {
            Ok(FeedPage { mut page, room }) => {
                let mut head = self.heads.borrow().offset.position(lane);
                self.bounds.cut(lane, &mut page);
                head = self.bounds.position(lane).map_or(head, |end| head.min(end));
                let read_to = page.read_to;
                self.machine.read_lane(lane, page, self.around());
                self.room = Some(room);
                if read_to < head {
                    self.read_ahead(lane, read_to);
                }
            }
            Err(error) => self.machine.read_failed(&full_text(&error), self.around()),
        }
    }

    fn read_ahead(&mut self, lane: Lane, after: Position) {
        let (feed, filter, limit) =
            (Arc::clone(&self.shared.feed), self.filter.clone(), self.limit);
        let reading = tokio::spawn(async move { feed.read(lane, after, &filter, limit).await });
        self.ahead = Some(Ahead { lane, after, reading });
    }

    async fn read_entity(&mut self, entity: EntityKey, after: actum_model::SequenceNr, one: bool) {
        let limit = if one { PageLimit::one_event() } else { self.limit };
        let read = EntityRead { entity, after };
        match self.shared.feed.events().read_entities(&[read], limit).await {
            Ok(pages) => match pages.into_iter().next() {
                Some(page) => self.machine.read_entity(page, self.around()),
                None => self.machine.read_failed("the store returned no page", self.around()),
            },
            Err(error) => self.machine.read_failed(&full_text(&error), self.around()),
        }
    }

    async fn save(&mut self, mut save: ProgressSave) {
        save.saved_at = Timestamp::from(SystemTime::now());
        match self.shared.progress.change(&ProgressChange::Save(save.clone())).await {
            Ok(()) => self.machine.saved(&save, self.shared.now()),
            Err(SaveError::Stale) => self.machine.lose(),
            Err(error @ SaveError::Store(StoreError::OutcomeUnknown { .. })) => {
                self.log_unknown(&error_text(&error));
                self.machine.lose();
            }
            Err(error) => self.machine.save_failed(&error_text(&error), self.around()),
        }
    }

    fn log_unknown(&self, error: &str) {
        log_safely(
            || tracing::warn!(projection = %self.shared.id, segment = %self.segment, error, "progress may not be saved, the segment is claimed again"),
        );
    }

    /// Waits for events or controls, or until then.
    async fn idle(&mut self, until: Option<Duration>) {
        let at = self.shared.started + until.unwrap_or(IDLE_MAX + self.shared.now());
        tokio::select! {
            _ = self.wanted.changed() => self.wanted.mark_changed(),
            _ = self.heads.changed() => {}
            () = self.bounds.changed() => {}
            () = sleep_until(at) => {}
        }
    }

    /// Waits for controls, or until then.
    async fn wait(&mut self, until: Duration) {
        if !self.machine.holds_events() {
            self.ahead = None; // it takes room that others can use
        }
        tokio::select! {
            _ = self.wanted.changed() => self.wanted.mark_changed(),
            () = sleep_until(self.shared.started + until) => {}
        }
    }
}

/// All parked entities of a segment, and its dead letters of which something is asked.
async fn requests(
    shared: &SharedProjection,
    segment: Segment,
) -> Result<(Vec<ParkedEntity>, Vec<DeadLetter>), StoreError> {
    let parked = all_parked(&*shared.progress, &shared.id, segment).await?;
    let letters = shared.progress.dead_letters(&shared.id, segment, true, None, REQUESTS_MAX);
    Ok((parked, letters.await?))
}

impl Drop for SegmentTask {
    fn drop(&mut self) {
        self.shared.hide(self.segment, self.epoch);
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

/// How long progress of a version that follows may stay unsaved.
const SAVE_INTERVAL_MAX: Duration = Duration::from_millis(200);
/// How long a segment that waits for events goes without a check.
const IDLE_MAX: Duration = Duration::from_secs(60);
