//! The bounds of the assignment, over random clusters. A failing case is printed in full, and kept beside these tests.

use crate::cluster::{Cluster, V1, V2, any_cluster, any_layout, count};
use actum_model::Lane;
use actum_persistence::store::Incarnation;
use actum_placement::assignment::{AppVersion, Assignment, Candidate};
use proptest::{
    prelude::{any, proptest},
    prop_assert, prop_assert_eq, prop_assume,
};
use std::collections::BTreeSet;

/// How many of the partitions that a target has may stay with it: no assignment within the bound keeps more.
fn kept_at_most(cluster: &Cluster) -> usize {
    let (mut kept, mut over, mut floors) = (0, 0, 0);
    for member in cluster.targets() {
        let (floor, ceiling) = cluster.share(&member);
        let held = count(&cluster.owners, &member);
        floors += floor;
        kept += held.min(floor);
        over += usize::from(held > floor && ceiling > floor);
    }
    kept + over.min(cluster.owners.len() - floors)
}

/// That what moved made few new pairs of a lane and a member.
fn new_pairs_are_few(cluster: &Cluster, assignment: &Assignment) -> bool {
    let moves = cluster.moves(assignment);
    let lanes: BTreeSet<Lane> = moves.iter().map(|p| cluster.lane(*p)).collect();
    let receivers: BTreeSet<_> = moves.iter().filter_map(|p| assignment.target(*p)).collect();
    let (before, after) = (cluster.pairs(&cluster.owners), cluster.pairs(assignment.targets()));
    let new = after.difference(&before).count();
    new <= (lanes.len() + receivers.len()).saturating_sub(1)
}

proptest! {
    #[test]
    fn every_node_computes_the_same_whatever_the_order_of_the_members(
        cluster in any_cluster(&[V1, V2]), seed in any::<u64>(),
    ) {
        let mut other = cluster.clone();
        fastrand::Rng::with_seed(seed).shuffle(&mut other.members);
        other.members.extend(other.members.clone());
        prop_assert_eq!(cluster.assign(), other.assign());
    }

    #[test]
    fn every_target_gets_its_share_rounded_down_or_up(cluster in any_cluster(&[V1])) {
        let assignment = cluster.assign();
        for member in cluster.targets() {
            let (floor, ceiling) = cluster.share(&member);
            let owned = count(assignment.targets(), &member);
            prop_assert!((floor..=ceiling).contains(&owned), "{owned}, not {floor} or {ceiling}");
        }
        let has_target = |owner: &Option<Incarnation>| owner.is_some_and(|o| cluster.is_target(o));
        prop_assert!(cluster.targets().is_empty() || assignment.targets().iter().all(has_target));
    }

    #[test]
    fn no_assignment_within_the_bound_moves_fewer_partitions(cluster in any_cluster(&[V1])) {
        if !cluster.targets().is_empty() {
            let moves = cluster.moves(&cluster.assign()).len();
            prop_assert_eq!(moves, cluster.owners.len() - kept_at_most(&cluster));
        }
    }

    #[test]
    fn a_partition_moves_only_if_its_owner_may_not_keep_it_or_has_more_than_its_quota(
        cluster in any_cluster(&[V1, V2]),
    ) {
        let assignment = cluster.assign();
        for partition in cluster.moves(&assignment) {
            let Some(owner) = cluster.owners[partition.index()] else { continue };
            let Some(member) = cluster.member(owner.get()).filter(|m| m.is_target()) else { continue };
            let quota = count(assignment.targets(), member);
            prop_assert!(count(&cluster.owners, member) > quota, "{partition} of {member:?}");
        }
    }

    #[test]
    fn a_plan_that_is_carried_out_is_followed_by_no_other(cluster in any_cluster(&[V1, V2])) {
        let mut cluster = cluster;
        cluster.settle();
        let moves = cluster.settle();
        prop_assert_eq!(moves, []);
    }

    #[test]
    fn a_member_that_joins_moves_at_most_its_share_and_one_partition_a_node(
        layout in any_layout(), count in 1u64..9, weights in any::<u64>(),
    ) {
        let mut cluster = weighted(Cluster::new(layout, count), weights);
        cluster.settle();
        let newcomer = Candidate::new(Incarnation::new(100), V1);
        cluster.members.push(newcomer);
        let (_, share) = cluster.share(&newcomer);
        let moves = cluster.settle();
        let others = cluster.members.len() - 1;
        prop_assert!(moves.len() <= share + others, "{} of {share}", moves.len());
    }

    #[test]
    fn a_member_that_leaves_moves_what_it_had_and_at_most_one_partition_a_node(
        layout in any_layout(), nodes in 2u64..9, weights in any::<u64>(),
    ) {
        let mut cluster = weighted(Cluster::new(layout, nodes), weights);
        cluster.settle();
        cluster.member_mut(1).is_leaving = true;
        let had = count(&cluster.owners, cluster.member(1).unwrap());
        let moves = cluster.settle();
        let others = cluster.members.len() - 1;
        prop_assert!(moves.len() <= had + others, "{} of {had}", moves.len());
    }

    #[test]
    fn what_moves_makes_at_most_as_many_new_pairs_as_its_lanes_and_receivers_less_one(
        cluster in any_cluster(&[V1, V2]),
    ) {
        prop_assert!(new_pairs_are_few(&cluster, &cluster.assign()));
    }

    #[test]
    fn moves_that_are_made_one_by_one_are_as_many_and_none_is_made_twice(
        cluster in any_cluster(&[V1, V2]), seed in any::<u64>(),
    ) {
        prop_assume!(!cluster.targets().is_empty());
        let assignment = cluster.assign();
        let planned = cluster.moves(&cluster.assign());
        let gives_up = |cluster: &Cluster, assignment: &Assignment| {
            let moves = cluster.moves(assignment);
            let owned = moves.iter().filter(|p| cluster.owners[p.index()].is_some());
            owned.copied().collect::<BTreeSet<_>>()
        };
        let mut given_up = gives_up(&cluster, &cluster.assign());
        let mut cluster = cluster;
        let mut claimed = BTreeSet::new();
        let mut rng = fastrand::Rng::with_seed(seed);
        loop {
            let assignment = cluster.assign();
            prop_assert_eq!(&gives_up(&cluster, &assignment), &given_up);
            let Some(partition) = rng.choice(cluster.moves(&assignment)) else { break };
            let owner = &mut cluster.owners[partition.index()];
            if owner.is_some() {
                *owner = None;
                given_up.remove(&partition);
            } else {
                *owner = assignment.target(partition);
                prop_assert!(claimed.insert(partition), "{} moves twice", partition);
            }
        }
        prop_assert_eq!(claimed.len(), planned.len());
        for member in cluster.targets() {
            let counts = [assignment.targets(), &cluster.owners].map(|all| count(all, &member));
            prop_assert_eq!(counts[0], counts[1], "{:?}", member);
        }
    }

    #[test]
    fn while_versions_are_mixed_nothing_moves_that_can_stay(cluster in any_cluster(&[V1, V2])) {
        let assignment = cluster.assign();
        if is_mixed(&cluster) {
            for partition in cluster.moves(&assignment) {
                let owner = cluster.owners[partition.index()];
                prop_assert!(owner.is_none_or(|owner| !cluster.is_target(owner)), "{partition}");
            }
        }
    }

    #[test]
    fn while_versions_are_mixed_no_one_gets_more_than_its_share_rounded_up(
        cluster in any_cluster(&[V1, V2]),
    ) {
        let assignment = cluster.assign();
        for member in cluster.targets().iter().filter(|_| is_mixed(&cluster)) {
            let (before, after) =
                (count(&cluster.owners, member), count(assignment.targets(), member));
            prop_assert!(after <= before || after <= cluster.share(member).1, "{member:?}");
        }
    }

    #[test]
    fn while_versions_are_mixed_the_newest_get_their_share_before_others_get_anything(
        cluster in any_cluster(&[V1, V2]),
    ) {
        let assignment = cluster.assign();
        let targets = cluster.targets();
        let newest = targets.iter().map(|member| member.version).max();
        let is_newest = |member: &&Candidate| Some(member.version) == newest;
        let counts = |member: &Candidate| {
            (count(&cluster.owners, member), count(assignment.targets(), member))
        };
        let others_get = targets.iter().filter(|m| !is_newest(m)).any(|member| {
            let (before, after) = counts(member);
            after > before
        });
        for member in targets.iter().filter(is_newest).filter(|_| is_mixed(&cluster) && others_get) {
            let (_, after) = counts(member);
            prop_assert!(after >= cluster.share(member).0, "{member:?}: {after}");
        }
    }
}

