use super::{FaultStore, Operation, call::Call};
use actum_persistence::store::{ClaimError, Incarnation, StoreError, WriterClaim, WriterStore};
use async_trait::async_trait;
use std::time::Duration;

#[async_trait]
impl WriterStore for FaultStore {
    async fn claim(&self, claim: &WriterClaim) -> Result<Incarnation, ClaimError> {
        Call::begin(&self.faults, Operation::Claim).run(self.stores().writers.claim(claim)).await
    }

    async fn renew(&self, incarnation: Incarnation, lease: Duration) -> Result<(), StoreError> {
        let call = Call::begin(&self.faults, Operation::Renew);
        call.run(self.stores().writers.renew(incarnation, lease)).await
    }

    async fn release(&self, incarnation: Incarnation) -> Result<(), StoreError> {
        let call = Call::begin(&self.faults, Operation::Release);
        call.run(self.stores().writers.release(incarnation)).await
    }

    async fn revoke(&self, incarnation: Incarnation) -> Result<(), StoreError> {
        let call = Call::begin(&self.faults, Operation::Revoke);
        call.run(self.stores().writers.revoke(incarnation)).await
    }
}
