//! Which consumer gets which of the events that wait.

use super::{
    AffinityKey, ConsumerNr, Handout, SubscriptionMachine,
    consumer_seat::{ConsumerSeat, HandoutTurn},
    key_queue::Listed,
    unsettled::{Holder, Unsettled},
};
use std::time::Duration;

impl SubscriptionMachine {
    /// The consumer asks for an event, or does not any more.
    pub fn set_asking(&mut self, consumer: ConsumerNr, is_asking: bool) {
        if let Some(seat) = self.consumers.get_mut(&consumer) {
            seat.is_asking = is_asking;
        }
    }

    /// Gives waiting events to consumers that ask: each goes to the one that has its key in flight, else to the one that was
    /// served least recently. Returns who has got one.
    pub fn hand_out(&mut self, now: Duration) -> Vec<ConsumerNr> {
        while let Some((_, nr)) = self.delayed.first().copied().filter(|(until, _)| *until <= now) {
            let Some(event) = self.events.get_mut(&nr) else { break };
            event.holder = Holder::Waits(None);
            let key = event.key.clone();
            self.list(&key);
        }
        let mut served = Vec::new();
        while self.stops.is_none()
            && let Some((consumer, turn)) = self.next_turn()
        {
            self.hand(consumer, turn.nr, now);
            served.push(consumer);
        }
        served
    }

    /// The next event that a consumer gets, the one that was served least recently first.
    fn next_turn(&self) -> Option<(ConsumerNr, HandoutTurn)> {
        self.consumers
            .iter()
            .filter(|(_, seat)| self.may_get(seat))
            .filter_map(|(nr, seat)| Some((seat.served, *nr, self.turn_of(seat)?)))
            // one that is too large is waited for: smaller ones behind it would pass it for ever
            .filter(|(_, nr, turn)| self.fits(&self.consumers[nr], turn.nr))
            .min_by_key(|(served, nr, _)| (*served, *nr))
            .map(|(_, nr, turn)| (nr, turn))
    }

    /// Whether a consumer asks for an event that it may have, and none waits for it: only what is read next can be one.
    pub fn is_short(&self) -> bool {
        let lacks = |seat: &ConsumerSeat| {
            let may_get = self.may_get(seat) && self.fits_more(seat, 1);
            may_get && self.turn_of(seat).is_none()
        };
        self.stops.is_none() && self.consumers.values().any(lacks)
    }

    fn may_get(&self, seat: &ConsumerSeat) -> bool {
        seat.is_asking && seat.handed.is_none() && seat.in_flight.len() < self.rules.in_flight_max
    }

    /// The first event that waits for this consumer.
    fn turn_of(&self, seat: &ConsumerSeat) -> Option<HandoutTurn> {
        seat.own.first().into_iter().chain(self.free.first()).min().copied()
    }

    fn fits(&self, seat: &ConsumerSeat, nr: u64) -> bool {
        self.events.get(&nr).is_some_and(|event| self.fits_more(seat, event.event.event.bytes()))
    }

    /// Whether a consumer may have so many bytes more in flight: one that has none gets any event.
    fn fits_more(&self, seat: &ConsumerSeat, bytes: usize) -> bool {
        let max = self.rules.in_flight_bytes_max;
        seat.in_flight.is_empty() || seat.in_flight_bytes.saturating_add(bytes) <= max
    }

    fn hand(&mut self, consumer: ConsumerNr, nr: u64, now: Duration) {
        self.served += 1;
        let (Some(event), Some(seat)) =
            (self.events.get_mut(&nr), self.consumers.get_mut(&consumer))
        else {
            return;
        };
        event.holder = Holder::Consumer(consumer);
        event.in_flight_since = now;
        self.in_flight_since.insert((now, nr));
        seat.timed_out.retain(|place| *place != event.place());
        let bytes = event.event.event.bytes();
        self.bytes -= bytes;
        event.deliveries = event.deliveries.saturating_add(1);
        (seat.is_asking, seat.served, seat.handed) = (false, self.served, Some(nr));
        seat.in_flight.insert(nr);
        seat.in_flight_bytes += bytes;
        let key = event.key.clone();
        if let Some(queue) = self.keys.get_mut(&key) {
            queue.waiting.remove(&nr);
            queue.in_flight += 1;
            queue.owner = Some(consumer);
        }
        self.list(&key);
    }

    /// The event that the consumer was given, if it was.
    pub fn fetch(&mut self, consumer: ConsumerNr) -> Option<Handout> {
        let (nr, epoch) = (self.consumers.get_mut(&consumer)?.handed.take()?, self.epoch?);
        let Unsettled { lane, event, offset, deliveries, .. } = self.events.get(&nr)?;
        let (event, offset) = (event.clone(), offset.clone());
        Some(Handout { epoch, lane: *lane, event, offset, attempt: *deliveries })
    }

    /// An event that was in flight waits again, first of all, or until then.
    pub(super) fn put_back(&mut self, nr: u64, until: Option<Duration>) {
        let Some(key) = self.take_from_consumer(nr) else { return };
        if let Some(event) = self.events.get_mut(&nr) {
            event.holder = Holder::Waits(until);
            self.bytes += event.event.event.bytes();
        }
        self.keys.entry(key.clone()).or_default().waiting.insert(nr);
        self.list(&key);
    }

    /// An event is not in flight any more; returns its key, which is to be listed.
    pub(super) fn take_from_consumer(&mut self, nr: u64) -> Option<AffinityKey> {
        let event = self.events.get(&nr)?;
        let Holder::Consumer(consumer) = event.holder else { return None };
        let key = event.key.clone();
        self.in_flight_since.remove(&(event.in_flight_since, nr));
        if let Some(seat) = self.consumers.get_mut(&consumer) {
            seat.in_flight.remove(&nr);
            seat.in_flight_bytes -= event.event.event.bytes();
            seat.handed.take_if(|handed| *handed == nr);
        }
        if let Some(queue) = self.keys.get_mut(&key) {
            queue.in_flight -= 1;
            if queue.in_flight == 0 {
                queue.owner = None;
            }
        }
        Some(key)
    }

    /// Lists the first waiting event of a key where it belongs.
    pub(super) fn list(&mut self, key: &AffinityKey) {
        let Some(queue) = self.keys.get_mut(key) else { return };
        match queue.listed.take() {
            Some(Listed::Free(turn)) => _ = self.free.remove(&turn),
            Some(Listed::Own(consumer, turn)) => {
                self.consumers.get_mut(&consumer).map(|seat| seat.own.remove(&turn));
            }
            Some(Listed::Delayed(until, nr)) => _ = self.delayed.remove(&(until, nr)),
            None => {}
        }
        let Some(nr) = queue.waiting.first().copied() else {
            if queue.in_flight == 0 {
                self.keys.remove(key);
            }
            return;
        };
        let Some(event) = self.events.get(&nr) else { return };
        let turn = HandoutTurn { is_new: event.deliveries == 0, nr };
        let listed = match (event.holder, queue.owner) {
            (Holder::Waits(Some(until)), _) => {
                self.delayed.insert((until, nr));
                Listed::Delayed(until, nr)
            }
            (_, Some(owner)) => {
                self.consumers.get_mut(&owner).map(|seat| seat.own.insert(turn));
                Listed::Own(owner, turn)
            }
            (_, None) => {
                self.free.insert(turn);
                Listed::Free(turn)
            }
        };
        queue.listed = Some(listed);
    }
}
