use super::{
    SeenRenewals, is_replaced,
    rest_name::{divider, runner_of},
};
use actum_persistence::progress::{RunnerRow, StoredProjection};
use std::{sync::Arc, time::Duration};

/// What a process decides that asks the runners of a projection to rest.
#[derive(Debug)]
pub struct RestMachine {
    name: Arc<str>,
    lease: Duration,
    seen: SeenRenewals,
}

impl RestMachine {
    /// One that asks under this [name](super::division_name), and has `seen` these renewals.
    #[must_use]
    pub fn new(name: Arc<str>, lease: Duration, seen: SeenRenewals) -> Self {
        Self { name, lease, seen }
    }

    /// Under which name it asks.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Takes in the runners that are there now.
    pub fn see(&mut self, runners: &[RunnerRow], now: Duration) {
        self.seen.see(runners, now);
    }

    /// The renewals that it has seen.
    #[must_use]
    pub fn into_seen(self) -> SeenRenewals {
        self.seen
    }

    /// Whether no one else who lives has a segment, by what was read.
    #[must_use]
    pub fn is_at_rest(&self, stored: &StoredProjection, now: Duration) -> bool {
        let owners = stored.segments.iter().filter_map(|segment| segment.owner.as_ref());
        !owners.filter(|owner| **owner != self.name).any(|owner| self.lives(owner, now))
    }

    /// The runner that divides the projection, and goes on with that where this one does not. One that comes later, and has
    /// asked no one, gives way; of two that come at the same time each sees the other, and the one whose name comes first goes on.
    #[must_use]
    pub fn gives_way_to<'a>(
        &self,
        runners: &'a [RunnerRow],
        has_asked: bool,
        now: Duration,
    ) -> Option<&'a str> {
        let others = runners.iter().filter(|row| row.name != self.name);
        let mut ahead = others.filter(|row| !has_asked || row.name < self.name);
        ahead.find_map(|row| {
            let runner = divider(&row.name)?;
            let goes_on = self.lives(&row.name, now) && !is_replaced(runner, runner_of(&self.name));
            goes_on.then_some(runner)
        })
    }

    /// Whether a runner has renewed within a lease, by those that were seen.
    fn lives(&self, runner: &str, now: Duration) -> bool {
        self.seen.unchanged(runner, now).is_some_and(|unchanged| unchanged < self.lease)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{division_name, switch_name},
        *,
    };
    use actum_model::{LaneCount, Offset, PartitionCount};
    use actum_persistence::{
        progress::{NewProjection, ProjectionId, Segment},
        store::JournalLayout,
    };
    use std::num::{NonZeroU16, NonZeroU32};

    const LEASE: Duration = Duration::from_secs(9);

    /// To whom one of runner `me` gives way, which has seen these rows just now.
    fn gives_way(me: &str, others: &[Arc<str>], has_asked: bool, after: Duration) -> bool {
        let mut machine = RestMachine::new(division_name(me), LEASE, SeenRenewals::default());
        let names = others.iter().cloned().chain([division_name(me)]);
        let rows: Vec<_> = names.map(|name| RunnerRow::new(name, 1)).collect();
        machine.see(&rows, Duration::ZERO);
        machine.gives_way_to(&rows, has_asked, after).is_some()
    }

    #[test]
    fn one_that_comes_later_gives_way_and_of_two_the_one_whose_name_comes_first_goes_on() {
        for (other, later, at_once) in [("a@1", true, true), ("c@1", true, false)] {
            let others = [division_name(other)];
            assert_eq!(gives_way("b@1", &others, false, Duration::ZERO), later, "{other}");
            assert_eq!(gives_way("b@1", &others, true, Duration::ZERO), at_once, "{other}");
        }
    }

    #[test]
    fn no_one_gives_way_to_one_that_died_or_is_an_earlier_life_or_divides_nothing() {
        let divides = [division_name("a@1")];
        assert!(gives_way("b@1", &divides, false, LEASE - Duration::from_millis(1)));
        assert!(!gives_way("b@1", &divides, false, LEASE));
        assert!(!gives_way("a@2", &divides, false, Duration::ZERO));
        let others = [switch_name("a@1"), "a@1".into()];
        assert!(!gives_way("b@1", &others, false, Duration::ZERO));
    }

    #[test]
    fn it_is_at_rest_when_only_the_one_that_asks_and_those_who_died_have_segments() {
        let new = NewProjection {
            id: ProjectionId::new("balances", NonZeroU32::MIN).unwrap(),
            sources: Vec::new(),
            layout: JournalLayout::default(),
            segments: Segment::divide(PartitionCount::default(), NonZeroU16::MIN),
            start: Offset::beginning(LaneCount::default()),
            live_from: Offset::beginning(LaneCount::default()),
        };
        let mut stored = StoredProjection::new(new, true);
        let mut machine = RestMachine::new(division_name("a@1"), LEASE, SeenRenewals::default());
        assert!(machine.is_at_rest(&stored, Duration::ZERO));
        stored.runners.push(RunnerRow::new("b@1", 1));
        stored.segments[0].owner = Some("b@1".into());
        machine.see(&stored.runners, Duration::ZERO);
        assert!(!machine.is_at_rest(&stored, Duration::ZERO));
        assert!(machine.is_at_rest(&stored, LEASE));
        stored.segments[0].owner = Some(division_name("a@1"));
        assert!(machine.is_at_rest(&stored, Duration::ZERO));
    }
}
