use super::RoundWindow;
use std::{collections::BTreeMap, time::Duration};

/// The rounds of a process that wait. When one of them has to be, all that may be go with it, of projections whose progress is
/// kept at the same place.
///
/// As many calls of a store are made as the runner makes alone that has its rounds most often: one that has them less often
/// goes along within its window, and is next due later than that one.
#[derive(Debug)]
pub struct Gathering<P, T> {
    waiting: BTreeMap<u64, WaitingRound<P, T>>,
    next_nr: u64,
}

#[derive(Debug)]
struct WaitingRound<P, T> {
    place: P,
    from: Duration,
    until: Duration,
    is_alone: bool,
    what: T,
}

impl<P: PartialEq, T> Gathering<P, T> {
    /// A round begins to wait at a place; returns its number, which no other one gets.
    pub fn enter(&mut self, place: P, window: RoundWindow, now: Duration, what: T) -> u64 {
        let RoundWindow { from, until, is_alone } = window;
        let round = WaitingRound { place, from: now + from, until: now + until, is_alone, what };
        let nr = self.next_nr;
        self.next_nr += 1;
        self.waiting.insert(nr, round);
        nr
    }

    /// A round does not wait any more; it makes no difference if it has gone.
    pub fn leave(&mut self, nr: u64) {
        self.waiting.remove(&nr);
    }

    /// The round `nr` goes now, and with it those that may: at most `max` together, those that are due first. None if it has
    /// gone before.
    pub fn go(&mut self, nr: u64, now: Duration, max: usize) -> Vec<T> {
        let Some(first) = self.waiting.remove(&nr) else { return Vec::new() };
        if first.is_alone {
            return vec![first.what];
        }
        let may_go = |round: &WaitingRound<P, T>| {
            !round.is_alone && round.from <= now && round.place == first.place
        };
        let those = self.waiting.iter().filter(|(_, round)| may_go(round));
        let mut those: Vec<_> = those.map(|(nr, round)| (round.until, *nr)).collect();
        those.sort_unstable();
        let those = those.into_iter().take(max.saturating_sub(1));
        let mut gone = vec![first.what];
        gone.extend(those.filter_map(|(_, nr)| self.waiting.remove(&nr)).map(|round| round.what));
        gone
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl<P, T> Default for Gathering<P, T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), next_nr: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(9);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Runners that have their rounds for `time`, each from its start on and as often as it says; returns the times of the
    /// calls, and how often each has had a round.
    fn run(runners: &[(Duration, Duration)], time: Duration) -> (Vec<Duration>, Vec<usize>) {
        let (mut gathering, mut calls) = (Gathering::default(), Vec::new());
        let mut rounds = vec![0; runners.len()];
        // of each the number of the round that waits, and when it has to be
        let mut due: Vec<_> = runners
            .iter()
            .enumerate()
            .map(|(who, (start, _))| {
                let window = RoundWindow { from: *start, until: *start, is_alone: false };
                (gathering.enter((), window, Duration::ZERO, who), *start)
            })
            .collect();
        loop {
            let (nr, now) = *due.iter().min_by_key(|(_, until)| *until).unwrap();
            if now > time {
                return (calls, rounds);
            }
            calls.push(now);
            for who in gathering.go(nr, now, 100) {
                rounds[who] += 1;
                let interval = runners[who].1;
                let nr = gathering.enter((), RoundWindow::after(interval), now, who);
                due[who] = (nr, now + interval);
            }
        }
    }

    #[test]
    fn all_that_may_go_go_with_the_one_that_is_due() {
        let mut gathering = Gathering::default();
        let first = gathering.enter((), RoundWindow::after(seconds(4)), seconds(0), "first");
        gathering.enter((), RoundWindow::after(seconds(4)), seconds(2), "may go");
        gathering.enter((), RoundWindow::after(seconds(4)), seconds(3), "has just been");
        gathering.enter((), RoundWindow::alone_after(seconds(1)), seconds(0), "alone");
        assert_eq!(gathering.go(first, seconds(4), 100), ["first", "may go"]);
        assert_eq!(gathering.go(first, seconds(4), 100), [""; 0], "it has gone");
        assert!(!gathering.is_empty());
    }

