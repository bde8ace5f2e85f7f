use super::{
    Batch, SegmentEnd, SegmentRules, SegmentStep,
    batch::{BatchKind, last_read},
    error_text::cut,
    left_of_page::LeftOfPage,
    replay::{Replay, Replayed},
    trial::Trial,
    unsaved::Unsaved,
};
use actum_model::{EntityKey, Lane, LaneCount, Offset, Position, Timestamp};
use actum_persistence::{
    progress::{
        DeadLetter, Epoch, ParkedEntity, ParkedRequest, ProgressSave, ProjectionId, ReadProgress,
        Segment, StoredSegment,
    },
    store::{EntityPage, JournalEvent, LanePage},
};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// What the runner of one segment knows and decides, from its claim to its end.
#[derive(Debug)]
pub struct SegmentMachine {
    projection: ProjectionId,
    segment: Segment,
    pub(super) epoch: Epoch,
    pub(super) rules: SegmentRules,
    lanes: Vec<Lane>,
    /// The lane whose turn it is.
    turn: usize,
    /// How far it has come; what is saved of that.
    pub(super) progress: ReadProgress,
    pub(super) saved: ReadProgress,
    pub(super) saved_at: Duration,
    /// How many events were handled, by what is saved.
    pub(super) saved_handled: u64,
    pub(super) unsaved: Unsaved,
    pub(super) parked: HashMap<EntityKey, ParkedEntity>,
    pub(super) parked_in_row: u32,
    pub(super) page: Option<LeftOfPage>,
    pub(super) trial: Trial,
    /// The event that has failed last.
    pub(super) failed_at: Option<(Lane, Position)>,
    pub(super) pause: Option<Pause>,
    /// How often in a row something could not be reached.
    pub(super) unavailable: u32,
    requests: VecDeque<Replayed>,
    pub(super) replay: Option<Replay>,
    pub(super) is_stopping: bool,
    pub(super) end: Option<SegmentEnd>,
}

/// Why nothing is done at the moment.
#[derive(Clone, Debug)]
pub(super) struct Pause {
    until: Duration,
    why: Arc<str>,
}

/// What a decision needs to know of its surroundings.
#[derive(Clone, Copy, Debug)]
pub struct Surrounding {
    /// The time since some moment, by a clock that does not step.
    pub now: Duration,
    /// The wall clock.
    pub wall: Timestamp,
    /// A number between 0 and 1.
    pub chance: f64,
}

/// How a segment is, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentView {
    /// How far it has come.
    pub offset: Offset,
    /// How many events were handled.
    pub handled: u64,
    /// How many entities are parked.
    pub parked: usize,
    /// Why it waits.
    pub waits: Option<Arc<str>>,
}

/// So much progress over events that were only skipped is saved before more is read.
const UNSAVED_POSITIONS_MAX: u64 = 10_000;

impl SegmentMachine {
    /// The machine of a segment that was just claimed, with its parked entities.
    #[must_use]
    pub fn new(
        projection: ProjectionId,
        claimed: StoredSegment,
        parked: &[ParkedEntity],
        lanes: LaneCount,
        rules: SegmentRules,
        now: Duration,
    ) -> Self {
        let StoredSegment { segment, progress, epoch, handled, .. } = claimed;
        Self {
            projection,
            segment,
            epoch,
            rules,
            lanes: segment.lanes(lanes).collect(),
            turn: 0,
            saved: progress.clone(),
            progress,
            saved_at: now,
            saved_handled: handled,
            unsaved: Unsaved::default(),
            parked: parked.iter().map(|it| (it.entity.clone(), it.clone())).collect(),
            parked_in_row: 0,
            page: None,
            trial: Trial::default(),
            failed_at: None,
            pause: None,
            unavailable: 0,
            requests: VecDeque::new(),
            replay: None,
            is_stopping: false,
            end: None,
        }
    }

    /// What comes next; `heads` is how far the lanes are known to go.
    pub fn next(&mut self, now: Duration, heads: &Offset) -> SegmentStep {
        if self.end == Some(SegmentEnd::Lost) {
            return SegmentStep::End(SegmentEnd::Lost);
        }
        if let Some(pause) = &self.pause
            && now < pause.until
            && !self.is_stopping
        {
            return SegmentStep::Wait { until: pause.until };
        }
        if self.is_stopping && self.end.is_none() {
            self.end = Some(SegmentEnd::Released);
        }
        if self.unsaved.has_records() || (self.end.is_some() && self.progress != self.saved) {
            return SegmentStep::Save(self.base());
        }
        if let Some(end) = &self.end {
            return SegmentStep::End(end.clone());
        }
        self.replay_step(now, heads).unwrap_or_else(|| self.lane_step(now, heads))
    }

