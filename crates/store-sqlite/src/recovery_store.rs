use crate::{SqliteStore, entity_pages, fault::store_error};
use actum_persistence::store::{
    Answered, PageLimit, Recovered, RecoveryRead, RecoveryStore, StoreError, Wanted,
    complete_recovery,
};
use async_trait::async_trait;

#[async_trait]
impl RecoveryStore for SqliteStore {
    async fn recover(
        &self,
        reads: &[RecoveryRead],
        limit: PageLimit,
    ) -> Result<Vec<Recovered>, StoreError> {
        let answers = self.recover_together(reads, limit).await;
        complete_recovery(self, reads, limit, answers).await
    }
}

impl SqliteStore {
    async fn recover_together(
        &self,
        reads: &[RecoveryRead],
        limit: PageLimit,
    ) -> Result<Vec<Answered>, StoreError> {
        let doing = "recovering entities";
        let mut reader = self.readers().reader(doing).await?;
        let wanted: Vec<_> = reads.iter().map(Wanted::from).collect();
        let answers = entity_pages::read(&mut reader, &wanted, limit, self.places()).await;
        answers.map_err(|error| store_error(doing, error))
    }
}
