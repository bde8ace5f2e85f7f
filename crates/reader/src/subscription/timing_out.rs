use super::{ConsumerNr, NackedWith, SubscriptionMachine, unsettled::Holder};
use actum_persistence::progress::DeadLetterPlace;
use std::time::Duration;

impl SubscriptionMachine {
    /// Takes back what consumers have had for too long: it goes to others first, and counts as tried, so that an event which
    /// hangs one consumer after the other is given up at last. Later events of its key that the same consumer has go back with
    /// it, uncounted, so that another one gets all of them, in order. Returns what was taken back, and from whom.
    pub fn time_out(&mut self, with: &NackedWith) -> Vec<(ConsumerNr, DeadLetterPlace)> {
        let mut taken = Vec::new();
        while let Some((since, nr)) = self.in_flight_since.first().copied()
            && self.timed_out_by(since).is_some_and(|at| at <= with.now)
        {
            let Some(event) = self.events.get(&nr) else { break };
            let (key, Holder::Consumer(consumer)) = (event.key.clone(), event.holder) else {
                break;
            };
            let Some(seat) = self.consumers.get(&consumer) else { break };
            // an event that the consumer has not even fetched is not to blame
            let is_tried = seat.handed != Some(nr);
            let behind = seat.in_flight.range(nr + 1..).copied();
            let is_behind = |nr: &u64| self.events.get(nr).is_some_and(|event| event.key == key);
            let behind: Vec<_> = behind.filter(is_behind).collect();
            taken.push(self.take_back(consumer, nr));
            for later in behind {
                taken.push(self.take_back(consumer, later));
                self.put_back(later, None);
            }
            if is_tried { self.tried(nr, None, with) } else { self.put_back(nr, None) }
        }
        taken
    }

    /// When the next event is in flight for too long.
    pub fn next_time_out(&self) -> Option<Duration> {
        let (since, _) = self.in_flight_since.first()?;
        self.timed_out_by(*since)
    }

    fn timed_out_by(&self, since: Duration) -> Option<Duration> {
        self.rules.ack_timeout.map(|ack_timeout| since + ack_timeout)
    }

    /// Notes that this consumer can acknowledge it no more.
    fn take_back(&mut self, consumer: ConsumerNr, nr: u64) -> (ConsumerNr, DeadLetterPlace) {
        let place = self.events[&nr].place();
        if let Some(seat) = self.consumers.get_mut(&consumer) {
            // of older ones it is said that they are not in flight
            if seat.timed_out.len() >= self.rules.in_flight_max {
                seat.timed_out.pop_front();
            }
            seat.timed_out.push_back(place);
        }
        (consumer, place)
    }
}
