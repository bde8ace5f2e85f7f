use super::work::NEVER;
use actum_model::Offset;
use actum_persistence::progress::StoredProjection;

/// Where live begins for a claim of a segment: nowhere for a version that follows.
pub(super) fn live_from(stored: &StoredProjection) -> Offset {
    if stored.is_active {
        return stored.live_from.clone();
    }
    Offset::of_positions(stored.live_from.positions().iter().map(|_| NEVER).collect::<Vec<_>>())
}
