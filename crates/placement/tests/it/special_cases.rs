//! Few members, none, and those that may own nothing.

use crate::cluster::{Cluster, V1, V2, count, layout};
use actum_model::Partition;
use actum_persistence::store::Incarnation;
use actum_placement::assignment::{Assignment, Candidate};

fn counts(cluster: &Cluster) -> Vec<usize> {
    cluster.members.iter().map(|member| count(&cluster.owners, member)).collect()
}

#[test]
fn the_last_member_owns_all() {
    let mut cluster = Cluster::new(layout(256, 4), 3);
    cluster.members.truncate(1);
    cluster.settle();
    assert_eq!(counts(&cluster), [256]);
}

#[test]
fn without_members_no_partition_has_a_target() {
    let mut cluster = Cluster::new(layout(8, 2), 2);
    cluster.members.clear();
    cluster.settle();
    assert_eq!(cluster.owners, [None; 8]);
}

#[test]
fn members_that_all_leave_keep_what_they_have_until_they_release_it() {
    let mut cluster = Cluster::new(layout(8, 2), 2);
    cluster.members.iter_mut().for_each(|member| member.is_leaving = true);
    cluster.owners[3] = None;
    let before = cluster.owners.clone();
    assert_eq!(cluster.settle(), []);
    assert_eq!(cluster.owners, before, "what is released gets no owner");
}

#[test]
fn when_no_one_is_eligible_nothing_moves() {
    let mut cluster = Cluster::new(layout(8, 2), 2);
    cluster.members.iter_mut().for_each(|member| member.is_eligible = false);
    assert_eq!(cluster.settle(), []);
}

#[test]
fn a_member_that_is_not_eligible_only_routes() {
    let mut cluster = Cluster::new(layout(9, 1), 3);
    cluster.member_mut(2).is_eligible = false;
    cluster.settle();
    assert_eq!(counts(&cluster), [5, 0, 4]);
}

#[test]
fn more_members_than_partitions_own_one_or_none() {
    let mut cluster = Cluster::new(layout(3, 1), 5);
    assert_eq!(counts(&cluster), [1, 1, 1, 0, 0]);
    cluster.members.remove(0);
    cluster.settle();
    assert_eq!(counts(&cluster), [1, 1, 1, 0]);
}

#[test]
fn one_who_leaves_and_one_who_joins_exchange_what_the_one_had() {
    let mut cluster = Cluster::new(layout(256, 4), 4);
    let before = cluster.owners.clone();
    cluster.member_mut(2).is_leaving = true;
    cluster.members.push(Candidate::new(Incarnation::new(5), V1));
    let moves = cluster.settle();
    assert_eq!(moves.len(), 64);
    assert!(moves.iter().all(|p| before[p.index()] == Some(Incarnation::new(2))));
    assert_eq!(cluster.pairs(&cluster.owners).len(), 4, "a lane each");
}

#[test]
fn lanes_that_were_split_are_whole_again_when_they_fit() {
    let mut cluster = Cluster::new(layout(256, 8), 4);
    let pairs = |cluster: &Cluster| cluster.pairs(&cluster.owners).len();
    assert_eq!(pairs(&cluster), 8);
    cluster.members.truncate(3);
    cluster.settle();
    assert_eq!(pairs(&cluster), 10, "two lanes are split between three members");
    // the one that shares both goes
    let owned = cluster.pairs(&cluster.owners);
    let lanes = |nr: &Incarnation| owned.iter().filter(|(_, owner)| owner == nr).count();
    cluster.members.sort_by_key(|member| lanes(&member.incarnation));
    cluster.members.truncate(2);
    cluster.settle();
    assert_eq!(pairs(&cluster), 8);
}

#[test]
fn a_newcomer_gets_whole_lanes() {
    let mut cluster = Cluster::new(layout(256, 4), 1);
    cluster.members.push(Candidate::new(Incarnation::new(2), V1));
    cluster.settle();
    assert_eq!((counts(&cluster), cluster.pairs(&cluster.owners).len()), (vec![128, 128], 4));
}

#[test]
fn a_newcomer_of_a_newer_version_gets_nothing_while_nothing_has_to_move() {
    let mut cluster = Cluster::new(layout(12, 1), 3);
    cluster.members.push(Candidate::new(Incarnation::new(4), V2));
    assert_eq!(cluster.settle(), []);
    cluster.members.remove(0);
    assert_eq!(cluster.settle().len(), 4);
    assert_eq!(counts(&cluster), [4, 4, 4], "the newcomer has them all");
}

#[test]
fn versions_are_mixed_until_the_last_old_member_has_gone() {
    let mut cluster = Cluster::new(layout(12, 1), 2);
    cluster.members.push(Candidate::new(Incarnation::new(3), V1));
    cluster.members.iter_mut().for_each(|member| member.version = V2);
    let old = Candidate { is_leaving: true, ..Candidate::new(Incarnation::new(4), V1) };
    cluster.members.push(old);
    assert_eq!(cluster.settle(), [], "no one has to move");
    cluster.members.pop();
    cluster.settle();
    assert_eq!(counts(&cluster), [4, 4, 4]);
}

#[test]
fn a_member_of_a_newer_version_that_is_alone_gets_no_more_than_its_share() {
    let mut cluster = Cluster::new(layout(12, 1), 3);
    cluster.members.push(Candidate::new(Incarnation::new(4), V2));
    cluster.members.drain(..2);
    cluster.settle();
    assert_eq!(counts(&cluster), [6, 6]);
}

#[test]
fn what_is_not_listed_has_no_owner_and_what_the_journal_does_not_have_no_target() {
    let members = [Candidate::new(Incarnation::new(1), V1)];
    let assignment = Assignment::new(layout(2, 1), &members, &[]);
    let targets = [0, 1, 2].map(|nr| assignment.target(Partition::new(nr)));
    assert_eq!(targets, [Some(Incarnation::new(1)), Some(Incarnation::new(1)), None]);
}
