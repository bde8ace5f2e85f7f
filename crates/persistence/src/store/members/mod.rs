//! Who belongs to a cluster of nodes that share a journal, and who owns which partition: kept beside the journal.
//!
//! A node holds a writer slot of its own, [`node_slot`]; the incarnation it has from there fences everything it writes, and
//! its membership ends with it. What a member says of itself, and what it notes with each renewal, are bytes to a store.
//!
//! # What may grow
//! What a store answers with is `#[non_exhaustive]` and has a constructor. Exhaustive on purpose, since a store that overlooked
//! a new part would lose it, is what it is asked for and what it keeps: [`ClusterTerms`], [`NewMember`], [`MemberRenewal`],
//! [`OwnerClaim`], [`RolePartition`].

mod cluster_rows;
mod cluster_sight;
mod cluster_terms;
mod join_error;
mod member_check;
mod member_renewal;
mod member_row;
mod member_store;
mod new_member;
mod owned_partitions;
mod owner_claim;
mod owner_row;
mod role_partition;
mod table_version;

pub(in crate::store) use member_check::check_role;

pub use cluster_sight::ClusterSight;
pub use cluster_terms::ClusterTerms;
pub use join_error::JoinError;
pub use member_renewal::MemberRenewal;
pub use member_row::MemberRow;
pub use member_store::{KeepsMembers, MemberStore};
pub use new_member::NewMember;
pub use owned_partitions::OwnedPartitions;
pub use owner_claim::OwnerClaim;
pub use owner_row::OwnerRow;
pub use role_partition::RolePartition;
pub use table_version::TableVersion;

/// The longest name of a node, in bytes.
pub const NODE_BYTES_MAX: usize = 64;
/// The longest name of a cluster, and of a role, in bytes.
pub const CLUSTER_NAME_BYTES_MAX: usize = 64;
/// The most bytes a member says of itself.
pub const DESCRIPTION_BYTES_MAX: usize = 64 << 10;
/// The most bytes a member notes with a renewal.
pub const NOTE_BYTES_MAX: usize = 4 << 10;
/// The most partitions that one call claims or releases.
pub const OWNER_CHANGES_MAX: usize = 10_000;
/// The most members of a cluster.
pub const MEMBERS_MAX: usize = 1_000;

/// The writer slot of the node `name`.
#[must_use]
pub fn node_slot(name: &str) -> String {
    format!("node/{name}")
}
