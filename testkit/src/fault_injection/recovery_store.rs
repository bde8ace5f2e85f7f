use super::{Damage, FaultStore, Operation, call::Call, fault::Act};
use actum_persistence::store::{PageLimit, Recovered, RecoveryRead, RecoveryStore, StoreError};
use async_trait::async_trait;

#[async_trait]
impl RecoveryStore for FaultStore {
    async fn recover(
        &self,
        reads: &[RecoveryRead],
        limit: PageLimit,
    ) -> Result<Vec<Recovered>, StoreError> {
        let call = Call::begin(&self.faults, Operation::Recover);
        let mut reads = reads.to_vec();
        if matches!(call.fault.act, Act::DamageSnapshot(Damage::Missing)) {
            // the page must begin where there is no snapshot, so the stores below are not asked for one
            reads.iter_mut().for_each(|read| read.snapshot = false);
        }
        let found = call.read(self.stores().recovery.recover(&reads, limit)).await?;
        let events = found.iter().map(|one| one.page.events.len()).sum();
        self.count_read(reads.len(), events);
        Ok(found)
    }
}
