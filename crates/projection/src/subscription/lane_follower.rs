use crate::{
    feed::{BytesHeld, Feed, Heads},
    service::check_journal,
};
use actum_model::{Lane, LaneCount, Offset, Position};
use actum_persistence::{
    error_chain::full_text,
    panics::log_safely,
    progress::{LastRead, ReadProgress, Segment},
    store::{EventFilter, JournalEvent, LanePage, PageLimit, StoreError},
};
use actum_reader::segment::Backoff;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};

/// Reads the lanes of a journal page by page, each lane in order, and goes on where they end: what was there and what comes is
/// one sequence. The next page is read while this one is handled, if there is room for it in the process.
pub(super) struct LaneFollower {
    feed: Arc<Feed>,
    heads: watch::Receiver<Heads>,
    /// How often the journal had been checked when it might have become another one.
    doubts: u64,
    filter: EventFilter,
    limit: PageLimit,
    /// How far it has read.
    progress: ReadProgress,
    /// The lane whose turn it is.
    turn: u16,
    job: Option<PageJob>,
    failures: u32,
    pause: Option<Instant>,
    waits: Option<Arc<str>>,
}

/// A page, the lane it is of, and the room that was taken for it.
#[derive(Debug)]
pub(super) struct LaneRead {
    pub(super) lane: Lane,
    pub(super) page: LanePage,
    pub(super) room: BytesHeld,
}

/// Whether anyone waits for what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    /// A consumer asks, and there is no event for it: where there is no room one is read all the same.
    Asked,
    /// It is read ahead, where there is room.
    Ahead,
}

/// What is under way in a task of its own, so that no one who stops waiting for it sets it back; it ends with this.
struct PageJob(JoinHandle<Result<PageJobDone, StoreError>>);

enum PageJobDone {
    Read(LaneRead),
    Checked { doubts: u64, is_wrong: Option<String> },
}

/// How long it waits for events without a check.
const IDLE_MAX: Duration = Duration::from_secs(60);

impl LaneFollower {
    /// Reads behind `progress`, which fits the journal.
    pub(super) fn new(
        feed: Arc<Feed>,
        filter: EventFilter,
        limit: PageLimit,
        progress: ReadProgress,
    ) -> Self {
        let heads = feed.heads();
        let doubts = heads.borrow().doubts;
        let (turn, job, failures, pause, waits) = (0, None, 0, None, None);
        Self { feed, heads, doubts, filter, limit, progress, turn, job, failures, pause, waits }
    }

