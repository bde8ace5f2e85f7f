use crate::happened::{Happened, OwnerChange, Removal};
use actum_persistence::{
    members::{
        ClusterSight, ClusterTerms, JoinError, MemberRenewal, MemberStore, NewMember, OwnerClaim,
        OwnerRow, RolePartition, TableVersion,
    },
    store::{EventStore, Incarnation, SeenHolder, StoreError},
};
use actum_store_memory::MemoryStore;
use async_trait::async_trait;
use fastrand::Rng;
use parking_lot::Mutex;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::sleep;

/// The table of members as one node reaches it: late, and in some calls without an answer. It notes who owns what from which
/// position of the journal on, and who was removed.
pub(crate) struct WatchedMembers {
    pub(crate) memory: MemoryStore,
    pub(crate) happened: Arc<Happened>,
    pub(crate) rng: Mutex<Rng>,
    pub(crate) delay_max: Duration,
    /// Whether answers get lost.
    pub(crate) loses_answers: Arc<AtomicBool>,
}

impl WatchedMembers {
    async fn call<T, E: From<StoreError>>(
        &self,
        change: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.wait().await;
        let result = change.await;
        self.note().await;
        self.wait().await;
        if self.loses_answers.load(Ordering::Relaxed) && self.rng.lock().u8(..) < 12 {
            return Err(StoreError::outcome_unknown("simulated", "the answer is lost").into());
        }
        result
    }

    async fn wait(&self) {
        let delay = self.delay_max.mul_f64(self.rng.lock().f64());
        sleep(delay).await;
    }

    /// Notes what has changed. Nothing happens between the change and this: the store in memory does not wait.
    async fn note(&self) {
        let Ok(Some(sight)) = self.memory.read_members(TableVersion::ZERO).await else { return };
        let heads = self.memory.heads().await.expect("the store in memory is open");
        let mut owners = self.happened.owners.lock();
        for row in sight.owners.into_iter().flatten() {
            let partition = row.of.partition;
            let now = owners.iter().rev().find(|change| change.partition == partition);
            if now.and_then(|change| change.owner) != row.owner {
                let heads = heads.clone();
                owners.push(OwnerChange { partition, owner: row.owner, heads });
            }
        }
    }

    async fn name(&self, member: Incarnation) -> Option<String> {
        let sight = self.memory.read_members(TableVersion::ZERO).await.ok()??;
        let row = sight.members.into_iter().find(|row| row.incarnation == member);
        row.map(|row| row.name)
    }
}

#[async_trait]
impl MemberStore for WatchedMembers {
    async fn join(
        &self,
        terms: &ClusterTerms,
        member: &NewMember,
    ) -> Result<ClusterSight, JoinError> {
        self.call(self.memory.join(terms, member)).await
    }

    async fn read_members(&self, seen: TableVersion) -> Result<Option<ClusterSight>, StoreError> {
        self.call(self.memory.read_members(seen)).await
    }

    async fn renew_member(&self, renewal: &MemberRenewal) -> Result<ClusterSight, StoreError> {
        self.call(self.memory.renew_member(renewal)).await
    }

    async fn claim_partitions(
        &self,
        member: Incarnation,
        claims: &[OwnerClaim],
    ) -> Result<Vec<OwnerRow>, StoreError> {
        self.call(self.memory.claim_partitions(member, claims)).await
    }

    async fn release_partitions(
        &self,
        member: Incarnation,
        partitions: &[RolePartition],
    ) -> Result<Vec<OwnerRow>, StoreError> {
        self.call(self.memory.release_partitions(member, partitions)).await
    }

    async fn revoke_member(&self, by: Incarnation, seen: SeenHolder) -> Result<bool, StoreError> {
        self.wait().await;
        let name = self.name(seen.incarnation).await;
        let revoke = async {
            let is_done = self.memory.revoke_member(by, seen).await?;
            if let Some(node) = name.filter(|_| is_done) {
                let at = self.happened.now();
                self.happened.removed.lock().push(Removal { at, node, by });
            }
            Ok(is_done)
        };
        self.call(revoke).await
    }

    async fn leave(&self, member: Incarnation) -> Result<(), StoreError> {
        self.call(self.memory.leave(member)).await
    }
}
