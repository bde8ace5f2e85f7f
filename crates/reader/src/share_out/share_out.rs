use super::{
    SeenRenewals,
    incarnation::is_replaced,
    rest_name::{asks_for_rest, runner_of},
    watch_clock::WatchClock,
};
use actum_persistence::progress::{
    Epoch, RunnerRow, SeenOwner, Segment, SegmentClaim, StoredProjection, StoredSegment,
};
use std::{sync::Arc, time::Duration};

/// What one runner knows of the others.
#[derive(Debug)]
pub struct ShareOut {
    me: Arc<str>,
    lease: Duration,
    seen: SeenRenewals,
    watched: WatchClock,
}

/// What a runner does next.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// Segments that it asks for.
    pub claims: Vec<SegmentClaim>,
    /// Segments that it gives back, so that others get their share.
    pub releases: Vec<(Segment, Epoch)>,
    /// Runners whose rows can go.
    pub dead: Vec<RunnerRow>,
    /// Whether another version takes over, or the projection is divided: all segments are to be given back, and none is
    /// claimed.
    pub rests: bool,
}

/// A row that has not changed for so many leases is removed.
const DEAD_AFTER_LEASES: u32 = 10;

impl ShareOut {
    /// The runner `me`: `name@incarnation`. One of the same name and an older incarnation does not live any more.
    pub fn new(me: Arc<str>, lease: Duration) -> Self {
        Self { me, lease, seen: SeenRenewals::default(), watched: WatchClock::new(lease) }
    }

    /// Decides, from what is kept `now` and what it runs.
    pub fn decide(
        &mut self,
        stored: &StoredProjection,
        runs: impl Fn(Segment, Epoch) -> bool,
        now: Duration,
    ) -> Shares {
        let mut shares = Shares::default();
        let mut alive = 1;
        self.watched.look(now);
        self.seen.see(&stored.runners, self.watched.counted());
        for row in &stored.runners {
            if row.name == self.me {
                continue;
            }
            if self.is_silent(&row.name, self.lease * DEAD_AFTER_LEASES) {
                shares.dead.push(row.clone());
            }
            match asks_for_rest(&row.name) {
                true => shares.rests |= self.lives(&row.name),
                false => alive += usize::from(self.lives(&row.name)),
            }
        }
        let runnable = stored.segments.iter().filter(|segment| segment.stopped.is_none());
        let share = runnable.clone().count().div_ceil(alive);
        let mine = |segment: &&StoredSegment| segment.owner.as_ref() == Some(&self.me);
        let held: Vec<_> =
            runnable.clone().filter(mine).filter(|s| runs(s.segment, s.epoch)).collect();
        if held.len() > share {
            let surplus = held[share..].iter();
            shares.releases = surplus.map(|segment| (segment.segment, segment.epoch)).collect();
        }
        if shares.rests {
            let idle = runnable.filter(mine).filter(|s| !runs(s.segment, s.epoch));
            shares.releases.extend(idle.map(|segment| (segment.segment, segment.epoch)));
        } else if !stored.is_paused {
            let room = share.saturating_sub(held.len());
            let claims = runnable.filter_map(|segment| self.claim(stored, segment, &runs));
            let is_mine =
                |claim: &SegmentClaim| claim.replaces.as_ref().is_some_and(|o| o.name == self.me);
            let (mut mine, others): (Vec<_>, Vec<_>) = claims.partition(is_mine);
            // no one else takes those while this one lives
            let surplus = mine.split_off(room.min(mine.len())).into_iter();
            shares.releases.extend(surplus.map(|claim| (claim.segment, claim.epoch)));
            let left = room - mine.len();
            shares.claims = mine.into_iter().chain(others.into_iter().take(left)).collect();
        }
        shares
    }

