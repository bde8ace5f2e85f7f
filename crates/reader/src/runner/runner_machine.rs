use super::{Round, RoundWindow, RunnerLease};
use crate::{
    segment::{Backoff, SegmentEnd},
    share_out::{ShareOut, Shares},
};
use actum_persistence::progress::{Epoch, RunnerRow, Segment, StoredProjection};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// What one process knows of the projection it runs, and decides from what is kept of it.
#[derive(Debug)]
pub struct RunnerMachine {
    lease: RunnerLease,
    share_out: ShareOut,
    running: BTreeMap<Segment, Epoch>,
    /// Until when a segment that has ended is not claimed again.
    resting: BTreeMap<Segment, Duration>,
    dead: Vec<RunnerRow>,
    /// How many rounds have failed in a row.
    failures: u32,
}

/// After a task that has failed or lost its segment.
const REST: Duration = Duration::from_millis(500);

impl RunnerMachine {
    /// The runner `me`: `name@incarnation`. It runs nothing yet.
    #[must_use]
    pub fn new(me: Arc<str>, lease: Duration, now: Duration) -> Self {
        Self {
            lease: RunnerLease::new(lease, now),
            share_out: ShareOut::new(me, lease),
            running: BTreeMap::new(),
            resting: BTreeMap::new(),
            dead: Vec::new(),
            failures: 0,
        }
    }

