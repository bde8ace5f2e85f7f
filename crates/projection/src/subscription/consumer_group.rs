use super::{Subscription, SubscriptionSettings, subscription::Affinity};
use crate::{feed::BytesHeld, service::SharedProjection};
use actum_model::{EntityKey, Timestamp};
use actum_persistence::{
    panics::log_safely,
    progress::{Epoch, StoredProjection},
    store::EventFilter,
};
use actum_reader::subscription::{
    AffinityKey, ConsumerNr, Handout, NackedWith, NotAcked, SubscriptionMachine,
};
use parking_lot::{Mutex, MutexGuard};
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// The consumers of a durable subscription in this process, and what they share with the task that holds it.
pub(super) struct ConsumerGroup {
    pub(super) name: Arc<str>,
    /// Whose events it is about, as that is kept.
    pub(super) sources: Vec<String>,
    pub(super) filter: EventFilter,
    pub(super) settings: SubscriptionSettings,
    affinity: Affinity,
    /// Set before anything runs.
    shared: OnceLock<Arc<SharedProjection>>,
    began: Instant,
    state: Mutex<GroupState>,
    /// Wakes the task that holds the subscription.
    pub(super) changed: Notify,
    /// Whether its last consumer has gone.
    is_abandoned: watch::Sender<bool>,
    has_ended: watch::Sender<bool>,
}

pub(super) struct GroupState {
    pub(super) machine: SubscriptionMachine,
    wakers: BTreeMap<ConsumerNr, Arc<Notify>>,
    phase: GroupPhase,
    /// What is taken of the room of the process for the events of the machine.
    room: Option<BytesHeld>,
    /// Whether nothing was read ahead because there was no room: then the task that holds the subscription is woken when a
    /// consumer asks in vain.
    pub(super) lacks_room: bool,
}

#[derive(Clone, Debug)]
enum GroupPhase {
    Running,
    /// It needs a person.
    Stopped(Arc<str>),
    /// Its last consumer has gone, or all are asked to end.
    Ending,
    /// It cannot go on at all.
    Failed(Arc<str>),
}

/// What a consumer that asks finds.
pub(super) enum NextEvent {
    Event(Handout),
    /// Nothing so far: it is woken when there is something.
    Nothing,
    Stopped(Arc<str>),
    End,
}

/// What came of joining.
pub(super) enum Joined {
    As(ConsumerNr, Arc<Notify>),
    TooMany,
    /// It ends, and another group takes its place then.
    Ending,
}

/// What is said of a group.
pub(super) struct GroupParts {
    pub(super) name: Arc<str>,
    pub(super) sources: Vec<String>,
    pub(super) filter: EventFilter,
    pub(super) settings: SubscriptionSettings,
    pub(super) affinity: Affinity,
}

impl ConsumerGroup {
    pub(super) fn new(parts: GroupParts) -> Arc<Self> {
        let GroupParts { name, sources, filter, settings, affinity } = parts;
        let machine = SubscriptionMachine::new(settings.rules());
        let (wakers, phase) = (BTreeMap::new(), GroupPhase::Running);
        Arc::new(Self {
            name,
            sources,
            filter,
            settings,
            affinity,
            shared: OnceLock::new(),
            began: Instant::now(),
            state: Mutex::new(GroupState { machine, wakers, phase, room: None, lacks_room: false }),
            changed: Notify::new(),
            is_abandoned: watch::channel(false).0,
            has_ended: watch::channel(false).0,
        })
    }

    pub(super) fn share(&self, shared: Arc<SharedProjection>) {
        self.state().room = Some(shared.feed.room_to_hold().nothing());
        let _ = self.shared.set(shared); // only its maker calls this, once
    }

    pub(super) fn shared(&self) -> &Arc<SharedProjection> {
        self.shared.get().expect("it is set before the group is given to anyone")
    }

