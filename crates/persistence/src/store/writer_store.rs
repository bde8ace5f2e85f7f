use super::{ClaimError, Incarnation, StoreError, WriterClaim};
use async_trait::async_trait;
use std::time::Duration;

/// Says who may write.
///
/// # Contract
/// * What [`WriterClaim::check`] refuses is [`StoreError::Invalid`], before anything is claimed.
/// * At any moment at most one incarnation holds a slot that is not revoked.
/// * [`claim`](Self::claim) succeeds when the slot is free: its last holder released it or was revoked, or the store
///   knows by itself that it is dead, for example by a file lock that died with its process. No lease frees a slot by
///   running out: clocks step, so a store says what it sees of a lease, and the claimant decides.
/// * A claim that [`replaces`](WriterClaim::replaces) a holder takes the slot from it when it holds the slot and has
///   not renewed since, whatever any clock says; unless the store knows by itself that it lives. Otherwise it is a
///   claim like any other. It compares and revokes in the transaction that takes the slot.
/// * An engine that has the journal for itself and the nodes of a cluster exclude each other: while one of the claim's [rival
///   slots](WriterClaim::rival_slots) is held it is refused as if its own slot was, and the error names the holder and the
///   slot of that one. A holder of a rival slot is replaced like one of the own slot. Where it is a
///   [member](crate::members::MemberStore), its renewals are those of its membership, and the length of its lease is that
///   on which the members agree. Of several a claim replaces the one that it names, also where it is then refused in
///   favour of another.
/// * A claim that finds the slot held waits for no other writer and disturbs none: claimants ask several times a
///   second.
/// * When `claim` or [`revoke`](Self::revoke) returns, no write of a revoked incarnation is under way, and no later one
///   commits: they get [`StoreError::Fenced`].
/// * A [`renew`](Self::renew) that succeeds proves that no one else held the slot up to then, however late it comes. It
///   is as durable as an append, and a claimant that has seen an earlier renewal can no longer replace the holder.
///
/// # Cancel safety
/// Dropping the future of a call leaves open whether it was done; the store stays usable. A slot that such a `claim`
/// has taken is held by an incarnation that no one renews; the other calls can be repeated.
#[async_trait]
pub trait WriterStore: Send + Sync + 'static {
    /// Takes a slot.
    ///
    /// # Errors
    /// [`ClaimError::Held`] when another writer holds it, or a rival slot.
    async fn claim(&self, claim: &WriterClaim) -> Result<Incarnation, ClaimError>;

    /// Prolongs the lease of an incarnation: it ends `lease` from now, by the clock of the store.
    ///
    /// A holder gives the length that it has claimed, and relies on the slot for no longer. That is what claimants see
    /// as the [length](super::HeldLease::length) of the lease, also when a renewal was for another one.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the incarnation is revoked.
    async fn renew(&self, incarnation: Incarnation, lease: Duration) -> Result<(), StoreError>;

    /// Gives the slot back: the incarnation is revoked and the next claim succeeds at once.
    ///
    /// # Errors
    /// [`StoreError`] when the write fails; others can then replace the holder when it has not renewed for one lease.
    async fn release(&self, incarnation: Incarnation) -> Result<(), StoreError>;

    /// Fences an incarnation off, whether its holder is alive or not.
    ///
    /// # Errors
    /// [`StoreError`] when the write fails; the incarnation may then still write.
    async fn revoke(&self, incarnation: Incarnation) -> Result<(), StoreError>;
}
