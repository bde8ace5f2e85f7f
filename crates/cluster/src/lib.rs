//! What makes several engines one cluster.
//!
//! * [`transport`]: carries frames of bytes between nodes, over ractor_cluster or within one process.
//! * [`link`]: what is sent over it: batches, acknowledged and bounded.
//! * `wire`, `routing`: commands to the node that owns their entity, and what comes of them.
//! * `member`, `node`: what members say of themselves, and the node that joins, finds failed members and moves partitions.
//! * `settings`: what a user says of it.
//!
//! An internal crate of Actum's: users see its types through `actum`.

pub mod link;
mod member;
mod node;
mod routing;
mod settings;
pub mod transport;
mod wire;

pub use member::MemberDescription;
pub use node::{ClusterView, MemberView, Node, NodeStart, PartitionView};
pub use settings::Cluster;
