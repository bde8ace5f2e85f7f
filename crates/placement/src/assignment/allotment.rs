use super::quotas::FairShare;
use std::num::NonZeroU32;

/// A member while versions are mixed.
#[derive(Clone, Copy, Debug)]
pub(super) struct AllottedTo {
    pub(super) weight: NonZeroU32,
    pub(super) share: FairShare,
    /// How many partitions it has, and keeps.
    pub(super) held: usize,
    /// Whether it runs the newest version.
    pub(super) is_newest: bool,
}

/// How many of so many partitions each member gets while versions are mixed, the oldest first.
///
/// Up to its share rounded down each gets what is there, those of the newest version first. What is left over goes to the
/// youngest, one each where the share is not whole: to the node that was updated last, or rolled back, which has nothing
/// yet. If all of the newest version got that before it, some partition would move again with each node that is rolled
/// back.
///
/// There is room for all: the room of those below their share is what those above it have too much, and what no one has.
/// When some of these partitions have been claimed the others are allotted as before: who has got one is the less empty by
/// it.
pub(super) fn allot(partitions: usize, members: &[AllottedTo]) -> Vec<usize> {
    let mut allotted = vec![0; members.len()];
    let mut left = partitions;
    for of_newest in [true, false] {
        while left > 0
            && let Some(nr) = emptiest(of_newest, members, &allotted)
        {
            allotted[nr] += 1;
            left -= 1;
        }
    }
    for (member, allotted) in members.iter().zip(&mut allotted).rev() {
        let room = member.share.ceiling().saturating_sub(member.held + *allotted);
        *allotted += room.min(left);
        left -= room.min(left);
    }
    allotted
}

/// Which of the newest version, or of the others, would have least for its weight if it got one more within its share
/// rounded down; the oldest of several.
fn emptiest(of_newest: bool, members: &[AllottedTo], allotted: &[usize]) -> Option<usize> {
    let has = |nr: usize| members[nr].held + allotted[nr];
    let may_get =
        |nr: &usize| members[*nr].is_newest == of_newest && has(*nr) < members[*nr].share.floor;
    (0..members.len()).filter(may_get).min_by(|a, b| {
        let fill = |nr: usize, other: usize| {
            (has(nr) + 1) as u128 * u128::from(members[other].weight.get())
        };
        fill(*a, *b).cmp(&fill(*b, *a))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assignment::{AppVersion, Candidate, quotas::fair_shares};
    use actum_persistence::store::Incarnation;

    /// Members with a weight, what they hold, and whether they are of the newest version; how many each gets of what is
    /// left.
    fn allotted<const N: usize>(partitions: usize, members: [(u32, usize, bool); N]) -> Vec<usize> {
        let candidates = members.map(|(weight, ..)| Candidate {
            weight: NonZeroU32::new(weight).unwrap(),
            ..Candidate::new(Incarnation::new(1), AppVersion::default())
        });
        let shares = fair_shares(partitions, &candidates);
        let all: Vec<_> = (members.into_iter().zip(candidates).zip(shares))
            .map(|(((_, held, is_newest), member), share)| AllottedTo {
                weight: member.weight,
                share,
                held,
                is_newest,
            })
            .collect();
        let held: usize = members.iter().map(|(_, held, _)| held).sum();
        allot(partitions - held, &all)
    }

    #[test]
    fn the_newest_are_filled_up_to_their_share_and_then_the_others() {
        assert_eq!(allotted(12, [(1, 4, false), (1, 4, false), (1, 0, true)]), [0, 0, 4]);
        assert_eq!(allotted(12, [(1, 2, false), (1, 3, false), (1, 0, true)]), [2, 1, 4]);
        assert_eq!(allotted(12, [(1, 8, false), (1, 2, false), (1, 0, true)]), [0, 0, 2]);
    }

    #[test]
    fn the_emptiest_for_its_weight_is_filled_first() {
        assert_eq!(allotted(12, [(1, 0, true), (2, 2, true), (1, 5, false)]), [2, 3, 0]);
    }

    #[test]
    fn what_is_left_over_goes_to_the_youngest_whatever_its_version() {
        assert_eq!(allotted(10, [(1, 3, true), (1, 3, true), (1, 0, false)]), [0, 0, 4]);
        assert_eq!(allotted(11, [(1, 3, false), (1, 0, true), (1, 3, false)]), [0, 4, 1]);
    }

    #[test]
    fn those_that_have_more_than_their_share_keep_it_and_get_nothing() {
        assert_eq!(allotted(9, [(1, 5, true), (1, 3, false), (1, 0, false)]), [0, 0, 1]);
    }
}
