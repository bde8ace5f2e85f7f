use super::{Epoch, ProjectionId, SaveError, Segment, StoredProjection};
use actum_model::Offset;

/// Makes a version of a projection the active one of its name.
///
/// Every segment of it, and of the version that was active, gets the next epoch and no owner: what is being saved of either
/// is stale then, and their runners find out which one is active when they claim segments again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    /// The version that becomes active.
    pub projection: ProjectionId,
    /// The epoch in which each of its segments was seen, in order.
    pub seen: Vec<(Segment, Epoch)>,
    /// The version that was seen as the active one; none if no version was active.
    pub replaces: Option<SeenActive>,
}

/// The active version of a projection as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenActive {
    /// Its name and version.
    pub projection: ProjectionId,
    /// The epoch in which each of its segments was seen, in order.
    pub seen: Vec<(Segment, Epoch)>,
}

impl Activation {
    /// Makes `version` active in place of `active`, both as they were read.
    #[must_use]
    pub fn of(version: &StoredProjection, active: Option<&StoredProjection>) -> Self {
        Self {
            projection: version.id.clone(),
            seen: version.epochs(),
            replaces: active
                .map(|active| SeenActive { projection: active.id.clone(), seen: active.epochs() }),
        }
    }

    /// Checks that what is kept is what was seen, and says where live begins for the version that becomes active: for
    /// stores.
    ///
    /// An event is live for it that the version which was active has not saved, and for which it would have been live: so
    /// a side effect is not lost, and none comes again that was done long ago. Where segments of the former version have
    /// come further than others in the same lane, the slowest decides. Without a former version live begins where it did.
    ///
    /// # Errors
    /// [`SaveError::Stale`] when it is not what was seen.
    pub fn live_from(
        &self,
        version: Option<&StoredProjection>,
        active: Option<&StoredProjection>,
    ) -> Result<Offset, SaveError> {
        let version = version.filter(|version| !version.is_active && version.epochs() == self.seen);
        let version = version.ok_or(SaveError::Stale)?;
        match (&self.replaces, active) {
            (None, None) => Ok(version.live_from.clone()),
            (Some(seen), Some(active))
                if seen.projection == active.id
                    && seen.projection.name() == version.id.name()
                    && seen.seen == active.epochs()
                    && active.layout == version.layout =>
            {
                Ok(handed_over(active))
            }
            _ => Err(SaveError::Stale),
        }
    }
}

/// Up to where events are no longer live, lane by lane, for one that takes over from `active`.
fn handed_over(active: &StoredProjection) -> Offset {
    let mut from = active.read_to();
    for lane in active.layout.lanes.iter() {
        from.advance(lane, active.live_from.position(lane));
    }
    from
}
