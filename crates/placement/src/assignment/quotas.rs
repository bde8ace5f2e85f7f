use super::Candidate;
use std::cmp::Reverse;

/// The share of a member: `floor` partitions and a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FairShare {
    /// The share, rounded down.
    pub(super) floor: usize,
    /// The part of a partition beyond it, in parts of the sum of all weights.
    remainder: u64,
}

impl FairShare {
    /// The share, rounded up.
    pub(super) fn ceiling(self) -> usize {
        self.floor + usize::from(self.remainder > 0)
    }
}

/// The shares of these members in so many partitions.
pub(super) fn fair_shares(partitions: usize, members: &[Candidate]) -> Vec<FairShare> {
    let total: u128 = members.iter().map(|member| u128::from(member.weight.get())).sum();
    let share = |member: &Candidate| {
        let product = partitions as u128 * u128::from(member.weight.get());
        let floor = usize::try_from(product / total).expect("a share is no more than all");
        let remainder = u64::try_from(product % total).expect("fewer than 2^32 weights of 32 bits");
        FairShare { floor, remainder }
    };
    members.iter().map(share).collect()
}

/// How many partitions each member is to have, which has `held` now: its share rounded down or up, `partitions` together.
///
/// Each that owns more than its share rounded down, and is given one more, keeps one that would move otherwise. While moves
/// are under way the same members have one more: those of them that own more stay ahead, and no others come to own more.
pub(super) fn quotas(partitions: usize, shares: &[FairShare], held: &[usize]) -> Vec<usize> {
    let mut quotas: Vec<_> = shares.iter().map(|share| share.floor).collect();
    let left_over = partitions - quotas.iter().sum::<usize>();
    let mut order: Vec<_> = (0..shares.len()).filter(|nr| shares[*nr].remainder > 0).collect();
    order.sort_by_key(|nr| (held[*nr] <= shares[*nr].floor, Reverse(shares[*nr].remainder), *nr));
    order[..left_over].iter().for_each(|nr| quotas[*nr] += 1);
    quotas
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assignment::AppVersion;
    use actum_persistence::store::Incarnation;
    use std::num::NonZeroU32;

    fn quotas_of<const N: usize>(
        partitions: usize,
        weights: [u32; N],
        held: [usize; N],
    ) -> Vec<usize> {
        let members = weights.map(|weight| {
            let weight = NonZeroU32::new(weight).unwrap();
            Candidate { weight, ..Candidate::new(Incarnation::new(1), AppVersion::default()) }
        });
        quotas(partitions, &fair_shares(partitions, &members), &held)
    }

    #[test]
    fn shares_that_are_whole_are_the_quotas() {
        assert_eq!(quotas_of(12, [1, 2, 3], [12, 0, 0]), [2, 4, 6]);
        assert_eq!(quotas_of(256, [7; 4], [0; 4]), [64; 4]);
    }

    #[test]
    fn what_is_left_over_goes_to_those_with_the_largest_remainder_and_then_to_the_oldest() {
        assert_eq!(quotas_of(10, [1, 1, 2], [0; 3]), [3, 2, 5]);
        assert_eq!(quotas_of(7, [3, 2, 2], [0; 3]), [3, 2, 2]);
        assert_eq!(quotas_of(8, [2, 2, 3], [0; 3]), [2, 2, 4]);
        assert_eq!(quotas_of(2, [1; 4], [0; 4]), [1, 1, 0, 0]);
    }

    #[test]
    fn what_is_left_over_goes_first_to_those_that_have_it_already() {
        assert_eq!(quotas_of(10, [1, 1, 1], [3, 3, 4]), [3, 3, 4]);
        assert_eq!(quotas_of(10, [1, 1, 1], [3, 7, 0]), [3, 4, 3]);
        assert_eq!(quotas_of(10, [1, 1, 1], [0, 5, 5]), [3, 4, 3]);
    }

    #[test]
    fn the_largest_weights_are_no_trouble() {
        assert_eq!(quotas_of(65_535, [u32::MAX, u32::MAX, 1], [0; 3]), [32_768, 32_767, 0]);
    }
}