    /// The claim of a segment, if no one who lives runs it.
    fn claim(
        &self,
        stored: &StoredProjection,
        segment: &StoredSegment,
        runs: impl Fn(Segment, Epoch) -> bool,
    ) -> Option<SegmentClaim> {
        let replaces = match &segment.owner {
            None => None,
            Some(owner) => {
                let row = stored.runners.iter().find(|row| row.name == *owner);
                let is_free = if *owner == self.me {
                    !runs(segment.segment, segment.epoch)
                } else {
                    !self.lives(owner)
                };
                if !is_free {
                    return None;
                }
                Some(SeenOwner { name: Arc::clone(owner), renewal: row.map(|row| row.renewal) })
            }
        };
        Some(SegmentClaim {
            projection: stored.id.clone(),
            segment: segment.segment,
            runner: Arc::clone(&self.me),
            epoch: segment.epoch,
            replaces,
        })
    }

    /// Whether a runner is there, and has renewed within a lease.
    fn lives(&self, name: &str) -> bool {
        !self.is_silent(name, self.lease)
    }

    /// Whether a runner has not renewed for so long, is an earlier life of this one, or is not there.
    fn is_silent(&self, name: &str, time: Duration) -> bool {
        let unchanged = self.seen.unchanged(name, self.watched.counted());
        unchanged.is_none_or(|unchanged| unchanged >= time)
            || is_replaced(runner_of(name), &self.me)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::rest_name::{division_name, switch_name},
        *,
    };
    use actum_model::{LaneCount, Offset, Partition, PartitionCount};
    use actum_persistence::{
        progress::{NewProjection, ProjectionId},
        store::JournalLayout,
    };
    use std::num::{NonZeroU16, NonZeroU32};

    const LEASE: Duration = Duration::from_secs(9);

    /// A model of what is kept, which runners change as their shares say.
    struct Kept {
        stored: StoredProjection,
        now: Duration,
    }

    impl Kept {
        fn new(segments: u16) -> Self {
            let partitions = PartitionCount::new(256).unwrap();
            let new = NewProjection {
                id: ProjectionId::new("balances", NonZeroU32::MIN).unwrap(),
                sources: vec!["account".to_owned()],
                layout: JournalLayout::default(),
                segments: Segment::divide(partitions, NonZeroU16::new(segments).unwrap()),
                start: Offset::beginning(LaneCount::default()),
                live_from: Offset::beginning(LaneCount::default()),
            };
            Self { stored: StoredProjection::new(new, true), now: Duration::ZERO }
        }

        /// One round of a runner.
        fn round(&mut self, runner: &mut ShareOut) -> Shares {
            match self.stored.runners.iter_mut().find(|row| row.name == runner.me) {
                Some(row) => row.renewal += 1,
                None => self.stored.runners.push(RunnerRow::new(Arc::clone(&runner.me), 1)),
            }
            let shares = runner.decide(&self.stored, |_, _| true, self.now);
            for claim in &shares.claims {
                let segment = self.stored.segments.iter_mut().find(|s| s.segment == claim.segment);
                let segment = segment.unwrap();
                assert_eq!(segment.epoch, claim.epoch);
                segment.epoch = Epoch::new(segment.epoch.get() + 1);
                segment.owner = Some(Arc::clone(&runner.me));
            }
            for (segment, epoch) in &shares.releases {
                let segment =
                    self.stored.segments.iter_mut().find(|s| s.segment == *segment).unwrap();
                assert_eq!(segment.epoch, *epoch);
                segment.epoch = Epoch::new(epoch.get() + 1);
                segment.owner = None;
            }
            self.stored.runners.retain(|row| !shares.dead.contains(row));
            shares
        }

        /// Some rounds of all of them, a third of a lease apart.
        fn rounds(&mut self, count: u32, runners: &mut [&mut ShareOut]) {
            for _ in 0..count {
                self.now += LEASE / 3;
                for runner in runners.iter_mut() {
                    self.round(runner);
                }
            }
        }

        fn owned(&self, runner: &ShareOut) -> usize {
            let owners = self.stored.segments.iter().filter_map(|segment| segment.owner.as_ref());
            owners.filter(|owner| **owner == runner.me).count()
        }
    }

    fn runner(name: &str) -> ShareOut {
        ShareOut::new(name.into(), LEASE)
    }

    #[test]
    fn one_who_is_alone_takes_all_at_once() {
        let (mut kept, mut a) = (Kept::new(8), runner("a"));
        kept.round(&mut a);
        assert_eq!(kept.owned(&a), 8);
    }

