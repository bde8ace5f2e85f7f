use crate::{
    member::{MemberDescription, MemberNote},
    transport::PeerNode,
};
use actum_model::{Partition, PartitionCount};
use actum_persistence::{
    members::{ClusterSight, MemberRow, OwnerClaim, OwnerRow, RolePartition, TableVersion},
    progress::Epoch,
    store::{Incarnation, SeenHolder},
};
use actum_placement::{assignment::Candidate, failure::ObservedMember};
use std::collections::BTreeMap;

/// What a node has read of the table last, and what it has changed there since.
#[derive(Clone, Debug)]
pub(super) struct SeenCluster {
    pub(super) version: TableVersion,
    pub(super) members: Vec<SeenNode>,
    /// The owner of each partition, the first of partition 0.
    pub(super) owners: Vec<Option<Incarnation>>,
    epochs: Vec<Epoch>,
}

/// A member, as it was read.
#[derive(Clone, Debug)]
pub(super) struct SeenNode {
    pub(super) row: MemberRow,
    pub(super) description: MemberDescription,
    pub(super) note: MemberNote,
}

/// The role of all kinds.
fn role() -> std::sync::Arc<str> {
    "".into()
}

/// A partition in that role.
pub(super) fn of_role(partition: Partition) -> RolePartition {
    RolePartition { role: role(), partition }
}

impl SeenCluster {
    pub(super) fn new(partitions: PartitionCount) -> Self {
        let count = usize::from(partitions.get());
        Self {
            version: TableVersion::ZERO,
            members: Vec::new(),
            owners: vec![None; count],
            epochs: vec![Epoch::new(0); count],
        }
    }

    /// Takes in what was read; says whether members or owners are others than before.
    pub(super) fn read(&mut self, sight: ClusterSight) -> bool {
        let mut known: BTreeMap<_, _> =
            self.members.drain(..).map(|member| (member.row.incarnation, member)).collect();
        let members = sight.members.into_iter().map(|row| {
            let description = match known.remove(&row.incarnation) {
                Some(before) if before.row.description == row.description => before.description,
                _ => MemberDescription::of_member(&row),
            };
            SeenNode { description, note: MemberNote::of_bytes(&row.note), row }
        });
        self.members = members.collect();
        let changed = self.version != sight.version;
        self.version = sight.version;
        // rows stay when an owner ends; one that this node has changed since it was read has a higher epoch here
        sight.owners.iter().flatten().for_each(|row| self.set(row));
        changed
    }

    /// Takes in how an owner is now.
    pub(super) fn set(&mut self, row: &OwnerRow) {
        let at = row.of.partition.index();
        if row.of.role.is_empty() && at < self.owners.len() && row.epoch >= self.epochs[at] {
            (self.owners[at], self.epochs[at]) = (row.owner, row.epoch);
        }
    }

    /// The claim of a partition that has no owner.
    pub(super) fn claim(&self, partition: Partition) -> OwnerClaim {
        OwnerClaim { of: of_role(partition), seen: self.epochs[partition.index()] }
    }

    pub(super) fn owner(&self, partition: Partition) -> Option<Incarnation> {
        self.owners.get(partition.index()).copied().flatten()
    }

    /// What the assignment sees.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        let candidate =
            |member: &SeenNode| member.description.candidate(&member.row, member.note.is_leaving);
        self.members.iter().map(candidate).collect()
    }

    /// What the failure detector sees.
    pub(super) fn observed(&self) -> Vec<ObservedMember> {
        let observed = |member: &SeenNode| {
            let MemberRow { incarnation, renewal, .. } = member.row;
            let mut observed = ObservedMember::new(SeenHolder { incarnation, renewal });
            observed.is_leaving = member.note.is_leaving;
            observed.suspects.clone_from(&member.note.suspects);
            observed
        };
        self.members.iter().map(observed).collect()
    }

    /// The members beside this one that have an address.
    pub(super) fn peers(&self, me: Incarnation) -> Vec<PeerNode> {
        let others = self.members.iter().filter(|member| {
            member.row.incarnation != me && !member.description.address.is_empty()
        });
        let peer = |member: &SeenNode| PeerNode {
            incarnation: member.row.incarnation,
            name: member.row.name.clone(),
            address: member.description.address.clone(),
        };
        others.map(peer).collect()
    }
}