    fn lane_step(&mut self, now: Duration, heads: &Offset) -> SegmentStep {
        if let Some(page) = &self.page {
            let is_held_back = |event: &JournalEvent| self.parked.contains_key(&event.entity);
            let events = page.batch(self.trial.limit(self.rules.batch), is_held_back);
            if !events.is_empty() {
                return SegmentStep::Handle(self.batch(page.lane, BatchKind::Lane, events));
            }
        }
        if let Some(page) = self.page.take() {
            self.next_turn();
            if let Some(last) = page.events.back() {
                self.progress.met(page.lane, last_read(last));
            }
            self.progress.advance(page.lane, page.read_to);
        }
        let save_at = self.saved_at + self.rules.save_interval;
        let is_unsaved = self.progress != self.saved;
        match self.next_lane(heads) {
            Some(_)
                if is_unsaved
                    && (now >= save_at || self.unsaved_positions() >= UNSAVED_POSITIONS_MAX) =>
            {
                SegmentStep::Save(self.base())
            }
            Some(_) if now < self.saved_at + self.rules.batch_interval && !self.is_far(heads) => {
                SegmentStep::Wait { until: self.saved_at + self.rules.batch_interval }
            }
            Some(lane) => {
                SegmentStep::ReadLane { lane, after: self.progress.offset().position(lane) }
            }
            None if is_unsaved && now >= save_at => SegmentStep::Save(self.base()),
            None => SegmentStep::Idle { until: is_unsaved.then_some(save_at) },
        }
    }

    /// What comes next of a replay, if that is what comes next.
    fn replay_step(&mut self, now: Duration, heads: &Offset) -> Option<SegmentStep> {
        if self.replay.is_none() {
            self.replay = self.requests.pop_front().map(Replay::new);
        }
        if self.replay.as_mut().is_some_and(|replay| std::mem::take(&mut replay.lets_lanes_first)) {
            let step = self.lane_step(now, heads);
            if !matches!(step, SegmentStep::Idle { .. }) {
                return Some(step);
            }
        }
        let replay = self.replay.as_ref()?;
        if replay.events.is_none() {
            let (entity, from) = (replay.what.entity().clone(), replay.what.from());
            let after = from.previous();
            return Some(SegmentStep::ReadEntity { entity, after, one: replay.what.is_letter() });
        }
        let batch = replay.batch(self.rules.batch);
        let (kind, events) = batch?; // what was read is not empty, see `read_entity` and `ended`
        Some(SegmentStep::Handle(self.batch(replay.what.lane(), kind, events)))
    }

    /// The next lane that has something behind its progress, beginning with the one whose turn it is.
    fn next_lane(&mut self, heads: &Offset) -> Option<Lane> {
        let count = self.lanes.len();
        let offset = self.progress.offset();
        let has_more = |lane: Lane| offset.position(lane) < heads.position(lane);
        let at =
            (0..count).map(|nr| (self.turn + nr) % count).find(|at| has_more(self.lanes[*at]))?;
        self.turn = at;
        Some(self.lanes[at])
    }

    /// The next lane has its turn, unless one event has failed: then it goes on with that.
    fn next_turn(&mut self) {
        self.turn += usize::from(self.trial == Trial::Together);
    }

    /// Whether there may be more than a batch behind its progress.
    fn is_far(&self, heads: &Offset) -> bool {
        let offset = self.progress.offset();
        let behind =
            |lane: &Lane| heads.position(*lane).get().saturating_sub(offset.position(*lane).get());
        self.lanes.iter().map(behind).sum::<u64>() >= u64::from(self.rules.batch.events.get())
    }

    fn unsaved_positions(&self) -> u64 {
        let (now, saved) = (self.progress.offset(), self.saved.offset());
        let behind = |lane: &Lane| now.position(*lane).get() - saved.position(*lane).get();
        self.lanes.iter().map(behind).sum()
    }

    fn batch(&self, lane: Lane, what: BatchKind, events: Vec<JournalEvent>) -> Batch {
        Batch { lane, events, what, base: self.base() }
    }

    /// What there is to save; when is said as it is saved.
    fn base(&self) -> ProgressSave {
        let mut base = ProgressSave::nothing(
            self.projection.clone(),
            self.segment,
            self.epoch,
            self.progress.clone(),
        );
        self.unsaved.fill(&mut base);
        base
    }