    pub(super) fn state(&self) -> MutexGuard<'_, GroupState> {
        self.state.lock()
    }

    /// The time since it began.
    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn at(&self, now: Duration) -> Instant {
        self.began + now
    }

    pub(super) fn key(&self) -> impl Fn(&EntityKey) -> AffinityKey {
        let affinity = Arc::clone(&self.affinity);
        move |entity| affinity(entity)
    }

    pub(super) fn join(&self) -> Joined {
        let mut state = self.state();
        if matches!(state.phase, GroupPhase::Ending | GroupPhase::Failed(_)) {
            return Joined::Ending;
        }
        let Some(nr) = state.machine.join() else { return Joined::TooMany };
        let waker = Arc::new(Notify::new());
        state.wakers.insert(nr, Arc::clone(&waker));
        Joined::As(nr, waker)
    }

    /// A consumer has gone.
    pub(super) fn leave(&self, consumer: ConsumerNr) {
        let mut state = self.state();
        state.machine.leave(consumer);
        state.wakers.remove(&consumer);
        if state.machine.consumers() == 0 {
            if !matches!(state.phase, GroupPhase::Failed(_)) {
                state.phase = GroupPhase::Ending;
            }
            self.is_abandoned.send_replace(true);
        }
        self.hand_out(&mut state);
    }

    /// Waits until the last consumer has gone.
    pub(super) async fn abandoned(&self) {
        let _ = self.is_abandoned.subscribe().wait_for(|is_abandoned| *is_abandoned).await;
    }

    /// All are asked to end: consumers get nothing more.
    pub(super) fn end(&self) {
        let mut state = self.state();
        if !matches!(state.phase, GroupPhase::Failed(_)) {
            state.phase = GroupPhase::Ending;
        }
        state.wake_all();
    }

    pub(super) fn is_ending(&self) -> bool {
        matches!(self.state().phase, GroupPhase::Ending)
    }

    /// Nothing runs any more.
    pub(super) fn ended(&self, failed: Option<Arc<str>>) {
        let mut state = self.state();
        state.machine.lost();
        state.fit_room();
        state.phase = failed.map_or(GroupPhase::Ending, GroupPhase::Failed);
        state.wake_all();
        drop(state);
        self.has_ended.send_replace(true);
    }

    /// Waits until nothing runs any more.
    pub(super) async fn wait_for_end(&self) {
        let _ = self.has_ended.subscribe().wait_for(|has_ended| *has_ended).await;
    }

    /// It needs a person.
    pub(super) fn stopped(&self, why: &Arc<str>) {
        let mut state = self.state();
        if matches!(state.phase, GroupPhase::Running) {
            state.phase = GroupPhase::Stopped(Arc::clone(why));
        }
        state.wake_all();
    }

    /// It is held, and goes on if it had stopped.
    pub(super) fn resumed(state: &mut GroupState) {
        if matches!(state.phase, GroupPhase::Stopped(_)) {
            state.phase = GroupPhase::Running;
        }
    }

    /// What is kept was read: another process may have stopped, or a person has resumed.
    pub(super) fn has_read(&self, stored: &StoredProjection, me: &str) {
        let Some(segment) = stored.segments.first() else { return };
        let is_held = self.state().machine.epoch().is_some();
        match &segment.stopped {
            _ if is_held => {}
            Some(why) => self.stopped(why),
            // one that this process has just stopped is its own until that is kept
            None if segment.owner.as_deref() == Some(me) => {}
            None => Self::resumed(&mut self.state()),
        }
    }

    /// Whether a consumer may join that wants this; where it begins counts only when the subscription is created.
    pub(super) fn is_like<T>(&self, subscription: &Subscription<T>) -> bool {
        let start_at = self.settings.start_at.clone();
        let settings = SubscriptionSettings { start_at, ..subscription.settings.clone() };
        settings == self.settings && subscription.manifests == self.filter.manifests
    }

    /// What this process held in this epoch is not held any more.
    pub(super) fn lost(&self, epoch: Epoch) {
        let mut state = self.state();
        if state.machine.epoch() == Some(epoch) {
            state.machine.lost();
            state.fit_room();
        }
    }

    /// A consumer asks for an event.
    pub(super) fn ask(&self, consumer: ConsumerNr) -> NextEvent {
        let mut state = self.state();
        match &state.phase {
            GroupPhase::Ending => return NextEvent::End,
            GroupPhase::Stopped(why) | GroupPhase::Failed(why) => {
                return NextEvent::Stopped(Arc::clone(why));
            }
            GroupPhase::Running => {}
        }
        if let Some(event) = state.machine.fetch(consumer) {
            return NextEvent::Event(event);
        }
        state.machine.set_asking(consumer, true);
        self.hand_out(&mut state);
        if let Some(event) = state.machine.fetch(consumer) {
            return NextEvent::Event(event);
        }
        if std::mem::take(&mut state.lacks_room) {
            self.changed.notify_one();
        }
        NextEvent::Nothing
    }

    /// Notes that there is no room to read ahead, unless a consumer asks in vain by now; whether that is so.
    pub(super) fn waits_for_room(&self) -> bool {
        let mut state = self.state();
        state.lacks_room = !state.machine.is_short();
        state.lacks_room
    }

    /// A consumer does not wait any more.
    pub(super) fn stop_asking(&self, consumer: ConsumerNr) {
        self.state().machine.set_asking(consumer, false);
    }

    /// Something is said of an event in flight.
    pub(super) fn settle<R>(
        &self,
        settle: impl FnOnce(&mut SubscriptionMachine) -> Result<R, NotAcked>,
    ) -> Result<R, NotAcked> {
        let mut state = self.state();
        let settled = settle(&mut state.machine);
        self.hand_out(&mut state);
        drop(state);
        self.changed.notify_one();
        settled
    }

    /// Gives what waits to consumers that ask, and wakes them; and the task that holds the subscription, if it may read again.
    pub(super) fn hand_out(&self, state: &mut GroupState) {
        state.fit_room();
        if !state.hands_out() {
            return;
        }
        let had_room = state.machine.has_room();
        self.time_out(state);
        for consumer in state.machine.hand_out(self.now()) {
            state.wakers.get(&consumer).into_iter().for_each(|waker| waker.notify_one());
        }
        if !had_room && state.machine.has_room() {
            self.changed.notify_one();
        }
    }

    /// Takes back what consumers have had for too long.
    fn time_out(&self, state: &mut GroupState) {
        if state.machine.next_time_out().is_none_or(|due| due > self.now()) {
            return;
        }
        let within = self.settings.ack_timeout.unwrap_or_default();
        let with = self.nacked_with(format!("not acknowledged within {within:?}").into());
        let events = state.machine.time_out(&with).len();
        self.changed.notify_one(); // one that was given up is to be saved
        let name = &self.name;
        log_safely(
            || tracing::warn!(subscription = %name, events, "a consumer has not acknowledged events in time, others get them"),
        );
    }

    pub(super) fn nacked_with(&self, error: Arc<str>) -> NackedWith {
        let wall = Timestamp::from(SystemTime::now());
        NackedWith { error, now: self.now(), wall, chance: fastrand::f64() }
    }
}

impl GroupState {
    /// Whether consumers are given events.
    pub(super) fn hands_out(&self) -> bool {
        matches!(self.phase, GroupPhase::Running)
    }

    /// Adds the room of a page that the machine has taken in.
    pub(super) fn add_room(&mut self, of_page: BytesHeld) {
        if let Some(room) = &mut self.room {
            room.merge(of_page);
        }
    }

    /// Gives back the room of what is settled; of what is in flight without any some may be there now.
    fn fit_room(&mut self) {
        let bytes = self.machine.bytes();
        if let Some(room) = &mut self.room {
            room.fit(bytes);
        }
    }

    fn wake_all(&self) {
        self.wakers.values().for_each(|waker| waker.notify_one());
    }
}
