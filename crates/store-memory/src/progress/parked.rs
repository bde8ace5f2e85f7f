use super::kept::KeptProjections;
use actum_model::EntityKey;
use actum_persistence::progress::{ParkedEntity, ParkedRequest, ProjectionId, Segment};
use std::ops::Bound::{Excluded, Unbounded};

impl KeptProjections {
    pub(super) fn parked(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        after: Option<&EntityKey>,
        limit: u32,
    ) -> Vec<ParkedEntity> {
        let Some(kept) = self.by_id.get(projection) else { return Vec::new() };
        let behind = (after.map_or(Unbounded, Excluded), Unbounded);
        let parked = kept.parked.range::<EntityKey, _>(behind).map(|(_, one)| one);
        let parked = parked.filter(|one| segment.contains(one.partition));
        parked.take(limit as usize).cloned().collect()
    }

    pub(super) fn request(
        &mut self,
        projection: &ProjectionId,
        entity: Option<&EntityKey>,
        request: ParkedRequest,
    ) -> u64 {
        let Some(kept) = self.by_id.get_mut(projection) else { return 0 };
        let wanted = |one: &&mut ParkedEntity| entity.is_none_or(|entity| one.entity == *entity);
        let asked = kept.parked.values_mut().filter(wanted);
        asked.map(|one| one.request = Some(request)).count() as u64
    }
}
