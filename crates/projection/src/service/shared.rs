use super::{
    registration::ProjectionRegistration,
    run_switch::RunSwitch,
    standing::Standing,
    work::{Hurry, WorkLimits},
};
use crate::feed::Feed;
use actum_model::Offset;
use actum_persistence::{
    progress::{Epoch, ProgressStore, ProjectionId, Segment},
    store::EventFilter,
};
use actum_reader::{segment::SegmentView, share_out::SeenRenewals};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    sync::{self, Notify, watch},
    time::Instant,
};

/// What the tasks of a projection, and those who ask for it, know together.
pub(crate) struct SharedProjection {
    pub(crate) id: ProjectionId,
    pub(crate) registration: ProjectionRegistration,
    pub(crate) progress: Arc<dyn ProgressStore>,
    pub(crate) feed: Arc<Feed>,
    /// When it began, by which its tasks count time.
    pub(crate) started: Instant,
    /// Whether this process runs it.
    pub(super) switch: RunSwitch,
    /// Wakes the runner.
    pub(crate) poke: Notify,
    phase: watch::Sender<ServicePhase>,
    standing: watch::Sender<Standing>,
    is_ending: AtomicBool,
    /// Held while this process divides it. What it has seen of the runners says which of them divide it, or died at that.
    pub(super) divides: sync::Mutex<SeenRenewals>,
    /// What retention had deleted before it began.
    missing: OnceLock<Arc<str>>,
    local: Mutex<LocalSegments>,
    /// Counts changes of local segments.
    moved: watch::Sender<u64>,
    rate: Mutex<Rate>,
}

/// How far a projection has come with its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServicePhase {
    Starting(Option<Arc<str>>),
    Running,
    Failed(Arc<str>),
    /// It was stopped in this process.
    Stopped,
    Ended,
}

/// The segments that this process runs.
#[derive(Default)]
struct LocalSegments {
    views: HashMap<Segment, (Epoch, SegmentView)>,
    /// Epochs that are over: what their tasks show is not true any more.
    outdated: HashMap<Segment, Epoch>,
}

/// How many events were handled, second by second.
#[derive(Debug, Default)]
struct Rate {
    /// The second, and what was handled in it.
    seconds: Vec<(u64, u64)>,
}

const RATE_SECONDS: u64 = 10;

