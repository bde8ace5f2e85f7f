use crate::{
    SqliteStore,
    entity_pages::{self, Wanted},
    fault::store_error,
};
use actum_model::SequenceNr;
use actum_persistence::store::{PageLimit, Recovered, RecoveryRead, RecoveryStore, StoreError};
use async_trait::async_trait;

#[async_trait]
impl RecoveryStore for SqliteStore {
    async fn recover(
        &self,
        reads: &[RecoveryRead],
        limit: PageLimit,
    ) -> Result<Vec<Recovered>, StoreError> {
        let doing = "recovering entities";
        let mut reader = self.readers().reader(doing).await?;
        let wanted = reads.iter().map(|RecoveryRead { entity, snapshot }| Wanted {
            entity,
            after: SequenceNr::ZERO,
            snapshot: *snapshot,
        });
        let wanted: Vec<_> = wanted.collect();
        let recovered = entity_pages::read(&mut reader, &wanted, limit, self.places()).await;
        recovered.map_err(|error| store_error(doing, error))
    }
}
