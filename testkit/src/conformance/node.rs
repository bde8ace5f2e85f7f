use super::writer::{LONG_LEASE, claim_of};
use actum_model::Partition;
use actum_persistence::{
    members::{
        ClusterSight, ClusterTerms, JoinError, MemberRenewal, MemberRow, MemberStore, NewMember,
        OwnerClaim, OwnerRow, RolePartition, TableVersion, node_slot,
    },
    progress::Epoch,
    store::{Incarnation, SeenHolder, StoreError, Stores},
};
use bytes::Bytes;
use std::sync::Arc;

/// A node that holds its slot, and the handle it goes through.
pub(crate) struct Node {
    pub(crate) members: Arc<dyn MemberStore>,
    pub(crate) name: String,
    pub(crate) incarnation: Incarnation,
}

/// What all members of most cases agree on.
pub(crate) fn terms() -> ClusterTerms {
    ClusterTerms { cluster: "bank".to_owned(), lease: LONG_LEASE }
}

/// A partition for kinds without a role.
pub(crate) fn plain(partition: u16) -> RolePartition {
    RolePartition { role: "".into(), partition: Partition::new(partition) }
}

/// Those of a range, never claimed.
pub(crate) fn first_claims(partitions: impl IntoIterator<Item = u16>) -> Vec<OwnerClaim> {
    let claim = |nr| OwnerClaim { of: plain(nr), seen: Epoch::default() };
    partitions.into_iter().map(claim).collect()
}

/// Who owns each of these, and in which epoch.
pub(crate) fn owned(rows: &[OwnerRow]) -> Vec<(Option<Incarnation>, u64)> {
    rows.iter().map(|row| (row.owner, row.epoch.get())).collect()
}

impl Node {
    /// One that has not joined; `None` where nodes cannot share the journal.
    pub(crate) async fn claim(stores: &Stores, name: &str) -> Option<Self> {
        let members = stores.members.clone()?;
        let claim = claim_of(&node_slot(name));
        let incarnation = stores.writers.claim(&claim).await.expect("the slot is free");
        Some(Self { members, name: name.to_owned(), incarnation })
    }

    /// One that has joined.
    pub(crate) async fn joined(stores: &Stores, name: &str) -> Option<Self> {
        let node = Self::claim(stores, name).await?;
        node.join(&terms()).await.expect("a node can join");
        Some(node)
    }

    pub(crate) async fn join(&self, terms: &ClusterTerms) -> Result<ClusterSight, JoinError> {
        self.members.join(terms, &self.new_member()).await
    }

    pub(crate) fn new_member(&self) -> NewMember {
        let description = Bytes::from(format!("{} is at 10.0.0.7", self.name));
        NewMember { incarnation: self.incarnation, name: self.name.clone(), description }
    }

    /// Renews with a note, and sees everything.
    pub(crate) async fn renew(&self, note: &str) -> Result<ClusterSight, StoreError> {
        self.renew_behind(note, TableVersion::ZERO).await
    }

    pub(crate) async fn renew_behind(
        &self,
        note: &str,
        seen: TableVersion,
    ) -> Result<ClusterSight, StoreError> {
        let (incarnation, note) = (self.incarnation, Bytes::copy_from_slice(note.as_bytes()));
        self.members.renew_member(&MemberRenewal { incarnation, note, seen }).await
    }

    /// Everything that is kept.
    pub(crate) async fn sight(&self) -> ClusterSight {
        let sight = self.members.read_members(TableVersion::ZERO).await.expect("it can be read");
        sight.expect("a node has joined")
    }

    /// Claims partitions that no one has ever owned.
    pub(crate) async fn claim_first(&self, partitions: std::ops::Range<u16>) -> Vec<OwnerRow> {
        let claims = first_claims(partitions);
        let rows = self.members.claim_partitions(self.incarnation, &claims).await;
        rows.expect("a member can claim")
    }

    /// As this one is seen by the others.
    pub(crate) async fn seen(&self) -> SeenHolder {
        seen(&self.row().await)
    }

    pub(crate) async fn row(&self) -> MemberRow {
        let members = self.sight().await.members;
        let row = members.into_iter().find(|row| row.incarnation == self.incarnation);
        row.expect("it is a member")
    }

    /// Whether it is a member, by what is kept.
    pub(crate) async fn is_member(&self) -> bool {
        self.sight().await.members.iter().any(|row| row.incarnation == self.incarnation)
    }
}

pub(crate) fn seen(row: &MemberRow) -> SeenHolder {
    SeenHolder { incarnation: row.incarnation, renewal: row.renewal }
}
