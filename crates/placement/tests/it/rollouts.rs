//! Rolling updates and rollbacks, one node after the other, with at least as many partitions as nodes. A failing case is
//! printed in full.

use crate::cluster::{Cluster, V1, V2, any_layout};
use actum_persistence::store::Incarnation;
use actum_persistence::store::JournalLayout;
use actum_placement::assignment::{AppVersion, Candidate};
use proptest::{
    prelude::{Just, ProptestConfig, Strategy, any, proptest},
    prop_assert,
};

/// A cluster whose nodes are replaced one by one.
struct Rollout {
    cluster: Cluster,
    /// How often each partition has moved in this rollout.
    moves: Vec<usize>,
    /// The incarnation of each node.
    nodes: Vec<u64>,
    last: u64,
    rng: fastrand::Rng,
}

impl Rollout {
    fn new(cluster: Cluster, seed: u64) -> Self {
        let nodes: Vec<_> = cluster.members.iter().map(|m| m.incarnation.get()).collect();
        let moves = vec![0; cluster.owners.len()];
        let rng = fastrand::Rng::with_seed(seed);
        Self { cluster, moves, last: nodes.len() as u64, nodes, rng }
    }

    /// Makes all moves, one release or claim after the other, each as it is planned then.
    fn settle(&mut self) {
        loop {
            let assignment = self.cluster.assign();
            let moves = self.cluster.moves(&assignment);
            let Some(partition) = self.rng.choice(moves) else { return };
            let owner = &mut self.cluster.owners[partition.index()];
            if owner.take().is_none() {
                *owner = assignment.target(partition);
                self.moves[partition.index()] += 1;
            }
        }
    }

    /// A node shuts down: it is gone when it has handed off what it has.
    fn stop(&mut self, node: usize) {
        let leaving = self.nodes[node];
        self.cluster.member_mut(leaving).is_leaving = true;
        self.settle();
        assert!(!self.cluster.owners.contains(&Some(Incarnation::new(leaving))));
        self.cluster.members.retain(|member| member.incarnation.get() != leaving);
        self.settle();
    }

    fn start(&mut self, node: usize, version: AppVersion) {
        self.last += 1;
        self.nodes[node] = self.last;
        self.cluster.members.push(Candidate::new(Incarnation::new(self.last), version));
        self.settle();
    }

    /// Replaces these nodes one by one. Returns how often a partition has moved when the last one of another version is gone.
    fn roll(&mut self, order: &[usize], version: AppVersion, surge: bool) -> usize {
        self.moves.fill(0);
        let mut while_mixed = 0;
        for node in order {
            if surge {
                // the new one is there before the old one leaves
                let old = self.nodes[*node];
                self.start(*node, version);
                let new = std::mem::replace(&mut self.nodes[*node], old);
                self.stop(*node);
                self.nodes[*node] = new;
                while_mixed = self.most_moves();
            } else {
                self.stop(*node);
                while_mixed = self.most_moves();
                self.start(*node, version);
            }
        }
        while_mixed
    }

    fn most_moves(&self) -> usize {
        self.moves.iter().copied().max().unwrap_or(0)
    }
}

fn roomy_layout() -> impl Strategy<Value = JournalLayout> {
    any_layout().prop_filter("fewer partitions than nodes", |l| l.partitions.get() >= 9)
}

fn any_order() -> impl Strategy<Value = Vec<usize>> {
    (2usize..9).prop_flat_map(|nodes| Just((0..nodes).collect::<Vec<_>>()).prop_shuffle())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_partition_moves_more_than_twice_in_a_rolling_update_and_in_its_rollback(
        layout in roomy_layout(), order in any_order(), back in any_order(), surge in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut rollout = Rollout::new(Cluster::new(layout, order.len() as u64), seed);
        let updated = rollout.roll(&order, V2, surge);
        prop_assert!(updated <= 2, "{updated} in the update");
        let back: Vec<_> = back.into_iter().filter(|node| *node < order.len()).collect();
        let rolled_back = rollout.roll(&back, V1, surge);
        prop_assert!(rolled_back <= 2, "{rolled_back} in the rollback");
    }

    #[test]
    fn no_partition_moves_more_than_twice_in_the_rollback_of_a_part_of_an_update(
        layout in roomy_layout(), order in any_order(), updated in any::<proptest::sample::Index>(),
        seed in any::<u64>(), surge in any::<bool>(),
    ) {
        let mut rollout = Rollout::new(Cluster::new(layout, order.len() as u64), seed);
        let updated = &order[..updated.index(order.len())];
        rollout.roll(updated, V2, surge);
        let mut back = updated.to_vec();
        fastrand::Rng::with_seed(seed).shuffle(&mut back);
        let rolled_back = rollout.roll(&back, V1, surge);
        prop_assert!(rolled_back <= 2, "{rolled_back} in the rollback");
    }

    #[test]
    fn when_the_last_node_of_an_update_is_back_it_gets_its_share_and_few_partitions_move_a_third_time(
        layout in roomy_layout(), order in any_order(), seed in any::<u64>(),
    ) {
        let mut rollout = Rollout::new(Cluster::new(layout, order.len() as u64), seed);
        rollout.roll(&order, V2, false);
        let (partitions, nodes) = (rollout.moves.len(), order.len());
        let thrice = rollout.moves.iter().filter(|moves| **moves > 2).count();
        let (share, others) = (partitions.div_ceil(nodes), nodes - 1);
        prop_assert!(thrice <= share + others, "{thrice} of {partitions}");
        prop_assert!(rollout.most_moves() <= 3, "{}", rollout.most_moves());
        let mut counts: Vec<_> = rollout.cluster.members.iter()
            .map(|member| crate::cluster::count(&rollout.cluster.owners, member)).collect();
        counts.sort_unstable();
        prop_assert!(counts[nodes - 1] - counts[0] <= 1, "{counts:?}");
    }
}