proptest! {
    #[test]
    fn from_nothing_there_are_at_most_as_many_pairs_as_lanes_and_members_less_one(
        layout in any_layout(), nodes in 1u64..20, weights in any::<u64>(),
    ) {
        let mut cluster = weighted(Cluster::new(layout, nodes), weights);
        cluster.owners.fill(None);
        cluster.settle();
        let lanes = usize::from(layout.lanes.get().min(layout.partitions.get()));
        let with_some = cluster.members.iter().filter(|m| count(&cluster.owners, m) > 0).count();
        let pairs = cluster.pairs(&cluster.owners).len();
        prop_assert!(pairs < lanes + with_some, "{pairs}: {lanes} lanes, {with_some} members");
    }

    #[test]
    fn lanes_and_members_that_fit_are_not_split(
        of_lane in 1u16..9, factor in 1u16..9, few in 1u16..9, by_lanes in any::<bool>(),
    ) {
        // as many lanes as fit a member, or as many members as fit a lane
        let many = few * factor;
        let (lanes, members) = if by_lanes { (many, few) } else { (few, many) };
        let cluster = Cluster::new(crate::cluster::layout(many * of_lane, lanes), members.into());
        prop_assert_eq!(cluster.pairs(&cluster.owners).len(), usize::from(many));
    }

    #[test]
    fn newer_is_what_has_the_greater_number(a in any::<[u64; 3]>(), b in any::<[u64; 3]>()) {
        let version = |[major, minor, patch]: [u64; 3]| AppVersion::new(major, minor, patch);
        prop_assert_eq!(version(a).cmp(&version(b)), a.cmp(&b));
    }
}

fn is_mixed(cluster: &Cluster) -> bool {
    let eligible = cluster.members.iter().filter(|member| member.is_eligible);
    eligible.map(|member| member.version).collect::<BTreeSet<_>>().len() > 1
}

/// The same with random weights.
fn weighted(mut cluster: Cluster, seed: u64) -> Cluster {
    let mut rng = fastrand::Rng::with_seed(seed);
    for member in &mut cluster.members {
        member.weight = std::num::NonZeroU32::new(rng.u32(1..8)).unwrap();
    }
    cluster
}
