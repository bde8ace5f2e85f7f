use crate::{
    SqliteStore,
    entity_pages::{self, Answered, Wanted},
    fault::store_error,
};
use actum_model::SequenceNr;
use actum_persistence::store::{
    PageLimit, Recovered, RecoveryRead, RecoveryStore, StoreError, recover_carefully,
};
use async_trait::async_trait;

#[async_trait]
impl RecoveryStore for SqliteStore {
    async fn recover(
        &self,
        reads: &[RecoveryRead],
        limit: PageLimit,
    ) -> Result<Vec<Recovered>, StoreError> {
        let answers = match (self.recover_together(reads, limit).await, reads) {
            // it may be the snapshot that is damaged, and then the events are enough
            (Err(StoreError::Corrupt { .. }), [read]) if read.snapshot => {
                vec![Answered::NeedsCare]
            }
            (answers, _) => answers?,
        };
        let mut all = Vec::with_capacity(reads.len());
        for (answer, read) in answers.into_iter().zip(reads) {
            all.push(match answer {
                Answered::Recovered(recovered) => recovered,
                Answered::NeedsCare => {
                    let newest = SequenceNr::new(u64::MAX);
                    recover_carefully(self, self, &read.entity, newest, limit).await?
                }
            });
        }
        Ok(all)
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
        let wanted = reads.iter().map(|RecoveryRead { entity, snapshot }| Wanted {
            entity,
            after: SequenceNr::ZERO,
            snapshot: *snapshot,
        });
        let wanted: Vec<_> = wanted.collect();
        let answers = entity_pages::read(&mut reader, &wanted, limit, self.places()).await;
        answers.map_err(|error| store_error(doing, error))
    }
}
