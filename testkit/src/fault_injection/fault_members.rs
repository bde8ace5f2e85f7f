use super::{FaultStore, Operation, call::Call};
use actum_persistence::{
    members::{
        ClusterSight, ClusterTerms, JoinError, KeepsMembers, MemberRenewal, MemberStore, NewMember,
        OwnerClaim, OwnerRow, RolePartition, TableVersion,
    },
    store::{Incarnation, SeenHolder, StoreError},
};
use async_trait::async_trait;
use std::sync::Arc;

/// Those of the stores below, if they keep any.
impl KeepsMembers for FaultStore {
    fn members(self: Arc<Self>) -> Option<Arc<dyn MemberStore>> {
        self.stores().members.is_some().then_some(self as _)
    }
}

impl FaultStore {
    fn kept_members(&self) -> Result<Arc<dyn MemberStore>, StoreError> {
        let members = self.stores().members;
        members.ok_or_else(|| StoreError::invalid("several nodes cannot share this journal"))
    }
}

#[async_trait]
impl MemberStore for FaultStore {
    async fn join(
        &self,
        terms: &ClusterTerms,
        member: &NewMember,
    ) -> Result<ClusterSight, JoinError> {
        let call = Call::begin(&self.faults, Operation::JoinCluster);
        call.run(async { self.kept_members()?.join(terms, member).await }).await
    }

    async fn read_members(&self, seen: TableVersion) -> Result<Option<ClusterSight>, StoreError> {
        let call = Call::begin(&self.faults, Operation::ReadMembers);
        call.run(async { self.kept_members()?.read_members(seen).await }).await
    }

    async fn renew_member(&self, renewal: &MemberRenewal) -> Result<ClusterSight, StoreError> {
        let call = Call::begin(&self.faults, Operation::RenewMember);
        call.run(async { self.kept_members()?.renew_member(renewal).await }).await
    }

    async fn claim_partitions(
        &self,
        member: Incarnation,
        claims: &[OwnerClaim],
    ) -> Result<Vec<OwnerRow>, StoreError> {
        let call = Call::begin(&self.faults, Operation::ClaimPartitions);
        call.run(async { self.kept_members()?.claim_partitions(member, claims).await }).await
    }

    async fn release_partitions(
        &self,
        member: Incarnation,
        partitions: &[RolePartition],
    ) -> Result<Vec<OwnerRow>, StoreError> {
        let call = Call::begin(&self.faults, Operation::ReleasePartitions);
        call.run(async { self.kept_members()?.release_partitions(member, partitions).await }).await
    }

    async fn revoke_member(&self, by: Incarnation, seen: SeenHolder) -> Result<bool, StoreError> {
        let call = Call::begin(&self.faults, Operation::RevokeMember);
        call.run(async { self.kept_members()?.revoke_member(by, seen).await }).await
    }

    async fn leave(&self, member: Incarnation) -> Result<(), StoreError> {
        let call = Call::begin(&self.faults, Operation::LeaveCluster);
        call.run(async { self.kept_members()?.leave(member).await }).await
    }
}