    #[test]
    fn newcomers_get_their_share_within_a_lease() {
        let mut kept = Kept::new(8);
        let (mut a, mut b, mut c) = (runner("a"), runner("b"), runner("c"));
        kept.rounds(1, &mut [&mut a]);
        kept.rounds(3, &mut [&mut a, &mut b]);
        assert_eq!([kept.owned(&a), kept.owned(&b)], [4, 4]);
        kept.rounds(3, &mut [&mut a, &mut b, &mut c]);
        assert_eq!([kept.owned(&a), kept.owned(&b), kept.owned(&c)], [3, 3, 2]);
        let epochs: Vec<_> = kept.stored.segments.iter().map(|segment| segment.epoch).collect();
        kept.rounds(20, &mut [&mut a, &mut b, &mut c]);
        let later: Vec<_> = kept.stored.segments.iter().map(|segment| segment.epoch).collect();
        assert_eq!(epochs, later, "nothing moves while no one comes or goes");
    }

    #[test]
    fn the_segments_of_one_that_died_are_taken_behind_its_lease_and_not_before() {
        let mut kept = Kept::new(4);
        let (mut a, mut b) = (runner("a"), runner("b"));
        kept.rounds(4, &mut [&mut a, &mut b]);
        assert_eq!([kept.owned(&a), kept.owned(&b)], [2, 2]);
        kept.rounds(2, &mut [&mut b]);
        assert_eq!(kept.owned(&b), 2, "its last renewal was seen less than a lease ago");
        kept.rounds(2, &mut [&mut b]);
        assert_eq!(kept.owned(&b), 4);
        assert_eq!(kept.stored.runners.len(), 2);
        kept.rounds(30, &mut [&mut b]);
        assert_eq!(kept.stored.runners.len(), 1, "its row is removed");
    }

    #[test]
    fn one_that_starts_beside_a_dead_one_waits_a_lease_from_when_it_looked() {
        let mut kept = Kept::new(2);
        let mut a = runner("a");
        kept.rounds(1, &mut [&mut a]);
        kept.now += LEASE * 100;
        let mut b = runner("b");
        kept.rounds(3, &mut [&mut b]);
        assert_eq!(kept.owned(&b), 0, "it may be alive");
        kept.rounds(1, &mut [&mut b]);
        assert_eq!(kept.owned(&b), 2);
    }

    #[test]
    fn no_one_is_taken_for_dead_by_a_look_that_comes_late() {
        let (mut kept, mut a, mut b) = (Kept::new(2), runner("a"), runner("b"));
        kept.rounds(4, &mut [&mut a, &mut b]);
        for _ in 0..20 {
            kept.now += LEASE * 3;
            kept.round(&mut b);
            assert_eq!(kept.owned(&b), 1, "neither could renew meanwhile");
            kept.round(&mut a);
        }
    }

    #[test]
    fn an_older_incarnation_of_the_same_is_replaced_at_once() {
        let mut kept = Kept::new(2);
        let (mut older, mut newer, mut other) =
            (runner("bank@7"), runner("bank@8"), runner("shop@9"));
        kept.rounds(1, &mut [&mut older]);
        kept.rounds(1, &mut [&mut other]);
        assert_eq!(kept.owned(&other), 0);
        kept.rounds(1, &mut [&mut newer]);
        assert_eq!([kept.owned(&older), kept.owned(&newer)], [1, 1], "of two who live");
        kept.rounds(1, &mut [&mut other, &mut newer]);
        assert_eq!(kept.owned(&newer), 1);
    }

    #[test]
    fn what_is_paused_or_stopped_is_not_claimed() {
        let (mut kept, mut a) = (Kept::new(2), runner("a"));
        kept.stored.is_paused = true;
        kept.rounds(3, &mut [&mut a]);
        assert_eq!(kept.owned(&a), 0);
        kept.stored.is_paused = false;
        kept.stored.segments[0].stopped = Some("broken".into());
        kept.rounds(3, &mut [&mut a]);
        assert_eq!(kept.owned(&a), 1);
    }

