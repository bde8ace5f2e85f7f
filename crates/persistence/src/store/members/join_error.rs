use super::{super::StoreError, ClusterTerms};

/// Why a node did not join a cluster.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// The members that are there agree on something else.
    #[error("this node is set to be of {ours}, and the journal has the members of {theirs}")]
    Disagrees {
        /// What this node is set to.
        ours: ClusterTerms,
        /// What the members agree on.
        theirs: ClusterTerms,
    },
    /// The cluster has as many members as it can have.
    #[error("the cluster has {members} members, and can have no more")]
    Full {
        /// How many there are.
        members: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
