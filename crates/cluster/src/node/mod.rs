//! A node: joins the cluster, renews its membership, finds members that have failed, and takes and gives partitions until it
//! owns what it is to own. What it does is decided by `actum-placement`; here it is carried out.

mod current_links;
mod head_announcer;
mod heard_heads;
mod joining;
#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod node;
mod node_parts;
mod node_start;
mod node_task;
mod peer_sink;
mod seen_cluster;
mod task_result;
mod view;

pub use node::Node;
pub use node_start::NodeStart;
pub use view::{ClusterView, MemberView, PartitionView};
