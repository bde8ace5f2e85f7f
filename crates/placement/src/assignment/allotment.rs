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

/// How many of so many partitions each member gets while versions are mixed.
///
/// Those below their share come first, and among them those of the newest version; the rest goes to those at their share
/// rounded down. The other way round the members of the newest version would each take one more, whenever a node leaves:
/// where an update is rolled back that partition moves again and again. No one gets more than its share rounded up. There
/// is room for all: the room of those below it is what those above it have too much, and what no one has.
pub(super) fn allot(partitions: usize, members: &[AllottedTo]) -> Vec<usize> {
    let mut allotted = vec![0; members.len()];
    let mut left = partitions;
    for (is_below, is_newest) in [(true, true), (true, false), (false, true), (false, false)] {
        let of_turn = |member: &AllottedTo| {
            (member.held < member.share.floor) == is_below && member.is_newest == is_newest
        };
        let turn: Vec<_> = (0..members.len()).filter(|nr| of_turn(&members[*nr])).collect();
        while left > 0 {
            let Some(nr) = emptiest(&turn, members, &allotted) else { break };
            allotted[nr] += 1;
            left -= 1;
        }
    }
    allotted
}

/// Which of these would have least for its weight if it got one more, and has room; the oldest of several.
fn emptiest(turn: &[usize], members: &[AllottedTo], allotted: &[usize]) -> Option<usize> {
    let has = |nr: usize| members[nr].held + allotted[nr];
    let with_room = turn.iter().copied().filter(|nr| has(*nr) < members[*nr].share.ceiling());
    with_room.min_by(|a, b| {
        let fill = |nr: usize, other: usize| {
            (has(nr) + 1) as u128 * u128::from(members[other].weight.get())
        };
        fill(*a, *b).cmp(&fill(*b, *a))
    })
}