    /// How often there is a round, at least.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.lease.length() / 3
    }

    /// The rows of runners that can go with the next renewal.
    #[must_use]
    pub fn dead(&self) -> &[RunnerRow] {
        &self.dead
    }

    /// A renewal that was begun then has succeeded, and those that can go have gone.
    pub fn renewed(&mut self, begun: Duration) {
        self.lease.renewed(begun);
        self.dead.clear();
    }

    /// A handler of this process has had the place of progress for itself, see [`RunnerLease::held`].
    pub fn held(&mut self, since: Duration, until: Duration) {
        self.lease.held(since, until);
    }

    /// Until when others leave its segments to it.
    #[must_use]
    pub fn lease(&self) -> RunnerLease {
        self.lease
    }

    /// When others may take over, if no renewal succeeds.
    #[must_use]
    pub fn lapses_at(&self) -> Duration {
        self.lease.lapses_at()
    }

    /// Whether others may have taken over, so that nothing may run here.
    #[must_use]
    pub fn has_lapsed(&self, now: Duration) -> bool {
        self.lease.has_lapsed(now)
    }

    /// Until when a round may take that begins now: it ends before others may take over.
    #[must_use]
    pub fn round_until(&self, now: Duration) -> Duration {
        if self.has_lapsed(now) { now + self.lease.length() } else { self.lapses_at() }
    }

    /// Decides, from what is kept `now`.
    pub fn round(&mut self, stored: &StoredProjection, now: Duration) -> Round {
        let (running, resting) = (&self.running, &self.resting);
        let runs = |segment: Segment, epoch: Epoch| {
            running.get(&segment) == Some(&epoch)
                || resting.get(&segment).is_some_and(|until| *until > now)
        };
        let Shares { claims, releases, dead, rests } = self.share_out.decide(stored, runs, now);
        self.dead = dead;
        let is_kept = |segment: &Segment, epoch: &Epoch| {
            stored.segments.iter().any(|kept| kept.segment == *segment && kept.epoch == *epoch)
        };
        let lost = self.running.iter().filter(|(segment, epoch)| !is_kept(segment, epoch));
        let mut round = Round {
            lost: lost.map(|(segment, _)| *segment).collect(),
            claims: claims.into_iter().filter(|claim| !self.runs_part_of(claim.segment)).collect(),
            rests,
            ..Round::default()
        };
        for (segment, epoch) in releases {
            match self.runs(segment) {
                true => round.ended.push(segment),
                false => round.released.push((segment, epoch)),
            }
        }
        let all = self.running.keys().copied();
        if stored.is_paused || rests {
            round.ended = all.collect();
        } else if stored.requested > 0 || stored.letters_requested > 0 {
            round.requested = all.collect();
        }
        round
    }

    /// A round has succeeded.
    pub fn round_done(&mut self) {
        self.failures = 0;
    }

    /// A round has failed; says how long it waits for the next one. `chance` is 0 to 1.
    pub fn round_failed(&mut self, now: Duration, chance: f64) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let until_lapsed = self.lapses_at().saturating_sub(now);
        let wait_max = if until_lapsed.is_zero() { self.interval() } else { until_lapsed };
        Backoff::AWAY.after(self.failures, chance).min(wait_max)
    }

    /// When the next round is, which has to be after `wait`. Behind one that has failed it is alone: what fails it, such as
    /// damage or a store that was closed, fails no round of another projection again.
    #[must_use]
    pub fn window(&self, wait: Duration) -> RoundWindow {
        match self.failures {
            0 => RoundWindow::after(wait),
            _ => RoundWindow::alone_after(wait),
        }
    }

    /// A segment runs here that was claimed.
    pub fn begun(&mut self, segment: Segment, epoch: Epoch) {
        self.running.insert(segment, epoch);
    }

    /// A segment does not run here any more.
    pub fn ended(&mut self, segment: Segment, end: &SegmentEnd, now: Duration) {
        self.running.remove(&segment);
        if *end == SegmentEnd::Lost {
            self.resting.insert(segment, now + REST);
            self.resting.retain(|_, until| *until > now);
        }
    }

    /// When the first segment has rested that may not be claimed at the moment.
    #[must_use]
    pub fn rested_at(&self, now: Duration) -> Option<Duration> {
        self.resting.values().filter(|until| **until > now).min().copied()
    }

    /// Whether a segment runs here, in whatever epoch.
    #[must_use]
    pub fn runs(&self, segment: Segment) -> bool {
        self.running.contains_key(&segment)
    }

    /// Whether a segment runs here that has a partition of this one: it was divided since, and its task has not ended.
    fn runs_part_of(&self, segment: Segment) -> bool {
        self.running.keys().any(|running| running.in_common_with(segment).is_some())
    }

    /// Whether anything runs here.
    #[must_use]
    pub fn runs_any(&self) -> bool {
        !self.running.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_model::{LaneCount, Offset, PartitionCount};
    use actum_persistence::{
        progress::{NewProjection, ProjectionId, StoredSegment},
        store::JournalLayout,
    };
    use std::num::{NonZeroU16, NonZeroU32};

    const LEASE: Duration = Duration::from_secs(9);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// What is kept of a projection with one segment, and a runner that has claimed it.
    fn claimed() -> (StoredProjection, RunnerMachine, Segment) {
        let new = NewProjection {
            id: ProjectionId::new("balances", NonZeroU32::MIN).unwrap(),
            sources: Vec::new(),
            layout: JournalLayout::default(),
            segments: Segment::divide(PartitionCount::default(), NonZeroU16::MIN),
            start: Offset::beginning(LaneCount::default()),
            live_from: Offset::beginning(LaneCount::default()),
        };
        let mut stored = StoredProjection::new(new, true);
        stored.runners.push(RunnerRow::new("a@1", 1));
        let mut machine = RunnerMachine::new("a@1".into(), LEASE, Duration::ZERO);
        let segment = stored.segments[0].segment;
        assert_eq!(machine.round(&stored, Duration::ZERO).claims.len(), 1);
        let kept = &mut stored.segments[0];
        (kept.epoch, kept.owner) = (kept.epoch.next(), Some("a@1".into()));
        machine.begun(segment, kept.epoch);
        assert_eq!(machine.round(&stored, Duration::ZERO), Round::default());
        (stored, machine, segment)
    }

    #[test]
    fn a_segment_of_another_epoch_or_that_is_not_there_any_more_is_lost() {
        let (mut stored, mut machine, segment) = claimed();
        stored.segments[0].epoch = Epoch::new(7);
        assert_eq!(machine.round(&stored, seconds(1)).lost, [segment]);
        stored.segments.clear();
        assert_eq!(machine.round(&stored, seconds(1)).lost, [segment]);
    }

    #[test]
    fn a_segment_that_was_lost_is_claimed_again_behind_its_rest() {
        let (stored, mut machine, segment) = claimed();
        machine.ended(segment, &SegmentEnd::Lost, seconds(1));
        assert_eq!(machine.rested_at(seconds(1)), Some(seconds(1) + REST));
        assert_eq!(machine.round(&stored, seconds(1)).claims, []);
        assert_eq!(machine.round(&stored, seconds(2)).claims.len(), 1);
    }

    #[test]
    fn a_segment_whose_task_has_not_ended_is_not_claimed() {
        let (mut stored, mut machine, segment) = claimed();
        stored.segments[0].epoch = Epoch::new(7);
        let round = machine.round(&stored, seconds(1));
        assert_eq!((round.claims, round.lost), (Vec::new(), vec![segment]));
    }

    #[test]
    fn no_part_is_claimed_of_a_segment_whose_task_has_not_ended() {
        let (mut stored, mut machine, segment) = claimed();
        let epoch = stored.segments[0].epoch.next();
        let halves = Segment::divide(PartitionCount::default(), NonZeroU16::new(2).unwrap());
        let half = |half: &Segment| {
            let progress = stored.segments[0].progress.clone();
            let mut half = StoredSegment::new(*half, progress);
            half.epoch = epoch;
            half
        };
        stored.segments = halves.iter().map(half).collect();
        let round = machine.round(&stored, seconds(1));
        assert_eq!((round.claims, round.lost), (Vec::new(), vec![segment]));
        machine.ended(segment, &SegmentEnd::Lost, seconds(1));
        let claims = machine.round(&stored, seconds(1)).claims;
        assert_eq!(claims.iter().map(|claim| claim.segment).collect::<Vec<_>>(), halves);
    }

    #[test]
    fn all_end_that_run_while_the_projection_is_paused() {
        let (mut stored, mut machine, segment) = claimed();
        (stored.is_paused, stored.requested) = (true, 1);
        let round = machine.round(&stored, seconds(1));
        assert_eq!((round.ended, round.requested), (vec![segment], Vec::new()));
        stored.is_paused = false;
        let round = machine.round(&stored, seconds(1));
        assert_eq!((round.ended, round.requested), (Vec::new(), vec![segment]));
    }

    #[test]
    fn a_lease_lapses_when_no_renewal_that_was_begun_within_it_has_succeeded() {
        let (_, mut machine, _) = claimed();
        machine.renewed(seconds(3));
        assert!(!machine.has_lapsed(seconds(11)) && machine.has_lapsed(seconds(12)));
        assert_eq!(machine.round_until(seconds(5)), seconds(12));
        assert_eq!(machine.round_until(seconds(20)), seconds(29));
    }

    #[test]
    fn it_tries_again_before_its_lease_lapses_and_each_third_of_one_behind_that() {
        let (_, mut machine, _) = claimed();
        machine.renewed(seconds(3));
        for _ in 0..9 {
            machine.round_failed(seconds(3), 0.0);
        }
        assert_eq!(machine.round_failed(seconds(8), 0.0), seconds(4));
        assert_eq!(machine.round_failed(seconds(12), 0.0), seconds(3));
        machine.round_done();
        assert_eq!(machine.round_failed(seconds(12), 0.0), Duration::from_millis(100));
    }

    #[test]
    fn a_round_behind_one_that_has_failed_is_alone() {
        let (_, mut machine, _) = claimed();
        assert_eq!(machine.window(seconds(2)), RoundWindow::after(seconds(2)));
        machine.round_failed(seconds(1), 0.0);
        assert_eq!(machine.window(seconds(2)), RoundWindow::alone_after(seconds(2)));
        machine.round_done();
        assert_eq!(machine.window(seconds(2)), RoundWindow::after(seconds(2)));
    }
}
