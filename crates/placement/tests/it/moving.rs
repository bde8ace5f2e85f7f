//! A cluster that carries out what each member decides, in random order, while members come, leave and die.

use crate::{
    cluster::{Cluster, V1, V2, layout},
    seed::seeds,
};
use actum_model::Partition;
use actum_persistence::store::Incarnation;
use actum_placement::{
    assignment::{Assignment, Candidate},
    moves::{MoveSettings, MovesUnderWay, NextMoves, SeenPlacement},
};
use std::collections::BTreeMap;

/// What a node knows, which may be old, and does.
struct Node {
    seen: Cluster,
    under_way: MovesUnderWay,
}

struct World {
    rng: fastrand::Rng,
    table: Cluster,
    nodes: BTreeMap<u64, Node>,
    settings: MoveSettings,
    last: u64,
    claims: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut table = Cluster::new(layout(rng.u16(1..80), rng.u16(1..6)), 0);
        table.owners.fill(None);
        let settings = MoveSettings::default()
            .with_hand_offs_max(rng.usize(1..9))
            .with_claims_max(rng.usize(1..40));
        let mut world = Self { rng, table, nodes: BTreeMap::new(), settings, last: 0, claims: 0 };
        world.join();
        world
    }

    fn join(&mut self) {
        self.last += 1;
        let version = if self.rng.u8(0..4) == 0 { V2 } else { V1 };
        self.table.members.push(Candidate::new(Incarnation::new(self.last), version));
        let node = Node { seen: self.table.clone(), under_way: MovesUnderWay::default() };
        self.nodes.insert(self.last, node);
    }

    fn some_node(&mut self) -> Option<u64> {
        let nodes: Vec<_> = self.nodes.keys().copied().collect();
        self.rng.choice(nodes)
    }

    /// Someone comes, leaves or dies.
    fn disturb(&mut self) {
        match self.rng.u8(0..4) {
            0 if self.nodes.len() < 6 => self.join(),
            1 => {
                let Some(nr) = self.some_node() else { return };
                self.table.member_mut(nr).is_leaving = true;
            }
            2 => {
                let Some(nr) = self.some_node() else { return };
                self.end(nr);
            }
            _ => {}
        }
    }

    /// What it owns is free.
    fn end(&mut self, nr: u64) {
        self.nodes.remove(&nr);
        self.table.members.retain(|member| member.incarnation.get() != nr);
        for owner in &mut self.table.owners {
            *owner = owner.filter(|owner| owner.get() != nr);
        }
    }

    fn decide(&mut self, nr: u64) {
        let node = self.nodes.get_mut(&nr).unwrap();
        let (seen, before) = (&node.seen, node.under_way.clone());
        let assignment = &seen.assign();
        let placement = SeenPlacement {
            layout: seen.layout,
            members: &seen.members,
            owners: &seen.owners,
            assignment,
        };
        let me = Incarnation::new(nr);
        let next = NextMoves::decide(me, &self.settings, placement, &before);
        next.kept.iter().for_each(|p| assert!(node.under_way.handing_off.remove(p), "{p}"));
        for hand_off in next.hand_offs {
            assert_eq!(assignment.target(hand_off.partition), Some(hand_off.to));
            assert_ne!(hand_off.to, me);
            assert!(node.under_way.handing_off.insert(hand_off.partition), "begun twice");
        }
        for claimed in next.claims {
            assert_eq!(assignment.target(claimed), Some(me));
            assert!(!before.handing_off.contains(&claimed), "it may still run here");
            assert!(node.under_way.claiming.insert(claimed), "begun twice");
        }
        assert!(node.under_way.handing_off.len() <= self.settings.hand_offs_max);
        assert!(node.under_way.claiming.len() <= self.settings.claims_max);
    }

    /// Something that a node has begun ends.
    fn carry_out(&mut self, nr: u64) {
        let node = self.nodes.get_mut(&nr).unwrap();
        let me = Incarnation::new(nr);
        let (handing_off, claiming) = (&node.under_way.handing_off, &node.under_way.claiming);
        let all: Vec<Partition> = handing_off.iter().chain(claiming).copied().collect();
        let Some(partition) = self.rng.choice(all) else { return };
        let owner = &mut self.table.owners[partition.index()];
        if node.under_way.handing_off.remove(&partition) {
            *owner = owner.filter(|owner| *owner != me);
        } else {
            node.under_way.claiming.remove(&partition);
            if owner.is_none() {
                *owner = Some(me);
                self.claims += 1;
            }
        }
        // the answer shows it the table
        node.seen = self.table.clone();
    }

    fn step(&mut self) {
        let Some(nr) = self.some_node() else { return };
        match self.rng.u8(0..4) {
            0 => self.nodes.get_mut(&nr).unwrap().seen = self.table.clone(),
            1 => self.decide(nr),
            _ => self.carry_out(nr),
        }
    }

    fn is_at_rest(&self) -> bool {
        let is_idle = |node: &Node| node.under_way == MovesUnderWay::default();
        self.nodes.values().all(is_idle) && self.table.moves(&self.table.assign()).is_empty()
    }

    /// Goes on undisturbed until nothing is left to be done; members that leave go when they own nothing.
    fn come_to_rest(&mut self) {
        for _ in 0..40_000 {
            let leaving = self.table.members.iter().find(|member| {
                member.is_leaving && !self.table.owners.contains(&Some(member.incarnation))
            });
            if let Some(nr) = leaving.map(|member| member.incarnation.get()) {
                self.end(nr);
            }
            if self.is_at_rest() {
                return;
            }
            self.step();
        }
        panic!("it does not come to rest: {:?}", self.table);
    }
}

#[test]
fn whatever_happens_each_partition_comes_to_the_member_it_is_assigned_to() {
    for seed in seeds(300) {
        let mut world = World::new(seed.nr());
        for _ in 0..600 {
            if world.rng.u8(0..40) == 0 {
                world.disturb();
            }
            world.step();
        }
        world.come_to_rest();
        let assignment: Assignment = world.table.assign();
        assert_eq!(assignment.targets(), world.table.owners);
    }
}

#[test]
fn when_one_joins_as_many_partitions_move_as_have_to_and_each_once() {
    for seed in seeds(200) {
        let mut world = World::new(seed.nr());
        (0..world.rng.u8(0..5)).for_each(|_| world.join());
        world.table.members.iter_mut().for_each(|member| member.version = V1);
        world.nodes.values_mut().for_each(|node| node.seen = world.table.clone());
        world.come_to_rest();
        world.join();
        world.table.members.iter_mut().for_each(|member| member.version = V1);
        world.nodes.values_mut().for_each(|node| node.seen = world.table.clone());
        let planned = world.table.moves(&world.table.assign()).len();
        world.claims = 0;
        world.come_to_rest();
        assert_eq!(world.claims, planned);
    }
}
