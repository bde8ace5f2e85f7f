use std::{collections::VecDeque, time::Duration};

/// How many measurements are remembered.
const REMEMBERED: usize = 16;

/// The fewest and the most batches that may be on their way to a peer.
const WINDOW_MIN: usize = 2;
const WINDOW_MAX: usize = 8;

/// How much longer a round trip is for each batch more that may be on its way.
const WINDOW_STEP: Duration = Duration::from_millis(1);

/// How long a round trip to a peer takes, as heartbeats show it.
///
/// What counts is the shortest of the last ones: a heartbeat waits behind batches, and how long those take says how busy the
/// nodes are, not how far they are apart.
#[derive(Clone, Debug, Default)]
pub(super) struct RoundTrip(VecDeque<Duration>);

impl RoundTrip {
    pub(super) fn measured(&mut self, took: Duration) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(took);
    }

    pub(super) fn shortest(&self) -> Option<Duration> {
        self.0.iter().min().copied()
    }

    /// How many batches may be on their way: two, and one more for each millisecond of a round trip, up to eight. With more
    /// of them batches get smaller, and cost more for each message; with fewer messages wait longer for their batch to go.
    pub(super) fn window(&self) -> usize {
        let shortest = self.shortest().unwrap_or_default();
        let more = shortest.as_micros() / WINDOW_STEP.as_micros();
        WINDOW_MAX.min(WINDOW_MIN + usize::try_from(more).unwrap_or(WINDOW_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::RoundTrip;
    use std::time::Duration;

    #[test]
    fn the_window_follows_the_shortest_of_the_last_round_trips() {
        let mut round_trip = RoundTrip::default();
        assert_eq!(round_trip.window(), 2, "before anything is known");
        for (millis, window) in [(0, 2), (1, 3), (3, 5), (6, 8), (300, 8)] {
            let mut round_trip = RoundTrip::default();
            round_trip.measured(Duration::from_millis(millis));
            assert_eq!(round_trip.window(), window, "{millis} ms");
        }
        round_trip.measured(Duration::from_micros(200));
        for _ in 0..15 {
            round_trip.measured(Duration::from_millis(50));
            assert_eq!(round_trip.window(), 2, "a busy node is not a far one");
        }
        round_trip.measured(Duration::from_millis(50));
        assert_eq!(round_trip.window(), 8, "the way has become longer");
    }
}
