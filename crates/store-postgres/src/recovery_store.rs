use crate::{PostgresStore, entity_pages};
use actum_persistence::store::{
    Answered, PageLimit, Recovered, RecoveryRead, RecoveryStore, StoreError, Wanted,
    complete_recovery,
};
use async_trait::async_trait;

#[async_trait]
impl RecoveryStore for PostgresStore {
    async fn recover(
        &self,
        reads: &[RecoveryRead],
        limit: PageLimit,
    ) -> Result<Vec<Recovered>, StoreError> {
        let answers = self.recover_together(reads, limit).await;
        complete_recovery(self, reads, limit, answers).await
    }
}

impl PostgresStore {
    async fn recover_together(
        &self,
        reads: &[RecoveryRead],
        limit: PageLimit,
    ) -> Result<Vec<Answered>, StoreError> {
        let wanted: Vec<_> = reads.iter().map(Wanted::from).collect();
        entity_pages::read(&self.shared, "recovering entities", &wanted, limit).await
    }
}
