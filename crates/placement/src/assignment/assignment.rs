use super::{
    Candidate,
    allotment::{AllottedTo, allot},
    filling::Filling,
    lane_partitions::LanePartitions,
    quotas::{fair_shares, quotas},
};
use actum_model::{Lane, Partition};
use actum_persistence::store::{Incarnation, JournalLayout};

/// Which member each partition is to belong to.
///
/// See the [module](super) for what it promises.
///
/// # Examples
/// ```
/// use actum_model::{LaneCount, PartitionCount};
/// use actum_persistence::store::{Incarnation, JournalLayout};
/// use actum_placement::assignment::{AppVersion, Assignment, Candidate};
///
/// let layout = JournalLayout {
///     partitions: PartitionCount::new(4).unwrap(),
///     lanes: LaneCount::new(2).unwrap(),
/// };
/// let [a, b] = [Incarnation::new(1), Incarnation::new(2)];
/// let members = [a, b].map(|nr| Candidate::new(nr, AppVersion::default()));
/// // `a` owns all when `b` joins, which gets one lane
/// let assignment = Assignment::new(layout, &members, &[Some(a); 4]);
/// assert_eq!(assignment.targets(), [Some(a), Some(b), Some(a), Some(b)]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    targets: Box<[Option<Incarnation>]>,
}

impl Assignment {
    /// Assigns all partitions of a journal to these members, in whatever order they come. `owners` has the owner of each
    /// partition, the first of partition 0; where it is too short they have none. An owner that is not among the members is
    /// gone.
    ///
    /// Of several members of one incarnation one counts. There may be fewer than 2^32.
    #[must_use]
    pub fn new(
        layout: JournalLayout,
        members: &[Candidate],
        owners: &[Option<Incarnation>],
    ) -> Self {
        let mut members = members.to_vec();
        members.sort_unstable();
        members.dedup_by_key(|member| member.incarnation);
        let owners = layout.partitions.iter().map(|partition| {
            let owner = owners.get(partition.index()).copied().flatten();
            owner.filter(|owner| find(&members, *owner).is_some())
        });
        let mut targets: Box<[_]> = owners.collect();
        let takers: Vec<_> = members.iter().copied().filter(Candidate::is_target).collect();
        if !takers.is_empty() {
            let eligible = || members.iter().filter(|member| member.is_eligible);
            let is_mixed = eligible().any(|member| member.version != takers[0].version);
            let moved = move_to(layout, &takers, &targets, is_mixed);
            for (partition, nr) in moved {
                targets[partition.index()] = Some(takers[nr].incarnation);
            }
        }
        Self { targets }
    }

    /// The member that a partition is to belong to; none where no one may own it, or the journal has no such partition.
    #[must_use]
    pub fn target(&self, partition: Partition) -> Option<Incarnation> {
        self.targets.get(partition.index()).copied().flatten()
    }

    /// The member of each partition, the first for partition 0.
    #[must_use]
    pub fn targets(&self) -> &[Option<Incarnation>] {
        &self.targets
    }
}

/// Where a member is among these, which are in the order of their incarnations.
fn find(members: &[Candidate], incarnation: Incarnation) -> Option<usize> {
    members.binary_search_by_key(&incarnation, |member| member.incarnation).ok()
}

/// Which partitions change their owner, and to which of these members.
fn move_to(
    layout: JournalLayout,
    takers: &[Candidate],
    owners: &[Option<Incarnation>],
    is_mixed: bool,
) -> Vec<(Partition, usize)> {
    let mut kept = vec![LanePartitions::default(); takers.len()];
    let mut pool = LanePartitions::default();
    for (partition, owner) in layout.partitions.iter().zip(owners) {
        let lane = Lane::of_partition(partition, layout.lanes);
        match owner.and_then(|owner| find(takers, owner)) {
            Some(nr) => kept[nr].push(lane, partition),
            None => pool.push(lane, partition),
        }
    }
    let shares = fair_shares(owners.len(), takers);
    let held: Vec<_> = kept.iter().map(LanePartitions::len).collect();
    let room = if is_mixed {
        let newest = takers.iter().map(|member| member.version).max();
        let members = takers.iter().zip(shares).zip(&held).map(|((member, share), held)| {
            let is_newest = Some(member.version) == newest;
            AllottedTo { weight: member.weight, share, held: *held, is_newest }
        });
        allot(pool.len(), &members.collect::<Vec<_>>())
    } else {
        let quotas = quotas(owners.len(), &shares, &held);
        for (holding, quota) in kept.iter_mut().zip(&quotas) {
            for (lane, partition) in holding.give_up_beyond(*quota) {
                pool.push(lane, partition);
            }
        }
        quotas.iter().zip(&kept).map(|(quota, kept)| quota - kept.len()).collect()
    };
    Filling::distribute(pool, &kept, room)
}
