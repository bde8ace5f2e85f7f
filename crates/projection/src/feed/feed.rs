use super::{
    announced::Announced,
    bytes_room::RoomForBytes,
    follow_heads::{Polling, follow_heads},
    heads::Heads,
    near_head::NearHead,
    room_to_hold::RoomToHold,
};
use actum_model::{Lane, Offset, Position};
use actum_persistence::{
    Weight,
    commits::TailReader,
    store::{EventFilter, EventStore, LanePage, PageLimit, StoreError},
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex, OwnedSemaphorePermit, Semaphore, SemaphorePermit, watch},
    task::JoinHandle,
};

/// A journal, as many readers of this process follow it.
pub(crate) struct Feed {
    events: Arc<dyn EventStore>,
    lanes: Vec<LaneFeed>,
    heads: watch::Receiver<Heads>,
    room: RoomForBytes,
    catch_up: Arc<Semaphore>,
    task: JoinHandle<()>,
}

struct LaneFeed {
    /// What this process commits to the lane.
    tail: Option<TailReader>,
    /// What was read for all who are near the head.
    near_head: Mutex<NearHead>,
}

/// How a journal is followed.
#[derive(Clone, Debug)]
pub(crate) struct FeedSettings {
    /// The bytes that all events may take in memory that are read and not handled, also those of another feed.
    pub(crate) room: RoomForBytes,
    /// Taken for a page that is read from the store by one who is far behind: also those of another feed.
    pub(crate) catch_up: Arc<Semaphore>,
    /// How often the heads are asked for while nothing comes.
    pub(crate) poll_idle: Duration,
}

/// A page, and the room that it takes until it is handled.
#[derive(Debug)]
pub(crate) struct FeedPage {
    pub(crate) page: LanePage,
    pub(crate) room: OwnedSemaphorePermit,
}

const POLL_BUSY: Duration = Duration::from_millis(20);
/// Who is no further behind than this takes what others have read.
const NEAR_HEAD_EVENTS: u32 = 2_000;
const NEAR_HEAD_BYTES: usize = 8 << 20;

impl Feed {
    /// Follows a journal that ends at `heads`.
    pub(crate) fn start(
        events: Arc<dyn EventStore>,
        followed: Announced,
        heads: Offset,
        settings: FeedSettings,
    ) -> Arc<Self> {
        let bounds = Weight { events: NEAR_HEAD_EVENTS as usize, bytes: NEAR_HEAD_BYTES };
        let lane_feed = |lane| LaneFeed {
            tail: followed.follow(lane),
            near_head: Mutex::new(NearHead::new(&followed, bounds)),
        };
        let lanes = events.layout().lanes.iter().map(lane_feed).collect();
        let (sender, heads) = watch::channel(Heads { offset: heads, doubts: 0 });
        let polling = Polling { busy: POLL_BUSY.min(settings.poll_idle), idle: settings.poll_idle };
        let task = tokio::spawn(follow_heads(Arc::clone(&events), followed, polling, sender));
        let FeedSettings { room, catch_up, .. } = settings;
        Arc::new(Self { events, lanes, heads, room, catch_up, task })
    }

    /// How far the lanes go, as far as is known, and a way to wait until that changes.
    pub(crate) fn heads(&self) -> watch::Receiver<Heads> {
        self.heads.clone()
    }

    /// The journal.
    pub(crate) fn events(&self) -> &Arc<dyn EventStore> {
        &self.events
    }

    /// Reads a page behind `after`, once there is room for it. A page with an event that is larger than the limit is read again
    /// when there is room for that. One who is far behind waits for a turn before, and takes no room meanwhile that those near the
    /// head could use.
    pub(crate) async fn read(
        &self,
        lane: Lane,
        after: Position,
        filter: &EventFilter,
        limit: PageLimit,
    ) -> Result<FeedPage, StoreError> {
        let turn = self.turn(lane, after).await;
        let mut bytes = limit.bytes;
        loop {
            let room = self.room.take(bytes).await;
            let page = self.page(turn.as_ref(), lane, after, filter, limit).await?;
            let read = page.events.iter().map(|event| event.event.bytes()).sum();
            if read <= bytes || bytes >= self.room.page_bytes_max() {
                return Ok(FeedPage { page, room });
            }
            bytes = read;
        }
    }

    /// Reads a page behind `after` for one who has taken room for what it holds, and waits for none.
    pub(crate) async fn read_to_hold(
        &self,
        lane: Lane,
        after: Position,
        filter: &EventFilter,
        limit: PageLimit,
    ) -> Result<LanePage, StoreError> {
        let turn = self.turn(lane, after).await;
        self.page(turn.as_ref(), lane, after, filter, limit).await
    }

    /// The room for what is held for as long as consumers like.
    pub(crate) fn room_to_hold(&self) -> &RoomToHold {
        self.room.held()
    }

    /// Waits for a turn, if a page behind `after` needs one.
    async fn turn(&self, lane: Lane, after: Position) -> Option<SemaphorePermit<'_>> {
        match self.is_far_behind(lane, after) {
            true => Some(self.catch_up.acquire().await.expect("the semaphore is never closed")),
            false => None,
        }
    }

    async fn page(
        &self,
        turn: Option<&SemaphorePermit<'_>>,
        lane: Lane,
        after: Position,
        filter: &EventFilter,
        limit: PageLimit,
    ) -> Result<LanePage, StoreError> {
        match turn {
            Some(_) => self.events.read_lane(lane, after, filter, limit).await,
            None => self.page_near_head(lane, after, filter, limit).await,
        }
    }

    /// Whether a page behind `after` can only be read from the store, for one reader alone.
    fn is_far_behind(&self, lane: Lane, after: Position) -> bool {
        let head = self.heads.borrow().offset.position(lane);
        let is_far = head.get().saturating_sub(after.get()) > u64::from(NEAR_HEAD_EVENTS);
        let (tail, one) = (self.lanes[lane.index()].tail.as_ref(), PageLimit::one_event());
        let is_here = || tail.and_then(|tail| tail.page(after, &EventFilter::default(), one));
        is_far && is_here().is_none()
    }

    async fn page_near_head(
        &self,
        lane: Lane,
        after: Position,
        filter: &EventFilter,
        limit: PageLimit,
    ) -> Result<LanePage, StoreError> {
        let feed = &self.lanes[lane.index()];
        if let Some(page) = feed.tail.as_ref().and_then(|tail| tail.page(after, filter, limit)) {
            return Ok(page);
        }
        let doubts = self.heads.borrow().doubts;
        let mut near_head = feed.near_head.lock().await; // one reads, the others find what it has read
        near_head.check(doubts);
        if let Some(page) = near_head.page(after, filter, limit) {
            return Ok(page);
        }
        let all = EventFilter::default();
        let read = self.events.read_lane(lane, after, &all, PageLimit::default()).await?;
        let read_to = read.read_to;
        near_head.keep(after, read);
        match near_head.page(after, filter, limit) {
            Some(page) => Ok(page),
            // nothing is there, or not all that once was: then its own read says how far it goes
            None if read_to == after => Ok(LanePage::new(Vec::new(), after)),
            None => self.events.read_lane(lane, after, filter, limit).await,
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("heads", &*self.heads.borrow()).finish_non_exhaustive()
    }
}
