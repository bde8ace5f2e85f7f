use super::{ClaimError, StoreError};
use async_trait::async_trait;
use std::{fmt, time::Duration};

/// One life of a writer: the fence that every write carries. Numbers grow, and none is used twice in a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Incarnation(u64);

impl Incarnation {
    /// The incarnation of number `nr`.
    #[must_use]
    pub const fn new(nr: u64) -> Self {
        Self(nr)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Asks for a writer slot.
#[derive(Clone, Debug)]
pub struct WriterClaim {
    /// The slot, 1 to 255 bytes without NUL: one alive writer each. A single engine uses one slot for the whole journal.
    pub slot: String,
    /// Who claims, 1 to 4,096 bytes without NUL, for the error message of the next claimant: the engine's name and process id.
    pub holder: String,
    /// How long the claim lives without a [`renew`](WriterStore::renew), on the store's clock.
    pub lease: Duration,
}

/// Says who may write.
///
/// # Contract
/// * What [`WriterClaim::check`] refuses is [`StoreError::Invalid`], before anything is claimed.
/// * At any moment at most one incarnation holds a slot that is not revoked.
/// * [`claim`](Self::claim) succeeds when the slot is free, released, or its holder is revoked or dead: its lease has run
///   out, or the store knows by itself, for example by a file lock that died with its process. It then revokes the
///   former incarnation in the same transaction. A lease that has run out shuts nobody out before that.
/// * When `claim` or [`revoke`](Self::revoke) returns, no write of a revoked incarnation is under way, and no later one
///   commits: they get [`StoreError::Fenced`].
///
/// # Cancel safety
/// Dropping the future of a call leaves open whether it was done; the store stays usable. A slot that such a `claim` has
/// taken is held until its lease ends, or until the store sees that its holder is gone; the other calls can be repeated.
#[async_trait]
pub trait WriterStore: Send + Sync + 'static {
    /// Takes a slot.
    ///
    /// # Errors
    /// [`ClaimError::Held`] when somebody alive holds it.
    async fn claim(&self, claim: &WriterClaim) -> Result<Incarnation, ClaimError>;

    /// Prolongs the lease of an incarnation; after `lease` without another one the slot can be claimed.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the incarnation is revoked.
    async fn renew(&self, incarnation: Incarnation, lease: Duration) -> Result<(), StoreError>;

    /// Gives the slot back: the incarnation is revoked and the next claim succeeds at once.
    ///
    /// # Errors
    /// [`StoreError`] when the write fails; the lease then ends by itself.
    async fn release(&self, incarnation: Incarnation) -> Result<(), StoreError>;

    /// Shuts an incarnation out, whoever holds it.
    ///
    /// # Errors
    /// [`StoreError`] when the write fails; the incarnation may then still write.
    async fn revoke(&self, incarnation: Incarnation) -> Result<(), StoreError>;
}
