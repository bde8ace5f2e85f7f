use crate::{link::LinkStatus, member::MemberDescription};
use actum_model::Partition;
use actum_persistence::members::TableVersion;
use actum_persistence::store::Incarnation;
use std::sync::Arc;

/// A cluster as one of its nodes sees it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClusterView {
    /// Which life of which member this node is.
    pub me: Incarnation,
    /// The name of the cluster.
    pub cluster: String,
    /// The version of the table of members and owners.
    pub version: TableVersion,
    /// The members, in the order of their incarnations.
    pub members: Vec<MemberView>,
    /// The partitions, in their order.
    pub partitions: Vec<PartitionView>,
    /// The links of this node to the others.
    pub links: Vec<LinkStatus>,
    /// Commands that wait here until the owner of their entity is known and can be reached.
    pub commands_held: usize,
    /// Commands that were sent to other nodes and are not answered.
    pub commands_sent: usize,
}

/// A member of a cluster.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MemberView {
    /// Which life of the node it is.
    pub incarnation: Incarnation,
    /// The name of the node.
    pub name: String,
    /// What it has said of itself.
    pub description: MemberDescription,
    /// Whether it shuts down.
    pub is_leaving: bool,
    /// How many partitions it owns.
    pub partitions: usize,
}

/// A partition and its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionView {
    /// Which.
    pub partition: Partition,
    /// Who owns it, if anyone does.
    pub owner: Option<Incarnation>,
    /// Whether this node claims it or hands it off at the moment.
    pub is_moving: bool,
}

/// A view that is shared with those who look at it.
pub(super) type SharedView = Arc<ClusterView>;

impl ClusterView {
    /// A node that has joined and has seen nothing yet.
    pub(super) fn begin(me: Incarnation, cluster: &str) -> Self {
        Self {
            me,
            cluster: cluster.to_owned(),
            version: TableVersion::ZERO,
            members: Vec::new(),
            partitions: Vec::new(),
            links: Vec::new(),
            commands_held: 0,
            commands_sent: 0,
        }
    }

    /// Whether every partition has an owner.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.partitions.is_empty() && self.partitions.iter().all(|one| one.owner.is_some())
    }

    /// How many partitions this node owns.
    #[must_use]
    pub fn owned_here(&self) -> usize {
        self.partitions.iter().filter(|one| one.owner == Some(self.me)).count()
    }
}
