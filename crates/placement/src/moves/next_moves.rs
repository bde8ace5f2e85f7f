use super::{MoveSettings, MovesUnderWay, SeenPlacement};
use actum_model::{Lane, Partition};
use actum_persistence::store::Incarnation;

/// What a member does next. In the order of lanes, and within a lane of partitions, so that a lane is shared for a short
/// time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NextMoves {
    /// Partitions that it begins to hand off.
    pub hand_offs: Vec<HandOff>,
    /// Partitions that it hands off, and that are meant for itself again: it keeps them if they are not released yet.
    pub kept: Vec<Partition>,
    /// Partitions that it claims.
    pub claims: Vec<Partition>,
}

/// A partition on its way to another member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandOff {
    /// Which.
    pub partition: Partition,
    /// Who is to own it.
    pub to: Incarnation,
}

impl NextMoves {
    /// What the member `me` does next, which has seen this and has that under way.
    #[must_use]
    pub fn decide(
        me: Incarnation,
        settings: &MoveSettings,
        seen: SeenPlacement<'_>,
        under_way: &MovesUnderWay,
    ) -> Self {
        let mut next = Self::default();
        let mut unowned = 0;
        let mut partitions: Vec<_> = seen.layout.partitions.iter().collect();
        partitions.sort_by_key(|partition| Lane::of_partition(*partition, seen.layout.lanes));
        for partition in partitions {
            let Some(target) = seen.assignment.target(partition) else { continue };
            let is_handed_off = under_way.handing_off.contains(&partition);
            match seen.owner(partition) {
                None => {
                    unowned += usize::from(!is_handed_off);
                    // what it has released itself is its own again only when it knows that it has
                    let is_busy = is_handed_off || under_way.claiming.contains(&partition);
                    if target == me && !is_busy {
                        next.claims.push(partition);
                    }
                }
                Some(owner) if owner == me => match (target == me, is_handed_off) {
                    (true, true) => next.kept.push(partition),
                    (false, false) => next.hand_offs.push(HandOff { partition, to: target }),
                    (true, false) | (false, true) => {}
                },
                Some(_) => {}
            }
        }
        let waits_for = if seen.may_keep(me) { unowned } else { 0 };
        let under_way_or_first = under_way.handing_off.len() + waits_for;
        next.hand_offs.truncate(settings.hand_offs_max.saturating_sub(under_way_or_first));
        next.claims.truncate(settings.claims_max.saturating_sub(under_way.claiming.len()));
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assignment::{AppVersion, Assignment, Candidate};
    use actum_model::{LaneCount, PartitionCount};
    use actum_persistence::{settings_check::SettingsCheck, store::JournalLayout};

    const A: Incarnation = Incarnation::new(1);
    const B: Incarnation = Incarnation::new(2);

    /// What `A` sees.
    struct Seen {
        layout: JournalLayout,
        members: Vec<Candidate>,
        owners: Vec<Option<Incarnation>>,
        under_way: MovesUnderWay,
        settings: MoveSettings,
    }

    impl Seen {
        /// Of these partitions `A` and `B` are to own the same number.
        fn new(owners: &[Option<Incarnation>]) -> Self {
            let partitions = PartitionCount::new(u16::try_from(owners.len()).unwrap()).unwrap();
            let layout = JournalLayout { partitions, lanes: LaneCount::default() };
            let members = [A, B].map(|nr| Candidate::new(nr, AppVersion::default())).to_vec();
            let (under_way, settings) = (MovesUnderWay::default(), MoveSettings::default());
            Self { layout, members, owners: owners.to_vec(), under_way, settings }
        }

        fn next(&self) -> NextMoves {
            let Self { layout, members, owners, .. } = self;
            let assignment = &Assignment::new(*layout, members, owners);
            let seen = SeenPlacement { layout: *layout, members, owners, assignment };
            NextMoves::decide(A, &self.settings, seen, &self.under_way)
        }

        fn handed_off(&self) -> Vec<u16> {
            let next = self.next();
            assert!(next.hand_offs.iter().all(|hand_off| hand_off.to == B));
            next.hand_offs.iter().map(|hand_off| hand_off.partition.nr()).collect()
        }

        fn claimed(&self) -> Vec<u16> {
            self.next().claims.iter().map(|partition| partition.nr()).collect()
        }
    }

    fn partition(nr: u16) -> Partition {
        Partition::new(nr)
    }

    #[test]
    fn partitions_without_an_owner_are_claimed_all_at_once_by_their_target() {
        assert_eq!(Seen::new(&[None; 400]).claimed(), Vec::from_iter(0..200));
        assert_eq!(Seen::new(&[Some(B), None, Some(B), None]).claimed(), [1, 3]);
    }

    #[test]
    fn no_more_are_claimed_at_a_time_than_the_settings_say() {
        let mut seen = Seen::new(&[None; 8]);
        seen.settings = seen.settings.with_claims_max(3);
        assert_eq!(seen.claimed(), [0, 1, 2]);
        seen.under_way.claiming.extend([0, 1].map(partition));
        assert_eq!(seen.claimed(), [2]);
    }

    #[test]
    fn what_is_under_way_is_not_begun_again() {
        let mut seen = Seen::new(&[None; 4]);
        seen.under_way.claiming.extend([0, 1].map(partition));
        assert_eq!(seen.claimed(), [0; 0]);
        let mut seen = Seen::new(&[Some(A); 4]);
        assert_eq!(seen.handed_off(), [2, 3]);
        seen.under_way.handing_off.insert(partition(2));
        assert_eq!(seen.handed_off(), [3]);
    }

    #[test]
    fn what_another_one_owns_is_not_claimed_before_it_is_released() {
        assert_eq!(Seen::new(&[Some(B); 4]).claimed(), [0; 0]);
        assert_eq!(Seen::new(&[Some(B), None, Some(B), Some(B)]).claimed(), [1]);
    }

    #[test]
    fn what_belongs_to_another_one_is_neither_claimed_nor_handed_off() {
        let mut seen = Seen::new(&[None, None, Some(B), Some(B)]);
        seen.members.remove(0);
        assert_eq!(seen.next(), NextMoves::default());
    }

    #[test]
    fn no_more_are_handed_off_at_a_time_than_the_settings_say() {
        let mut seen = Seen::new(&[Some(A); 100]);
        assert_eq!(seen.handed_off(), Vec::from_iter(50..58));
        seen.under_way.handing_off.extend([50, 51, 52].map(partition));
        assert_eq!(seen.handed_off(), Vec::from_iter(53..58));
    }

    #[test]
    fn what_only_balances_the_load_waits_while_many_have_no_owner() {
        let mut seen = Seen::new(&[Some(A); 100]);
        seen.owners[93..].fill(None);
        assert_eq!(seen.handed_off(), [50], "with the seven there are eight");
        seen.owners[92..].fill(None);
        assert_eq!(seen.handed_off(), [0; 0]);
    }

    #[test]
    fn what_it_has_released_and_not_yet_heard_of_counts_once() {
        let mut seen = Seen::new(&[Some(A); 100]);
        seen.owners[50..54].fill(None);
        seen.under_way.handing_off.extend((50..54).map(partition));
        assert_eq!(seen.handed_off(), Vec::from_iter(54..58));
    }

    #[test]
    fn a_member_that_leaves_or_is_not_eligible_waits_for_nothing_else() {
        for is_leaving in [true, false] {
            let mut seen = Seen::new(&[Some(A); 100]);
            seen.owners[50..].fill(None);
            (seen.members[0].is_leaving, seen.members[0].is_eligible) = (is_leaving, is_leaving);
            assert_eq!(seen.handed_off(), Vec::from_iter(0..8));
            assert_eq!(seen.claimed(), [0; 0]);
        }
    }

    #[test]
    fn a_member_that_leaves_without_a_successor_hands_off_nothing() {
        let mut seen = Seen::new(&[Some(A); 4]);
        seen.members.truncate(1);
        seen.members[0].is_leaving = true;
        assert_eq!(seen.next(), NextMoves::default());
    }

    #[test]
    fn a_hand_off_whose_target_has_gone_is_undone_while_it_is_not_released() {
        let mut seen = Seen::new(&[Some(A), Some(A), None, None]);
        seen.members.truncate(1);
        seen.under_way.handing_off.extend([1, 2].map(partition));
        let next = seen.next();
        assert_eq!(next.kept, [partition(1)]);
        assert_eq!(next.claims, [partition(3)], "2 is claimed when it is known to be released");
    }

    #[test]
    fn lanes_move_one_after_the_other() {
        let mut seen = Seen::new(&[None; 6]);
        seen.layout.lanes = LaneCount::new(3).unwrap();
        seen.members.truncate(1);
        assert_eq!(seen.claimed(), [0, 3, 1, 4, 2, 5]);
    }

    #[test]
    fn settings_have_bounds() {
        let problems = |settings: MoveSettings| {
            let mut check = SettingsCheck::new();
            settings.check(&mut check);
            check.into_problems()
        };
        let settings = MoveSettings::default();
        assert_eq!(problems(settings), [""; 0]);
        assert_eq!(
            problems(settings.with_hand_offs_max(0).with_claims_max(10_001)),
            [
                "`moves.hand_offs_max` is 0, it must be at least 1",
                "`moves.claims_max` is 10,001, it must be 1 to 10,000",
            ]
        );
    }
}