    #[test]
    fn rounds_at_different_places_go_by_themselves() {
        let mut gathering = Gathering::default();
        let enter = |gathering: &mut Gathering<_, _>, place, who| {
            gathering.enter(place, RoundWindow::after(seconds(4)), seconds(0), who)
        };
        let first = enter(&mut gathering, "here", 1);
        let other = enter(&mut gathering, "there", 2);
        enter(&mut gathering, "here", 3);
        assert_eq!(gathering.go(first, seconds(4), 100), [1, 3]);
        assert_eq!(gathering.go(other, seconds(4), 100), [2]);
    }

    #[test]
    fn one_that_is_alone_takes_no_one_along() {
        let mut gathering = Gathering::default();
        gathering.enter((), RoundWindow::after(seconds(1)), seconds(0), "with others");
        let alone = gathering.enter((), RoundWindow::alone_after(seconds(9)), seconds(0), "alone");
        assert_eq!(gathering.go(alone, seconds(9), 100), ["alone"]);
    }

    #[test]
    fn one_that_is_called_early_takes_along_those_that_may_go() {
        let mut gathering = Gathering::default();
        let called = gathering.enter((), RoundWindow::after(seconds(8)), seconds(0), "called");
        gathering.enter((), RoundWindow::after(seconds(2)), seconds(0), "may go");
        assert_eq!(gathering.go(called, seconds(1), 100), ["called", "may go"]);
    }

    #[test]
    fn of_too_many_those_go_that_are_due_first() {
        let mut gathering = Gathering::default();
        let enter = |gathering: &mut Gathering<(), u64>, until| {
            gathering.enter((), RoundWindow::after(seconds(until)), seconds(0), until)
        };
        let last = enter(&mut gathering, 9);
        let first = enter(&mut gathering, 6);
        for until in [8, 7] {
            enter(&mut gathering, until);
        }
        assert_eq!(gathering.go(first, seconds(6), 3), [6, 7, 8]);
        assert_eq!(gathering.go(last, seconds(9), 3), [9]);
        assert!(gathering.is_empty());
    }

    #[test]
    fn one_that_has_left_does_not_go() {
        let mut gathering = Gathering::default();
        let first = gathering.enter((), RoundWindow::after(seconds(1)), seconds(0), "first");
        let left = gathering.enter((), RoundWindow::after(seconds(1)), seconds(0), "left");
        gathering.leave(left);
        assert_eq!(gathering.go(first, seconds(1), 100), ["first"]);
        assert!(gathering.is_empty());
    }

    #[test]
    fn rounds_that_have_begun_at_any_time_are_together_after_two() {
        for seed in 0..200 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let runners: Vec<_> = (0..rng.usize(2..40))
                .map(|_| (Duration::from_millis(rng.u64(0..60_000)), LEASE / 3))
                .collect();
            let (calls, _) = run(&runners, seconds(60 + 900));
            let settled = calls.iter().filter(|at| **at > seconds(60) + 2 * LEASE / 3).count();
            assert!((297..=300).contains(&settled), "seed {seed}: {settled} calls in 894 s");
        }
    }

    #[test]
    fn runners_of_many_leases_make_as_many_calls_as_the_one_with_the_shortest() {
        for seed in 0..200 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let runners: Vec<_> = (0..rng.usize(1..20))
                .map(|_| Duration::from_millis(rng.u64(500..30_000)))
                .map(|interval| (Duration::ZERO, interval))
                .collect();
            let shortest = runners.iter().map(|(_, interval)| *interval).min().unwrap();
            let (calls, rounds) = run(&runners, seconds(900));
            let alone = usize::try_from(seconds(900).as_millis() / shortest.as_millis()).unwrap();
            assert!(calls.len() <= alone + 1, "seed {seed}: {} calls, {alone} alone", calls.len());
            for ((_, interval), rounds) in runners.iter().zip(rounds) {
                let least = seconds(900).as_millis() / interval.as_millis();
                assert!(rounds as u128 >= least, "seed {seed}: {rounds} rounds each {interval:?}");
            }
        }
    }
}
