use super::kept::KeptProjections;
use actum_persistence::{
    progress::{Epoch, ProjectionId, SaveError, Segment, StoredSegment},
    store::StoreError,
};

impl KeptProjections {
    pub(super) fn divide(
        &mut self,
        projection: &ProjectionId,
        seen: &[(Segment, Epoch)],
        into: &[StoredSegment],
    ) -> Result<(), SaveError> {
        let of = seen.iter().map(|(segment, _)| *segment);
        if !Segment::have_same_partitions(of, into.iter().map(|one| one.segment)) {
            let what = format!("{projection} would be divided into other partitions than it has");
            return Err(StoreError::invalid(what).into());
        }
        for &(segment, epoch) in seen {
            self.segment_at(projection, segment, epoch)?;
        }
        let Some(kept) = self.by_id.get_mut(projection) else { return Ok(()) };
        let last = seen.iter().map(|(_, epoch)| *epoch).max().unwrap_or_default();
        let segments = &mut kept.stored.segments;
        segments.retain(|one| seen.iter().all(|(segment, _)| *segment != one.segment));
        segments.extend(into.iter().cloned().map(|mut new| {
            new.epoch = last.next();
            new.owner = None;
            new
        }));
        segments.sort_by_key(|one| one.segment);
        Ok(())
    }
}