    #[test]
    fn what_it_owns_and_does_not_run_it_claims_again() {
        let (mut kept, mut a) = (Kept::new(1), runner("a"));
        kept.rounds(1, &mut [&mut a]);
        let shares = a.decide(&kept.stored, |_, _| false, kept.now);
        assert_eq!(shares.claims.len(), 1);
        assert_eq!(
            shares.claims[0].replaces,
            Some(SeenOwner { name: "a".into(), renewal: Some(1) })
        );
    }

    #[test]
    fn what_it_owns_and_does_not_run_it_gives_back_beyond_its_share() {
        let mut kept = Kept::new(2);
        let (mut a, mut b) = (runner("a"), runner("b"));
        kept.rounds(1, &mut [&mut a]);
        kept.round(&mut b);
        let first = kept.stored.segments[0].segment;
        let shares = a.decide(&kept.stored, |segment, _| segment == first, kept.now);
        let second = &kept.stored.segments[1];
        assert_eq!(
            (shares.claims.len(), shares.releases),
            (0, vec![(second.segment, second.epoch)])
        );
    }

    #[test]
    fn while_another_version_takes_over_nothing_is_claimed_and_no_share_is_its() {
        nothing_is_claimed_beside(switch_name("b@1"));
    }

    #[test]
    fn while_it_is_divided_nothing_is_claimed_and_no_share_is_that_of_the_divider() {
        nothing_is_claimed_beside(division_name("b@1"));
    }

    #[test]
    fn the_rest_that_an_earlier_life_has_asked_for_is_over() {
        let (mut kept, mut newer, mut other) = (Kept::new(8), runner("a@2"), runner("b@1"));
        kept.stored.runners.push(RunnerRow::new(division_name("a@1"), 1));
        kept.rounds(1, &mut [&mut other]);
        assert_eq!(kept.owned(&other), 0, "it may be alive");
        kept.rounds(1, &mut [&mut newer]);
        assert_eq!(kept.owned(&newer), 4);
    }

    fn nothing_is_claimed_beside(rests: Arc<str>) {
        let (mut kept, mut a) = (Kept::new(8), runner("a@1"));
        kept.rounds(1, &mut [&mut a]);
        kept.stored.runners.push(RunnerRow::new(rests, 1));
        let shares = kept.round(&mut a);
        assert_eq!((shares.rests, shares.releases.len()), (true, 0), "it has no share");
        kept.stored.segments.iter_mut().for_each(|segment| segment.owner = None);
        kept.rounds(2, &mut [&mut a]);
        assert_eq!(kept.owned(&a), 0);
        kept.rounds(2, &mut [&mut a]);
        assert_eq!(kept.owned(&a), 8, "it has died in the middle");
    }

    #[test]
    fn many_who_come_and_go_at_random_end_with_fair_shares() {
        for seed in 0..200 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut kept = Kept::new(rng.u16(1..40));
            let mut runners: Vec<_> =
                (0..rng.usize(2..7)).map(|nr| runner(&format!("r{nr}"))).collect();
            let mut last: Vec<&mut ShareOut> = Vec::new();
            for _ in 0..10 {
                last = runners.iter_mut().filter(|_| rng.bool()).collect();
                kept.rounds(rng.u32(1..6), &mut last);
            }
            if last.is_empty() {
                continue;
            }
            kept.rounds(8, &mut last);
            let owned: Vec<_> = last.iter().map(|runner| kept.owned(runner)).collect();
            let all = kept.stored.segments.len();
            assert_eq!(owned.iter().sum::<usize>(), all, "seed {seed}: {owned:?}");
            assert!(
                owned.iter().all(|n| *n <= all.div_ceil(owned.len())),
                "seed {seed}: {owned:?} of {all}"
            );
        }
    }

    #[test]
    fn a_range_of_partitions_is_claimed_as_it_is_kept() {
        let (mut kept, mut a) = (Kept::new(2), runner("a"));
        let shares = kept.round(&mut a);
        let first = Segment::new(Partition::new(0), Partition::new(127)).unwrap();
        assert_eq!(shares.claims[0].segment, first);
    }
}