    /// The next page, once there is one; none if there is no room to read ahead. What cannot be reached is waited for.
    ///
    /// # Errors
    /// Why it cannot go on: the journal has regressed, or refuses what is asked.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub(super) async fn next(&mut self, demand: Demand) -> Result<Option<LaneRead>, Arc<str>> {
        loop {
            if let Some(until) = self.pause {
                sleep_until(until).await;
                self.pause = None;
            }
            if !self.begin_job(demand) {
                return Ok(None);
            }
            let Some(job) = &mut self.job else {
                tokio::select! {
                    changed = self.heads.changed() => if changed.is_err() { sleep(IDLE_MAX).await },
                    () = sleep(IDLE_MAX) => {}
                }
                continue;
            };
            let done = (&mut job.0).await;
            self.job = None;
            match done {
                Ok(Ok(PageJobDone::Read(read))) => {
                    if self.take_in(&read) {
                        return Ok(Some(read));
                    }
                }
                Ok(Ok(PageJobDone::Checked { is_wrong: Some(why), .. })) => return Err(why.into()),
                Ok(Ok(PageJobDone::Checked { doubts, .. })) => self.doubts = doubts,
                Ok(Err(StoreError::Invalid { what })) => return Err(what.into()),
                Ok(Err(error)) => self.wait(&full_text(&error)),
                Err(_) => self.wait("a read of the journal was broken off"),
            }
        }
    }

    /// Whether nothing is known to be behind this offset. Asks no one.
    pub(super) fn is_head(&self, offset: &Offset) -> bool {
        let Heads { offset: heads, doubts } = &*self.heads.borrow();
        let mut lanes = self.feed.events().layout().lanes.iter();
        // what was just committed may be read before the heads know of it
        *doubts == self.doubts && lanes.all(|lane| offset.position(lane) >= heads.position(lane))
    }

    /// Why it waits, if something could not be reached.
    pub(super) fn waits(&self) -> Option<&Arc<str>> {
        self.waits.as_ref()
    }

    /// Begins to read, if nothing is under way and there is something to read; false if there is no room for it.
    fn begin_job(&mut self, demand: Demand) -> bool {
        if self.job.is_some() {
            return true;
        }
        let lanes = self.feed.events().layout().lanes;
        let Heads { offset: heads, doubts } = self.heads.borrow_and_update().clone();
        if doubts != self.doubts {
            let (feed, progress) = (Arc::clone(&self.feed), self.progress.clone());
            self.begin(async move {
                let all = Segment::all(feed.events().layout().partitions);
                let is_wrong = check_journal(&**feed.events(), all, lanes, &progress).await?;
                Ok(PageJobDone::Checked { doubts, is_wrong })
            });
            return true;
        }
        let read = self.progress.offset();
        let has_more = |lane: &Lane| read.position(*lane) < heads.position(*lane);
        let Some(lane) = self.lanes_in_turn(lanes).find(has_more) else { return true };
        let after = read.position(lane);
        let (feed, filter) = (Arc::clone(&self.feed), self.filter.clone());
        let (mut room, limit) = match feed.room_to_hold().take_for_page(self.limit.bytes) {
            Some(room) => {
                let bytes = room.bytes().min(self.limit.bytes);
                (room, self.limit.with_bytes(bytes))
            }
            None if demand == Demand::Ahead => return false,
            None => (feed.room_to_hold().nothing(), PageLimit::one_event()),
        };
        self.begin(async move {
            let page = feed.read_to_hold(lane, after, &filter, limit).await?;
            room.fit(bytes_of(&page.events));
            Ok(PageJobDone::Read(LaneRead { lane, page, room }))
        });
        true
    }

    fn begin(
        &mut self,
        job: impl Future<Output = Result<PageJobDone, StoreError>> + Send + 'static,
    ) {
        self.job = Some(PageJob(tokio::spawn(job)));
    }

    fn lanes_in_turn(&self, lanes: LaneCount) -> impl Iterator<Item = Lane> + use<> {
        let (turn, count) = (u32::from(self.turn), u32::from(lanes.get()));
        let nr = move |nr| u16::try_from((turn + nr) % count).expect("a lane has a 16 bit number");
        (0..count).map(nr).map(Lane::new)
    }

    /// Notes that a page was read, and begins with the next one; false if it is not what was asked for.
    fn take_in(&mut self, LaneRead { lane, page, .. }: &LaneRead) -> bool {
        if self.heads.borrow().doubts != self.doubts {
            return false; // it may be of another journal
        }
        let after: Position = self.progress.offset().position(*lane);
        if page.read_to <= after {
            self.wait(&format!("the journal returned nothing behind {after} in lane {lane}"));
            return false;
        }
        (self.failures, self.waits) = (0, None);
        if let Some(last) = page.events.last() {
            let (position, event_id) = (last.event.position, last.event.event_id);
            self.progress.met(*lane, LastRead { position, event_id });
        }
        self.progress.advance(*lane, page.read_to);
        self.turn = lane.nr() + 1;
        self.begin_job(Demand::Ahead);
        true
    }

    fn wait(&mut self, why: &str) {
        self.failures = self.failures.saturating_add(1);
        log_safely(|| tracing::debug!(error = why, "journal not read, trying again"));
        self.pause = Some(Instant::now() + Backoff::AWAY.after(self.failures, fastrand::f64()));
        self.waits = Some(why.into());
    }
}

/// How many bytes these events take.
pub(super) fn bytes_of(events: &[JournalEvent]) -> usize {
    events.iter().map(|event| event.event.bytes()).sum()
}

impl Drop for PageJob {
    fn drop(&mut self) {
        self.0.abort();
    }
}
