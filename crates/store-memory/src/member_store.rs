use crate::MemoryStore;
use actum_model::PartitionCount;
use actum_persistence::{
    members::{
        ClusterSight, ClusterTerms, JoinError, KeepsMembers, MemberRenewal, MemberStore, NewMember,
        OwnerClaim, OwnerRow, RolePartition, TableVersion,
    },
    store::{Incarnation, SeenHolder, StoreError},
};
use async_trait::async_trait;
use std::sync::Arc;

impl KeepsMembers for MemoryStore {
    fn members(self: Arc<Self>) -> Option<Arc<dyn MemberStore>> {
        Some(self)
    }
}

// each change is made beside no write: whoever writes holds the lock as a reader
#[async_trait]
impl MemberStore for MemoryStore {
    async fn join(
        &self,
        terms: &ClusterTerms,
        member: &NewMember,
    ) -> Result<ClusterSight, JoinError> {
        terms.check()?;
        member.check()?;
        let mut writers = self.writers().write();
        self.check_open("joining a cluster")?;
        writers.join(terms, member)
    }

    async fn read_members(&self, seen: TableVersion) -> Result<Option<ClusterSight>, StoreError> {
        let writers = self.writers().read();
        self.check_open("reading the members of a cluster")?;
        Ok(writers.members().sight(seen))
    }

    async fn renew_member(&self, renewal: &MemberRenewal) -> Result<ClusterSight, StoreError> {
        renewal.check()?;
        let mut writers = self.writers().write();
        self.check_open("renewing a membership")?;
        writers.renew_member(renewal)
    }

    async fn claim_partitions(
        &self,
        member: Incarnation,
        claims: &[OwnerClaim],
    ) -> Result<Vec<OwnerRow>, StoreError> {
        OwnerClaim::check_all(claims, self.partitions())?;
        let mut writers = self.writers().write();
        self.check_open("claiming partitions")?;
        Ok(writers.as_member(member)?.claim(member, claims))
    }

    async fn release_partitions(
        &self,
        member: Incarnation,
        partitions: &[RolePartition],
    ) -> Result<Vec<OwnerRow>, StoreError> {
        RolePartition::check_all(partitions.iter(), self.partitions())?;
        let mut writers = self.writers().write();
        self.check_open("releasing partitions")?;
        Ok(writers.as_member(member)?.release(member, partitions))
    }

    async fn revoke_member(&self, by: Incarnation, seen: SeenHolder) -> Result<bool, StoreError> {
        seen.check_revoked_by(by)?;
        let mut writers = self.writers().write();
        self.check_open("revoking a member")?;
        if writers.as_member(by)?.renewal(seen.incarnation) != Some(seen.renewal) {
            return Ok(false);
        }
        writers.revoke(seen.incarnation);
        Ok(true)
    }

    async fn leave(&self, member: Incarnation) -> Result<(), StoreError> {
        let mut writers = self.writers().write();
        self.check_open("leaving a cluster")?;
        writers.revoke(member);
        Ok(())
    }
}

impl MemoryStore {
    fn partitions(&self) -> PartitionCount {
        self.layout().partitions
    }
}
