use super::{
    consumer_group::ConsumerGroup,
    lane_follower::{Demand, LaneFollower, LaneRead},
};
use crate::service::{ControlState, REQUESTS_MAX, check_journal, event_at};
use actum_model::{EntityKey, Timestamp};
use actum_persistence::{
    error_chain::full_text,
    panics::{guard, log_safely},
    progress::{ProgressChange, ProgressSave, SaveError, StoredSegment},
    store::StoreError,
};
use actum_reader::{
    segment::{Backoff, SegmentEnd, SegmentView, cut},
    subscription::{AffinityKey, SubscriptionMachine},
};
use std::{future::pending, sync::Arc, time::SystemTime};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// What a process does while it holds a subscription: reads, hands out, saves.
pub(super) struct Holding {
    group: Arc<ConsumerGroup>,
    claimed: StoredSegment,
    wanted: watch::Receiver<ControlState>,
    /// How many events were acknowledged, by what is saved.
    handled: u64,
    save_failures: u32,
    /// Until when it waits for acknowledgements before it ends.
    ends_at: Option<Instant>,
}

/// What a person can do about a journal that is another one.
const WAYS_OUT: &str = "rewind the subscription to where both agree, or delete it";

impl Holding {
    pub(super) fn new(
        group: Arc<ConsumerGroup>,
        claimed: StoredSegment,
        wanted: watch::Receiver<ControlState>,
    ) -> Self {
        let handled = claimed.handled;
        Self { group, claimed, wanted, handled, save_failures: 0, ends_at: None }
    }

    pub(super) async fn run(mut self) -> SegmentEnd {
        let (group, progress) = (Arc::clone(&self.group), self.claimed.progress.clone());
        let shared = group.shared();
        let (events, segment) = (shared.feed.events(), self.claimed.segment);
        match check_journal(&**events, segment, events.layout().lanes, &progress).await {
            Ok(None) => {}
            Ok(Some(what)) => return SegmentEnd::Stopped(format!("{what}; {WAYS_OUT}").into()),
            Err(error) => {
                log_safely(
                    || tracing::warn!(projection = %shared.id, error = full_text(&error), "subscription not begun"),
                );
                return SegmentEnd::Lost;
            }
        }
        let (filter, limit) = (group.filter.clone(), group.settings.page_limit());
        let feed = Arc::clone(&shared.feed);
        let mut follower = LaneFollower::new(feed, filter, limit, progress.clone());
        {
            let mut state = group.state();
            state.machine.claimed(self.claimed.epoch, progress, group.now());
            ConsumerGroup::resumed(&mut state);
        }
        self.read_requests().await;
        loop {
            if let Some(end) = self.take_in_controls().await {
                return end;
            }
            let stops = self.hand_out(&follower);
            let ends = stops.is_some() || self.has_ended();
            if let Some(save) = self.to_save(ends) {
                if self.save(save).await.is_err() {
                    return SegmentEnd::Lost;
                }
                if !ends || self.save_failures == 0 {
                    continue;
                }
                // what is not saved comes again, to the process that goes on
            }
            match stops {
                Some(why) => return SegmentEnd::Stopped(why),
                None if ends => return SegmentEnd::Released,
                None => self.wait(&mut follower).await,
            }
        }
    }

    /// Does what the runner wants; says how it ends, if it does.
    async fn take_in_controls(&mut self) -> Option<SegmentEnd> {
        if !self.wanted.has_changed().unwrap_or(true) {
            return None;
        }
        let wanted = *self.wanted.borrow_and_update();
        if wanted.is_lost {
            return Some(SegmentEnd::Lost);
        }
        if wanted.ends || self.wanted.has_changed().is_err() {
            let grace = self.group.settings.shutdown_timeout / 2;
            self.ends_at.get_or_insert_with(|| Instant::now() + grace);
        } else {
            self.read_requests().await;
        }
        None
    }

    /// Gives events to consumers, and shows how it is; says why it needs a person, if it does.
    fn hand_out(&self, follower: &LaneFollower) -> Option<Arc<str>> {
        let mut state = self.group.state();
        if self.ends_at.is_none() {
            self.group.hand_out(&mut state);
        }
        let machine = &state.machine;
        let view = SegmentView {
            offset: machine.progress().offset().clone(),
            handled: self.handled + machine.acknowledged(),
            parked: 0,
            waits: follower.waits().cloned(),
        };
        let stops = machine.stops().cloned();
        drop(state);
        self.group.shared().show(self.claimed.segment, self.claimed.epoch, view);
        stops
    }

    /// Whether it is to end, and nothing is in flight that may still be acknowledged.
    fn has_ended(&self) -> bool {
        self.ends_at
            .is_some_and(|at| at <= Instant::now() || self.group.state().machine.in_flight() == 0)
    }

