//! A cluster as the assignment sees it, and what is counted in one.

use actum_model::{Lane, LaneCount, Partition, PartitionCount};
use actum_persistence::store::{Incarnation, JournalLayout};
use actum_placement::assignment::{AppVersion, Assignment, Candidate};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    num::NonZeroU32,
};

pub(crate) const V1: AppVersion = AppVersion::new(1, 0, 0);
pub(crate) const V2: AppVersion = AppVersion::new(1, 1, 0);

#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) layout: JournalLayout,
    pub(crate) members: Vec<Candidate>,
    pub(crate) owners: Vec<Option<Incarnation>>,
}

impl Cluster {
    /// One of members `1..=count`, each with its share.
    pub(crate) fn new(layout: JournalLayout, count: u64) -> Self {
        let members = (1..=count).map(|nr| Candidate::new(Incarnation::new(nr), V1)).collect();
        let owners = vec![None; usize::from(layout.partitions.get())];
        let mut cluster = Self { layout, members, owners };
        cluster.settle();
        cluster
    }

    pub(crate) fn assign(&self) -> Assignment {
        Assignment::new(self.layout, &self.members, &self.owners)
    }

    /// Makes all moves. Returns the partitions that have moved.
    pub(crate) fn settle(&mut self) -> Vec<Partition> {
        let assignment = self.assign();
        let moves = self.moves(&assignment);
        self.owners = assignment.targets().to_vec();
        moves
    }

    /// The partitions whose owner changes.
    pub(crate) fn moves(&self, assignment: &Assignment) -> Vec<Partition> {
        let partitions = self.layout.partitions.iter();
        partitions.filter(|p| assignment.target(*p) != self.owners[p.index()]).collect()
    }

    pub(crate) fn member(&self, nr: u64) -> Option<&Candidate> {
        self.members.iter().find(|member| member.incarnation.get() == nr)
    }

    pub(crate) fn member_mut(&mut self, nr: u64) -> &mut Candidate {
        self.members.iter_mut().find(|member| member.incarnation.get() == nr).unwrap()
    }

    pub(crate) fn targets(&self) -> Vec<Candidate> {
        self.members.iter().copied().filter(Candidate::is_target).collect()
    }

    pub(crate) fn is_target(&self, owner: Incarnation) -> bool {
        self.member(owner.get()).is_some_and(Candidate::is_target)
    }

    pub(crate) fn lane(&self, partition: Partition) -> Lane {
        Lane::of_partition(partition, self.layout.lanes)
    }

    /// The share of a target, rounded down and up.
    pub(crate) fn share(&self, member: &Candidate) -> (usize, usize) {
        let total: u64 = self.targets().iter().map(|member| u64::from(member.weight.get())).sum();
        let product = u64::from(self.layout.partitions.get()) * u64::from(member.weight.get());
        let size = |size: u64| usize::try_from(size).unwrap();
        (size(product / total), size(product.div_ceil(total)))
    }

    /// The pairs of a lane and a member that has some of it.
    pub(crate) fn pairs(&self, owners: &[Option<Incarnation>]) -> BTreeSet<(Lane, Incarnation)> {
        let partitions = self.layout.partitions.iter().zip(owners);
        partitions.filter_map(|(p, owner)| Some((self.lane(p), (*owner)?))).collect()
    }
}

/// On few lines, since a case that fails is printed.
impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owners = self.owners.iter().map(|owner| owner.map(Incarnation::get));
        let owners: Vec<_> = owners.collect();
        write!(f, "{:?}\n{:?}\nowners: {owners:?}\n", self.layout, self.members)
    }
}

/// How many partitions a member has.
pub(crate) fn count(owners: &[Option<Incarnation>], member: &Candidate) -> usize {
    owners.iter().filter(|owner| **owner == Some(member.incarnation)).count()
}

pub(crate) fn layout(partitions: u16, lanes: u16) -> JournalLayout {
    JournalLayout {
        partitions: PartitionCount::new(partitions).unwrap(),
        lanes: LaneCount::new(lanes).unwrap(),
    }
}

pub(crate) fn any_layout() -> impl Strategy<Value = JournalLayout> {
    let partitions = proptest::prop_oneof![Just(256), 1u16..300];
    (partitions, 1u16..20).prop_map(|(partitions, lanes)| layout(partitions, lanes))
}

/// Members of these versions, some of them leaving or not eligible, each with its share or in whatever disorder.
pub(crate) fn any_cluster(versions: &'static [AppVersion]) -> impl Strategy<Value = Cluster> {
    let state = proptest::prop_oneof![
        6 => Just((false, true)), 1 => Just((true, true)), 1 => Just((false, false))
    ];
    let member = (state, 1u32..6, proptest::sample::select(versions));
    let members = proptest::collection::btree_map(1u64..50, member, 0..9);
    (any_layout(), members, any::<bool>(), any::<u64>()).prop_flat_map(
        |(layout, members, is_settled, seed)| {
            // owner 50 and above is gone
            let owners = vec(0u64..60, usize::from(layout.partitions.get()));
            owners.prop_map(move |owners| cluster(layout, &members, &owners, is_settled, seed))
        },
    )
}

fn cluster(
    layout: JournalLayout,
    members: &BTreeMap<u64, ((bool, bool), u32, AppVersion)>,
    owners: &[u64],
    is_settled: bool,
    seed: u64,
) -> Cluster {
    let member = |(nr, state, weight, version): (u64, (bool, bool), u32, AppVersion)| Candidate {
        incarnation: Incarnation::new(nr),
        weight: NonZeroU32::new(weight).unwrap(),
        version,
        is_leaving: state.0,
        is_eligible: state.1,
    };
    let incarnations: Vec<_> = members.keys().copied().collect();
    let owners = owners.iter().map(|owner| match owner {
        0..20 => None,
        20..50 if !incarnations.is_empty() => {
            let nr = usize::try_from(*owner).unwrap() % incarnations.len();
            Some(Incarnation::new(incarnations[nr]))
        }
        _ => Some(Incarnation::new(*owner + 50)),
    });
    let members = members
        .iter()
        .map(|(nr, (state, weight, version))| member((*nr, *state, *weight, *version)));
    let mut cluster = Cluster { layout, members: members.collect(), owners: owners.collect() };
    if is_settled {
        let states: Vec<_> =
            cluster.members.iter().map(|m| (m.version, m.is_leaving, m.is_eligible)).collect();
        for member in &mut cluster.members {
            (member.version, member.is_leaving, member.is_eligible) = (V1, false, true);
        }
        cluster.settle();
        for (member, state) in cluster.members.iter_mut().zip(states) {
            (member.version, member.is_leaving, member.is_eligible) = state;
        }
    }
    fastrand::Rng::with_seed(seed).shuffle(&mut cluster.members);
    cluster
}
