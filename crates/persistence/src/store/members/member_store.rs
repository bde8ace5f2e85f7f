use super::{
    super::{Incarnation, SeenHolder, StoreError},
    ClusterSight, ClusterTerms, JoinError, MemberRenewal, NewMember, OwnerClaim, OwnerRow,
    RolePartition, TableVersion,
};
use async_trait::async_trait;
use std::sync::Arc;

/// Keeps the members of a cluster and the owners of its partitions, in the database of the journal they write to.
///
/// # Contract
/// * **Atomicity.** Each call is one transaction: all of it is kept, or nothing. After [`StoreError::OutcomeUnknown`] either
///   may be so.
/// * **Fence.** A member is an incarnation that holds its slot: each call in its name ends in [`StoreError::Fenced`] when it
///   does not, and changes nothing. An incarnation that is revoked or has released its slot, however that was done, is no
///   member any more, and owns nothing.
/// * **One owner.** A partition has at most one owner in each role. It changes by a claim of one that has none, in the epoch
///   it was seen in, by the owner's release, and when its owner ends; each counts the epoch up. Of two claims that race one
///   gets it.
/// * **Nothing comes after.** When [`release_partitions`](Self::release_partitions),
///   [`revoke_member`](Self::revoke_member) or [`leave`](Self::leave) returns, no
///   write is under way that the owner began under what has ended.
/// * **One version.** Each call that changes a member or an owner counts the version of the table up, in its transaction;
///   that of a renewal stays. What is read is of one moment.
/// * **No clock.** Who lives is judged by those who see renewals change.
/// * **Durability.** As that of appends. What a renewal notes may be lost in a crash.
/// * What a check of the arguments refuses is [`StoreError::Invalid`], before anything is changed.
///
/// # Cancel safety
/// Dropping the future of a read has no effect; dropping that of a change leaves its outcome unknown.
#[async_trait]
pub trait MemberStore: Send + Sync + 'static {
    /// Enters a member. Where no other member is there its terms become those of the cluster. One that has joined already
    /// is entered again with its new description.
    ///
    /// # Errors
    /// [`JoinError::Disagrees`] when the members agree on other terms; [`JoinError::Full`] when there are
    /// [`MEMBERS_MAX`](super::MEMBERS_MAX) others.
    async fn join(
        &self,
        terms: &ClusterTerms,
        member: &NewMember,
    ) -> Result<ClusterSight, JoinError>;

    /// What is kept; `None` before the first member has joined. The owners are returned unless `seen` is the version.
    ///
    /// # Errors
    /// [`StoreError`] when the read fails; [`StoreError::Corrupt`] when what is kept cannot be right.
    async fn read_members(&self, seen: TableVersion) -> Result<Option<ClusterSight>, StoreError>;

    /// Prolongs a membership, and returns what is kept. The lease of the writer slot stays as it is: a node that is started
    /// again takes its slot from its former life at once.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when it is no member any more.
    async fn renew_member(&self, renewal: &MemberRenewal) -> Result<ClusterSight, StoreError>;

    /// Takes partitions that have no owner and are in the epoch they were seen in; leaves the others as they are. Returns how
    /// each of them is then, in the order of the claims.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the claimant is no member.
    async fn claim_partitions(
        &self,
        member: Incarnation,
        claims: &[OwnerClaim],
    ) -> Result<Vec<OwnerRow>, StoreError>;

    /// Gives partitions back; those that it does not own stay as they are. Returns how each of them is then, in the order
    /// asked.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when it is no member.
    async fn release_partitions(
        &self,
        member: Incarnation,
        partitions: &[RolePartition],
    ) -> Result<Vec<OwnerRow>, StoreError>;

    /// Fences a member off that has not renewed since it was seen, frees what it owns, and removes it. False, and nothing is
    /// changed, when it has renewed since, or is no member.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when `by`, who revokes it, is no member; [`StoreError::Invalid`] when that is the same one.
    async fn revoke_member(&self, by: Incarnation, seen: SeenHolder) -> Result<bool, StoreError>;

    /// Ends a membership: gives back everything, the slot included. One that has ended already is no error.
    ///
    /// # Errors
    /// [`StoreError`] when the write fails; others then revoke the member in time.
    async fn leave(&self, member: Incarnation) -> Result<(), StoreError>;
}

/// A store that also keeps the members of a cluster.
pub trait KeepsMembers: Send + Sync + 'static {
    /// Where it keeps them; `None` if several nodes cannot share it.
    fn members(self: Arc<Self>) -> Option<Arc<dyn MemberStore>>;
}
