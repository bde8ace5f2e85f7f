use crate::{
    PostgresStore,
    entity_pages::{self, Wanted},
};
use actum_model::SequenceNr;
use actum_persistence::store::{PageLimit, Recovered, RecoveryRead, RecoveryStore, StoreError};
use async_trait::async_trait;

#[async_trait]
impl RecoveryStore for PostgresStore {
    async fn recover(
        &self,
        reads: &[RecoveryRead],
        limit: PageLimit,
    ) -> Result<Vec<Recovered>, StoreError> {
        let wanted = reads.iter().map(|RecoveryRead { entity, snapshot }| Wanted {
            entity,
            after: SequenceNr::ZERO,
            snapshot: *snapshot,
        });
        let wanted: Vec<_> = wanted.collect();
        entity_pages::read(&self.shared, "recovering entities", &wanted, limit).await
    }
}
