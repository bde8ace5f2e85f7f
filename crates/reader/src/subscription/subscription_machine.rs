use super::{
    AffinityKey, ConsumerNr, SubscriptionRules,
    consumer_seat::{ConsumerSeat, HandoutTurn},
    key_queue::KeyQueue,
    lane_window::LaneWindow,
    unkept::Unkept,
    unsettled::{Holder, Unsettled},
};
use actum_model::{EntityKey, Lane, Offset};
use actum_persistence::{
    progress::{DeadLetterPlace, Epoch, ReadProgress},
    store::{JournalEvent, LanePage},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

/// What is known of a durable subscription in a process: its consumers, and while it holds the subscription, the events that are
/// not settled.
#[derive(Debug)]
pub struct SubscriptionMachine {
    pub(super) rules: SubscriptionRules,
    pub(super) consumers: BTreeMap<ConsumerNr, ConsumerSeat>,
    next_consumer: ConsumerNr,
    /// Counts what was handed out.
    pub(super) served: u64,
    /// The epoch in which it is held; none while another process holds it, or no one.
    pub(super) epoch: Option<Epoch>,
    pub(super) windows: Vec<LaneWindow>,
    /// By the order in which they were read.
    pub(super) events: BTreeMap<u64, Unsettled>,
    pub(super) places: HashMap<DeadLetterPlace, u64>,
    next_event: u64,
    pub(super) keys: HashMap<AffinityKey, KeyQueue>,
    pub(super) free: BTreeSet<HandoutTurn>,
    pub(super) delayed: BTreeSet<(Duration, u64)>,
    /// Since when events are in flight, the one that is for the longest time first.
    pub(super) in_flight_since: BTreeSet<(Duration, u64)>,
    /// Of the events that wait.
    pub(super) bytes: usize,
    pub(super) unkept: Unkept,
    pub(super) saved: ReadProgress,
    pub(super) saved_at: Duration,
    /// Until when what could not be saved is not tried again.
    pub(super) unkept_until: Duration,
    /// Why it needs a person.
    pub(super) stops: Option<Arc<str>>,
}

/// With so many dead letters that are not saved no more events are read.
const UNSAVED_LETTERS_MAX: usize = 1_000;

/// An event for a consumer.
#[derive(Clone, Debug)]
pub struct Handout {
    /// The epoch in which the subscription is held: an acknowledgement is of this one.
    pub epoch: Epoch,
    /// The lane of the event.
    pub lane: Lane,
    /// The event.
    pub event: JournalEvent,
    /// Behind it, and behind everything that was read before it.
    pub offset: Offset,
    /// How often it was delivered, this time included.
    pub attempt: u32,
}

impl SubscriptionMachine {
    /// The machine of a subscription that has no consumer and is not held.
    #[must_use]
    pub fn new(rules: SubscriptionRules) -> Self {
        Self {
            rules,
            consumers: BTreeMap::new(),
            next_consumer: 0,
            served: 0,
            epoch: None,
            windows: Vec::new(),
            events: BTreeMap::new(),
            places: HashMap::new(),
            next_event: 0,
            keys: HashMap::new(),
            free: BTreeSet::new(),
            delayed: BTreeSet::new(),
            in_flight_since: BTreeSet::new(),
            bytes: 0,
            unkept: Unkept::default(),
            saved: ReadProgress::behind(Offset::of_positions([])),
            saved_at: Duration::ZERO,
            unkept_until: Duration::ZERO,
            stops: None,
        }
    }

    /// The subscription is held from now on, and goes on behind `progress`.
    pub fn claimed(&mut self, epoch: Epoch, progress: ReadProgress, now: Duration) {
        self.lost();
        self.epoch = Some(epoch);
        let positions = progress.offset().positions();
        self.windows = positions.iter().map(|position| LaneWindow::new(*position)).collect();
        (self.saved, self.saved_at, self.stops) = (progress, now, None);
    }

    /// The subscription is not held any more: nothing is delivered, and nothing can be acknowledged.
    pub fn lost(&mut self) {
        self.epoch = None;
        self.events.clear();
        self.places.clear();
        self.keys.clear();
        self.free.clear();
        self.delayed.clear();
        self.in_flight_since.clear();
        self.windows.clear();
        (self.bytes, self.unkept) = (0, Unkept::default());
        for seat in self.consumers.values_mut() {
            seat.in_flight.clear();
            seat.in_flight_bytes = 0;
            seat.own.clear();
            seat.handed = None;
            seat.timed_out.clear();
        }
    }

    /// One more consumer; none if there are as many as may be.
    pub fn join(&mut self) -> Option<ConsumerNr> {
        if self.consumers.len() >= self.rules.consumers_max {
            return None;
        }
        self.next_consumer += 1;
        self.consumers.insert(self.next_consumer, ConsumerSeat::default());
        Some(self.next_consumer)
    }

    /// A consumer has gone: what it had in flight goes to others first.
    pub fn leave(&mut self, consumer: ConsumerNr) {
        let in_flight = self.consumers.get(&consumer).map(|seat| seat.in_flight.clone());
        for nr in in_flight.into_iter().flatten() {
            self.put_back(nr, None);
        }
        self.consumers.remove(&consumer);
    }

    /// How many consumers there are at most.
    #[must_use]
    pub fn consumers_max(&self) -> usize {
        self.rules.consumers_max
    }

    /// How many consumers there are.
    #[must_use]
    pub fn consumers(&self) -> usize {
        self.consumers.len()
    }

    /// How many events are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.consumers.values().map(|seat| seat.in_flight.len()).sum()
    }

    /// How many bytes of events there are, those in flight included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes + self.consumers.values().map(|seat| seat.in_flight_bytes).sum::<usize>()
    }

    /// Whether more is to be read.
    pub fn has_room(&self) -> bool {
        let in_windows: usize = self.windows.iter().map(LaneWindow::len).sum();
        self.may_hold_more() && in_windows < self.rules.ahead_max && self.may_settle_more()
    }

    /// Whether little enough waits, letters included. What is in flight takes no room here: a consumer may want more before it
    /// acknowledges anything.
    pub fn may_hold_more(&self) -> bool {
        self.events.len() - self.in_flight() < self.rules.buffer_events
            && self.bytes < self.rules.buffer_bytes
    }

    /// Whether what is settled and not saved is little enough, where saves fail for long.
    fn may_settle_more(&self) -> bool {
        let ahead_max = u64::try_from(self.rules.ahead_max).unwrap_or(u64::MAX);
        self.unkept.settled < ahead_max.max(self.rules.checkpoint_events)
            && self.unkept.parked.len() < UNSAVED_LETTERS_MAX
    }

    /// A page of a lane was read behind what was read before.
    pub fn read(&mut self, lane: Lane, page: LanePage, key: impl Fn(&EntityKey) -> AffinityKey) {
        for event in page.events {
            let (position, event_id) = (event.event.position, event.event.event_id);
            self.windows[lane.index()].add(position, event_id);
            self.windows[lane.index()].reach(position);
            self.add(lane, event, &key, false);
        }
        self.windows[lane.index()].reach(page.read_to);
    }

    /// A dead letter is asked to be replayed; it is behind what waits of its key.
    pub fn replay(
        &mut self,
        lane: Lane,
        letter: JournalEvent,
        key: impl Fn(&EntityKey) -> AffinityKey,
    ) {
        let place = DeadLetterPlace { lane, position: letter.event.position };
        if !self.places.contains_key(&place) {
            self.add(lane, letter, key, true);
        }
    }

    /// Whether this letter is on its way.
    pub fn replays(&self, place: &DeadLetterPlace) -> bool {
        self.places.contains_key(place) || self.unkept.has(place)
    }

    fn add(
        &mut self,
        lane: Lane,
        event: JournalEvent,
        key: impl Fn(&EntityKey) -> AffinityKey,
        is_letter: bool,
    ) {
        let (nr, key) = (self.next_event, key(&event.entity));
        self.next_event += 1;
        self.bytes += event.event.bytes();
        let offset =
            Offset::of_positions(self.windows.iter().map(LaneWindow::read_to).collect::<Vec<_>>());
        let holder = Holder::Waits(None);
        let unsettled = Unsettled {
            lane,
            event,
            offset,
            key: key.clone(),
            holder,
            in_flight_since: Duration::ZERO,
            deliveries: 0,
            failures: 0,
            is_letter,
        };
        self.places.insert(unsettled.place(), nr);
        self.events.insert(nr, unsettled);
        self.keys.entry(key.clone()).or_default().waiting.insert(nr);
        self.list(&key);
    }

    /// When a save is due, or an event is to be handed out or is in flight for too long, if nothing happens before.
    pub fn due(&self, now: Duration) -> Option<Duration> {
        let delayed = self.delayed.first().map(|(until, _)| *until);
        delayed.into_iter().chain(self.next_time_out()).chain(self.next_save(now)).min()
    }

    /// When a save is due, if nothing happens before.
    pub fn next_save(&self, now: Duration) -> Option<Duration> {
        self.save_due().map(|due| due.max(self.unkept_until).max(now))
    }

    /// The epoch in which this process holds it, if it does.
    pub fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    /// How many events were acknowledged, and that is not saved.
    pub fn acknowledged(&self) -> u64 {
        self.unkept.acknowledged
    }

    /// Why it needs a person, if it does.
    pub fn stops(&self) -> Option<&Arc<str>> {
        self.stops.as_ref()
    }

    /// It needs a person.
    pub fn stop(&mut self, why: &str) {
        self.stops.get_or_insert_with(|| why.into());
    }
}
