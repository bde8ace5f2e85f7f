use crate::MemoryStore;
use actum_persistence::store::{ClaimError, Incarnation, StoreError, WriterClaim, WriterStore};
use async_trait::async_trait;
use std::time::Duration;

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
