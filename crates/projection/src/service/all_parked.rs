use actum_persistence::{
    progress::{ParkedEntity, ProgressStore, ProjectionId, Segment},
    store::StoreError,
};

const PAGE: u32 = 1_000;

/// All parked entities of a range of partitions; there may be more than may be parked now.
pub(super) async fn all_parked(
    progress: &dyn ProgressStore,
    id: &ProjectionId,
    segment: Segment,
) -> Result<Vec<ParkedEntity>, StoreError> {
    let mut all: Vec<ParkedEntity> = Vec::new();
    loop {
        let after = all.last().map(|last| last.entity.clone());
        let page = progress.parked(id, segment, after.as_ref(), PAGE).await?;
        let is_last = page.len() < PAGE as usize;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}
