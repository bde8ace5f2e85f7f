//! Engines as nodes of a cluster.

pub use actum_cluster::{
    Cluster, ClusterView, MemberDescription, MemberView, Node, PartitionView,
    link::{LinkCounts, LinkSettings, LinkStatus},
    transport::{ClusterSecret, LinkSecurity, MemoryNetwork, TlsFiles},
};