impl SharedProjection {
    pub(crate) fn new(
        id: ProjectionId,
        registration: ProjectionRegistration,
        progress: Arc<dyn ProgressStore>,
        feed: Arc<Feed>,
    ) -> Self {
        Self {
            id,
            registration,
            progress,
            feed,
            started: Instant::now(),
            switch: RunSwitch::new(),
            poke: Notify::new(),
            phase: watch::channel(ServicePhase::Starting(None)).0,
            standing: watch::channel(Standing::Unknown).0,
            is_ending: AtomicBool::new(false),
            divides: sync::Mutex::default(),
            missing: OnceLock::new(),
            local: Mutex::default(),
            moved: watch::channel(0).0,
            rate: Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// When handlers of this process had the place of its progress for themselves: from, and up to when.
    pub(super) fn last_holds(&self) -> Vec<(Duration, Duration)> {
        let at = |at: Instant| at.saturating_duration_since(self.started);
        let holds = self.progress.last_holds().into_iter();
        holds.map(|hold| (at(hold.since), at(hold.until()))).collect()
    }

    pub(crate) fn filter(&self, segment: Segment) -> EventFilter {
        let kinds = self.registration.kinds.iter();
        EventFilter {
            kinds: kinds.map(|source| source.kind.to_string()).collect(),
            manifests: Vec::new(),
            partitions: Some(segment.partitions()),
        }
    }

    pub(crate) fn limits(&self, live_from: Offset, hurry: Hurry) -> WorkLimits {
        let settings = &self.registration.settings;
        WorkLimits {
            command_ids: settings.command_ids_of.as_deref().unwrap_or(self.id.name()).into(),
            version: self.id.version(),
            live_from,
            handler_timeout: settings.handler_timeout,
            batch_time: settings.batch_time,
            hurry,
        }
    }

    /// What it is among the versions of its name, and a way to wait until that changes.
    pub(super) fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    pub(super) fn set_standing(&self, standing: Standing) {
        let is_news = self.standing.send_if_modified(|now| {
            let is_news = *now != standing;
            *now = standing;
            is_news
        });
        if is_news {
            self.moved.send_modify(|moved| *moved += 1);
        }
    }

    /// Its runner begins.
    pub(super) fn begin(&self) {
        self.is_ending.store(false, Relaxed);
        self.set_phase(ServicePhase::Starting(None));
    }

    /// Its runner ends.
    pub(super) fn end(&self) {
        self.is_ending.store(true, Relaxed);
    }

    /// Its runner has ended, and another may begin.
    pub(super) fn stopped_here(&self) {
        self.is_ending.store(false, Relaxed);
        self.set_phase(ServicePhase::Stopped);
    }

    /// No runner begins any more.
    pub(crate) fn set_ended(&self) {
        self.end();
        if !matches!(self.phase(), ServicePhase::Failed(_)) {
            self.set_phase(ServicePhase::Ended);
        }
    }

    pub(super) fn is_ending(&self) -> bool {
        self.is_ending.load(Relaxed)
    }

    /// Events that it would handle were deleted before it began.
    pub(super) fn miss(&self, what: Arc<str>) {
        let _ = self.missing.set(what); // the first one says it all
    }

    pub(super) fn missing(&self) -> Option<Arc<str>> {
        self.missing.get().cloned()
    }

    pub(crate) fn phase(&self) -> ServicePhase {
        self.phase.borrow().clone()
    }

    pub(crate) fn set_phase(&self, phase: ServicePhase) {
        self.phase.send_if_modified(|now| {
            let is_news = *now != phase;
            *now = phase;
            is_news
        });
        self.moved.send_modify(|moved| *moved += 1);
    }

    /// Shows how a segment is that this process runs.
    pub(crate) fn show(&self, segment: Segment, epoch: Epoch, view: SegmentView) {
        let mut local = self.local.lock();
        if local.outdated.get(&segment).is_some_and(|outdated| epoch <= *outdated) {
            return;
        }
        let handled = match local.views.get(&segment) {
            Some((_, known)) if *known == view => return,
            Some((_, known)) => view.handled.saturating_sub(known.handled),
            None => 0,
        };
        local.views.insert(segment, (epoch, view));
        drop(local);
        self.rate.lock().count(self.started.elapsed().as_secs(), handled);
        self.moved.send_modify(|moved| *moved += 1);
    }

    /// What the task of this epoch shows of the segment is not true any more: it was rewound.
    pub(crate) fn outdate(&self, segment: Segment, epoch: Epoch) {
        let mut local = self.local.lock();
        local.views.remove(&segment);
        local.outdated.insert(segment, epoch);
    }

    /// The task of this epoch has ended.
    pub(crate) fn hide(&self, segment: Segment, epoch: Epoch) {
        let mut local = self.local.lock();
        if local.views.get(&segment).is_some_and(|(shown, _)| *shown == epoch) {
            local.views.remove(&segment);
        }
        drop(local);
        self.moved.send_modify(|moved| *moved += 1);
    }

    pub(crate) fn local(&self, segment: Segment) -> Option<SegmentView> {
        self.local.lock().views.get(&segment).map(|(_, view)| view.clone())
    }

    /// The segments that this process runs.
    pub(crate) fn all_local(&self) -> Vec<(Segment, SegmentView)> {
        self.local
            .lock()
            .views
            .iter()
            .map(|(segment, (_, view))| (*segment, view.clone()))
            .collect()
    }

    /// Changes whenever something is shown.
    pub(crate) fn moved(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// Events a second, over the last ten.
    pub(crate) fn rate(&self) -> f64 {
        self.rate.lock().of(self.started.elapsed().as_secs())
    }
}

impl Rate {
    fn count(&mut self, second: u64, events: u64) {
        match self.seconds.last_mut() {
            Some(last) if last.0 == second => last.1 += events,
            _ => self.seconds.push((second, events)),
        }
        self.seconds.retain(|(counted, _)| counted + RATE_SECONDS >= second);
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate is not exact")]
    fn of(&self, second: u64) -> f64 {
        // the second that runs is not over yet
        let counted =
            self.seconds.iter().filter(|(at, _)| (at + RATE_SECONDS >= second) && *at < second);
        let events: u64 = counted.map(|(_, events)| events).sum();
        events as f64 / RATE_SECONDS.min(second.max(1)) as f64
    }
}
