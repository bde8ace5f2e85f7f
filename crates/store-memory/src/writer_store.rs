use crate::MemoryStore;
use actum_persistence::store::{ClaimError, Incarnation, StoreError, WriterClaim, WriterStore};
use async_trait::async_trait;
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;

#[async_trait]
impl WriterStore for MemoryStore {
    async fn claim(&self, claim: &WriterClaim) -> Result<Incarnation, ClaimError> {
        claim.check()?;
        // exclusive: waits for the writes under way, as revoking promises
        let mut writers = self.writers().write();
        self.check_open("claiming a writer slot")?;
        writers.claim(claim)
    }

    async fn renew(&self, incarnation: Incarnation, lease: Duration) -> Result<(), StoreError> {
        let mut writers = self.writers().write();
        self.check_open("renewing a lease")?;
        writers.renew(incarnation, lease)
    }

    async fn release(&self, incarnation: Incarnation) -> Result<(), StoreError> {
        let mut writers = self.writers().write();
        self.check_open("releasing a writer slot")?;
        writers.revoke(incarnation);
        Ok(())
    }

    async fn revoke(&self, incarnation: Incarnation) -> Result<(), StoreError> {
        let mut writers = self.writers().write();
        self.check_open("revoking a writer")?;
        writers.revoke(incarnation);
        Ok(())
    }
}

/// Who may write: the incarnations that are not revoked, at most one a slot.
#[derive(Default)]
pub(crate) struct Writers {
    last: u64,
    holders: HashMap<Incarnation, Holder>,
}

struct Holder {
    slot: String,
    name: String,
    /// When its lease ends; none if that is too far away to tell.
    lease_ends: Option<Instant>,
}

impl Writers {
    /// Fails unless `incarnation` may write.
    pub(crate) fn check(&self, incarnation: Incarnation) -> Result<(), StoreError> {
        if self.holders.contains_key(&incarnation) {
            return Ok(());
        }
        Err(StoreError::Fenced { incarnation })
    }

    fn claim(&mut self, claim: &WriterClaim) -> Result<Incarnation, ClaimError> {
        let now = Instant::now();
        let former = self.holders.iter().find(|(_, holder)| holder.slot == claim.slot);
        if let Some((&former, holder)) = former {
            if holder.lease_ends.is_none_or(|end| end > now) {
                return Err(holder.holds(now));
            }
            self.revoke(former);
        }
        self.last += 1;
        let incarnation = Incarnation::new(self.last);
        let (slot, name) = (claim.slot.clone(), claim.holder.clone());
        let lease_ends = now.checked_add(claim.lease);
        self.holders.insert(incarnation, Holder { slot, name, lease_ends });
        Ok(incarnation)
    }

    fn renew(&mut self, incarnation: Incarnation, lease: Duration) -> Result<(), StoreError> {
        let holder = self.holders.get_mut(&incarnation);
        let holder = holder.ok_or(StoreError::Fenced { incarnation })?;
        holder.lease_ends = Instant::now().checked_add(lease);
        Ok(())
    }

    fn revoke(&mut self, incarnation: Incarnation) {
        self.holders.remove(&incarnation);
    }
}

impl Holder {
    fn holds(&self, now: Instant) -> ClaimError {
        ClaimError::Held {
            slot: self.slot.clone(),
            holder: self.name.clone(),
            expires_in: self.lease_ends.map(|end| end - now),
        }
    }
}
