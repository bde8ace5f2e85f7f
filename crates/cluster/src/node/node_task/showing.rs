use super::NodeTask;
use crate::node::view::{ClusterView, MemberView, PartitionView};
use actum_persistence::store::Incarnation;
use std::sync::Arc;

/// What others see of a node.
impl NodeTask {
    /// Shows how the node sees the cluster now.
    pub(super) fn show(&self) {
        self.parts.view.send_replace(Arc::new(self.view()));
    }

    fn view(&self) -> ClusterView {
        let Self { me, parts, seen, under_way, .. } = self;
        let owns = |member: Incarnation| {
            seen.owners.iter().filter(|owner| **owner == Some(member)).count()
        };
        let members = seen.members.iter().map(|member| MemberView {
            incarnation: member.row.incarnation,
            name: member.row.name.clone(),
            description: member.description.clone(),
            is_leaving: member.note.is_leaving,
            partitions: owns(member.row.incarnation),
        });
        let partitions = parts.layout.partitions.iter().map(|partition| PartitionView {
            partition,
            owner: seen.owner(partition),
            is_moving: under_way.handing_off.contains(&partition)
                || under_way.claiming.contains(&partition),
        });
        let (commands_held, commands_sent) = parts.router.outstanding();
        ClusterView {
            me: *me,
            cluster: parts.joining.terms.cluster.clone(),
            version: seen.version,
            members: members.collect(),
            partitions: partitions.collect(),
            links: parts.links.states(),
            commands_held,
            commands_sent,
        }
    }
}
