use super::{ClusterTerms, MemberRow, OwnerRow, TableVersion};

/// What is kept of a cluster at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterSight {
    /// Its version.
    pub version: TableVersion,
    /// What the members agree on.
    pub terms: ClusterTerms,
    /// All members, in the order of their incarnations.
    pub members: Vec<MemberRow>,
    /// The partitions that were ever claimed, in the order of role and number; `None` where the asker has this version
    /// already.
    pub owners: Option<Vec<OwnerRow>>,
}

impl ClusterSight {
    /// What is kept.
    #[must_use]
    pub fn new(
        version: TableVersion,
        terms: ClusterTerms,
        members: Vec<MemberRow>,
        owners: Option<Vec<OwnerRow>>,
    ) -> Self {
        Self { version, terms, members, owners }
    }
}