    /// A page of a lane was read behind its progress.
    pub fn read_lane(&mut self, lane: Lane, page: LanePage, around: Surrounding) {
        let after = self.progress.offset().position(lane);
        if page.read_to <= after {
            let why = format!("the journal returned nothing behind {after} in lane {lane}");
            return self.wait_for_others(&why, around);
        }
        self.reached();
        self.page = Some(LeftOfPage::new(lane, page));
    }

    /// Events of an entity were read, as the last step said.
    pub fn read_entity(&mut self, page: EntityPage, around: Surrounding) {
        self.reached();
        let Some(replay) = &mut self.replay else { return };
        let (from, deleted) = (replay.what.from(), page.floor);
        if deleted >= from {
            let why = format!("the events up to {deleted} were deleted from the journal");
            return self.replay_failed(from, None, &why, around);
        }
        let after = from.previous();
        replay.read(page, after, self.progress.offset().position(replay.what.lane()));
        if replay.events.as_ref().is_some_and(VecDeque::is_empty) {
            if replay.what.is_letter() && !self.rules.latest_only {
                return self.replay_failed(from, None, "the event is not in the journal", around);
            }
            self.replay_done();
        }
    }

    /// What was to be read could not be reached.
    pub fn read_failed(&mut self, why: &str, around: Surrounding) {
        self.wait_for_others(why, around);
    }

    /// Something is asked of parked entities, and of dead letters. What was asked before and is not done is in it again. What
    /// has ended since is in it as well until that is saved, and is not asked any more.
    pub fn requested(&mut self, parked: Vec<ParkedEntity>, letters: Vec<DeadLetter>) {
        let running = self.replay.as_ref().map(|replay| replay.what.clone());
        let runs = |entity: &EntityKey, is_letter: bool| {
            running
                .as_ref()
                .is_some_and(|what| what.entity() == entity && what.is_letter() == is_letter)
        };
        self.requests.clear();
        for parked in parked {
            match (parked.request, self.parked.get(&parked.entity)) {
                (Some(ParkedRequest::Discard), Some(_)) if !runs(&parked.entity, false) => {
                    self.parked.remove(&parked.entity);
                    self.unsaved.replay(parked.entity, None);
                }
                (Some(ParkedRequest::Replay), Some(known))
                    if !runs(&parked.entity, false) && !self.unsaved.parks(&parked.entity) =>
                {
                    self.requests.push_back(Replayed::Parked(known.clone()));
                }
                _ => {}
            }
        }
        let unsaved = &self.unsaved;
        let is_asked = |letter: &DeadLetter| {
            letter.is_requested && !runs(&letter.entity, true) && !unsaved.has_letter(letter.place)
        };
        self.requests.extend(letters.into_iter().filter(is_asked).map(Replayed::Letter));
    }

    /// It is to end as soon as what is under way is saved.
    pub fn stop(&mut self) {
        self.is_stopping = true;
    }

    /// It needs a person.
    pub fn fail(&mut self, why: &str) {
        self.end.get_or_insert_with(|| SegmentEnd::Stopped(cut(why).into()));
    }

    /// It belongs to another runner.
    pub fn lose(&mut self) {
        self.end = Some(SegmentEnd::Lost);
    }

    /// What was needed is there.
    pub(super) fn reached(&mut self) {
        self.unavailable = 0;
        self.pause = None;
    }

    /// Waits for what could not be reached; that is not the event's fault.
    pub(super) fn wait_for_others(&mut self, why: &str, around: Surrounding) {
        self.unavailable = self.unavailable.saturating_add(1);
        let wait = self.rules.unavailable.after(self.unavailable, around.chance);
        self.wait(why, wait, around.now);
    }

    pub(super) fn wait(&mut self, why: &str, wait: Duration, now: Duration) {
        self.forget_events(); // what is read waits in no memory meanwhile: it would be in the way of others
        self.next_turn();
        self.pause = Some(Pause { until: now + wait, why: cut(why).into() });
    }

    /// Forgets what was read and not handled; it is read again.
    pub fn forget_events(&mut self) {
        self.page = None;
        if let Some(replay) = &mut self.replay {
            replay.events = None;
        }
    }

    /// How the segment is.
    #[must_use]
    pub fn view(&self) -> SegmentView {
        SegmentView {
            offset: self.progress.offset().clone(),
            handled: self.saved_handled + self.unsaved.handled,
            parked: self.parked.len(),
            waits: self.pause.as_ref().map(|pause| Arc::clone(&pause.why)),
        }
    }

    /// How far it has come.
    pub fn progress(&self) -> &ReadProgress {
        &self.progress
    }

    /// Whether it holds what was read.
    pub fn holds_events(&self) -> bool {
        self.page.is_some() || self.replay.as_ref().is_some_and(|replay| replay.events.is_some())
    }
}