    fn to_save(&self, ends: bool) -> Option<ProgressSave> {
        let (id, segment) = (&self.group.shared().id, self.claimed.segment);
        let now = self.group.now();
        let mut save = self.group.state().machine.save(id, segment, now, ends)?;
        save.saved_at = Timestamp::from(SystemTime::now());
        Some(save)
    }

    /// Saves; an error if it is not held any more, or that is not known.
    async fn save(&mut self, save: ProgressSave) -> Result<(), SaveError> {
        let shared = self.group.shared();
        match shared.progress.change(&ProgressChange::Save(save.clone())).await {
            Ok(()) => {
                self.save_failures = 0;
                self.handled += save.handled;
                self.group.state().machine.saved(&save, self.group.now());
                Ok(())
            }
            Err(
                error @ (SaveError::Stale | SaveError::Store(StoreError::OutcomeUnknown { .. })),
            ) => Err(error),
            Err(error) => {
                self.save_failures = self.save_failures.saturating_add(1);
                log_safely(
                    || tracing::warn!(projection = %shared.id, error = full_text(&error), "progress of a subscription not saved, trying again"),
                );
                let wait = Backoff::AWAY.after(self.save_failures, fastrand::f64());
                self.group.state().machine.not_saved(self.group.now() + wait);
                Ok(())
            }
        }
    }

    /// Reads the dead letters that are to be replayed. What fails is read again in the next round.
    async fn read_requests(&self) {
        let shared = self.group.shared();
        let letters = shared.progress.dead_letters(
            &shared.id,
            self.claimed.segment,
            true,
            None,
            REQUESTS_MAX,
        );
        let letters = match letters.await {
            Ok(letters) => letters,
            Err(error) => return self.not_read(&error),
        };
        for letter in letters {
            let (lane, position) = (letter.place.lane, letter.place.position);
            if self.group.state().machine.replays(&letter.place) {
                continue;
            }
            if !self.group.state().machine.may_hold_more() {
                return; // the others are read in a later round
            }
            match event_at(&**shared.feed.events(), lane, position).await {
                Ok(Some(event)) => self.take_in(|machine, key| machine.replay(lane, event, key)),
                Ok(None) => log_safely(
                    || tracing::warn!(projection = %shared.id, %lane, %position, "a dead letter is not in the journal any more"),
                ),
                Err(error) => return self.not_read(&error),
            }
        }
    }

    fn not_read(&self, error: &StoreError) {
        let id = &self.group.shared().id;
        log_safely(
            || tracing::warn!(projection = %id, error = full_text(error), "requests of a subscription not read"),
        );
    }

    /// Waits until there is something to do, and takes in what was read.
    async fn wait(&mut self, follower: &mut LaneFollower) {
        let (due, has_room, demand) = {
            let (mut state, now) = (self.group.state(), self.group.now());
            state.lacks_room = false;
            let hands_out = self.ends_at.is_none() && state.hands_out();
            let machine = &state.machine;
            // an event whose pause is over stays where nothing is handed out, and is nothing to wake up for
            let due = if hands_out { machine.due(now) } else { machine.next_save(now) };
            let demand = if machine.is_short() { Demand::Asked } else { Demand::Ahead };
            (due, machine.has_room(), demand)
        };
        let due = due.map(|due| self.group.at(due)).into_iter().chain(self.ends_at).min();
        let is_due = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => pending().await,
            }
        };
        let group = Arc::clone(&self.group);
        let read = async {
            match follower.next(demand).await {
                Ok(None) if group.waits_for_room() => pending().await,
                read => read,
            }
        };
        let read = tokio::select! {
            biased;
            _ = self.wanted.changed() => return self.wanted.mark_changed(),
            // in front of acknowledgements, which may never end; what is read is bounded
            read = read, if has_room && self.ends_at.is_none() => read,
            () = self.group.changed.notified() => return,
            () = is_due => return,
        };
        match read {
            Ok(Some(LaneRead { lane, page, room })) => {
                self.group.state().add_room(room);
                self.take_in(|machine, key| machine.read(lane, page, key));
            }
            Ok(None) => {} // a consumer has asked meanwhile
            Err(why) => self.group.state().machine.stop(&format!("{why}; {WAYS_OUT}")),
        }
    }

    /// Takes in events, whose keys a closure of the user may make; one that panics stops the subscription. What the machine
    /// has not taken in by then is not settled, and comes again.
    fn take_in(
        &self,
        take_in: impl FnOnce(&mut SubscriptionMachine, &dyn Fn(&EntityKey) -> AffinityKey),
    ) {
        let (mut state, key) = (self.group.state(), self.group.key());
        if let Err(panic) = guard(|| take_in(&mut state.machine, &key)) {
            let why = format!("the closure of `affinity_by` panicked: {panic}");
            state.machine.stop(cut(&why));
        }
    }
}
