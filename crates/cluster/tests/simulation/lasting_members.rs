use actum_persistence::{
    members::{
        ClusterSight, ClusterTerms, JoinError, MemberRenewal, MemberStore, NewMember, OwnerClaim,
        OwnerRow, RolePartition, TableVersion,
    },
    store::{Incarnation, SeenHolder, StoreError},
};
use async_trait::async_trait;
use parking_lot::Mutex;
use std::sync::Arc;

/// A flaw: a table of members in which every renewal succeeds, as if no lease ever ended.
pub(crate) struct LastingMembers {
    below: Arc<dyn MemberStore>,
    last: Mutex<Option<ClusterSight>>,
}

impl LastingMembers {
    pub(crate) fn new(below: Arc<dyn MemberStore>) -> Self {
        Self { below, last: Mutex::default() }
    }
}

#[async_trait]
impl MemberStore for LastingMembers {
    async fn join(
        &self,
        terms: &ClusterTerms,
        member: &NewMember,
    ) -> Result<ClusterSight, JoinError> {
        self.below.join(terms, member).await
    }

    async fn read_members(&self, seen: TableVersion) -> Result<Option<ClusterSight>, StoreError> {
        self.below.read_members(seen).await
    }

    async fn renew_member(&self, renewal: &MemberRenewal) -> Result<ClusterSight, StoreError> {
        let renewed = self.below.renew_member(renewal).await;
        let mut last = self.last.lock();
        if let Ok(sight) = &renewed {
            *last = Some(sight.clone());
            return renewed;
        }
        let Some(mut sight) = last.clone() else { return renewed };
        sight.owners = None;
        Ok(sight)
    }

    async fn claim_partitions(
        &self,
        member: Incarnation,
        claims: &[OwnerClaim],
    ) -> Result<Vec<OwnerRow>, StoreError> {
        self.below.claim_partitions(member, claims).await
    }

    async fn release_partitions(
        &self,
        member: Incarnation,
        partitions: &[RolePartition],
    ) -> Result<Vec<OwnerRow>, StoreError> {
        self.below.release_partitions(member, partitions).await
    }

    async fn revoke_member(&self, by: Incarnation, seen: SeenHolder) -> Result<bool, StoreError> {
        self.below.revoke_member(by, seen).await
    }

    async fn leave(&self, member: Incarnation) -> Result<(), StoreError> {
        self.below.leave(member).await
    }
}
